"""Questions to a Prometheus server: what comes back as arrays, and what a refusal says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import numpy as np
import pytest

from tasks.adapters.prometheus import (
    MOST_POINTS,
    PrometheusClient,
    PrometheusUnreachableError,
    QueryRefusedError,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer) -> PrometheusClient:
    return PrometheusClient("http://prometheus.test/", transport=httpx.MockTransport(answer))


def success(kind: str, result: Any) -> httpx.Response:
    data = {"resultType": kind, "result": result}
    return httpx.Response(200, json={"status": "success", "data": data})


def parameters(request: httpx.Request) -> dict[str, str]:
    said = request.url.query.decode() or request.content.decode()
    return {key: values[0] for key, values in parse_qs(said).items()}


def test_an_instant_is_a_column() -> None:
    rows = [
        {"metric": {"pod": "a"}, "value": [1.0, "2.5"]},
        {"metric": {"pod": "b"}, "value": [1.0, "NaN"]},
    ]
    found = client(lambda _: success("vector", rows)).instant("up", at=START)
    assert [one["pod"] for one in found.labels] == ["a", "b"]
    np.testing.assert_equal(found.values, [[2.5], [np.nan]])


def test_nothing_found_is_an_empty_column() -> None:
    found = client(lambda _: success("vector", [])).instant("up", at=START)
    assert (len(found), found.values.shape) == (0, (0, 1))


def test_a_long_range_is_asked_for_in_pieces_and_put_together() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        said = parameters(request)
        times = np.arange(float(said["start"]), float(said["end"]) + 1.0, float(said["step"]))
        asked.append(len(times))
        pairs = [[when, str(when)] for when in times.tolist()]
        return success("matrix", [{"metric": {"pod": "a"}, "values": pairs}])

    steps = 2 * MOST_POINTS + 100
    found = client(answer).range("cpu", start=START, end=START + (steps - 1) * MINUTE, step=MINUTE)
    assert asked == [MOST_POINTS, MOST_POINTS, 100]
    assert found.values.shape == (1, steps)
    np.testing.assert_allclose(found.values[0], found.times)


def test_steps_without_a_sample_are_unknown() -> None:
    pairs = [[START.timestamp() + 120.0, "7"]]
    row = {"metric": {}, "values": pairs}
    found = client(lambda _: success("matrix", [row])).range(
        "cpu", start=START, end=START + 3 * MINUTE, step=MINUTE
    )
    np.testing.assert_equal(found.values, [[np.nan, np.nan, 7.0, np.nan]])


def test_a_long_query_is_posted() -> None:
    methods = []

    def answer(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        assert len(parameters(request)["query"]) == 4000
        return success("vector", [])

    client(answer).instant("x" * 4000)
    assert methods == ["POST"]


@pytest.mark.parametrize(
    ("answer", "error", "match"),
    [
        (
            httpx.Response(
                400, json={"status": "error", "errorType": "bad_data", "error": "parse error"}
            ),
            QueryRefusedError,
            "parse error",
        ),
        (httpx.Response(503, text="Service Unavailable"), PrometheusUnreachableError, "503"),
        (httpx.Response(200, text="<html>a login page"), QueryRefusedError, "login page"),
        (success("string", [1.0, "x"]), QueryRefusedError, "answers with a string"),
    ],
)
def test_a_refusal_says_why_and_whether_to_try_again(
    answer: httpx.Response, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        client(lambda _: answer).instant("up")


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(PrometheusUnreachableError, match=r"http://127\.0\.0\.1:9/api/v1"):
        PrometheusClient("http://127.0.0.1:9").instant("up")


def test_a_range_that_ends_before_it_begins_is_refused_without_asking() -> None:
    with PrometheusClient("http://127.0.0.1:9") as nobody:
        with pytest.raises(QueryRefusedError, match="is no grid"):
            nobody.range("up", start=START, end=START - MINUTE, step=MINUTE)
        assert nobody.queries == 0
