"""Play the kubelets of the demonstration against an API server, embedded or real."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators
from kubernetes.config import ConfigException

from deployments.embedded.workloads.demonstration import (
    PARTS,
    demonstration_manifests,
    demonstration_nodes,
)
from deployments.embedded.workloads.kubelet.client import Access, RefusedError
from deployments.embedded.workloads.kubelet.clock import FASTEST, Clock
from deployments.embedded.workloads.kubelet.kubelets import with_other
from deployments.embedded.workloads.kubelet.running import RunningKubelets, running_kubelets
from deployments.embedded.workloads.physics.world import World

app = App(name="python -m deployments.embedded.workloads.kubelet", help=__doc__)

EXIT_NOT_STARTED = 2
DEFAULT_SEED = 20_261_101
CONTROL_FILE = "simulator.json"
"""Beside the kubeconfig: {"url": ..., "token": ...} of the control server."""


@app.default
def main(
    *,
    kubeconfig: Path,
    context: str | None = None,
    control_port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 0,
    seed: int = DEFAULT_SEED,
    speed: Annotated[float, Parameter(validator=validators.Number(gt=0, lte=FASTEST))] = 1.0,
    demonstration: bool = True,
) -> int:
    """Play until SIGTERM or Ctrl-C.

    Args:
        kubeconfig: By which the API server is found. The address and the token of the control server are
            written beside it, to simulator.json.
        context: Of the kubeconfig; its current one by default.
        control_port: On loopback, for faults; 0 for any free one.
        seed: Of the noise.
        speed: Seconds of the world in one second.
        demonstration: Apply the manifests of the demonstration first.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        access = Access.of_kubeconfig(kubeconfig, context=context)
        world = World.of(
            with_other([part.profile for part in PARTS]), demonstration_nodes(), seed=seed
        )
        manifests = demonstration_manifests() if demonstration else ()
        asyncio.run(_play(access, world, Clock(speed=speed), control_port, manifests, kubeconfig))
    except (ConfigException, RefusedError, OSError) as error:
        print(f"not started: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_NOT_STARTED
    return 0


async def _play(
    access: Access, world: World, clock: Clock, port: int,
    manifests: tuple[dict[str, object], ...], kubeconfig: Path,
) -> None:  # fmt: skip
    ended = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    async with running_kubelets(
        access, world, clock=clock, control_port=port, manifests=manifests
    ) as running:
        path = write_control_file(kubeconfig, running)
        print(f"kubelets ready: {running.control_url}, token in {path}", flush=True)  # noqa: T201
        waiting = asyncio.create_task(ended.wait())
        await asyncio.wait({waiting, running.task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if running.task.done():
            running.task.result()


def write_control_file(kubeconfig: Path, running: RunningKubelets) -> Path:
    """Write where the control server is and its token, for this user's eyes only; return the path."""
    path = kubeconfig.with_name(CONTROL_FILE)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps({"url": running.control_url, "token": running.token}))
    return path


if __name__ == "__main__":
    raise SystemExit(app())
