"""Bringing the local installation up and down from another process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from deployments.local import (
    PROJECT_ROOT,
    Local,
    at_running_ports,
    read_state,
    refuse_used_ports,
    running_state,
    supervised_processes,
)
from deployments.prefect_api import PrefectApi
from deployments.supervisor import end_processes

UP_TIMEOUT_SECONDS = 280
DOWN_TIMEOUT_SECONDS = 60


class NotUpError(Exception):
    """There is no running installation to ask."""

    def __init__(self) -> None:
        super().__init__("nothing is up here; `homeostat up` starts it")


class StartFailedError(Exception):
    """The supervisor gave up, or took too long."""


def bring_up(local: Local, *, on_phase: Callable[[str], None]) -> tuple[Local, bool]:
    """Start the supervisor in the background and wait until everything is up.

    Args:
        local: Settings; where something already runs, its ports are kept.
        on_phase: Told of each step.

    Returns:
        The settings in use, and whether everything was up before.

    Raises:
        PortInUseError: Another program has one of the ports.
        StartFailedError: A service did not start; the message has the end of its log.
    """
    state = running_state(local)
    if state is not None and state.ready:
        return at_running_ports(local, state), True
    if state is None:
        end_processes(supervised_processes(local), timeout_seconds=5)  # of a supervisor that died
        refuse_used_ports(local)
        _start_supervisor(local)
    return _wait_until_up(local, on_phase=on_phase), False


def _start_supervisor(local: Local) -> None:
    local.logs.mkdir(parents=True, exist_ok=True)
    local.state_file.unlink(missing_ok=True)
    settings = {
        "home": str(local.home),
        "ui_port": local.ui_port,
        "aws_port": local.aws_port,
        "aws_arguments": list(local.aws_arguments),
    }
    with (local.logs / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "deployments.supervisor", json.dumps(settings)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=PROJECT_ROOT,
            env=local.environment(),
            start_new_session=True,
        )


def _wait_until_up(local: Local, *, on_phase: Callable[[str], None]) -> Local:
    deadline = time.monotonic() + UP_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        state = read_state(local)
        if state is not None:
            on_phase(state.phase)
            if state.error is not None:
                raise StartFailedError(state.error)
            if state.ready:
                return at_running_ports(local, state)
            if not state.is_alive():
                message = f"the supervisor ended; see {local.logs / 'supervisor.log'}"
                raise StartFailedError(message)
        time.sleep(0.2)
    message = f"not up after {UP_TIMEOUT_SECONDS} s; see {local.logs}, then `homeostat down`"
    raise StartFailedError(message)


def bring_down(local: Local) -> int:
    """Stop the supervisor and everything it started.

    Returns:
        How many processes were running.
    """
    before = supervised_processes(local)
    state = running_state(local)
    if state is not None:
        supervisor = psutil.Process(state.pid)
        supervisor.terminate()
        psutil.wait_procs([supervisor], timeout=DOWN_TIMEOUT_SECONDS)
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
