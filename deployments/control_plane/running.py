"""Programs that were started, their logs, and waiting for them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from deployments.processes import terminate
from deployments.tools.families import PROJECT_ROOT, find_tool

START_TIMEOUT_SECONDS = 120.0
STOP_TIMEOUT_SECONDS = 15.0
LOOK_EVERY_SECONDS = 0.05
LOG_TAIL_LINES = 20
GUARD = "guard"
TELL_AND_BECOME = 'echo $$; exec "$@" >>"$0" 2>&1'
"""Of a shell whose output is the guard's input, given a log and a command.

The program itself says its number: whoever began it may be killed before it could.
"""


class ControlPlaneError(Exception):
    """The control plane could not be started; the message says which program and why."""


class ToldToEndError(Exception):
    """It is not wanted any more, before it was ready."""


class Running:
    """The programs of one folder, and the guard that ends them when this process is killed.

    Args:
        folder: Where the logs are written.
        flags: Program to further flags for it.
        told_to_end: Set when the programs are not waited for any more.
    """

    def __init__(
        self,
        folder: Path,
        *,
        flags: Mapping[str, Sequence[str]],
        told_to_end: threading.Event | None = None,
    ) -> None:
        self.folder = folder
        self._flags = flags
        self._told_to_end = told_to_end or threading.Event()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def pids(self) -> dict[str, int]:
        """Program to process number."""
        return {name: process.pid for name, process in self._processes.items()}

    def start(self, program: str, flags: Sequence[str]) -> None:
        """Start a tool in the background.

        Raises:
            ControlPlaneError: It is not installed.
        """
        path = find_tool(program)
        if path is None:
            message = f"no {program} on PATH or in .tools/bin; `make tools` builds it"
            raise ControlPlaneError(message)
        self.launch(program, [str(path), *flags, *self._flags.get(program, ())])

    def launch(self, name: str, command: Sequence[str]) -> None:
        """Start any command in the background, known by a name, after the guard."""
        log = str(self._log(name))
        self._begin(name, ["sh", "-c", TELL_AND_BECOME, log, *command], out=self._guard_input())

    def _guard_input(self) -> IO[bytes]:
        if GUARD not in self._processes:
            with self._log(GUARD).open("ab") as log:
                command = [sys.executable, "-m", f"{__package__}.{GUARD}"]
                self._begin(GUARD, command, out=log, given=subprocess.PIPE)
        found = self._processes[GUARD].stdin
        assert found is not None  # noqa: S101
        return found

    def _begin(
        self, name: str, command: Sequence[str], *, out: IO[bytes], given: int = subprocess.DEVNULL
    ) -> None:
        self._processes[name] = subprocess.Popen(
            command,
            stdin=given,
            stdout=out,
            stderr=subprocess.STDOUT if name == GUARD else subprocess.DEVNULL,
            cwd=PROJECT_ROOT,
            # Ctrl-C in a terminal is for whoever opened the context, and stops them in order.
            start_new_session=True,
        )

    def await_ready(self, program: str, is_ready: Callable[[], bool]) -> None:
        """Return once something is true that a running program makes true.

        Raises:
            ControlPlaneError: The program ended before, or took too long.
            ToldToEndError: While it was waited for.
        """
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not is_ready():
            if self._told_to_end.is_set():
                raise ToldToEndError(program)
            code = self._code_of_ended(program)
            if code is not None:
                raise self._error(program, f"ended with code {code}")
            if time.monotonic() > deadline:
                raise self._error(program, f"was not ready in {START_TIMEOUT_SECONDS:.0f} s")

    def stop(self) -> None:
        """End all, what was started last first, so that nothing loses what it depends on."""
        for process in reversed(self._processes.values()):
            if process.stdin is not None:
                process.stdin.close()
            terminate([process], timeout_seconds=STOP_TIMEOUT_SECONDS)

    def _code_of_ended(self, program: str) -> int | None:
        try:
            return self._processes[program].wait(timeout=LOOK_EVERY_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def _error(self, program: str, what: str) -> ControlPlaneError:
        log = self._log(program)
        tail = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return ControlPlaneError("\n".join([f"{program} {what}; the end of {log}:", *tail]))

    def _log(self, program: str) -> Path:
        return self.folder / f"{program}.log"
