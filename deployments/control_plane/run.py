"""Starting the control plane, waiting until it answers, and stopping it."""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

import httpx

from deployments.control_plane.credentials import (
    ADMIN,
    READER,
    SIMULATOR,
    Credentials,
    make_credentials,
    write_kubeconfig,
)
from deployments.control_plane.programs import (
    LOOPBACK,
    Ports,
    api_server_flags,
    controller_manager_flags,
    etcd_flags,
    free_ports,
    scheduler_flags,
)
from deployments.control_plane.roles import RBAC, role_manifests
from deployments.control_plane.running import ControlPlaneError, Running

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
ANSWER_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """A control plane that answers.

    Attributes:
        url: Of the API server; HTTPS on loopback.
        ca_file: PEM, to verify it with.
        tokens: User (`credentials.ADMIN` and others) to bearer token.
        kubeconfig: Has a context for each user; the administrator's is current.
        pids: Program to process number, with the guard that ends them if this process is killed.
    """

    url: str
    ca_file: Path
    tokens: Mapping[str, str]
    kubeconfig: Path
    pids: Mapping[str, int]


@contextmanager
def control_plane(
    folder: Path, *, port: int = 0, flags: Mapping[str, Sequence[str]] | None = None
) -> Iterator[ControlPlane]:
    """Run etcd, the API server, the controllers and the scheduler while the context is open.

    The programs end with the context, and also when this process is killed.

    Args:
        folder: For keys, data and logs; made when missing. A folder that was used before keeps its
            objects and its tokens; only one control plane at a time may use it.
        port: Of the API server; 0 for a free one.
        flags: Program to further flags for it; of a flag that is given twice the last one counts.

    Yields:
        The control plane, once `/readyz` says so, namespace `default` is there, the users have
        their roles, and the controllers and the scheduler are healthy.

    Raises:
        ControlPlaneError: A program is not installed, ended, or did not get ready in time.
    """
    if port and _accepts(port):
        message = f"port {port} is in use by another program; choose another one"
        raise ControlPlaneError(message)
    folder.mkdir(parents=True, exist_ok=True)
    running = Running(folder.resolve(), flags=flags or {})
    try:
        yield _start(running, free_ports(api_server=port))
    finally:
        running.stop()


def _start(running: Running, ports: Ports) -> ControlPlane:
    folder = running.folder
    credentials = make_credentials(folder)
    running.start("etcd", etcd_flags(folder, ports))
    running.await_ready("etcd", partial(_accepts, ports.etcd))
    url, ca_file = _start_api_server(running, ports, credentials)
    kubeconfig = write_kubeconfig(
        folder / "kubeconfig", url=url, ca_file=ca_file, tokens=credentials.tokens
    )
    _start_controllers(running, ports, credentials, kubeconfig=kubeconfig, ca_file=ca_file)
    # What `view` allows is put together by a controller, and the authorizer learns of it later.
    for user, path in ((READER, "/api/v1/pods?limit=1"), (SIMULATOR, "/api/v1/nodes?limit=1")):
        with _client(url, ca_file=ca_file, token=credentials.tokens[user]) as client:
            running.await_ready("kube-controller-manager", partial(_is_ok, client, path))
    return ControlPlane(
        url=url,
        ca_file=ca_file,
        tokens=credentials.tokens,
        kubeconfig=kubeconfig,
        pids=running.pids,
    )


def _start_api_server(running: Running, ports: Ports, credentials: Credentials) -> tuple[str, Path]:
    url = f"https://{LOOPBACK}:{ports.api_server}"
    ca_file = running.folder / "certificates" / "apiserver.crt"
    running.start("kube-apiserver", api_server_flags(running.folder, ports, credentials))
    # It makes its certificate before it listens, so the file is there and whole from then on.
    running.await_ready("kube-apiserver", partial(_accepts, ports.api_server))
    with _client(url, ca_file=ca_file, token=credentials.tokens[ADMIN]) as client:
        for path in ("/readyz", "/api/v1/namespaces/default"):
            running.await_ready("kube-apiserver", partial(_is_ok, client, path))
        _create_roles(client)
    return url, ca_file


def _start_controllers(
    running: Running, ports: Ports, credentials: Credentials, *, kubeconfig: Path, ca_file: Path
) -> None:
    manager = controller_manager_flags(
        ports, kubeconfig=kubeconfig, credentials=credentials, ca_file=ca_file
    )
    running.start("kube-controller-manager", manager)
    running.start("kube-scheduler", scheduler_flags(ports, kubeconfig=kubeconfig))
    _start_guard(running)
    # Their certificates live in their memory, and only their health is asked for.
    with httpx.Client(verify=False, timeout=ANSWER_TIMEOUT_SECONDS, trust_env=False) as client:  # noqa: S501
        for program, port in (
            ("kube-controller-manager", ports.controller_manager),
            ("kube-scheduler", ports.scheduler),
        ):
            address = f"https://{LOOPBACK}:{port}/healthz"
            running.await_ready(program, partial(_is_ok, client, address))


def _start_guard(running: Running) -> None:
    pids = [str(pid) for pid in running.pids.values()]
    module = "deployments.control_plane.guard"
    running.launch("guard", [sys.executable, "-m", module, str(os.getpid()), *pids])


def _create_roles(client: httpx.Client) -> None:
    for manifest in role_manifests():
        plural = f"{manifest['kind'].lower()}s"
        answer = client.post(f"/apis/{RBAC}/v1/{plural}", json=manifest)
        # A folder that was used before has them.
        if answer.is_error and answer.status_code != HTTPStatus.CONFLICT:
            message = f"{plural} {manifest['metadata']['name']} was refused: {answer.text}"
            raise ControlPlaneError(message)


def _client(url: str, *, ca_file: Path, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token}"},
        verify=ssl.create_default_context(cafile=str(ca_file)),
        timeout=ANSWER_TIMEOUT_SECONDS,
        trust_env=False,
    )


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=ANSWER_TIMEOUT_SECONDS):
            return True
    except OSError:
        return False


def _is_ok(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False
