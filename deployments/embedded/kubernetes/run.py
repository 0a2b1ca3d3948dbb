"""The embedded cluster as it is served: with users, keys and a kubeconfig that a folder keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deployments.embedded.kubernetes.access import MASTERS, User
from deployments.embedded.kubernetes.cluster import running_cluster
from deployments.local_cluster.certificates import Certificate, kept_certificate
from deployments.local_cluster.credentials import ADMIN, make_credentials
from deployments.local_cluster.kubeconfig import write_kubeconfig
from deployments.local_cluster.served import LOOPBACK, LocalCluster, apply_roles


@asynccontextmanager
async def embedded_cluster(folder: Path, *, port: int = 0) -> AsyncIterator[LocalCluster]:
    """Serve a cluster until the block ends; over TLS, without which kubectl sends no token.

    Args:
        folder: For kubeconfig, tokens and certificate; made when missing. A folder that was used
            before keeps them. Objects are in memory.
        port: To listen on; 0 for a free one.

    Raises:
        OSError: The folder cannot be written, or, in a group, the port is in use.
    """
    credentials = make_credentials(folder)
    shown, key = kept_certificate(folder / "certificates")
    users = {
        token: User(name=name, groups=(MASTERS,) if name == ADMIN else ())
        for name, token in credentials.tokens.items()
    }
    certificate = Certificate.read(shown, key)
    async with running_cluster(users, port=port, host=LOOPBACK, certificate=certificate) as bound:
        cluster = LocalCluster(
            url=f"https://{LOOPBACK}:{bound}",
            ca_file=shown,
            tokens=credentials.tokens,
            kubeconfig=folder / "kubeconfig",
        )
        await asyncio.to_thread(_apply_roles, cluster)
        write_kubeconfig(cluster.kubeconfig, url=cluster.url, ca_file=shown, tokens=cluster.tokens)
        yield cluster


def _apply_roles(cluster: LocalCluster) -> None:
    with cluster.client() as admin:
        apply_roles(admin)
