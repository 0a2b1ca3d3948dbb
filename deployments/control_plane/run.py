"""Starting the control plane, waiting until it answers, and stopping it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx

from deployments.control_plane.programs import (
    Pair,
    Ports,
    api_server_flags,
    controller_manager_flags,
    etcd_flags,
    free_ports,
    scheduler_flags,
)
from deployments.control_plane.running import ControlPlaneError, Running
from deployments.local_cluster.certificates import kept_certificate
from deployments.local_cluster.credentials import (
    READER,
    SIMULATOR,
    Credentials,
    make_credentials,
)
from deployments.local_cluster.kubeconfig import write_kubeconfig
from deployments.local_cluster.served import (
    ANSWER_TIMEOUT_SECONDS,
    LOOPBACK,
    LocalCluster,
    apply_roles,
)

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane(LocalCluster):
    """A control plane that answers.

    Attributes:
        pids: Program to process number, with the guard that ends them if this process is killed.
    """

    pids: Mapping[str, int]


@contextmanager
def control_plane(
    folder: Path,
    *,
    port: int = 0,
    flags: Mapping[str, Sequence[str]] | None = None,
    told_to_end: threading.Event | None = None,
) -> Iterator[ControlPlane]:
    """Run etcd, the API server, the controllers and the scheduler while the context is open.

    The programs end with the context, and also when this process is killed.

    Args:
        folder: For keys, data and logs; made when missing. A folder that was used before keeps its
            objects and its tokens; only one control plane at a time may use it.
        port: Of the API server; 0 for a free one.
        flags: Program to further flags for it; of a flag that is given twice the last one counts.
        told_to_end: Set to give up waiting until it answers.

    Yields:
        The control plane, once `/readyz` says so, namespace `default` is there, the users have
        their roles, and the controllers and the scheduler are healthy.

    Raises:
        ControlPlaneError: A program is not installed, ended, or did not get ready in time.
        ToldToEndError: While it was waited for.
    """
    if port and _accepts(port):
        message = f"port {port} is in use by another program; choose another one"
        raise ControlPlaneError(message)
    folder.mkdir(parents=True, exist_ok=True)
    running = Running(folder.resolve(), flags=flags or {}, told_to_end=told_to_end)
    try:
        yield _start(running, free_ports(api_server=port))
    finally:
        running.stop()


def _start(running: Running, ports: Ports) -> ControlPlane:
    folder = running.folder
    credentials = make_credentials(folder)
    shown, key = kept_certificate(folder / "certificates")
    of_etcd = kept_certificate(folder / "certificates", name="etcd", of_clients=True)
    own, etcd = Pair(shown=shown, key=key), Pair(shown=of_etcd[0], key=of_etcd[1])
    running.start("etcd", etcd_flags(folder, ports, etcd))
    running.await_ready("etcd", partial(_accepts, ports.etcd))
    running.start("kube-apiserver", api_server_flags(ports, credentials, own=own, etcd=etcd))
    plane = ControlPlane(
        url=f"https://{LOOPBACK}:{ports.api_server}",
        ca_file=shown,
        tokens=credentials.tokens,
        kubeconfig=folder / "kubeconfig",
        pids={},
    )
    _await_api_server(running, plane)
    write_kubeconfig(plane.kubeconfig, url=plane.url, ca_file=shown, tokens=plane.tokens)
    _start_controllers(running, ports, credentials, plane)
    # What `view` allows is put together by a controller, and the authorizer learns of it later.
    for user, path in ((READER, "/api/v1/pods?limit=1"), (SIMULATOR, "/api/v1/nodes?limit=1")):
        with plane.client(user) as client:
            running.await_ready("kube-controller-manager", partial(_is_ok, client, path))
    return replace(plane, pids=running.pids)


def _await_api_server(running: Running, plane: ControlPlane) -> None:
    with plane.client() as admin:
        for path in ("/readyz", "/api/v1/namespaces/default"):
            running.await_ready("kube-apiserver", partial(_is_ok, admin, path))
        try:
            apply_roles(admin)
        except httpx.HTTPError as error:
            message = f"the API server does not take the roles of its users: {error}"
            raise ControlPlaneError(message) from error


def _start_controllers(
    running: Running, ports: Ports, credentials: Credentials, plane: ControlPlane
) -> None:
    manager = controller_manager_flags(
        ports, kubeconfig=plane.kubeconfig, credentials=credentials, ca_file=plane.ca_file
    )
    running.start("kube-controller-manager", manager)
    running.start("kube-scheduler", scheduler_flags(ports, kubeconfig=plane.kubeconfig))
    # Their certificates live in their memory, and only their health is asked for.
    with httpx.Client(verify=False, timeout=ANSWER_TIMEOUT_SECONDS, trust_env=False) as client:  # noqa: S501
        for program, port in (
            ("kube-controller-manager", ports.controller_manager),
            ("kube-scheduler", ports.scheduler),
        ):
            address = f"https://{LOOPBACK}:{port}/healthz"
            running.await_ready(program, partial(_is_ok, client, address))


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
