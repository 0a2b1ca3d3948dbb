"""The embedded Prometheus for tests, in a thread of its own, talked to over HTTP like any other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from deployments.embedded.prometheus.exposition import Described
from deployments.embedded.prometheus.labels import labels_of
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.prometheus.server import running_prometheus
from tests.support.prometheus_judge import Series


def samples_of(found: Sequence[Series]) -> Samples:
    """Return a store with given samples; series do not end, they only have no more samples."""
    store = Samples(retention_seconds=1e9)
    add(store, found, ending=False)
    return store


def add(store: Samples, found: Sequence[Series], *, ending: bool) -> None:
    """Append samples; with `ending`, a series that leaves one out has ended."""
    for name in sorted({one.name for one in found}):
        ours = [(labels_of(one.labels), one) for one in found if one.name == name]
        rows = [dict(zip(one.times.tolist(), one.values.tolist(), strict=True)) for _, one in ours]
        for when in sorted({when for row in rows for when in row}):
            there = [at for at, row in enumerate(rows) if when in row]
            values = np.array([rows[at][when] for at in there])
            store.append(when, name, [ours[at][0] for at in there], values, whole=ending)


@contextmanager
def embedded_prometheus(
    samples: Samples, *, now: float = 0.0, described: Mapping[str, Described] | None = None
) -> Iterator[str]:
    """Serve samples until the block ends; gives the address."""
    loop = asyncio.new_event_loop()
    started, ended = threading.Event(), asyncio.Event()
    ports: list[int] = []

    async def serve() -> None:
        async with running_prometheus(samples, clock=lambda: now, described=described) as port:
            ports.append(port)
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(10.0)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10.0)
        loop.close()
