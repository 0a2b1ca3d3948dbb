"""Updates by the real engine, killed at random points, recovered and finished.

Run with `python -m benchmarks.stacks_kills [--quick]`. The stack adopts an instance and a volume and
changes both, and makes a role with its rights, a log group, a function that may be called and a launch
template, whose names AWS gives once; and three instances and a volume, which it makes again whenever
it is asked. The account is the embedded one. `benchmarks.stacks_kill_scenarios` says where is killed
and what counts as wrong.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import Metrics, notice, progress, show_table
from benchmarks.stacks_kill_account import COULD_DOUBLE, REGION, Account, Before
from benchmarks.stacks_kill_bench import AT_ONCE, Bench, warm_up
from benchmarks.stacks_kill_processes import faults, killing
from benchmarks.stacks_kill_scenarios import (
    KILLS,
    QUICK_KILLS,
    SEED,
    Aftermath,
    Moment,
    Scenario,
    Verdict,
    judge,
    scenarios,
)
from benchmarks.stacks_kill_stack import MADE, ONCE, write_project
from deployments.embedded.aws.server import EmbeddedAwsConfig, serve_aws
from deployments.tools.families import find_tool
from tasks.adapters.interrupted_instances import started_again
from tasks.adapters.pulumi.engine import apply, exported, preview
from tasks.adapters.pulumi.environment import EngineSettings
from tasks.adapters.pulumi.recover import recover
from tasks.adapters.tagged_resources import found_by_tags
from tasks.domain.errors import InfraError
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.recovery import (
    CREATING,
    Outcome,
    Recovery,
    name_of,
    pending_operations,
    remaining,
)

LOOK_AGAIN_SECONDS = 1.0
"""The embedded account lists what it made at once; its calls take less than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """One scenario, carried out.

    Attributes:
        hit: Processes that were killed; 0 when the update had ended before.
        pending: Operations that the kill left pending.
        begun: Resources that could double, and whose creation had been begun.
        unrecorded: Those of them that the account had and the state did not.
        covered: What was left was covered by the approval.
        seconds: Of the recovery.
    """

    scenario: Scenario
    verdict: Verdict
    hit: int
    pending: int
    begun: frozenset[str]
    unrecorded: frozenset[str]
    covered: bool
    seconds: float

    @property
    def could_double(self) -> bool:
        """Whether it hit an update that was making something which could be there twice now."""
        aimed = self.scenario.is_aimed and self.scenario.resource in COULD_DOUBLE
        return self.hit > 0 and (aimed or bool(self.begun))


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
        return figures(run(bench, QUICK_KILLS if quick else KILLS))


def run(bench: Bench, count: int, *, first: int = 0) -> list[Killed]:
    """Carry out scenarios, two at a time."""
    warm_up(bench)
    chosen = scenarios(count, once=ONCE, could_double=COULD_DOUBLE)[first:]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda one: _kill(bench, *one), enumerate(chosen)))


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
    loud = bench.settings(name, faults(scenario))
    with killing(bench, loud, name, scenario, before, change_id) as hits, suppress(InfraError):
        apply(loud, project, stack=name, phase=scenario.phase, plan=plan, expected=approved)
    begin = time.perf_counter()
    recovery = _recovered(bench, quiet, name)
    seconds = time.perf_counter() - begin
    there = bench.account.could_double(change_id)
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
        begun=there | creations(recovery),
        unrecorded=creations(recovery, Outcome.ADOPTED),
        covered=covered,
        seconds=seconds,
    )


def creations(recovery: Recovery, *outcomes: Outcome) -> frozenset[str]:
    """Return what could double and was being created; with outcomes, only what became of it so."""
    return frozenset(
        one.name
        for one in recovery.resolutions
        if one.operation == CREATING
        and one.name in COULD_DOUBLE
        and one.outcome in (outcomes or tuple(Outcome))
    )


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


def figures(done: Sequence[Killed]) -> Metrics:
    """Return what came of all kills, and show it by moment."""
    rows = []
    for moment in Moment:
        some = [one for one in done if one.scenario.moment is moment]
        rows.append(_row(str(moment), some))
    rows.append(_row("all", done))
    columns = [
        "killed",
        "updates",
        "processes hit",
        "could double",
        "unrecorded",
        "pending left",
        "sound",
        "covered",
        "recovery s",
    ]
    show_table(f"{len(done)} updates killed, seed {SEED}", columns, rows)
    return {
        "kills": sum(one.hit > 0 for one in done),
        "kills_tried": len(done),
        "kills_that_could_double": sum(one.could_double for one in done),
        "kills_that_left_one_unrecorded": sum(one.hit > 0 and bool(one.unrecorded) for one in done),
        "kills_applied_twice": sum(len(one.verdict.twice) for one in done),
        "kills_strays": sum(len(one.verdict.strays) for one in done),
        "kills_unreadable": sum(one.verdict.unreadable for one in done),
        "kills_missing": sum(len(one.verdict.missing) for one in done),
        "kills_that_left_something_pending": sum(one.pending > 0 for one in done),
        "kills_finished_under_the_same_approval": sum(one.covered for one in done),
        "kills_recovery_seconds": sum(one.seconds for one in done) / max(len(done), 1),
    }


def _row(name: str, some: Sequence[Killed]) -> list[object]:
    return [
        name,
        len(some),
        sum(one.hit for one in some),
        sum(one.could_double for one in some),
        sum(len(one.unrecorded) for one in some),
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
