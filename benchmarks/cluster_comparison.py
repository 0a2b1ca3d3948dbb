"""The same load on the embedded and on the real control plane, one after the other.

Run with `python -m benchmarks.cluster_comparison [--quick] [--json]`. Each is started twice: empty for the
speed of creates, and anew for everything that is about many pods, so that the memory is that of the pods.
Both speak HTTPS, as their users find them, and the client is in this process, on the same machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.cluster_load import (
    Size,
    created,
    listed,
    populate,
    quiet,
    rss_with_clients,
)
from benchmarks.cluster_servers import (
    API_PROGRAMS,
    REAL,
    Server,
    Start,
    embedded_server,
    missing_programs,
    real_server,
)
from benchmarks.cluster_watch import watched
from benchmarks.harness import Metrics, notice, parse_options, progress, publish, show_table

FULL = Size(creates=10_000, deployments=1_000, replicas=10, watch_seconds=20.0)
QUICK = Size(creates=500, deployments=30, replicas=10, watch_seconds=2.0)
CLIENTS = 8
"""That keep a connection after they listed all pods, as controllers do."""
REAL_PREFIX = f"{REAL}_"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with --json one line of figures."""
    options = parse_options("cluster_comparison", argv, reads_recordings=False)
    publish(options, measure(quick=options.quick))


def measure(*, quick: bool) -> Metrics:
    """Return the figures of both control planes, those of the real one with a prefix, and show them.

    Raises:
        ServerError: One of them refused something, or did not do it in time.
    """
    size = QUICK if quick else FULL
    embedded = measured(embedded_server, size)
    if missing := missing_programs():
        notice(f"no {', '.join(missing)}: figures of the real one are unknown; `make tools`")
        real: Metrics = dict.fromkeys(embedded)
    else:
        real = measured(real_server, size)
    rows = [(key, embedded.get(key), real.get(key)) for key in embedded | real]
    show_table("Control planes", ["", "embedded", "real"], rows)
    return embedded | {f"{REAL_PREFIX}{key}": value for key, value in real.items()}


def measured(start: Start, size: Size) -> Metrics:
    """Return the figures of one control plane.

    Args:
        start: Starts it; is called twice.
        size: How much is asked of it.

    Raises:
        ServerError: It refused something, or did not do it in time.
    """
    with start() as server:
        progress(f"cluster: {size.creates} creates on the {server.kind} control plane")
        metrics: Metrics = {"start_seconds": server.start_seconds}
        metrics |= asyncio.run(_on_empty(server, size))
    with start() as server:
        progress(f"cluster: {size.pods} pods on the {server.kind} control plane")
        metrics |= asyncio.run(_with_pods(server, size))
    return metrics | {"pods": float(size.pods)}


async def _on_empty(server: Server, size: Size) -> Metrics:
    await quiet(server)
    async with server.session() as session:
        return await created(server, session, size.creates, group="first")


async def _with_pods(server: Server, size: Size) -> Metrics:
    await quiet(server)
    cpu = server.cpu_seconds()
    async with server.session() as session:
        metrics: Metrics = {"populate_seconds_10k_pods": await populate(session, size)}
    metrics["populate_cpu_seconds_10k_pods"] = server.cpu_seconds() - cpu
    await quiet(server)
    async with server.session() as reader:
        # A client of its own: one request at a time is one connection.
        metrics |= await listed(server, reader, pods=size.pods)
        metrics["rss_mib_10k_pods"] = server.rss_mib()
        programs = API_PROGRAMS if server.kind == REAL else ()
        metrics["api_rss_mib_10k_pods"] = server.rss_mib(*programs)
    metrics["rss_mib_10k_pods_8_clients"] = await rss_with_clients(server, CLIENTS)
    await quiet(server)
    async with server.session() as session:
        metrics |= await watched(server, session, seconds=size.watch_seconds)
        late = await created(server, session, size.creates, group="late")
    return metrics | {"creates_per_second_10k_pods": late["creates_per_second"]}


if __name__ == "__main__":
    main()
