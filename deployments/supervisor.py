"""One process that starts the local installation's services, watches them and stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any, Literal, Self

import psutil

from deployments import services
from deployments.local import (
    DOWN,
    PROJECT_ROOT,
    STOPPING,
    Local,
    UpState,
    supervised_processes,
)
from deployments.prefect_api import PrefectApi, PrefectApiError, RefusedError
from deployments.processes import end_processes, terminate
from deployments.services import EMBEDDED_AWS, WORKER, Service

UP = "up"
START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 15
RUN_MODULE = "prefect.engine"
"""What a worker starts for every run."""
MOST_RESTARTS = 5
STEADY_SECONDS = 600
"""A service that ran this long starts well; earlier restarts are forgotten."""


class ServiceFailedError(Exception):
    """A service ended, or did not become ready in time."""

    def __init__(self, name: str, *, reason: str, log: Path) -> None:
        tail = log.read_text(errors="replace").splitlines()[-12:] if log.exists() else []
        lines = "\n  ".join(tail)
        super().__init__(f"{name} {reason}; the end of {log}:\n  {lines}")


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Starts services in order, restarts those that end, stops all of them together.

    Attributes:
        local: The installation.
        on_phase: Told of each step, for `--foreground`.
        on_up: Called once, when everything runs.
    """

    local: Local
    on_phase: Callable[[str], None] | None = None
    on_up: Callable[[], None] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    services: list[Service] = field(default_factory=list)
    state: UpState = field(init=False)

    def __post_init__(self) -> None:
        """Write the first state, so that `up` finds this process."""
        self.local.logs.mkdir(parents=True, exist_ok=True)
        self.state = UpState(
            pid=os.getpid(),
            started_at=psutil.Process().create_time(),
            ui_port=self.local.ui_port,
            aws_port=self.local.aws_port,
            aws_arguments=self.local.aws_arguments,
            cluster=self.local.cluster,
            cluster_port=self.local.cluster_port,
            prometheus_port=self.local.prometheus_port,
            their_prometheus=self.local.their_prometheus,
        )
        self.state.write(self.local.state_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def run(self) -> None:
        """Start everything, then watch until told to stop.

        Raises:
            ServiceFailedError: A service could not be started or kept running.
        """
        try:
            self.start()
            if self.on_up is not None:
                self.on_up()
            while not self.stopping.wait(1.0):
                self._restart_ended()
        except ServiceFailedError as error:
            if self.stopping.is_set():
                return  # what was being started was stopped
            self._tell(phase="failed", ready=False, error=str(error))
            raise

    def start(self) -> None:
        """Start the services and register what the flows expect."""
        self._tell(phase="starting the embedded cloud, the cluster and the Prefect server")
        cluster = services.cluster(self.local)
        first = [services.embedded_aws(self.local), *cluster[:1]]
        server = services.prefect_server(self.local)
        for service in [*first, server]:
            self._launch(service)
        for service in first:
            self._await_ready(service)
        # Nothing that follows needs what plays the nodes: it starts beside the rest.
        for service in cluster[1:]:
            self._launch(service)
        self._await_ready(server)
        self._tell(phase="registering blocks and deployments")
        self._register()
        # Before there is a worker: whatever is active now was left by one that was killed, and
        # would keep its deployment's only place for ever.
        self._cancel_orphaned_runs("its worker was gone when `homeostat up` started anew")
        worker = services.worker(self.local)
        self._launch(worker)
        deploy = "-m prefect --no-prompt deploy --all --prefect-file deployments/prefect.yaml"
        self._once("deploy", deploy.split())
        self._tell(phase="waiting for the worker")
        self._await_ready(worker)
        self._tell(phase="waiting for the workloads of the cluster")
        for service in cluster:
            self._await_ready(service)
        self._tell(phase=UP, ready=True)

    def stop(self) -> None:
        """Stop in an order that leaves no run behind in an active state."""
        self._tell(phase=STOPPING, ready=False)
        self._end([service for service in self.services if service.name == WORKER])
        self._cancel_orphaned_runs("`homeostat down` stopped its worker")
        self._end([service for service in self.services if service.name != WORKER])
        # Runs outlive a worker that crashed.
        end_processes(supervised_processes(self.local), timeout_seconds=STOP_TIMEOUT_SECONDS)
        self._tell(phase=DOWN, services={})

    def _end(self, services: list[Service]) -> None:
        processes = [service.process for service in services if service.process is not None]
        terminate(processes, timeout_seconds=STOP_TIMEOUT_SECONDS)

    def request_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask `run` to return; a signal handler."""
        del signum, frame
        self.stopping.set()

    def _launch(self, service: Service) -> None:
        # A log tells of this `up` alone: an error of an earlier one would read as today's.
        mode: Literal["ab", "wb"] = "ab" if service in self.services else "wb"
        service.process = self._spawn(service.command, log=self._log(service.name), mode=mode)
        service.launched_at = time.monotonic()
        if service not in self.services:
            self.services.append(service)
        pids = {s.name: s.process.pid for s in self.services if s.process is not None}
        self._tell(services=pids)

    def _log(self, name: str) -> Path:
        return self.local.logs / f"{name}.log"

    def _spawn(
        self, command: list[str], *, log: Path, mode: Literal["ab", "wb"]
    ) -> subprocess.Popen[bytes]:
        with log.open(mode) as out:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=PROJECT_ROOT,
                env=self.local.environment(),
                # Ctrl-C reaches the supervisor alone, which stops the others in order.
                start_new_session=True,
            )

    def _await_ready(self, service: Service) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        log = self._log(service.name)
        while not service.is_ready():
            if service.has_ended or self.stopping.is_set():
                raise ServiceFailedError(service.name, reason="ended before it was ready", log=log)
            if time.monotonic() > deadline:
                reason = f"was not ready after {START_TIMEOUT_SECONDS} s"
                raise ServiceFailedError(service.name, reason=reason, log=log)
            self.stopping.wait(0.25)

    def _register(self) -> None:
        words = ["-m", "deployments.register", "--aws-url", self.local.aws_url]
        if self.local.kubeconfig is not None:
            words += ["--kubeconfig", str(self.local.kubeconfig)]
        if self.local.prometheus_url is not None:
            words += ["--prometheus-url", self.local.prometheus_url]
        self._once("register", words)

    def _once(self, name: str, arguments: list[str]) -> None:
        log = self._log(name)
        process = self._spawn([sys.executable, *arguments], log=log, mode="wb")
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if self.stopping.wait(0.1):
                break
        overdue = process.poll() is None
        terminate([process], timeout_seconds=STOP_TIMEOUT_SECONDS)
        if overdue or process.returncode != 0:
            limit = f"was stopped; it may take {START_TIMEOUT_SECONDS} s"
            reason = limit if overdue else f"ended with code {process.returncode}"
            raise ServiceFailedError(name, reason=reason, log=log)

    def _restart_ended(self) -> None:
        for service in [service for service in self.services if service.has_ended]:
            self._count_restart(service)
            self._tell(phase=f"restarting {service.name}")
            if service.name == WORKER:  # its runs would hold their deployment's only place
                self._end_runs()
            self._launch(service)
            if service.name == EMBEDDED_AWS:  # it kept everything in memory, its buckets too
                self._await_ready(service)
                self._register()
        if self.state.phase != UP and all(service.is_ready() for service in self.services):
            self._tell(phase=UP)

    def _end_runs(self) -> None:
        left = supervised_processes(self.local)
        runs = [process for process in left if RUN_MODULE in process.cmdline()]
        end_processes(runs, timeout_seconds=STOP_TIMEOUT_SECONDS)
        self._cancel_orphaned_runs("its worker ended")

    def _count_restart(self, service: Service) -> None:
        if time.monotonic() - service.launched_at > STEADY_SECONDS:
            service.restarts = 0
        service.restarts += 1
        if service.restarts > MOST_RESTARTS:
            reason = f"ended {service.restarts} times"
            raise ServiceFailedError(service.name, reason=reason, log=self._log(service.name))

    def _cancel_orphaned_runs(self, reason: str) -> None:
        try:
            with PrefectApi(self.local.api_url) as api:
                for run in api.active_runs():
                    with suppress(RefusedError):  # it ended meanwhile
                        api.mark_cancelled(run, reason=reason)
        except PrefectApiError:
            return  # the server is gone already, and its runs' states with it

    def _tell(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self.state.write(self.local.state_file)
        if "phase" in changes and self.on_phase is not None:
            self.on_phase(self.state.phase)


def supervise(
    local: Local,
    *,
    on_phase: Callable[[str], None] | None = None,
    on_up: Callable[[], None] | None = None,
) -> None:
    """Run the installation in this process until SIGTERM or SIGINT.

    Args:
        local: Settings.
        on_phase: Told of each step.
        on_up: Called once, when everything runs.

    Raises:
        ServiceFailedError: A service could not be started or kept running.
    """
    with Supervisor(local=local, on_phase=on_phase, on_up=on_up) as supervisor:
        signal.signal(signal.SIGTERM, supervisor.request_stop)
        signal.signal(signal.SIGINT, supervisor.request_stop)
        supervisor.run()


def main() -> int:
    """Entry point of the background process; settings come as JSON in the first argument."""
    local = Local.from_json(sys.argv[1])
    try:
        supervise(local)
    except ServiceFailedError:
        return 1  # the state file has the reason, and `up` prints it
    return 0


if __name__ == "__main__":
    sys.exit(main())
