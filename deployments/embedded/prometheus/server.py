"""Prometheus' HTTP API over samples in memory.

Questions are answered by threads, for the loop also renews the leases of a cluster's nodes: however heavy
one is, it must not make them late.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from threading import Event
from typing import Any

import orjson
from aiohttp import web
from multidict import MultiDict
from promql_parser import VectorSelector, parse_duration

from deployments.embedded.prometheus.exposition import CONTENT_TYPE, Described, exposition
from deployments.embedded.prometheus.labels import Labels
from deployments.embedded.prometheus.promql.limits import Check, QueryTimeoutError, deadline
from deployments.embedded.prometheus.promql.queries import instant_answer, parsed, range_answer
from deployments.embedded.prometheus.promql.selecting import metric_name, wanted
from deployments.embedded.prometheus.promql.values import BadQueryError, QueryError
from deployments.embedded.prometheus.samples import Samples, TooManySamplesError

QUERY_TIMEOUT_SECONDS = 120.0
"""Of one question, as Prometheus' --query.timeout has it."""
MOST_QUERIES = 4
"""At once; Prometheus has 20, on machines of its own. Others wait, for as long as they have."""
_SLICE_BYTES = 256 * 1024
_FIRST, _LAST = 0, 2**62
_Work = Callable[[Samples, Check], Any]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def running_prometheus(
    samples: Samples,
    *,
    clock: Callable[[], float],
    described: Mapping[str, Described] | None = None,
    is_ready: Callable[[], bool] = lambda: True,
    query_timeout_seconds: float = QUERY_TIMEOUT_SECONDS,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[int]:
    """Serve until the block ends; gives the port.

    Args:
        samples: To read; appended to in the same event loop.
        clock: Unix time; of questions without one.
        described: Of metrics, for /metrics.
        is_ready: Until it is, everything but /-/healthy is answered with 503.
        query_timeout_seconds: A question that takes longer is answered with 503; above 0.
        host: To listen on.
        port: 0 for a free one.
    """
    app = application(
        samples,
        clock=clock,
        described=described or {},
        is_ready=is_ready,
        query_timeout_seconds=query_timeout_seconds,
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def application(
    samples: Samples,
    *,
    clock: Callable[[], float],
    described: Mapping[str, Described],
    is_ready: Callable[[], bool] = lambda: True,
    query_timeout_seconds: float = QUERY_TIMEOUT_SECONDS,
) -> web.Application:
    """Return the application; arguments as for `running_prometheus`."""
    served = _Served(samples, clock, described, query_timeout_seconds)
    app = web.Application(middlewares=[_readiness(is_ready), _refusals])
    app.on_cleanup.append(served.close)
    for path, answer in served.routes().items():
        app.router.add_get(path, answer)
        if path.startswith("/api/v1/") and "{" not in path:
            app.router.add_post(path, answer)
    return app


def _readiness(is_ready: Callable[[], bool]) -> Any:
    @web.middleware
    async def readiness(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path != "/-/healthy" and not is_ready():
            return web.Response(text="Service Unavailable", status=503)
        return await handler(request)

    return readiness


@web.middleware
async def _refusals(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except QueryError as error:
        said = {"status": "error", "errorType": error.kind, "error": str(error)}
        return _json(said, status=error.status)


def _json(found: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(found), status=status, content_type="application/json")


def _success(data: Any) -> web.Response:
    return _json({"status": "success", "data": data})


def _encoded(data: Any) -> bytes:
    """Return the body of an answer, made in pieces between which other threads have their turn."""
    if isinstance(data, dict) and isinstance(data.get("result"), list):
        head = orjson.dumps({"status": "success", "data": data | {"result": []}})
        before, after = head.rsplit(b"[]", 1)
        return before + b"[" + b",".join(map(orjson.dumps, data["result"])) + b"]" + after
    return orjson.dumps({"status": "success", "data": data})


async def _slices(body: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(body), _SLICE_BYTES):
        yield body[first : first + _SLICE_BYTES]


class _Served:
    """Answers of the server."""

    def __init__(
        self,
        samples: Samples,
        clock: Callable[[], float],
        described: Mapping[str, Described],
        timeout_seconds: float,
    ) -> None:
        self._timeout = timeout_seconds
        self._workers = ThreadPoolExecutor(MOST_QUERIES, thread_name_prefix="promql")
        self._closing = Event()
        self._samples = samples
        self._clock = clock
        self._described = described

    def routes(self) -> dict[str, _Handler]:
        return {
            "/-/ready": self.ready,
            "/-/healthy": self.healthy,
            "/metrics": self.metrics,
            "/api/v1/query": self.query,
            "/api/v1/query_range": self.query_range,
            "/api/v1/series": self.series,
            "/api/v1/labels": self.labels,
            "/api/v1/label/{name}/values": self.label_values,
            "/api/v1/metadata": self.metadata,
            "/api/v1/status/buildinfo": self.build,
        }

    async def close(self, _: web.Application) -> None:
        """Let threads end at their next check."""
        self._closing.set()
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def _answered(self, said: MultiDict[str], work: _Work) -> web.Response:
        """Return what a thread makes of the samples as they are now.

        Raises:
            QueryError: There is no answer, or none in time.
        """
        seconds = self._timeout
        if said.get("timeout"):
            seconds = min(seconds, _duration("timeout", said["timeout"]) / 1000.0)
        check = deadline(seconds, closing=self._closing)
        samples = self._samples.snapshot()

        def worked() -> bytes:
            check()
            return _encoded(work(samples, check))

        answer = asyncio.get_running_loop().run_in_executor(self._workers, worked)
        try:
            body = await asyncio.wait_for(answer, seconds)
        except TimeoutError:
            # The thread goes on to its next check.
            raise QueryTimeoutError from None
        if len(body) <= _SLICE_BYTES:
            return web.Response(body=body, content_type="application/json")
        return web.Response(body=_slices(body), content_type="application/json")

    async def ready(self, _: web.Request) -> web.Response:
        return web.Response(text="Prometheus Server is Ready.\n")

    async def healthy(self, _: web.Request) -> web.Response:
        return web.Response(text="Prometheus Server is Healthy.\n")

    async def metrics(self, _: web.Request) -> web.Response:
        text = exposition(self._samples, self._described)
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def build(self, _: web.Request) -> web.Response:
        return _success({"version": "3.16.0", "branch": "embedded", "goVersion": ""})

    async def metadata(self, _: web.Request) -> web.Response:
        return _success({
            name: [{"type": one.kind, "help": one.text, "unit": ""}]
            for name, one in self._described.items()
        })  # fmt: skip

    async def query(self, request: web.Request) -> web.Response:
        said = await _parameters(request)
        time = _time(said, "time", round(self._clock() * 1000))
        query = said.get("query", "")
        return await self._answered(
            said, lambda samples, check: instant_answer(samples, query, time_ms=time, check=check)
        )

    async def query_range(self, request: web.Request) -> web.Response:
        said = await _parameters(request)
        start, end = (_time(said, name, None) for name in ("start", "end"))
        step = _duration("step", said.get("step", ""))
        query = said.get("query", "")
        return await self._answered(
            said,
            lambda samples, check: range_answer(
                samples, query, start_ms=start, end_ms=end, step_ms=step, check=check
            ),
        )

    async def series(self, request: web.Request) -> web.Response:
        said = await _parameters(request)
        if "match[]" not in said:
            msg = "no match[] parameter provided"
            raise BadQueryError(msg)
        return await self._answered(
            said,
            lambda samples, check: [dict(labels) for labels in _matching(samples, said, check)],
        )

    async def labels(self, request: web.Request) -> web.Response:
        said = await _parameters(request)
        return await self._answered(
            said,
            lambda samples, check: sorted({
                name for labels in _matching(samples, said, check) for name, _ in labels
            }),
        )  # fmt: skip

    async def label_values(self, request: web.Request) -> web.Response:
        wanted_name = request.match_info["name"]
        said = await _parameters(request)
        return await self._answered(
            said,
            lambda samples, check: sorted({
                value
                for labels in _matching(samples, said, check)
                for name, value in labels
                if name == wanted_name
            }),
        )  # fmt: skip


def _matching(samples: Samples, said: MultiDict[str], check: Check) -> list[Labels]:
    start, end = _time(said, "start", _FIRST), _time(said, "end", _LAST)
    selectors = [_selector(text) for text in said.getall("match[]", [])]
    found: set[Labels] = set()
    try:
        if not selectors:
            found.update(samples.series(lambda _: True, start=start, end=end))
        for one in selectors:
            check()
            name = metric_name(one)
            found.update(samples.series(wanted(one), start=start, end=end, name=name))
    except TooManySamplesError as error:
        msg = "the time of the question holds too many samples; ask for less of it"
        raise QueryError(msg) from error
    return sorted(found)


async def _parameters(request: web.Request) -> MultiDict[str]:
    said: MultiDict[str] = MultiDict(request.query)
    if request.method == "POST":
        said.extend((name, str(value)) for name, value in (await request.post()).items())
    return said


def _selector(text: str) -> VectorSelector:
    node = parsed(text)
    if isinstance(node, VectorSelector):
        return node
    msg = f'invalid parameter "match[]": {text} is no selector of series'
    raise BadQueryError(msg)


def _time(said: MultiDict[str], name: str, otherwise: int | None) -> int:
    """Return milliseconds of a parameter in seconds of Unix time or as RFC 3339."""
    text = said.get(name, "")
    if not text and otherwise is not None:
        return otherwise
    try:
        seconds = float(text)
    except ValueError:
        seconds = _instant(text)
    if math.isfinite(seconds) and abs(seconds) < 1e15:
        return round(seconds * 1000)
    msg = f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp'
    raise BadQueryError(msg)


def _instant(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return math.nan
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _duration(name: str, text: str) -> int:
    """Return milliseconds of a parameter in seconds or as Prometheus writes durations."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parse_duration(text).total_seconds()
        except ValueError:
            seconds = math.nan
    if math.isfinite(seconds) and abs(seconds) < 1e12:
        return round(seconds * 1000)
    msg = f'invalid parameter "{name}": cannot parse "{text}" to a valid duration'
    raise BadQueryError(msg)
