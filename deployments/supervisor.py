"""One process that starts the local installation's services, watches them and stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any, Self

import httpx
import psutil

from deployments.local import LOOPBACK, PROJECT_ROOT, Local, UpState
from deployments.prefect_api import PrefectApi, PrefectApiError

WORK_POOL = "homeostat"
START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 15
MOST_RESTARTS = 5


class ServiceFailedError(Exception):
    """A service ended, or did not become ready in time."""

    def __init__(self, name: str, *, reason: str, log: Path) -> None:
        tail = log.read_text(errors="replace").splitlines()[-12:] if log.exists() else []
        lines = "\n  ".join(tail)
        super().__init__(f"{name} {reason}; the end of {log}:\n  {lines}")


@dataclass(slots=True, kw_only=True)
class Service:
    """A program that has to run all the time.

    Attributes:
        name: Also its log file's.
        command: Program and arguments.
        is_ready: Whether it does its work yet.
    """

    name: str
    command: list[str]
    is_ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Starts services in order, restarts those that end, stops all of them together.

    Attributes:
        local: The installation.
        on_phase: Told of each step, for `--foreground`.
    """

    local: Local
    on_phase: Callable[[str], None] | None = None
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
        )
        self.state.write(self.local.state_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def run(self) -> None:
        """Start everything, then watch until told to stop."""
        try:
            self.start()
        except ServiceFailedError as error:
            if not self.stopping.is_set():
                self._tell(phase="failed", error=str(error))
                raise
            return
        while not self.stopping.wait(1.0):
            self._restart_ended()

    def start(self) -> None:
        """Start the services and register what the flows expect."""
        self._tell(phase="starting the embedded cloud and the Prefect server")
        early = [self._embedded_aws(), self._prefect_server()]
        for service in early:
            self._launch(service)
        for service in early:
            self._await_ready(service)
        self._tell(phase="registering blocks and deployments")
        self._once("register", ["-m", "deployments.register", "--aws-url", self.local.aws_url])
        worker = self._worker()
        self._launch(worker)
        deploy = "-m prefect --no-prompt deploy --all --prefect-file deployments/prefect.yaml"
        self._once("deploy", deploy.split())
        self._tell(phase="waiting for the worker")
        self._await_ready(worker)
        self._tell(phase="up", ready=True)

    def stop(self) -> None:
        """Stop in an order that leaves no run behind in an active state."""
        self._tell(phase="stopping", ready=False)
        workers = [service for service in self.services if service.name == "worker"]
        others = [service for service in self.services if service.name != "worker"]
        _terminate([service.process for service in workers if service.process is not None])
        self._cancel_orphaned_runs()
        _terminate([service.process for service in others if service.process is not None])
        self._tell(phase="down", services={})

    def request_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask `run` to return; a signal handler."""
        del signum, frame
        self.stopping.set()

    def _embedded_aws(self) -> Service:
        module = ["-m", "deployments.embedded.aws", "--port", str(self.local.aws_port)]
        return Service(
            name="embedded-aws",
            command=[sys.executable, *module, *self.local.aws_arguments],
            is_ready=lambda: _answers(f"{self.local.aws_url}/_homeostat/health"),
        )

    def _prefect_server(self) -> Service:
        start = f"-m prefect server start --host {LOOPBACK} --port {self.local.ui_port}"
        return Service(
            name="prefect-server",
            command=[sys.executable, *start.split()],
            is_ready=lambda: _answers(f"{self.local.api_url}/health"),
        )

    def _worker(self) -> Service:
        start = f"-m prefect worker start --pool {WORK_POOL} --type process --name homeostat"
        return Service(
            name="worker",
            command=[sys.executable, *start.split()],
            is_ready=self._worker_is_online,
        )

    def _worker_is_online(self) -> bool:
        try:
            with PrefectApi(self.local.api_url) as api:
                return api.online_workers(WORK_POOL) > 0
        except PrefectApiError:
            return False

    def _launch(self, service: Service) -> None:
        with (self.local.logs / f"{service.name}.log").open("ab") as log:
            service.process = subprocess.Popen(
                service.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=PROJECT_ROOT,
                env=self.local.environment(),
                # Ctrl-C reaches the supervisor alone, which stops the others in order.
                start_new_session=True,
            )
        if service not in self.services:
            self.services.append(service)
        pids = {s.name: s.process.pid for s in self.services if s.process is not None}
        self._tell(services=pids)

    def _await_ready(self, service: Service) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        log = self.local.logs / f"{service.name}.log"
        while not service.is_ready():
            ended = service.process is not None and service.process.poll() is not None
            if ended or self.stopping.is_set():
                raise ServiceFailedError(service.name, reason="ended before it was ready", log=log)
            if time.monotonic() > deadline:
                reason = f"was not ready after {START_TIMEOUT_SECONDS} s"
                raise ServiceFailedError(service.name, reason=reason, log=log)
            self.stopping.wait(0.25)

    def _once(self, name: str, arguments: list[str]) -> None:
        log = self.local.logs / f"{name}.log"
        with log.open("wb") as out:
            done = subprocess.run(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=PROJECT_ROOT,
                env=self.local.environment(),
                timeout=START_TIMEOUT_SECONDS,
                check=False,
            )
        if done.returncode != 0:
            raise ServiceFailedError(name, reason=f"ended with code {done.returncode}", log=log)

    def _restart_ended(self) -> None:
        for service in self.services:
            if service.process is None or service.process.poll() is None:
                continue
            service.restarts += 1
            if service.restarts > MOST_RESTARTS:
                log = self.local.logs / f"{service.name}.log"
                error = ServiceFailedError(
                    service.name, reason=f"ended {service.restarts} times", log=log
                )
                self._tell(phase="failed", ready=False, error=str(error))
                raise error
            self._tell(phase=f"restarting {service.name}")
            self._launch(service)
            self._tell(phase="up")

    def _cancel_orphaned_runs(self) -> None:
        try:
            with PrefectApi(self.local.api_url) as api:
                for run in api.active_runs():
                    api.mark_cancelled(run, reason="`homeostat down` stopped its worker")
        except PrefectApiError:
            return  # the server is gone already, and its runs' states with it

    def _tell(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self.state.write(self.local.state_file)
        if "phase" in changes and self.on_phase is not None:
            self.on_phase(self.state.phase)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _terminate(processes: list[subprocess.Popen[bytes]]) -> None:
    """End processes and their descendants: politely, then not."""
    family: list[psutil.Process] = []
    for process in processes:
        try:
            parent = psutil.Process(process.pid)
            family += [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    end_processes(family, timeout_seconds=STOP_TIMEOUT_SECONDS)
    for process in processes:
        process.wait()


def end_processes(family: list[psutil.Process], *, timeout_seconds: float) -> None:
    """Terminate processes, and kill those that are still there after the timeout."""
    for member in family:
        _signal(member.terminate)
    _, alive = psutil.wait_procs(family, timeout=timeout_seconds)
    for member in alive:
        _signal(member.kill)
    psutil.wait_procs(alive, timeout=5)


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return


def supervise(local: Local, *, on_phase: Callable[[str], None] | None = None) -> None:
    """Run the installation in this process until SIGTERM or SIGINT.

    Raises:
        ServiceFailedError: A service could not be started or kept running.
    """
    with Supervisor(local=local, on_phase=on_phase) as supervisor:
        signal.signal(signal.SIGTERM, supervisor.request_stop)
        signal.signal(signal.SIGINT, supervisor.request_stop)
        supervisor.run()


def main() -> int:
    """Entry point of the background process; settings come as JSON in the first argument."""
    import json

    settings = json.loads(sys.argv[1])
    local = Local(
        home=Path(settings["home"]),
        ui_port=settings["ui_port"],
        aws_port=settings["aws_port"],
        aws_arguments=tuple(settings["aws_arguments"]),
    )
    try:
        supervise(local)
    except ServiceFailedError:
        return 1  # the state file has the reason, and `up` prints it
    return 0


if __name__ == "__main__":
    sys.exit(main())
