"""The local installation: where it keeps its files, which ports it uses, what is running."""

from __future__ import annotations

import itertools
import json
import os
import socket
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from deployments.tools.families import TOOLS_BIN

PROJECT_ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"

EMBEDDED, REAL, NO_CLUSTER = "embedded", "real", "none"
"""Clusters that `up` starts, and none."""
SUPERVISED = "HOMEOSTAT_SUPERVISED_BY"
"""Set, to the home folder, in the environment of every process that `up` starts."""


class PortInUseError(Exception):
    """Another program listens where `up` was told to."""

    def __init__(self, port: int, *, service: str, option: str, other: int) -> None:
        self.port = port
        super().__init__(
            f"port {port} for the {service} is in use by another program; stop that program or "
            f"choose another port with `{option} {other}`"
        )


class SamePortError(PortInUseError):
    """One port was given for two services."""

    def __init__(self, port: int, *, service: str, option: str, other: int) -> None:
        Exception.__init__(
            self,
            f"port {port} is given twice; choose another one for the {service} with "
            f"`{option} {other}`",
        )
        self.port = port


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """Settings of one local installation.

    Attributes:
        home: Folder of its database, logs and stored objects.
        ui_port: Of the Prefect server and its UI.
        aws_port: Of the embedded AWS endpoint.
        aws_arguments: Passed on to `python -m deployments.embedded.aws`.
        cluster: `EMBEDDED`, `REAL`, `NO_CLUSTER`, or the path of a kubeconfig.
        cluster_port: Of the API server that is started.
        prometheus_port: Of the Prometheus that watches it.
        their_prometheus: Address of the Prometheus that watches a cluster of theirs.
    """

    home: Path
    ui_port: int = 4200
    aws_port: int = 4290
    aws_arguments: tuple[str, ...] = ()
    cluster: str = EMBEDDED
    cluster_port: int = 4291
    prometheus_port: int = 4292
    their_prometheus: str | None = None

    @property
    def api_url(self) -> str:
        """Prefect's REST API."""
        return f"http://{LOOPBACK}:{self.ui_port}/api"

    @property
    def ui_url(self) -> str:
        """Prefect's UI."""
        return f"http://{LOOPBACK}:{self.ui_port}"

    @property
    def aws_url(self) -> str:
        """Embedded AWS: the endpoint of every service."""
        return f"http://{LOOPBACK}:{self.aws_port}"

    @property
    def has_own_cluster(self) -> bool:
        """Whether a cluster is started with the rest."""
        return self.cluster in (EMBEDDED, REAL)

    @property
    def cluster_folder(self) -> Path:
        """Keys, kubeconfig and, of a real control plane, the data of the cluster that is started.

        One for each kind: what one of them keeps is nothing for the other.
        """
        return self.home / "cluster" / (self.cluster if self.has_own_cluster else EMBEDDED)

    @property
    def kubeconfig(self) -> Path | None:
        """By which the cluster is found; None where there is none."""
        if self.cluster == NO_CLUSTER:
            return None
        return self.cluster_folder / "kubeconfig" if self.has_own_cluster else Path(self.cluster)

    @property
    def prometheus_url(self) -> str | None:
        """Prometheus that watches the cluster; None where none is known."""
        if self.has_own_cluster:
            return f"http://{LOOPBACK}:{self.prometheus_port}"
        return self.their_prometheus

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.home / "logs"

    @property
    def objects(self) -> Path:
        """Base folder of the storage block."""
        return self.home / "objects"

    @property
    def stacks(self) -> Path:
        """Pulumi's state, the generated programs, and the engine's own files."""
        return self.home / "stacks"

    @property
    def state_file(self) -> Path:
        """What the supervisor says of itself."""
        return self.home / "state.json"

    def to_json(self) -> str:
        """Return the settings for another process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Local:
        """Return the settings that another process wrote."""
        found = json.loads(text)
        changes = {"home": Path(found["home"]), "aws_arguments": tuple(found["aws_arguments"])}
        return cls(**(found | changes))

    def environment(self) -> dict[str, str]:
        """Return the environment of every process of the installation."""
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")},
            **QUIET_PREFECT,
            # Last: a tool that the person installed goes before one that we built.
            "PATH": os.pathsep.join([os.environ.get("PATH", os.defpath), str(TOOLS_BIN)]),
            # A company's proxy has no way to this machine's loopback.
            "NO_PROXY": no_proxy(),
            "no_proxy": no_proxy(),
            "PREFECT_HOME": str(self.home / "prefect"),
            "PREFECT_API_URL": self.api_url,
            "PREFECT_UI_API_URL": self.api_url,
            "PREFECT_SERVER_API_HOST": LOOPBACK,
            "PREFECT_SERVER_API_PORT": str(self.ui_port),
            "HOMEOSTAT_HOME": str(self.home),
            SUPERVISED: str(self.home),
        }


def no_proxy() -> str:
    """Return the person's exceptions from their proxy, with this machine among them."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return ",".join(filter(None, [given, LOOPBACK, "localhost"]))


QUIET_PREFECT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    # The defaults record task runs far more slowly than a flow makes them.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
}


def default_home() -> Path:
    """Return $HOMEOSTAT_HOME, or `.homeostat` in the project's folder."""
    return Path(os.environ.get("HOMEOSTAT_HOME") or PROJECT_ROOT / ".homeostat").resolve()


STOPPING = "stopping"
DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpState:
    """What the supervisor last wrote.

    Attributes:
        pid: The supervisor's.
        started_at: Its process creation time, seconds since the epoch: pids are used again.
        phase: What it is doing, in a word or two.
        ready: Everything is up.
        error: Why it gave up; None otherwise.
        ui_port, aws_port, aws_arguments, cluster, cluster_port,
            prometheus_port, their_prometheus: As in `Local`.
        services: Process ids by service.
    """

    pid: int
    started_at: float
    phase: str = "starting"
    ready: bool = False
    error: str | None = None
    ui_port: int
    aws_port: int
    aws_arguments: tuple[str, ...] = ()
    cluster: str = NO_CLUSTER
    cluster_port: int = 0
    prometheus_port: int = 0
    their_prometheus: str | None = None
    services: dict[str, int] = field(default_factory=dict)

    @property
    def is_ending(self) -> bool:
        """Whether the supervisor stops what it started, and then itself."""
        return self.error is not None or self.phase in (STOPPING, DOWN)

    def write(self, path: Path) -> None:
        """Replace the state file in one step."""
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self), indent=2))
        partial.replace(path)

    def is_alive(self) -> bool:
        """Return whether the supervisor that wrote this still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started_at) < 1.0
            # An ended process stays listed until its parent asks for its exit code.
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def read_state(local: Local) -> UpState | None:
    """Return the supervisor's state; None where there is none or it is unreadable."""
    try:
        fields: dict[str, Any] = json.loads(local.state_file.read_text())
        state = UpState(**fields)
        return replace(state, aws_arguments=tuple(state.aws_arguments))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def running_state(local: Local) -> UpState | None:
    """Return the state of a supervisor that is alive; None where there is none."""
    state = read_state(local)
    return state if state is not None and state.is_alive() else None


def at_running_ports(local: Local, state: UpState) -> Local:
    """Return the settings with the ports and the cluster that are really in use."""
    return replace(
        local,
        ui_port=state.ui_port,
        aws_port=state.aws_port,
        cluster=state.cluster,
        cluster_port=state.cluster_port,
        prometheus_port=state.prometheus_port,
        their_prometheus=state.their_prometheus,
    )


def used_ports(local: Local) -> list[tuple[int, str, str]]:
    """Return every port that an installation listens on, what for, and the option that chooses it."""
    ports = [
        (local.ui_port, "Prefect server", "--ui-port"),
        (local.aws_port, "embedded AWS endpoint", "--aws-port"),
    ]
    if local.has_own_cluster:
        ports += [
            (local.cluster_port, "cluster's API server", "--cluster-port"),
            (local.prometheus_port, "cluster's Prometheus", "--prometheus-port"),
        ]
    return ports


def refuse_used_ports(local: Local) -> None:
    """Check that every port is free.

    Raises:
        PortInUseError: One is not.
        SamePortError: Two are one port.
    """
    wanted = used_ports(local)
    all_given = {port for port, *_ in wanted}
    other = {
        port: next(one for one in itertools.count(port + 1) if one not in all_given)
        for port in all_given
    }
    given: set[int] = set()
    for port, service, option in wanted:
        if port in given:
            raise SamePortError(port, service=service, option=option, other=other[port])
        given.add(port)
    for port, service, option in wanted:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as error:
                raise PortInUseError(
                    port, service=service, option=option, other=other[port]
                ) from error


def supervised_processes(local: Local) -> list[psutil.Process]:
    """Return every living process that this installation's `up` started, orphans too."""
    mark = str(local.home)
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(SUPERVISED) == mark and process.pid != os.getpid():
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found
