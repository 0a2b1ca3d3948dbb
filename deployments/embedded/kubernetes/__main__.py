"""Serve an empty cluster: `python -m deployments.embedded.kubernetes --folder FOLDER --port 6443`."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators

from deployments.embedded.kubernetes.run import embedded_cluster

app = App(name="python -m deployments.embedded.kubernetes", help=__doc__)

EXIT_NOT_STARTED = 2


@app.default
def serve(
    *,
    folder: Path,
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 0,
) -> int:
    """Serve until told to end; over TLS, without which kubectl sends no token.

    Args:
        folder: For kubeconfig, tokens and certificate, which it keeps over starts. Objects are in memory.
        port: To listen on; 0 for a free one.
    """
    # Many objects that live long: looking for rings among them all stops the server for 0.1 s at 10,000
    # pods, every 3 s of 200 changes a second by Python's own thresholds.
    gc.set_threshold(50_000, 20, 100)
    code = 0
    try:
        asyncio.run(_serve(folder.resolve(), port))
    # A port in use is met among the tasks of the cluster, so that it comes in a group.
    except* OSError as found:
        print(f"not started: {found.exceptions[0]}", file=sys.stderr)  # noqa: T201
        code = EXIT_NOT_STARTED
    return code


async def _serve(folder: Path, port: int) -> None:
    ended = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    async with embedded_cluster(folder, port=port) as cluster:
        print(f"cluster ready: {cluster.url}, kubeconfig {cluster.kubeconfig}", flush=True)  # noqa: T201
        await ended.wait()


if __name__ == "__main__":
    raise SystemExit(app())
