"""Starting, sharing and stopping the Prefect server of a test run."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil

START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 20
BEGUN_BY = "HOMEOSTAT_TEST_CONTROLLER"

_STARTED: list[subprocess.Popen[bytes]] = []
"""Held, because Python complains of a running program that nobody holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefectServer:
    """A server that answers.

    Attributes:
        api_url: What PREFECT_API_URL is set to.
        ui_url: Of the same server; its pages are off.
        log: What it prints.
    """

    api_url: str
    ui_url: str
    log: str


class ServerNotStartedError(Exception):
    """The server ended or took too long."""

    def __init__(self, log: Path) -> None:
        tail = "\n  ".join(log.read_text(errors="replace").splitlines()[-15:])
        super().__init__(f"Prefect's server is not up; the end of its log:\n  {tail}")


def join_server(folder: Path, *, cache: Path) -> PrefectServer:
    """Return the run's server, started by whichever process asks first.

    Args:
        folder: The run's folder.
        cache: Where migrated databases are kept between runs, by version of Prefect.

    Raises:
        ServerNotStartedError: It did not come up.
    """
    address = folder / "server.json"
    with _only_one(folder / "server.lock"):
        if not address.exists():
            server = _start(folder, database=_fresh_database(folder, cache=cache))
            address.write_text(json.dumps(asdict(server)))
    return PrefectServer(**json.loads(address.read_text()))


def stop_server(folder: Path) -> None:
    """Stop the run's server and wait until it is gone; does nothing where none was started."""
    pid_file = folder / "server.pid"
    if not pid_file.exists():
        return
    try:
        guard = psutil.Process(int(pid_file.read_text()))
        family = [guard, *guard.children(recursive=True)]
        guard.terminate()
    except psutil.NoSuchProcess:
        return
    _, alive = psutil.wait_procs(family, timeout=STOP_TIMEOUT_SECONDS)
    for process in alive:
        process.kill()


def _start(folder: Path, *, database: Path) -> PrefectServer:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"
    begun_by = os.environ.get(BEGUN_BY, str(os.getpid()))
    with log.open("ab") as out:
        guard = subprocess.Popen(
            [sys.executable, str(Path(__file__)), begun_by, str(port)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=_server_environment(folder, database=database),
            start_new_session=True,
        )
    _STARTED.append(guard)
    (folder / "server.pid").write_text(str(guard.pid))
    url = f"http://127.0.0.1:{port}"
    _await_health(f"{url}/api/health", process=guard, log=log)
    return PrefectServer(api_url=f"{url}/api", ui_url=url, log=str(log))


def _server_environment(folder: Path, *, database: Path) -> dict[str, str]:
    return os.environ | {
        "PREFECT_HOME": str(folder / "server-home"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{database}",
        "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
    }


def _await_health(url: str, *, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            continue
        break
    process.terminate()
    raise ServerNotStartedError(log)


def _fresh_database(folder: Path, *, cache: Path) -> Path:
    """Return a migrated, empty database for this run; migrations take longer than all the rest."""
    template = cache / f"prefect-{version('prefect')}.db"
    with _only_one(cache / "migrating.lock"):
        if not template.exists():
            migrated = _migrate(folder, database=folder / "template.db")
            copied = template.with_suffix(".partial")
            _copy_database(migrated, to=copied)
            copied.replace(template)
    database = folder / "server.db"
    _copy_database(template, to=database)
    return database


def _migrate(folder: Path, *, database: Path) -> Path:
    log = folder / "migration.log"
    with log.open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=_server_environment(folder, database=database),
            timeout=START_TIMEOUT_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        raise ServerNotStartedError(log)
    return database


def _copy_database(source: Path, *, to: Path) -> None:
    # Not a copy of the file: part of a database may still be in its write-ahead log.
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(to)) as new:
        old.backup(new)


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def guard_server(begun_by: int, port: int) -> int:
    """Run the server for as long as the process that began the run lives.

    A test run that is killed stops nothing, and the server would outlive it.
    """
    command = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen([sys.executable, *command])
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    while psutil.pid_exists(begun_by):
        try:
            return server.wait(timeout=1)
        except subprocess.TimeoutExpired:
            continue
    server.terminate()
    return server.wait()


if __name__ == "__main__":
    sys.exit(guard_server(int(sys.argv[1]), int(sys.argv[2])))
