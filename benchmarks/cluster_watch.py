"""How late the events of a watch are: pods change at a steady rate, and another process reads of it.

Each change is a merge patch of one annotation of another pod. It is sent when it is due, whether or not
those before were answered, and says when that was; the watcher, a process of its own that reads raw HTTP
with aiohttp, compares with when it read the event. Both read one clock: the monotonic clock of Linux is
that of the machine, not of a process. So a lag has the write in it, and the wait for it.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import aiohttp
import numpy as np

from benchmarks.cluster_servers import Server, ServerError, answer
from benchmarks.harness import Metrics

CHANGES_PER_SECOND = 200.0
ANNOTATION = "benchmark.example.com/sent"
LATE_SECONDS = 60.0
"""After the last change an event that was not read until then is lost."""
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A change that was answered.

    Attributes:
        at: When it was sent, seconds of the monotonic clock.
        answered: When its answer was read.
    """

    at: float
    answered: float


async def watched(server: Server, session: aiohttp.ClientSession, *, seconds: float) -> Metrics:
    """Change pods for some seconds and return how late a watcher of all pods read of it.

    Raises:
        ServerError: Events were lost, or the watcher could not begin.
    """
    pods, version = await _names(session)
    count = round(seconds * CHANGES_PER_SECOND)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    watcher = context.Process(target=_watch, args=(server, version, count, theirs), daemon=True)
    watcher.start()
    try:
        await _said(ours, within=START_SECONDS)
        cpu = server.cpu_seconds()
        changes = await _change(session, pods, count)
        cpu = server.cpu_seconds() - cpu
        lags = await _said(ours, within=LATE_SECONDS)
    finally:
        watcher.kill()
        watcher.join()
    return figures(changes, lags, cpu_seconds=cpu)


def figures(changes: Sequence[Sent], lags: Sequence[float], *, cpu_seconds: float) -> Metrics:
    """Return the figures of a watch.

    Args:
        changes: One at least.
        lags: Seconds from sending to reading, one for each change.
        cpu_seconds: That the server took meanwhile.
    """
    milliseconds = np.asarray(lags) * 1000.0
    writes = np.asarray([one.answered - one.at for one in changes]) * 1000.0
    took = max(one.answered for one in changes) - min(one.at for one in changes)
    return {
        "watch_lag_ms_p50": float(np.quantile(milliseconds, 0.5)),
        "watch_lag_ms_p99": float(np.quantile(milliseconds, 0.99)),
        "watch_lag_ms_max": float(milliseconds.max()),
        "watch_write_ms_p99": float(np.quantile(writes, 0.99)),
        "watch_changes": float(len(changes)),
        "watch_changes_per_second": len(changes) / took,
        "watch_server_cpu_fraction": cpu_seconds / took,
    }


async def _names(session: aiohttp.ClientSession) -> tuple[list[str], str]:
    """Return the names of all pods of the namespace, and the version of that list."""
    found = json.loads(await answer(session, "GET", "/api/v1/namespaces/default/pods"))
    return [one["metadata"]["name"] for one in found["items"]], found["metadata"]["resourceVersion"]


async def _change(session: aiohttp.ClientSession, pods: Sequence[str], count: int) -> list[Sent]:
    """Change pods in turn, open loop: a slow answer holds up no later change."""
    begin = time.monotonic()

    async def change(at: int) -> Sent:
        await asyncio.sleep(begin + at / CHANGES_PER_SECOND - time.monotonic())
        path = f"/api/v1/namespaces/default/pods/{pods[at % len(pods)]}"
        sent = time.monotonic()
        await answer(
            session, "PATCH", path, {"metadata": {"annotations": {ANNOTATION: repr(sent)}}}
        )
        return Sent(at=sent, answered=time.monotonic())

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(change(at)) for at in range(count)]
    return [one.result() for one in tasks]


async def _said(connection: Connection, *, within: float) -> list[float]:
    """Return what the watcher says next."""
    if not await asyncio.to_thread(connection.poll, within):
        message = f"the watcher did not begin, or events were still missing after {within:.0f} s"
        raise ServerError(message)
    found: list[float] = connection.recv()
    return found


def _watch(server: Server, version: str, count: int, connection: Connection) -> None:
    """Read so many events in a process of its own; say when the watch is open, and then the lags."""
    asyncio.run(_read(server, version, count, connection))


async def _read(server: Server, version: str, count: int, connection: Connection) -> None:
    path = f"/api/v1/pods?watch=1&allowWatchBookmarks=false&resourceVersion={version}"
    lags: dict[tuple[str, str], float] = {}
    async with server.session() as session, session.get(path) as events:
        connection.send([])
        async for line in events.content:
            now = time.monotonic()
            meta = json.loads(line)["object"]["metadata"]
            said = meta.get("annotations", {}).get(ANNOTATION)
            if said is not None:
                # A pod that somebody else changes later says the same again, and counts once.
                lags.setdefault((meta["name"], said), now - float(said))
            if len(lags) == count:
                break
    connection.send([*lags.values()])
