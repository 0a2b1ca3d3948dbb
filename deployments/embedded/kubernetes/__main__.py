"""Serve an empty cluster: `python -m deployments.embedded.kubernetes --port 6443 --kubeconfig FILE`."""

from __future__ import annotations

import asyncio
import secrets
import signal
from pathlib import Path

from cyclopts import App

from deployments.embedded.kubernetes.access import MASTERS, User
from deployments.embedded.kubernetes.certificates import Certificate, make_certificate
from deployments.embedded.kubernetes.cluster import running_cluster, write_kubeconfig

app = App(help=__doc__)


@app.default
def serve(*, port: int = 0, kubeconfig: Path, tls: bool = False) -> None:
    """Serve until told to end.

    Args:
        port: To listen on; 0 for a free one.
        kubeconfig: File to write, by which clients find the cluster and its administrator.
        tls: Serve HTTPS, without which kubectl sends no token; requests cost two thirds more.
    """
    asyncio.run(_serve(port, kubeconfig, make_certificate() if tls else None))


async def _serve(port: int, kubeconfig: Path, certificate: Certificate | None) -> None:
    token = secrets.token_urlsafe(24)
    users = {token: User(name="admin", groups=(MASTERS,))}
    ended = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    scheme = "http" if certificate is None else "https"
    async with running_cluster(users, port=port, certificate=certificate) as bound:
        url = f"{scheme}://127.0.0.1:{bound}"
        write_kubeconfig(kubeconfig, url, token, certificate=certificate)
        await ended.wait()


if __name__ == "__main__":
    app()
