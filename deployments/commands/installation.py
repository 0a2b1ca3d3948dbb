"""Commands about the local installation: up, down, status, doctor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from deployments import doctor as health
from deployments import show
from deployments import stacks as of_stacks
from deployments.commands.cluster import show_workloads
from deployments.commands.terminal import (
    complain,
    console,
    errors,
    run_and_show,
    watch_and_show,
)
from deployments.lifecycle import (
    NotUpError,
    StartFailedError,
    bring_down,
    bring_up,
    place_to_start,
    running_api,
)
from deployments.local import (
    EMBEDDED,
    NO_CLUSTER,
    REAL,
    Local,
    PortInUseError,
    at_running_ports,
    default_home,
    read_state,
    running_state,
)
from deployments.prefect_api import FlowRun, PrefectApi, PrefectApiError
from deployments.supervisor import ServiceFailedError, supervise
from deployments.tools.families import find_tool

SIMULATED = "simulated"
FIRST_RUNS = ("forecast-spot-prices", "cluster-usage", "optimize-costs")
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""Of the real control plane; its package is not imported before it is started."""
LOADS = ("load-cpu", "load-memory", "load-requests")

Port = Annotated[int, Parameter(validator=validators.Number(gte=1024, lte=65535))]


class NoClusterError(Exception):
    """What was asked for as a cluster is none, or cannot be had here."""


def up(
    *,
    ui_port: Port = 4200,
    aws_port: Port = 4290,
    spot_history: str | None = None,
    replay_ends: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    fleet: str | None = None,
    seed: int | None = None,
    faults: Path | None = None,
    cluster: str = EMBEDDED,
    cluster_port: Port = 4291,
    prometheus_port: Port = 4292,
    prometheus_url: str | None = None,
    foreground: bool = False,
) -> int:
    """Start the embedded cloud and cluster, Prefect with its UI and a worker; run the flows once.

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
        cluster: The Kubernetes cluster to look after: "embedded", "real" (a control plane of etcd and
            Kubernetes' own programs, with simulated nodes; `make tools` builds it), "none", or the
            path of a kubeconfig of yours.
        cluster_port: Port of the API server that is started.
        prometheus_port: Port of the Prometheus that watches it.
        prometheus_url: Address of the Prometheus that watches a cluster of yours.
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
    try:
        local = Local(
            home=default_home(),
            ui_port=ui_port,
            aws_port=aws_port,
            aws_arguments=tuple(arguments),
            cluster=_cluster(cluster),
            cluster_port=cluster_port,
            prometheus_port=prometheus_port,
            their_prometheus=prometheus_url,
        )
        return _stay_up(local) if foreground else _up_in_background(local)
    except (
        PortInUseError, StartFailedError, ServiceFailedError, PrefectApiError, NoClusterError,
    ) as error:  # fmt: skip
        return complain("not up", error)


def _cluster(said: str) -> str:
    """Return the option, with a file's whole path: services have another working folder.

    Raises:
        NoClusterError: It is neither a kind nor a file, or programs of the real one are not here.
    """
    if said == REAL:
        missing = [one for one in PROGRAMS if find_tool(one) is None]
        if missing:
            message = f"{', '.join(missing)} not found; `make tools` builds them where Go is"
            raise NoClusterError(message)
    if said in (EMBEDDED, REAL, NO_CLUSTER):
        return said
    path = Path(said).expanduser().resolve()
    if not path.is_file():
        message = f"--cluster {said!r} is neither embedded, real or none, nor a kubeconfig file"
        raise NoClusterError(message)
    return str(path)


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
    if local.has_own_cluster:
        show_workloads(local)
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
    runs = [run_and_show(api, name) for name in before]
    training = None
    if api.block("model-registry", LOADS[0]) is None:
        then = (datetime.now(UTC) - timedelta(days=10)).isoformat()
        training = api.start_run("retrain-models", {"as_of": then, "models": list(LOADS)})
    runs.append(run_and_show(api, last))
    if training is not None:
        runs.append(watch_and_show(api, training))
        runs.append(run_and_show(api, "forecast-load", {"replay_days": 9}))
    training = api.start_run("retrain-models")
    runs += _first_stacks(api) if of_stacks.is_embedded(api) else []
    runs.append(watch_and_show(api, training))
    runs.append(run_and_show(api, "publish-scorecard"))
    return runs


def _first_stacks(api: PrefectApi) -> list[FlowRun]:
    """Apply a small stack and bring it back, then leave one that waits for an answer."""
    small: dict[str, object] = {"only": ["volume-type"]}
    runs = [run_and_show(api, "apply-savings", small)]
    done = [one.name for one in of_stacks.stacks(api) if one.status == "verified"]
    if done:
        runs.append(run_and_show(api, "undo-stack", {"stack": done[0]}))
    waiting: dict[str, object] = {"only": ["right-size", "stop", "volume-type"]}
    return [*runs, run_and_show(api, "apply-savings", waiting)]


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
                complain(f"{name} not run", error)


def down() -> int:
    """Stop everything that `up` started; data and past runs are kept."""
    with console.status("stopping"):
        stopped = bring_down(Local(home=default_home()))
    console.print(f"stopped {stopped} processes" if stopped else "nothing was running")
    return 0


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
        return complain("no answer", error)
    show.status(console, local, state, runs, as_json=as_json)
    return 0


def doctor() -> int:
    """Say what this machine has and lacks, and how to get it. Ends with 1 when `up` would fail."""
    findings = health.findings(Local(home=default_home()))
    show.findings(console, findings)
    return 1 if any(finding.verdict is health.Verdict.MISSING for finding in findings) else 0
