"""Updates by the real engine, killed at random points, recovered and finished.

Run with `python -m benchmarks.stacks_kills [--quick]`. The stack adopts an instance and a volume and
changes both, and makes a role with its rights, a log group, a function that may be called, a launch
template and an instance; the account is the embedded one. `benchmarks.stacks_kill_scenarios` says
where is killed and what counts as wrong.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import Metrics, notice, progress, show_table
from benchmarks.stacks_kill_scenarios import (
    KILLS,
    QUICK_KILLS,
    SEED,
    Aftermath,
    Moment,
    Scenario,
    Verdict,
    Victim,
    judge,
    scenarios,
)
from benchmarks.stacks_kill_stack import ADOPTED, MADE, REGION, Account, Before, write_project
from deployments.embedded.aws.policy import SEEDING_KEY
from deployments.embedded.aws.server import EmbeddedAwsConfig, serve_aws
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from deployments.tools.families import find_tool
from tasks.adapters.interrupted_instances import started_again
from tasks.adapters.pulumi.engine import apply, exported, preview
from tasks.adapters.pulumi.environment import (
    STACK_VARIABLE,
    AwsEnvironment,
    EngineSettings,
    stack_mark,
)
from tasks.adapters.pulumi.recover import recover
from tasks.adapters.tagged_resources import found_by_tags
from tasks.domain.errors import InfraError
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.recovery import (
    Recovery,
    name_of,
    pending_operations,
    remaining,
)

AT_ONCE = 2
LONGEST_HOLD_SECONDS = 8.0
"""For which the provider holds an answer back: the kill comes long before."""
POLL_SECONDS = 0.05
LOOK_AGAIN_SECONDS = 1.0
"""The embedded account lists what it made at once; its calls take less than this."""
GIVE_UP_SECONDS = 40.0
_WORDS = {
    Victim.ENGINE: "pulumi",
    Victim.PROVIDER: "deployments.embedded.pulumi_aws",
    Victim.PYTHON: "tasks.adapters.pulumi.worker",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """One scenario, carried out.

    Attributes:
        hit: Processes that were killed; 0 when the update had ended before.
        pending: Operations that the kill left pending.
        covered: What was left was covered by the approval.
        seconds: Of the recovery.
    """

    scenario: Scenario
    verdict: Verdict
    hit: int
    pending: int
    covered: bool
    seconds: float


@dataclass(kw_only=True)
class Bench:
    """What scenarios share.

    Attributes:
        usual_seconds: How long an update takes that nobody kills, by phase.
    """

    folder: Path
    endpoint_url: str
    account: Account
    cli: Path
    usual_seconds: dict[Phase, float] = field(default_factory=dict)

    def settings(self, name: str, faults: list[dict[str, Any]]) -> EngineSettings:
        """Return settings with a backend and an engine's home of their own."""
        return EngineSettings(
            backend_url=f"file://{self.folder / name}",
            home=self.folder / "home",
            passphrase="not a secret",  # noqa: S106 - of a stack that is thrown away
            cli=self.cli,
            plugin_folder=plugin_folder(),
            aws=AwsEnvironment(
                region=REGION,
                access_key_id=SEEDING_KEY,
                secret_access_key="not checked",  # noqa: S106 - the embedded account checks none
                endpoint_url=self.endpoint_url,
            ),
            variables={"HOMEOSTAT_STANDIN_FAULTS": json.dumps(faults)} if faults else {},
        )


def measure(*, quick: bool) -> Metrics:
    """Return how many kills there were and what they left; nothing without the engine."""
    cli = find_tool("pulumi")
    if cli is None:
        notice("no `pulumi` command: nothing was killed; `make tools` builds it where Go is")
        return {}
    with (
        tempfile.TemporaryDirectory(prefix="homeostat-kills-") as folder,
        serve_aws(EmbeddedAwsConfig(fleet="none")) as server,
    ):
        bench = Bench(
            folder=Path(folder),
            endpoint_url=server.endpoint_url,
            account=Account(server.endpoint_url),
            cli=cli,
        )
        return _figures(run(bench, QUICK_KILLS if quick else KILLS))


def run(bench: Bench, count: int, *, first: int = 0) -> list[Killed]:
    """Carry out scenarios, two at a time."""
    _warm_up(bench)
    chosen = scenarios(count, resources=len(MADE) + len(ADOPTED))[first:]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda one: _kill(bench, *one), enumerate(chosen)))


def _warm_up(bench: Bench) -> None:
    """Find out how long an update takes; clients are made before threads share them."""
    for service in ("ec2", "iam", "lambda", "logs"):
        bench.account.client(service)
    before, change_id = bench.account.seed(), "hs-" + "0" * 12
    settings, folder = bench.settings("usual", []), bench.folder / "usual-project"
    write_project(folder, stack="usual", change_id=change_id, before=before)
    for phase in (Phase.ADOPT, Phase.CHANGE):
        begin = time.perf_counter()
        done = apply(settings, folder, stack="usual", phase=phase)
        bench.usual_seconds[phase] = time.perf_counter() - begin
        if not done.complete:
            raise RuntimeError(done.error)


def _kill(bench: Bench, number: int, scenario: Scenario) -> Killed:
    name, change_id = f"kill-{number}", f"hs-{number:012x}"[:15].replace("0", "a", 1)
    before = bench.account.seed()
    project = bench.folder / f"{name}-project"
    write_project(project, stack=name, change_id=change_id, before=before)
    quiet = bench.settings(name, [])
    if scenario.phase is Phase.CHANGE:
        apply(quiet, project, stack=name, phase=Phase.ADOPT)
    plan = bench.folder / f"{name}.plan"
    approved = preview(quiet, project, stack=name, phase=scenario.phase, plan=plan)
    loud = bench.settings(name, _faults(scenario))
    with _killing(bench, loud, name, scenario, before, change_id) as hits, suppress(InfraError):
        apply(loud, project, stack=name, phase=scenario.phase, plan=plan, expected=approved)
    begin = time.perf_counter()
    recovery = _recovered(bench, quiet, name)
    seconds = time.perf_counter() - begin
    now = preview(quiet, project, stack=name, phase=scenario.phase, plan=plan)
    covered = remaining(approved, now) is not None
    apply(quiet, project, stack=name, phase=scenario.phase, plan=plan, expected=now)
    if scenario.phase is Phase.ADOPT:
        apply(quiet, project, stack=name, phase=Phase.CHANGE)
    verdict = judge(_aftermath(bench, quiet, name, before, change_id))
    progress(f"{name}: {scenario.moment}, {scenario.victim}, {scenario.phase}: {verdict}")
    return Killed(
        scenario=scenario,
        verdict=verdict,
        hit=len(hits),
        pending=len(recovery.resolutions),
        covered=covered,
        seconds=seconds,
    )


def _faults(scenario: Scenario) -> list[dict[str, Any]]:
    if scenario.moment is Moment.ANY_TIME or scenario.phase is Phase.ADOPT:
        return []
    when = "after" if scenario.moment is Moment.CALL_DONE else "before"
    hold = LONGEST_HOLD_SECONDS if when == "after" else 2.0
    name = (*ADOPTED, *MADE)[scenario.resource]
    return [
        {"operation": one, "name": name, "when": when, "delay_seconds": hold}
        for one in ("create", "update")
    ]


@contextmanager
def _killing(
    bench: Bench,
    settings: EngineSettings,
    stack: str,
    scenario: Scenario,
    before: Before,
    change_id: str,
) -> Iterator[list[int]]:
    """Kill processes of the update that the block carries out."""
    hits: list[int] = []
    ended = threading.Event()

    def wait_and_kill() -> None:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        if scenario.moment is Moment.ANY_TIME or scenario.phase is Phase.ADOPT:
            ended.wait(scenario.at_fraction * bench.usual_seconds[scenario.phase])
        else:
            name = (*ADOPTED, *MADE)[scenario.resource]
            while not ended.is_set() and time.monotonic() < deadline:
                if _reached(bench, settings, stack, scenario, name, before, change_id):
                    break
                ended.wait(POLL_SECONDS)
        hits.extend(_kill_processes(settings, stack, scenario.victim))

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    try:
        yield hits
    finally:
        ended.set()
        thread.join()


def _reached(
    bench: Bench,
    settings: EngineSettings,
    stack: str,
    scenario: Scenario,
    name: str,
    before: Before,
    change_id: str,
) -> bool:
    if scenario.moment is Moment.CALL_DONE:
        return bench.account.has(name, before=before, change_id=change_id)
    folder = settings.backend_folder
    assert folder is not None  # noqa: S101 - a backend of files
    try:
        written = json.loads((folder / f".pulumi/stacks/homeostat/{stack}.json").read_bytes())
    except (OSError, ValueError):
        return False
    state = written["checkpoint"].get("latest") or {}
    return any(one.endswith(f" {name}") for one in pending_operations(state))


def _kill_processes(settings: EngineSettings, stack: str, victim: Victim) -> list[int]:
    killed = []
    mark = stack_mark(settings, stack)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid == os.getpid() or process.environ().get(STACK_VARIABLE) != mark:
                continue
            words = " ".join(process.cmdline())
            wanted = victim is Victim.ALL or _is_victim(words, victim)
            if wanted:
                process.kill()
                killed.append(process.pid)
    return killed


def _is_victim(words: str, victim: Victim) -> bool:
    if victim is Victim.ENGINE:
        return Path(words.split(" ", 1)[0]).name == _WORDS[victim]
    return _WORDS[victim] in words


def _recovered(bench: Bench, settings: EngineSettings, stack: str) -> Recovery:
    def client_for(service: str, _: str) -> Any:
        return Account(bench.endpoint_url).client(service)

    return recover(
        settings,
        stack=stack,
        find_by_tags=found_by_tags(client_for, region=REGION),
        start_again=started_again(client_for, region=REGION),
        look_again_seconds=LOOK_AGAIN_SECONDS,
    )


def _aftermath(
    bench: Bench, settings: EngineSettings, stack: str, before: Before, change_id: str
) -> Aftermath:
    made = list(bench.account.made(change_id))
    try:
        state = exported(settings, stack=stack)
    except InfraError:
        state = None
    resources = [] if state is None else state.get("resources") or []
    return Aftermath(
        expected=frozenset(MADE),
        found=tuple(name for name, _ in made),
        in_state={name_of(one["urn"]): one["id"] for one in resources if one.get("id")},
        in_account=frozenset(identity for _, identity in made),
        adopted_as_wanted=bench.account.is_as_wanted(before),
        readable=state is not None and not pending_operations(state),
    )


def _figures(done: list[Killed]) -> Metrics:
    rows = []
    for moment in Moment:
        some = [one for one in done if one.scenario.moment is moment]
        rows.append(_row(str(moment), some))
    rows.append(_row("all", done))
    columns = [
        "killed",
        "updates",
        "processes hit",
        "pending left",
        "sound",
        "covered",
        "recovery s",
    ]
    show_table(f"{len(done)} updates killed, seed {SEED}", columns, rows)
    return {
        "kills": sum(one.hit > 0 for one in done),
        "kills_tried": len(done),
        "kills_applied_twice": sum(len(one.verdict.twice) for one in done),
        "kills_strays": sum(len(one.verdict.strays) for one in done),
        "kills_unreadable": sum(one.verdict.unreadable for one in done),
        "kills_missing": sum(len(one.verdict.missing) for one in done),
        "kills_that_left_something_pending": sum(one.pending > 0 for one in done),
        "kills_finished_under_the_same_approval": sum(one.covered for one in done),
        "kills_recovery_seconds": sum(one.seconds for one in done) / max(len(done), 1),
    }


def _row(name: str, some: list[Killed]) -> list[object]:
    return [
        name,
        len(some),
        sum(one.hit for one in some),
        sum(one.pending for one in some),
        sum(one.verdict.sound for one in some),
        sum(one.covered for one in some),
        sum(one.seconds for one in some) / max(len(some), 1),
    ]


def main() -> None:
    """Measure and print."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m benchmarks.stacks_kills")
    parser.add_argument("--quick", action="store_true", help="six kills")
    print(json.dumps(measure(quick=parser.parse_args().quick)))


if __name__ == "__main__":
    main()
