"""Serve an empty cluster: `python -m deployments.embedded.kubernetes --port 6443 --kubeconfig FILE`."""

from __future__ import annotations

import asyncio
import secrets
import signal
from pathlib import Path

from cyclopts import App

from deployments.embedded.kubernetes.access import MASTERS, User
from deployments.embedded.kubernetes.cluster import running_cluster, write_kubeconfig

app = App(help=__doc__)


@app.default
def serve(*, port: int = 0, kubeconfig: Path) -> None:
    """Serve until told to end.

    Args:
        port: To listen on; 0 for a free one.
        kubeconfig: File to write, by which clients find the cluster and its administrator.
    """
    asyncio.run(_serve(port, kubeconfig))


async def _serve(port: int, kubeconfig: Path) -> None:
    token = secrets.token_urlsafe(24)
    users = {token: User(name="admin", groups=(MASTERS,))}
    ended = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    async with running_cluster(users, port=port) as bound:
        write_kubeconfig(kubeconfig, f"http://127.0.0.1:{bound}", token)
        await ended.wait()


if __name__ == "__main__":
    app()
