"""The control planes that are measured, each in processes of its own, and what they take of the machine."""

from __future__ import annotations

import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import psutil
import yaml

from deployments.control_plane.run import PROGRAMS, control_plane
from deployments.local_cluster.kubeconfig import api_client
from deployments.processes import terminate
from deployments.tools.families import PROJECT_ROOT, find_tool

EMBEDDED = "embedded"
REAL = "real"
IN_FLIGHT = 64
"""Requests of one client at a time, each on a connection of its own."""
REQUEST_TIMEOUT_SECONDS = 300.0
START_TIMEOUT_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.02
STOP_TIMEOUT_SECONDS = 15.0
MERGE_PATCH = "application/merge-patch+json"
API_PROGRAMS = ("etcd", "kube-apiserver")
"""What of the real control plane stores and answers; the others are its controllers."""


class ServerError(Exception):
    """A server did not start, refused a request, or did not do in time what was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A control plane that answers.

    Attributes:
        kind: EMBEDDED or REAL.
        url: Of the API; HTTPS on loopback.
        ca_pem: To verify it with.
        token: Of an administrator.
        pids: Program to process number.
        start_seconds: From its launch until it said that it is ready.
    """

    kind: str
    url: str
    ca_pem: str
    token: str
    pids: Mapping[str, int]
    start_seconds: float

    def cpu_seconds(self, *programs: str) -> float:
        """Return the processor seconds, user and system, of programs so far; of all without a name."""
        times = (one.cpu_times() for one in self._processes(programs))
        return sum(float(one.user + one.system) for one in times)

    def rss_mib(self, *programs: str) -> float:
        """Return the resident memory of programs, MiB; of all without a name."""
        return sum(one.memory_info().rss for one in self._processes(programs)) / 2**20

    def _processes(self, programs: tuple[str, ...]) -> list[psutil.Process]:
        return [psutil.Process(self.pids[name]) for name in programs or self.pids]

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Open a client that sends as many requests at a time as it is asked for."""
        context = ssl.create_default_context(cadata=self.ca_pem)
        async with aiohttp.ClientSession(
            self.url,
            headers={"Authorization": f"Bearer {self.token}"},
            connector=aiohttp.TCPConnector(limit=0, ssl=context),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS),
            # The server's longest lines, events of a watch, are far shorter.
            read_bufsize=2**20,
        ) as session:
            yield session


async def answer(session: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> bytes:
    """Return the body of an answer.

    Args:
        session: Of `Server.session`.
        method: Of HTTP; what PATCH sends is a merge patch.
        path: With the query.
        body: To send as JSON; None for nothing.

    Raises:
        ServerError: The request was refused.
    """
    headers = {"Content-Type": MERGE_PATCH} if method == "PATCH" else None
    async with session.request(method, path, json=body, headers=headers) as found:
        text = await found.read()
    if found.status >= HTTPStatus.BAD_REQUEST:
        message = f"{method} {path} was refused with {found.status}: {text[:300]!r}"
        raise ServerError(message)
    return text


Start = Callable[[], AbstractContextManager[Server]]


@contextmanager
def embedded_server() -> Iterator[Server]:
    """Run the embedded control plane as its users do.

    Raises:
        ServerError: It ended, or did not get ready in time.
    """
    with tempfile.TemporaryDirectory(prefix="homeostat-bench-") as name:
        folder = Path(name)
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.embedded.kubernetes", "--folder", str(folder)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url, ca_pem, token = _await_ready(process, folder / "kubeconfig")
            yield Server(
                kind=EMBEDDED,
                url=url,
                ca_pem=ca_pem,
                token=token,
                pids={"server": process.pid},
                start_seconds=time.perf_counter() - begin,
            )
        finally:
            terminate([process], timeout_seconds=STOP_TIMEOUT_SECONDS)


def _await_ready(process: subprocess.Popen[bytes], kubeconfig: Path) -> tuple[str, str, str]:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        # It is written whole, once the server answers; that it does is asked all the same.
        if kubeconfig.exists() and _says_ready(kubeconfig):
            return access_of(kubeconfig.read_text())
        time.sleep(LOOK_EVERY_SECONDS)
    message = (
        f"the embedded server was not ready in {START_TIMEOUT_SECONDS:.0f} s, "
        f"or ended (exit code {process.poll()})"
    )
    raise ServerError(message)


def access_of(kubeconfig: str) -> tuple[str, str, str]:
    """Return what a kubeconfig of ours says for its current context.

    Args:
        kubeconfig: YAML; one cluster, users and contexts of the same names.

    Returns:
        Address, certificate to verify it with (PEM), and token.

    Raises:
        LookupError: It lacks one of them.
    """
    document = yaml.safe_load(kubeconfig)
    cluster = document["clusters"][0]["cluster"]
    tokens = {one["name"]: one["user"]["token"] for one in document["users"]}
    certificate = Path(cluster["certificate-authority"]).read_text()
    return cluster["server"], certificate, tokens[document["current-context"]]


def _says_ready(kubeconfig: Path) -> bool:
    try:
        with api_client(kubeconfig) as client:
            return client.get("/readyz").is_success
    except httpx.TransportError:
        return False


@contextmanager
def real_server() -> Iterator[Server]:
    """Run etcd, kube-apiserver, kube-controller-manager and kube-scheduler.

    Raises:
        ControlPlaneError: A program is not installed, ended, or did not get ready in time.
    """
    # Nobody sends heartbeats for the nodes, and no figure is about their loss.
    flags = {"kube-controller-manager": ["--node-monitor-grace-period=2h"]}
    with tempfile.TemporaryDirectory(prefix="homeostat-bench-") as folder:
        begin = time.perf_counter()
        with control_plane(Path(folder), flags=flags) as plane:
            yield Server(
                kind=REAL,
                url=plane.url,
                ca_pem=plane.ca_file.read_text(),
                token=plane.tokens["admin"],
                pids={name: plane.pids[name] for name in PROGRAMS},
                start_seconds=time.perf_counter() - begin,
            )


def missing_programs() -> list[str]:
    """Return which programs of the real control plane are not installed."""
    return [name for name in PROGRAMS if find_tool(name) is None]
