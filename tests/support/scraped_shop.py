"""The demonstration with its Prometheus, to be scraped by a real one: time goes on with every scrape."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from deployments.embedded.prometheus.metrics import DESCRIBED
from deployments.embedded.prometheus.recorder import Recorder
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.prometheus.server import application
from tests.support.workloads_shop import Shop

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ScrapedShop:
    """The shop and what its Prometheus knows.

    Attributes:
        shop: That is stepped.
        interval_seconds: Between samples.
        marks: (n,) when samples were taken, Unix time.
    """

    shop: Shop
    interval_seconds: float
    samples: Samples = field(default_factory=Samples)
    marks: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the recorder."""
        self.recorder = Recorder(
            self.samples, self.shop.engine.world, interval_seconds=self.interval_seconds
        )

    def go_on(self) -> None:
        """Step to the next sample and take it."""
        steps = max(round(self.interval_seconds / 5.0), 1)
        tick = self.shop.run(self.interval_seconds, step_seconds=self.interval_seconds / steps)
        world, pods = self.shop.engine.world, self.shop.engine.pods
        assert self.recorder.record(tick, pods, world.nodes, self.shop.seconds)
        self.marks.append(self.shop.seconds)


def shop_at(seconds: float) -> Shop:
    """Return the shop at a time, a quarter of an hour after its start.

    Args:
        seconds: Unix time. Counters are far from zero: how one near zero is extended changed between
            releases.
    """
    shop = Shop(seconds=seconds - 900.0)
    shop.run(900.0)
    return shop


@contextmanager
def scraped(found: ScrapedShop, *, scrapes: int) -> Iterator[str]:
    """Serve a shop that goes on after each of so many scrapes; gives the address."""

    @web.middleware
    async def going_on(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if request.path == "/metrics" and len(found.marks) < scrapes:
            found.go_on()
        return answer

    found.go_on()
    app = _application(found)
    app.middlewares.append(going_on)
    with _served(app) as url:
        yield url


@contextmanager
def scraped_in_real_time(
    found: ScrapedShop, *, marks: int, before: Callable[[int], None]
) -> Iterator[tuple[str, threading.Event]]:
    """Serve a shop that goes on with the clock on the wall; gives the address, and when it is over.

    Args:
        found: It begins now.
        marks: Samples to take.
        before: Called with the number of each.
    """
    over = threading.Event()

    async def go_on() -> None:
        for number in range(marks):
            due = found.shop.seconds + found.interval_seconds
            await asyncio.sleep(max(due - time.time(), 0.0))
            before(number)
            found.go_on()
        over.set()

    with _served(_application(found), go_on) as url:
        yield url, over


def _application(found: ScrapedShop) -> web.Application:
    return application(found.samples, clock=time.time, described=DESCRIBED)


async def _nothing() -> None:
    """Do nothing besides."""


@contextmanager
def _served(
    app: web.Application, besides: Callable[[], Coroutine[Any, Any, None]] = _nothing
) -> Iterator[str]:
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    ports: queue.Queue[int] = queue.Queue()

    async def serve() -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.put(int(runner.addresses[0][1]))
        task = asyncio.create_task(besides())
        await ended.wait()
        task.cancel()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=10.0)}"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10.0)
        loop.close()
