"""A real installation, brought up by the `homeostat` command, shared by the tests of a run.

The fixture is there for all of tests/infra. The installation that tests share is only looked
at; a test that breaks one makes its own with `new_installation`.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from deployments.local import (
    EMBEDDED,
    LOOPBACK,
    NO_CLUSTER,
    PROJECT_ROOT,
    Local,
    UpState,
    running_state,
    supervised_processes,
    used_ports,
)
from deployments.prefect_api import PrefectApi
from tests.support.prefect_session import session_folder
from tests.support.shared_server import BEGUN_BY

UP_SECONDS = 280
COMMAND_SECONDS = 120
_PORTS = itertools.count(20_000 + os.getpid() * 20 % 9_000)
"""Below those that a system hands out by itself, and other ones in every process of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One home, two ports, and the command that works on them.

    Attributes:
        local: Home and ports.
    """

    local: Local

    def start(self, *words: str, cwd: Path = PROJECT_ROOT) -> subprocess.Popen[str]:
        """Start the command, with both outputs in one pipe."""
        return subprocess.Popen(
            [sys.executable, "-m", "deployments.cli", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=self._environment(),
        )

    def run(
        self, *words: str, cwd: Path = PROJECT_ROOT, timeout_seconds: float = COMMAND_SECONDS
    ) -> tuple[int, str]:
        """Run the command, and return its exit code and what it printed."""
        with self.start(*words, cwd=cwd) as process:
            output, _ = process.communicate(timeout=timeout_seconds)
            return process.returncode, output

    def up_words(self, *more: str) -> tuple[str, ...]:
        """Return the command line that brings this installation up."""
        said = {
            "--ui-port": self.local.ui_port,
            "--aws-port": self.local.aws_port,
            "--cluster": self.local.cluster,
            "--cluster-port": self.local.cluster_port,
            "--prometheus-port": self.local.prometheus_port,
        }
        return ("up", *(str(word) for pair in said.items() for word in pair), *more)

    def api(self) -> PrefectApi:
        """Return a connection to its Prefect server."""
        return PrefectApi(self.local.api_url)

    def state(self) -> UpState | None:
        """Return what its supervisor says, where one is alive."""
        return running_state(self.local)

    def processes(self) -> list[list[str]]:
        """Return the command lines of all processes that belong to it."""
        return [process.cmdline() for process in supervised_processes(self.local)]

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            # What the person set does not reach the installation; without byte code, Prefect
            # starts half as fast.
            if not name.startswith(("HOMEOSTAT_", "PYTHONDONTWRITE"))
        }
        return inherited | {
            "HOMEOSTAT_HOME": str(self.local.home),
            "PYTHONPATH": str(PROJECT_ROOT),
        }


def free_port() -> int:
    """Return a port that nothing listens on."""
    return next(port for port in _PORTS if is_free(port))


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def wait_until(
    true: Callable[[], bool], *, process: subprocess.Popen[str], timeout_seconds: float
) -> None:
    """Wait for something that a process does; fail when it ended or took too long."""
    deadline = time.monotonic() + timeout_seconds
    while not true():
        assert time.monotonic() < deadline, f"not true after {timeout_seconds} s"
        try:
            code = process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"the command ended with {code} before")


@contextmanager
def new_installation(folder: Path) -> Iterator[Installation]:
    """Give a place for an installation without a cluster, and end whatever is left there."""
    local = _local(folder.resolve(), cluster=NO_CLUSTER)
    installation = Installation(local=local)
    try:
        yield installation
    finally:
        installation.run("down")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpInstallation(Installation):
    """An installation on which `up` has ended.

    Attributes:
        code: Exit code of `up`.
        output: What `up` printed.
    """

    code: int
    output: str


@pytest.fixture(scope="session")
def installation() -> Iterator[UpInstallation]:
    """Give the installation of this run; every worker of pytest-xdist gets the same."""
    folder = session_folder() / "installation"
    folder.mkdir(exist_ok=True)
    with _using(folder) as shared:
        yield shared


@contextmanager
def _using(folder: Path) -> Iterator[UpInstallation]:
    user = str(os.getpid())
    with _only_one(folder):
        shared = _join(folder)
        (folder / f"user-{user}").touch()
    try:
        yield shared
    finally:
        with _only_one(folder):
            (folder / f"user-{user}").unlink()
            if not list(folder.glob("user-*")):
                _end(folder, shared)


def _join(folder: Path) -> UpInstallation:
    facts = folder / "up.txt"
    if not facts.exists():
        first = Installation(local=_local(folder / "home"))
        _guard(first)
        code, output = first.run(*first.up_words(), timeout_seconds=UP_SECONDS)
        facts.write_text(f"{first.local.to_json()}\n{code}\n{output}")
    settings, code_text, output = facts.read_text().split("\n", 2)
    return UpInstallation(local=Local.from_json(settings), code=int(code_text), output=output)


def _local(home: Path, *, cluster: str = EMBEDDED) -> Local:
    return Local(
        home=home,
        ui_port=free_port(),
        aws_port=free_port(),
        cluster=cluster,
        cluster_port=free_port(),
        prometheus_port=free_port(),
    )


def _end(folder: Path, shared: Installation) -> None:
    (folder / "up.txt").unlink()
    code, output = shared.run("down")
    assert code == 0, output
    assert shared.processes() == []
    assert [port for port, *_ in used_ports(shared.local) if not is_free(port)] == []


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _guard(installation: Installation) -> None:
    """Stop the installation when the test run is gone, however it ended."""
    _GUARDS.append(
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.installation", os.environ[BEGUN_BY]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=PROJECT_ROOT,
            env=installation._environment(),
            start_new_session=True,
        )
    )


_GUARDS: list[subprocess.Popen[bytes]] = []
"""Held, because Python complains of a running program that nobody holds."""


def main(words: Sequence[str]) -> int:
    """Wait for the end of a process, then run `homeostat down`."""
    while psutil.pid_exists(int(words[0])):
        psutil.wait_procs([psutil.Process(int(words[0]))], timeout=60)
    return subprocess.call([sys.executable, "-m", "deployments.cli", "down"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
