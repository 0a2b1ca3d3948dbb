"""Play the nodes of a cluster, embedded or real, and the Prometheus that watches them."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators
from kubernetes.config import ConfigException

from deployments.embedded.prometheus.metrics import DESCRIBED
from deployments.embedded.prometheus.recorder import Recorder
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.prometheus.scraper import (
    DEPLOYMENTS,
    INTERVAL_SECONDS,
    DeploymentStates,
    record_earlier,
    scrape,
)
from deployments.embedded.prometheus.server import running_prometheus
from deployments.embedded.workloads.demonstration import (
    PARTS,
    demonstration_manifests,
    demonstration_nodes,
)
from deployments.embedded.workloads.kubelet.client import Access, Client, RefusedError
from deployments.embedded.workloads.kubelet.clock import FASTEST, Clock
from deployments.embedded.workloads.kubelet.kubelets import with_other
from deployments.embedded.workloads.kubelet.reader import Reader
from deployments.embedded.workloads.kubelet.running import RunningKubelets, running_kubelets
from deployments.embedded.workloads.physics.world import World

app = App(name="python -m deployments.embedded.workloads", help=__doc__)

EXIT_NOT_STARTED = 2
DEFAULT_SEED = 20_261_101
CONTROL_FILE = "simulator.json"
"""Beside the kubeconfig: {"url": ..., "token": ..., "prometheus": ...}."""
HOST = "127.0.0.1"

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
    access = Access.of_kubeconfig(settings.kubeconfig, context=settings.context)
    profiles = with_other([part.profile for part in PARTS])
    world = World.of(profiles, demonstration_nodes(), seed=settings.seed)
    clock = Clock(speed=settings.speed)
    samples = Samples()
    recorder = Recorder(samples, world, interval_seconds=INTERVAL_SECONDS)
    record_earlier(recorder, world, PARTS, until_seconds=clock.now(), hours=settings.history_hours)
    manifests = demonstration_manifests() if settings.demonstration else ()
    async with (
        running_kubelets(
            access, world, clock=clock, control_port=settings.control_port, manifests=manifests
        ) as running,
        _scraping(access, running, recorder) as scraping,
        running_prometheus(
            samples, clock=clock.now, described=DESCRIBED, host=HOST, port=settings.prometheus_port
        ) as port,
    ):
        path = write_control_file(
            settings.kubeconfig, running, prometheus_url=f"http://{HOST}:{port}"
        )
        print(f"workloads ready: {running.control_url}, token in {path}", flush=True)  # noqa: T201
        waiting = asyncio.create_task(ended.wait())
        done, _ = await asyncio.wait(
            {waiting, running.task, scraping}, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        for task in done - {waiting}:
            task.result()


@asynccontextmanager
async def _scraping(
    access: Access, running: RunningKubelets, recorder: Recorder
) -> AsyncIterator[asyncio.Task[None]]:
    states = DeploymentStates()

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(reader.run())
            await reader.listed.wait()
            group.create_task(scrape(running.kubelets, recorder, states))

    async with Client(access) as client:
        reader = Reader(client, DEPLOYMENTS, states.tell)
        task = asyncio.create_task(run())
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


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
