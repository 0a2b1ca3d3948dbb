"""Play the nodes of a cluster, embedded or real, and the Prometheus that watches them."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators
from kubernetes.config import ConfigException

from deployments.embedded.workloads.demonstration import PARTS, demonstration_nodes
from deployments.embedded.workloads.kubelet.client import Access, RefusedError
from deployments.embedded.workloads.kubelet.clock import FASTEST, Clock
from deployments.embedded.workloads.kubelet.kubelets import with_other
from deployments.embedded.workloads.kubelet.running import RunningKubelets
from deployments.embedded.workloads.physics.world import World
from deployments.embedded.workloads.playing import running_workloads

app = App(name="python -m deployments.embedded.workloads", help=__doc__)

EXIT_NOT_STARTED = 2
DEFAULT_SEED = 20_261_101
CONTROL_FILE = "simulator.json"
"""Beside the kubeconfig: {"url": ..., "token": ..., "prometheus": ...}."""

Port = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is played, and where it listens.

    Attributes:
        kubeconfig: By which the API server is found.
        context: Of it; None for its current one.
        control_port: For faults; 0 for a free one.
        prometheus_port: The same.
        seed: Of the noise.
        speed: Seconds of the world in one second.
        demonstration: Apply the manifests of the demonstration.
        history_hours: That Prometheus knows when it starts.
    """

    kubeconfig: Path
    context: str | None
    control_port: int
    prometheus_port: int
    seed: int
    speed: float
    demonstration: bool
    history_hours: float


@app.default
def main(
    *,
    kubeconfig: Path,
    context: str | None = None,
    control_port: Port = 0,
    prometheus_port: Port = 0,
    seed: int = DEFAULT_SEED,
    speed: Annotated[float, Parameter(validator=validators.Number(gt=0, lte=FASTEST))] = 1.0,
    demonstration: bool = True,
    history_hours: Annotated[float, Parameter(validator=validators.Number(gte=0, lte=168))] = 24.0,
) -> int:
    """Play until SIGTERM or Ctrl-C.

    Args:
        kubeconfig: By which the API server is found. Where the control server and Prometheus are, and the
            token of the former, are written beside it, to simulator.json.
        context: Of the kubeconfig; its current one by default.
        control_port: On loopback, for faults; 0 for any free one.
        prometheus_port: On loopback; 0 for any free one.
        seed: Of the noise.
        speed: Seconds of the world in one second.
        demonstration: Apply the manifests of the demonstration first.
        history_hours: Before the start, that Prometheus knows of the demonstration.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    settings = Settings(
        kubeconfig=kubeconfig,
        context=context,
        control_port=control_port,
        prometheus_port=prometheus_port,
        seed=seed,
        speed=speed,
        demonstration=demonstration,
        history_hours=history_hours if demonstration else 0.0,
    )
    try:
        asyncio.run(_play(settings))
    except (ConfigException, RefusedError, OSError) as error:
        print(f"not started: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_NOT_STARTED
    return 0


async def _play(settings: Settings) -> None:
    ended = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    waiting = asyncio.create_task(ended.wait())
    playing = asyncio.create_task(_until_it_fails(settings))
    await asyncio.wait({waiting, playing}, return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, playing):
        task.cancel()
    with suppress(asyncio.CancelledError):
        await playing


async def _until_it_fails(settings: Settings) -> None:
    access = Access.of_kubeconfig(settings.kubeconfig, context=settings.context)
    profiles = with_other([part.profile for part in PARTS])
    async with running_workloads(
        access,
        World.of(profiles, demonstration_nodes(), seed=settings.seed),
        clock=Clock(speed=settings.speed),
        parts=PARTS if settings.demonstration else (),
        history_hours=settings.history_hours,
        control_port=settings.control_port,
        prometheus_port=settings.prometheus_port,
    ) as running:
        path = write_control_file(
            settings.kubeconfig, running.kubelets, prometheus_url=running.prometheus_url
        )
        print(f"workloads ready: {running.kubelets.control_url}, token in {path}", flush=True)  # noqa: T201
        await running.kubelets.task


def write_control_file(kubeconfig: Path, running: RunningKubelets, *, prometheus_url: str) -> Path:
    """Write where the servers are and the token of control, for this user's eyes; return the path."""
    path = kubeconfig.with_name(CONTROL_FILE)
    path.touch(mode=0o600)
    path.chmod(0o600)
    found = {"url": running.control_url, "token": running.token, "prometheus": prometheus_url}
    path.write_text(json.dumps(found))
    return path


if __name__ == "__main__":
    raise SystemExit(app())
