"""Heavy questions to the embedded Prometheus: they end, and the loop that they share goes on."""

from __future__ import annotations

import asyncio
import time

import httpx
import numpy as np
import pytest

from deployments.embedded.prometheus import samples as samples_module
from deployments.embedded.prometheus.labels import Labels
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.prometheus.server import running_prometheus

pytestmark = pytest.mark.embedded("prometheus")
BEGIN = 1_760_000_400.0
COUNT, SERIES = 480, 400
END = BEGIN + 15.0 * (COUNT - 1)
HEAVY = "quantile_over_time(0.99, load[1h])"
LIMIT_SECONDS = 0.5


def _store() -> Samples:
    store, rng = Samples(), np.random.default_rng(1)
    labels: list[Labels] = [(("pod", f"web-{at}"),) for at in range(SERIES)]
    for at in range(COUNT):
        store.append(BEGIN + 15.0 * at, "load", labels, rng.random(SERIES))
    return store


@pytest.fixture(scope="module")
def store() -> Samples:
    return _store()


def _range(query: str, *, step: str = "1", **more: str) -> dict[str, str]:
    return {"query": query, "start": str(END - 3600.0), "end": str(END), "step": step} | more


async def _turns(ended: asyncio.Event) -> list[float]:
    """Return how long the loop's turns took."""
    found: list[float] = []
    while not ended.is_set():
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        found.append(time.perf_counter() - before)
    return found


def test_a_question_that_takes_too_long_is_answered_with_503_and_others_have_their_turn(
    store: Samples,
) -> None:
    async def asked() -> tuple[httpx.Response, list[float], float]:
        async with (
            running_prometheus(
                store, clock=lambda: END, query_timeout_seconds=LIMIT_SECONDS
            ) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            ended = asyncio.Event()
            turns = asyncio.create_task(_turns(ended))
            before = time.perf_counter()
            answer = await client.get("/api/v1/query_range", params=_range(HEAVY), timeout=60.0)
            took = time.perf_counter() - before
            ended.set()
            return answer, await turns, took

    answer, turns, took = asyncio.run(asked())

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "error",
        "errorType": "timeout",
        "error": "query timed out in expression evaluation",
    }
    assert took < LIMIT_SECONDS + 5.0
    # Evaluated in the loop, there would be two turns: that before and that after.
    assert len(turns) > 5


def test_whoever_asks_can_wait_for_less_than_the_server_would(store: Samples) -> None:
    async def asked() -> httpx.Response:
        async with (
            running_prometheus(store, clock=lambda: END) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            params = _range(HEAVY, timeout="200ms")
            return await client.get("/api/v1/query_range", params=params, timeout=60.0)

    assert asyncio.run(asked()).json()["errorType"] == "timeout"


def test_an_answer_of_too_many_numbers_is_refused_before_it_is_made(
    store: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deployments.embedded.prometheus.promql import evaluator

    monkeypatch.setattr(evaluator, "MOST_SAMPLES", SERIES * 3601 - 1)

    async def asked() -> httpx.Response:
        async with (
            running_prometheus(store, clock=lambda: END) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            return await client.get("/api/v1/query_range", params=_range("load"), timeout=60.0)

    answer = asyncio.run(asked())

    assert answer.status_code == 422
    assert "too many samples" in answer.json()["error"]


def test_samples_are_counted_before_any_is_read(
    store: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples_module, "MOST_SAMPLES", SERIES * COUNT - 1)
    monkeypatch.setattr(samples_module, "_read", lambda _: pytest.fail("something was read"))

    with pytest.raises(samples_module.TooManySamplesError):
        store.select(lambda _: True, start=0, end=2**62)


def test_a_long_answer_comes_whole(store: Samples) -> None:
    async def asked() -> httpx.Response:
        async with (
            running_prometheus(store, clock=lambda: END) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            params = _range("load", step="15")
            return await client.get("/api/v1/query_range", params=params, timeout=60.0)

    answer = asyncio.run(asked())

    assert len(answer.content) > 2**20
    data = answer.json()["data"]
    assert data["resultType"] == "matrix"
    assert [len(one["values"]) for one in data["result"]] == [241] * SERIES


def test_a_snapshot_stays_as_it_was_while_samples_are_appended() -> None:
    store, labels = Samples(), [(("pod", "a"),)]
    seen = []
    for at in range(500):
        store.append(BEGIN + at, "load", labels, np.array([float(at)]))
        if at == 100:
            then = store.snapshot()
        if at in (150, 499):
            # New series, and in between a chunk that is full.
            labels = [*labels, (("pod", f"b{at}"),)]
            store.append(BEGIN + at + 0.5, "load", labels, np.zeros(len(labels)))
            (one,) = then.select(lambda _: True, start=0, end=2**62)
            seen.append(one)

    for one in seen:
        assert one.labels == ((("__name__", "load"), ("pod", "a")),)
        np.testing.assert_array_equal(one.values, [np.arange(101.0)])
        assert one.present.all()
    assert then.newest()["load"][1].tolist() == [100.0]
