"""Bringing the local installation up and down from another process."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from deployments.local import (
    PROJECT_ROOT,
    Local,
    UpState,
    at_running_ports,
    read_state,
    refuse_used_ports,
    running_state,
    supervised_processes,
)
from deployments.prefect_api import PrefectApi
from deployments.processes import end_processes

UP_TIMEOUT_SECONDS = 280
DOWN_TIMEOUT_SECONDS = 60


class NotUpError(Exception):
    """There is no running installation to ask."""

    def __init__(self) -> None:
        super().__init__("nothing is up here; `homeostat up` starts it")


class StartFailedError(Exception):
    """The supervisor gave up, or took too long."""


def bring_up(local: Local, *, on_phase: Callable[[str], None]) -> tuple[UpState, bool]:
    """Start the supervisor in the background and wait until everything is up.

    Args:
        local: Settings; where something already runs, its ports are kept.
        on_phase: Told of each step.

    Returns:
        The state of what is up, and whether somebody else had started it before.

    Raises:
        PortInUseError: Another program has one of the ports.
        StartFailedError: A service did not start; the message has the end of its log.
    """
    with place_to_start(local) as occupant:
        if occupant is None:
            _await_first_state(local, _start_supervisor(local))
    return _wait_until_up(local, on_phase=on_phase), occupant is not None


@contextmanager
def place_to_start(local: Local) -> Iterator[UpState | None]:
    """Let one process at a time start an installation, in a place that is free and clean.

    Yields:
        The state of a supervisor that runs already; None where one can be started.

    Raises:
        PortInUseError: Nothing runs, but another program has one of the ports.
    """
    local.logs.mkdir(parents=True, exist_ok=True)
    with (local.home / "starting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = running_state(local)
        if state is not None and state.is_ending:
            _await_end(state.pid)
            state = running_state(local)
        if state is None:
            # What a supervisor that was killed left behind.
            end_processes(supervised_processes(local), timeout_seconds=5)
            refuse_used_ports(local)
            local.state_file.unlink(missing_ok=True)
        yield state


def _await_end(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        psutil.wait_procs([psutil.Process(pid)], timeout=DOWN_TIMEOUT_SECONDS)


def _start_supervisor(local: Local) -> subprocess.Popen[bytes]:
    with (local.logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "deployments.supervisor", local.to_json()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=PROJECT_ROOT,
            env=local.environment(),
            start_new_session=True,
        )


def _await_first_state(local: Local, supervisor: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + UP_TIMEOUT_SECONDS
    while read_state(local) is None:
        if supervisor.poll() is not None or time.monotonic() > deadline:
            raise StartFailedError(_supervisor_ended(local))
        time.sleep(0.05)


def _supervisor_ended(local: Local) -> str:
    return f"the supervisor ended; see {local.logs / 'supervisor.log'}"


def _wait_until_up(local: Local, *, on_phase: Callable[[str], None]) -> UpState:
    deadline = time.monotonic() + UP_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        state = read_state(local)
        if state is not None:
            on_phase(state.phase)
            if state.error is not None:
                _await_end(state.pid)  # with all it had started; the next `up` finds a clean place
                raise StartFailedError(state.error)
            if state.ready:
                return state
            if not state.is_alive():
                raise StartFailedError(_supervisor_ended(local))
        time.sleep(0.2)
    message = f"not up after {UP_TIMEOUT_SECONDS} s; see {local.logs}, then `homeostat down`"
    raise StartFailedError(message)


def bring_down(local: Local) -> int:
    """Stop the supervisor and everything it started.

    Returns:
        How many processes were running.
    """
    before = {process.pid for process in supervised_processes(local)}
    state = running_state(local)
    if state is not None:
        with suppress(psutil.NoSuchProcess):  # it may end by itself meanwhile
            psutil.Process(state.pid).terminate()
        _await_end(state.pid)
        before.add(state.pid)  # in the foreground it does not carry the mark
    end_processes(supervised_processes(local), timeout_seconds=10)
    return len(before)


@contextmanager
def running_api(local: Local) -> Iterator[PrefectApi]:
    """Connect to the Prefect server that `up` started.

    Raises:
        NotUpError: There is none.
    """
    state = running_state(local)
    if state is None or not state.ready:
        raise NotUpError
    with PrefectApi(at_running_ports(local, state).api_url) as api:
        yield api
