"""Servers that a benchmark of whole flows starts for itself and stops again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

START_TIMEOUT_SECONDS = 120


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def prefect_server() -> Iterator[str]:
    """Run a Prefect server with an empty database; yield its API address.

    PREFECT_API_URL is set meanwhile, so import prefect only inside the block.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    with tempfile.TemporaryDirectory(prefix="homeostat-bench-") as home:
        settings = {
            "PREFECT_HOME": home,
            "PREFECT_API_URL": url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_UI_ENABLED": "false",
            "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "DO_NOT_TRACK": "1",
        }
        previous = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        command = f"-m prefect server start --host 127.0.0.1 --port {port}".split()
        try:
            with _running(command, health=f"{url}/health"):
                yield url
        finally:
            for name, value in previous.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@contextmanager
def embedded_aws(arguments: Sequence[str] = ()) -> Iterator[str]:
    """Run the embedded AWS endpoint; yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["-m", "deployments.embedded.aws", "--port", str(port), *arguments]
    with _running(command, health=f"{url}/_homeostat/health"):
        yield url


@contextmanager
def _running(command: Sequence[str], *, health: str) -> Iterator[None]:
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_health(process, health)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await_health(process: subprocess.Popen[bytes], health: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(health, timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    message = f"{health} did not answer within {START_TIMEOUT_SECONDS} s"
    raise TimeoutError(message)


class PeakMemory:
    """The largest resident memory of this process and its children while the block runs, GiB."""

    def __init__(self) -> None:
        self.gib = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(0.25):
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.gib = max(self.gib, total / 2**30)
