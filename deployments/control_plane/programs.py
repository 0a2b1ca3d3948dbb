"""The command lines of the control plane's programs."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deployments.local_cluster.credentials import Credentials
from deployments.local_cluster.served import LOOPBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the programs listen, on loopback."""

    etcd: int
    etcd_peer: int
    api_server: int
    controller_manager: int
    scheduler: int


def free_ports(*, api_server: int = 0) -> Ports:
    """Return five different ports that were free a moment ago.

    Args:
        api_server: Of the API server; 0 for one of them.
    """
    with ExitStack() as held:
        numbers = []
        for _ in range(5):
            probe = held.enter_context(socket.socket())
            probe.bind((LOOPBACK, 0))
            numbers.append(probe.getsockname()[1])
    return Ports(
        etcd=numbers[0],
        etcd_peer=numbers[1],
        api_server=api_server or numbers[2],
        controller_manager=numbers[3],
        scheduler=numbers[4],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Files of a certificate that vouches for itself, and of its key; both PEM."""

    shown: Path
    key: Path


def etcd_flags(folder: Path, ports: Ports, pair: Pair) -> list[str]:
    """Return etcd's flags; it keeps its data in the folder, and does not wait for the disk.

    Whoever reaches etcd has the whole cluster, whatever their role: it speaks only with those who show
    its own certificate, which nobody but this user can read the key of.
    """
    client, peer = f"https://{LOOPBACK}:{ports.etcd}", f"https://{LOOPBACK}:{ports.etcd_peer}"
    asked = [
        flag
        for side in ("", "peer-")
        for flag in (
            f"--{side}client-cert-auth",
            f"--{side}trusted-ca-file={pair.shown}",
            f"--{side}cert-file={pair.shown}",
            f"--{side}key-file={pair.key}",
        )
    ]
    return [
        *asked,
        f"--data-dir={folder / 'etcd'}",
        "--unsafe-no-fsync",
        "--logger=zap",
        "--log-level=warn",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
    ]


def api_server_flags(ports: Ports, credentials: Credentials, *, own: Pair, etcd: Pair) -> list[str]:
    """Return kube-apiserver's flags.

    Args:
        ports: Its own, and that of etcd.
        credentials: Whom it knows.
        own: What it shows.
        etcd: What it shows to etcd, and etcd to it.
    """
    return [
        f"--etcd-servers=https://{LOOPBACK}:{ports.etcd}",
        f"--etcd-cafile={etcd.shown}",
        f"--etcd-certfile={etcd.shown}",
        f"--etcd-keyfile={etcd.key}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={ports.api_server}",
        f"--tls-cert-file={own.shown}",
        f"--tls-private-key-file={own.key}",
        # Nobody reaches the API through the service `kubernetes`.
        "--endpoint-reconciler-type=none",
        "--authorization-mode=RBAC",
        f"--token-auth-file={credentials.token_file}",
        f"--service-account-issuer=https://{LOOPBACK}:{ports.api_server}",
        f"--service-account-key-file={credentials.verifying_key}",
        f"--service-account-signing-key-file={credentials.signing_key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        # Pods carry no token of an account: no container runs that could use one.
        "--disable-admission-plugins=ServiceAccount",
        "--profiling=false",
    ]


def controller_manager_flags(
    ports: Ports, *, kubeconfig: Path, credentials: Credentials, ca_file: Path
) -> list[str]:
    """Return kube-controller-manager's flags."""
    return [
        *_controller_flags(ports.controller_manager, kubeconfig=kubeconfig),
        f"--service-account-private-key-file={credentials.signing_key}",
        f"--root-ca-file={ca_file}",
    ]


def scheduler_flags(ports: Ports, *, kubeconfig: Path) -> list[str]:
    """Return kube-scheduler's flags."""
    return _controller_flags(ports.scheduler, kubeconfig=kubeconfig)


def _controller_flags(port: int, *, kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        # There is one of each, and an election takes seconds.
        "--leader-elect=false",
        # The defaults spare a server that many share: twenty requests a second.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--profiling=false",
    ]
