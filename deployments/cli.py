"""The `homeostat` command."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import yaml
from cyclopts import App, Parameter, validators
from rich.console import Console
from rich.text import Text

from deployments import doctor as health
from deployments import model_show, show, stack_show
from deployments import models as of_models
from deployments import stacks as of_stacks
from deployments.lifecycle import (
    NotUpError,
    StartFailedError,
    bring_down,
    bring_up,
    place_to_start,
    running_api,
)
from deployments.local import (
    Local,
    PortInUseError,
    at_running_ports,
    default_home,
    read_state,
    running_state,
)
from deployments.prefect_api import FlowRun, PrefectApi, PrefectApiError
from deployments.supervisor import ServiceFailedError, supervise

SIMULATED = "simulated"
FIRST_RUNS = ("forecast-spot-prices", "cluster-usage", "optimize-costs")
LOADS = ("load-cpu", "load-memory", "load-requests")
RUN_TIMEOUT_SECONDS = 900

Port = Annotated[int, Parameter(validator=validators.Number(gte=1024, lte=65535))]

EXAMPLES = """Examples:

- `homeostat up`: start everything here, with an embedded cloud

- `homeostat run forecast-spot-prices need.vcpu=64`: one run, its result in the terminal

- `homeostat run optimize-costs`: what could be saved, net of overlap

- `homeostat run apply-savings only=[volume-type]`: a stack of it, previewed, and applied once approved

- `homeostat models`: which model serves, which one waits, and how good they are

- `homeostat stacks`: how every stack stands, and what waits for an answer

- `homeostat status`: what runs, and how the last run of each flow ended

- `homeostat down`: stop everything
"""

console = Console()
errors = Console(stderr=True)

app = App(
    name="homeostat",
    help="Autonomous, self-healing, cost-aware cloud infrastructure as Prefect flows.",
    help_epilogue=EXAMPLES,
    version=lambda: version("homeostat"),
    version_flags=["--version"],
)


def _complain(problem: str, error: Exception) -> int:
    """Print an error as it is, brackets and long lines too, and return the exit code."""
    errors.print(Text.assemble((f"{problem}: ", "red"), str(error)), soft_wrap=True)
    return 1


@app.command
def up(
    *,
    ui_port: Port = 4200,
    aws_port: Port = 4290,
    spot_history: str | None = None,
    replay_ends: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    fleet: str | None = None,
    seed: int | None = None,
    faults: Path | None = None,
    foreground: bool = False,
) -> int:
    """Start the embedded cloud, Prefect with its UI and a worker; run the flows once.

    Needs no account and no cluster, listens on 127.0.0.1 only, and sends no telemetry. Started
    again, it shows what is running.

    Args:
        ui_port: Port of the Prefect server and its UI.
        aws_port: Port of the embedded AWS endpoint.
        spot_history: Recorded prices to replay (Parquet or CSV), or "simulated". A shipped
            extract of recorded prices by default.
        replay_ends: Where on the clock the recording ends: "now", an offset such as "+7d", or an
            ISO 8601 instant. "+7d" by default for a recording, so that prices go on for a week.
        fleet: What the account runs: "shipped", "none", "generated:N", or a file of recorded use
            (Parquet or CSV). About 80 instances, half of them recorded, by default.
        seed: Of what is simulated or generated.
        faults: File of faults that the embedded cloud injects.
        foreground: Stay, until Ctrl-C. The first runs are started and not waited for.
    """
    if spot_history != SIMULATED:
        replay_ends = replay_ends or "+7d"
        # Services have another working folder than the person.
        spot_history = spot_history and str(Path(spot_history).resolve())
    options = {
        "--spot-history": spot_history,
        "--replay-ends": replay_ends,
        "--fleet": _placed(fleet),
        "--seed": seed,
        "--faults": faults and faults.resolve(),
    }
    arguments = [str(word) for pair in options.items() if pair[1] is not None for word in pair]
    local = Local(
        home=default_home(), ui_port=ui_port, aws_port=aws_port, aws_arguments=tuple(arguments)
    )
    try:
        return _stay_up(local) if foreground else _up_in_background(local)
    except (PortInUseError, StartFailedError, ServiceFailedError, PrefectApiError) as error:
        return _complain("not up", error)


def _placed(fleet: str | None) -> str | None:
    """Return the option with a file's whole path: services have another working folder."""
    is_file = fleet is not None and Path(fleet).suffix in {".csv", ".parquet"}
    return str(Path(fleet).resolve()) if fleet is not None and is_file else fleet


def _up_in_background(wanted: Local) -> int:
    with console.status("starting") as status:
        state, was_up = bring_up(wanted, on_phase=status.update)
    local = at_running_ports(wanted, state)
    with PrefectApi(local.api_url) as api:
        if was_up:
            runs = api.latest_runs(limit=len(FIRST_RUNS))
            for run in runs:
                show.run_line(console, api, run)
        else:
            runs = _first_runs(api)
    show.welcome(console, local, was_up=was_up)
    if was_up and (local != wanted or state.aws_arguments != wanted.aws_arguments):
        console.print(
            "\nIt was started with other options; `homeostat down`, then `up`, puts these in effect."
        )
    return 0 if all(run.succeeded or not run.is_final for run in runs) else 1


def _first_runs(api: PrefectApi) -> list[FlowRun]:
    """Run every flow once; what does not need the other is run side by side, and shown in order.

    Before there are any models, they are trained as of ten days ago and forecast the days since, so
    that there is a champion to compare with and something to judge.
    """
    *before, last = FIRST_RUNS
    runs = [_run_and_show(api, name) for name in before]
    training = None
    if api.block("model-registry", LOADS[0]) is None:
        then = (datetime.now(UTC) - timedelta(days=10)).isoformat()
        training = api.start_run("retrain-models", {"as_of": then, "models": list(LOADS)})
    runs.append(_run_and_show(api, last))
    if training is not None:
        runs.append(_watch_and_show(api, training))
        runs.append(_run_and_show(api, "forecast-load", {"replay_days": 9}))
    training = api.start_run("retrain-models")
    runs += _first_stacks(api) if of_stacks.is_embedded(api) else []
    runs.append(_watch_and_show(api, training))
    runs.append(_run_and_show(api, "publish-scorecard"))
    return runs


def _first_stacks(api: PrefectApi) -> list[FlowRun]:
    """Apply a small stack and bring it back, then leave one that waits for an answer."""
    small: dict[str, object] = {"only": ["volume-type"]}
    runs = [_run_and_show(api, "apply-savings", small)]
    done = [one.name for one in of_stacks.stacks(api) if one.status == "verified"]
    if done:
        runs.append(_run_and_show(api, "undo-stack", {"stack": done[0]}))
    waiting: dict[str, object] = {"only": ["right-size", "stop", "volume-type"]}
    return [*runs, _run_and_show(api, "apply-savings", waiting)]


def _stay_up(local: Local) -> int:
    with place_to_start(local) as occupant:
        if occupant is not None:
            errors.print("already up in the background; `homeostat down` stops it")
            return 1
    show.foreground(console, local)
    supervise(
        local,
        on_phase=lambda phase: console.print(f"  {phase}", highlight=False),
        on_up=lambda: _start_first_runs(local),
    )
    return 0


def _start_first_runs(local: Local) -> None:
    with PrefectApi(local.api_url) as api:
        for name in FIRST_RUNS:
            try:
                show.run_line(console, api, api.start_run(name))
            except PrefectApiError as error:
                _complain(f"{name} not run", error)


def _run_and_show(
    api: PrefectApi, deployment: str, parameters: dict[str, object] | None = None
) -> FlowRun:
    return _watch_and_show(api, api.start_run(deployment, parameters))


def _watch_and_show(api: PrefectApi, run: FlowRun) -> FlowRun:
    with console.status(f"{run.deployment}: waiting for the worker") as status:
        for seen in api.watch(run, timeout_seconds=RUN_TIMEOUT_SECONDS):
            run = seen
            status.update(f"{run.deployment}: {run.name} {run.state_name.lower()}")
    show.finished_run(console, api, run)
    return run


@app.command
def down() -> int:
    """Stop everything that `up` started; data and past runs are kept."""
    with console.status("stopping"):
        stopped = bring_down(Local(home=default_home()))
    console.print(f"stopped {stopped} processes" if stopped else "nothing was running")
    return 0


@app.command
def run(flow: str, *parameters: str) -> int:
    """Run a flow once and show what it found. Ends with 1 when the run failed.

    Args:
        flow: Name of a deployment, for example forecast-spot-prices.
        parameters: key=value, where the value is YAML; a dot reaches into a group.
            For example: regions=[us-east-1] need.vcpu=64
    """
    try:
        given = parameters_from(parameters)
        with running_api(Local(home=default_home())) as api:
            return 0 if _run_and_show(api, flow, given).succeeded else 1
    except (NotUpError, PrefectApiError, ValueError) as error:
        return _complain("not run", error)


def parameters_from(words: tuple[str, ...]) -> dict[str, object]:
    """Return flow parameters from key=value words.

    Raises:
        ValueError: A word has no "=", an empty key, or a value that is not YAML.
    """
    found: dict[str, object] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not all(key.split(".")):
            message = f"parameter {word!r} is not of the form key=value, for example need.vcpu=64"
            raise ValueError(message)
        try:
            value = _plain(yaml.safe_load(text))
        except yaml.YAMLError as error:
            message = f"the value of {key!r} is not YAML: {text!r}"
            raise ValueError(message) from error
        *groups, last = key.split(".")
        inner = found
        for group in groups:
            nested = inner.setdefault(group, {})
            if not isinstance(nested, dict):
                message = f"{group!r} is given both as a value and as a group in {word!r}"
                raise ValueError(message)
            inner = nested
        inner[last] = value
    return found


def _plain(value: object) -> object:
    """Return a YAML value as JSON can carry it: instants as text."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


@app.command
def stacks(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """List the stacks: how each stands, what it saves, and what waits for an answer."""
    try:
        with running_api(Local(home=default_home())) as api:
            found = of_stacks.stacks(api)
    except (NotUpError, PrefectApiError) as error:
        return _complain("no answer", error)
    stack_show.stacks(console, found, as_json=as_json)
    return 0


@app.command
def preview(
    stack: str,
    *,
    folder: Path | None = None,
    comment: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Preview a generated stack, with its money and the verdict of the policy pack.

    Ends with 1 when a mandatory rule is broken. Without the `pulumi` command it is an estimate.

    Args:
        stack: Its name.
        folder: Of its project; pulumi/STACK or that of the local installation by default.
        comment: File to write a pull request's comment to.
        as_json: For programs.
    """
    local = Local(home=default_home())
    state = running_state(local)
    local = local if state is None else at_running_ports(local, state)
    try:
        place = of_stacks.project_folder(stack, folder=folder, local=local)
        seen = of_stacks.preview(stack, place, local=local)
    except Exception as error:
        if not stack_show.is_expected(error):
            raise
        return _complain("not previewed", error)
    stack_show.preview(console, seen, comment=comment, as_json=as_json)
    return 1 if any(one.mandatory for one in seen.findings) else 0


@app.command
def propose(
    stack: str,
    *,
    folder: Path | None = None,
    repository: Path = Path(),
    branch: str | None = None,
    base: str = "main",
    push_to: str | None = None,
) -> int:
    """Put a generated stack on a git branch, for a pull request; the working tree stays as it is.

    Args:
        stack: Its name.
        folder: Of its project; that of the local installation by default.
        repository: Anywhere in it.
        branch: stacks/STACK by default.
        base: What the branch begins from.
        push_to: Remote to push the branch to, never by force; none by default.
    """
    # Late: `homeostat --help` needs none of it.
    from deployments.propose import ProposeError
    from deployments.propose import propose as put_on_branch
    from tasks.domain.errors import TransientError

    name = branch or f"stacks/{stack}"
    try:
        place = of_stacks.project_folder(stack, folder=folder, local=Local(home=default_home()))
        commit = put_on_branch(
            of_stacks.project_files(place),
            stack=stack,
            repository=repository,
            branch=name,
            base=base,
            message=f"Apply savings: {stack}",
            author=of_stacks.git_author(),
            remote=push_to,
        )
    except (ProposeError, TransientError, of_stacks.StackCommandError) as error:
        return _complain("not proposed", error)
    console.print(f"{name} is at {commit[:12]}", highlight=False)
    return 0


@app.command
def approve(
    stack: str,
    *,
    approver: str,
    reason: str = "",
    key: tuple[Path, ...] = (),
    signature: tuple[Path, ...] = (),
    reject: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Answer a stack that waits for approval, as the form in the UI does.

    Args:
        stack: Its name; `homeostat stacks` lists those that wait.
        approver: Your name.
        reason: Kept with the approval.
        key: Private SSH keys to sign with, where signatures are asked for.
        signature: Files with signatures that others made.
        reject: Refuse it.
    """
    try:
        with running_api(Local(home=default_home())) as api:
            found = of_stacks.waiting_stack(api, stack)
            signatures = [of_stacks.signature(found.approval_hash or "", one) for one in key]
            signatures += [one.read_text() for one in signature]
            of_stacks.answer(
                api,
                found,
                approved=not reject,
                approver=approver,
                reason=reason,
                signatures=signatures,
            )
            run = _watch_and_show(api, api.run(found.run_id, deployment="apply-savings"))
    except (NotUpError, PrefectApiError, of_stacks.StackCommandError, OSError) as error:
        return _complain("not answered", error)
    return 0 if run.succeeded or run.is_waiting else 1


@app.command
def undo(stack: str) -> int:
    """Bring back what a stack changed, verified; the same as `homeostat run undo-stack`."""
    return run("undo-stack", f"stack={stack}")


@app.command
def models(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """List the models: which version serves, which one waits, and which served before."""
    try:
        with running_api(Local(home=default_home())) as api:
            found = of_models.models(api)
    except (NotUpError, PrefectApiError) as error:
        return _complain("no answer", error)
    model_show.models(console, found, now=datetime.now(UTC), as_json=as_json)
    return 0


@app.command
def rollback(model: str, *, reason: str = "by hand") -> int:
    """Let a model's earlier version serve again; the one that served is never promoted again.

    Args:
        model: Its name; `homeostat models` lists them.
        reason: Kept with the version that is refused.
    """
    try:
        with running_api(Local(home=default_home())) as api:
            os.environ |= of_models.client_environment()
            found = of_models.roll_back(api, model, reason=reason)
    except (NotUpError, PrefectApiError, of_models.ModelCommandError) as error:
        return _complain("not rolled back", error)
    model_show.rolled_back(console, found, now=datetime.now(UTC))
    return 0


@app.command
def status(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """Show what runs and how the last run of each flow ended. Ends with 1 when nothing is up."""
    local = Local(home=default_home())
    state = running_state(local)
    if state is None or not state.ready:
        show.not_up(console, state or read_state(local), alive=state is not None, as_json=as_json)
        return 1
    try:
        with running_api(local) as api:
            runs = api.newest_of_each()
    except (NotUpError, PrefectApiError) as error:
        return _complain("no answer", error)
    show.status(console, local, state, runs, as_json=as_json)
    return 0


@app.command
def doctor() -> int:
    """Say what this machine has and lacks, and how to get it. Ends with 1 when `up` would fail."""
    findings = health.findings(Local(home=default_home()))
    show.findings(console, findings)
    return 1 if any(finding.verdict is health.Verdict.MISSING for finding in findings) else 0


def main() -> None:
    """Run the command and end with its code."""
    sys.exit(app() or 0)


if __name__ == "__main__":
    main()
