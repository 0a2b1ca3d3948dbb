"""Questions to a Prometheus server: what comes back as arrays, and what a refusal says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
from tests.support.embedded_prometheus import embedded_prometheus, samples_of
from tests.support.prometheus_judge import BEGIN, COUNT, STEP, real_prometheus, samples
from tests.support.reality import ToolPath

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Answer = Callable[[httpx.Request], httpx.Response]
NOON = datetime.fromtimestamp(BEGIN + 3_600.0, tz=UTC)
"""In the middle of the samples that both servers have."""


def _embedded(_: ToolPath, __: Path) -> AbstractContextManager[str]:
    return embedded_prometheus(samples_of(samples()), now=NOON.timestamp())


def _real(tool_path: ToolPath, folder: Path) -> AbstractContextManager[str]:
    return real_prometheus(tool_path("prometheus"), tool_path("promtool"), folder)


SERVERS = [
    pytest.param(_embedded, marks=pytest.mark.embedded("prometheus"), id="embedded"),
    pytest.param(_real, marks=pytest.mark.real("prometheus", "promtool"), id="real"),
]
"""What follows the fixture `server` is tried on each, with the same samples."""


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, tool_path: ToolPath, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusClient]:
    with (
        request.param(tool_path, tmp_path_factory.mktemp("prometheus")) as url,
        PrometheusClient(url) as found,
    ):
        yield found


def test_a_server_is_asked_for_an_instant(server: PrometheusClient) -> None:
    found = server.instant("sum by (namespace) (kube_pod_info)", at=NOON)
    assert [dict(one) for one in found.labels] == [{"namespace": "shop"}]
    np.testing.assert_array_equal(found.times, [NOON.timestamp()])
    np.testing.assert_array_equal(found.values, [[4.0]])


def test_a_server_answers_a_number_without_labels(server: PrometheusClient) -> None:
    found = server.instant("scalar(count(up)) * 2", at=NOON)
    assert (found.labels, found.values.tolist()) == (({},), [[6.0]])


def test_a_server_says_what_is_no_number(server: PrometheusClient) -> None:
    found = server.instant('min by (kind) (odd{kind="odd-0"}) / 0', at=NOON)
    assert np.isinf(found.values[0, 0])
    assert server.instant("nobody", at=NOON).values.shape == (0, 1)


def test_a_server_is_asked_for_more_points_than_it_answers_at_once(
    server: PrometheusClient,
) -> None:
    # Half a second off the samples: releases before 3 also take one that is just five minutes old.
    before, begin = server.queries, datetime.fromtimestamp(BEGIN + 0.5, tz=UTC)
    found = server.range(
        'container_memory_working_set_bytes{pod="web-3"}',
        start=begin - timedelta(hours=2),
        end=begin + timedelta(seconds=STEP * COUNT),
        step=timedelta(seconds=1),
    )
    assert server.queries - before == 2
    assert found.values.shape == (1, 7_200 + round(STEP) * COUNT + 1)
    known = next(
        one
        for one in samples()
        if one.name == "container_memory_working_set_bytes" and one.labels["pod"] == "web-3"
    )
    # The last sample before, for up to five minutes.
    last = np.searchsorted(known.times, found.times, side="right") - 1
    fresh = (last >= 0) & (found.times - known.times[np.maximum(last, 0)] < 300.0)
    wanted = np.where(fresh, known.values[np.maximum(last, 0)], np.nan)
    np.testing.assert_array_equal(found.values[0], wanted)


def test_a_server_lists_series_and_values(server: PrometheusClient) -> None:
    span = {"start": NOON - timedelta(minutes=5), "end": NOON}
    found = server.series(['kube_pod_info{node="node-0"}', "up"], **span)
    assert sorted(one.get("pod") or one["instance"] for one in found) == [
        "node-0:10250", "node-1:10250", "node-2:10250", "web-0", "web-2", "web-4",
    ]  # fmt: skip
    assert {one["__name__"] for one in found} == {"kube_pod_info", "up"}
    assert server.label_values("code") == ["200", "500"]
    assert server.label_values("nobody") == []
    # Long ones are posted, each of them.
    long = server.series([f'up{{node!="{"x" * 2_000}"}}', 'kube_pod_info{node="node-0"}'], **span)
    assert sorted(map(str, long)) == sorted(map(str, found))


def test_a_server_is_posted_a_long_query(server: PrometheusClient) -> None:
    found = server.instant(" + ".join(["sum(kube_pod_info)"] * 300), at=NOON)
    assert found.values.tolist() == [[1_200.0]]


@pytest.mark.parametrize(
    ("query", "kind", "said"),
    [
        ("rate(up)", "bad_data", "expected type .* in call to function .rate."),
        ("sum(up", "bad_data", "parse error"),
        ('"text"', "bad_data", "answers with a string"),
        ("up / on (job) http_requests_total", "execution", "many-to-many|duplicate series|matches"),
    ],
)
def test_a_server_says_why_it_refuses(
    server: PrometheusClient, query: str, kind: str, said: str
) -> None:
    with pytest.raises(QueryRefusedError, match=said) as caught:
        server.instant(query, at=NOON)
    assert caught.value.kind == kind


def test_a_server_without_an_end_that_is_later_than_its_begin_is_not_asked(
    server: PrometheusClient,
) -> None:
    before = server.queries
    with pytest.raises(QueryRefusedError, match="is no grid"):
        server.range("up", start=NOON, end=NOON - MINUTE, step=MINUTE)
    assert server.queries == before


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


def test_every_matcher_is_posted() -> None:
    posted = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        posted.append(parse_qs(request.content.decode())["match[]"])
        return httpx.Response(200, json={"status": "success", "data": []})

    matchers = ['up{a="%s"}' % ("x" * 900), 'down{a="%s"}' % ("y" * 900)]
    client(answer).series(matchers, start=START, end=START)
    assert posted == [matchers]


@pytest.mark.parametrize(
    "row",
    [
        {"metric": {"job": "a"}, "histograms": [[START.timestamp(), {"count": "1"}]]},
        {"metric": {"job": "a"}, "values": [[START.timestamp(), "1"]], "histograms": [[1.0, {}]]},
    ],
)
def test_native_histograms_are_refused_in_a_range(row: dict[str, Any]) -> None:
    with pytest.raises(QueryRefusedError, match=r"native histograms of .*job.*histogram_quantile"):
        client(lambda _: success("matrix", [row])).range(
            "latency", start=START, end=START, step=MINUTE
        )


def test_native_histograms_are_refused_at_an_instant() -> None:
    row = {"metric": {}, "histogram": [START.timestamp(), {"count": "1"}]}
    with pytest.raises(QueryRefusedError, match="native histograms"):
        client(lambda _: success("vector", [row])).instant("latency")


@pytest.mark.parametrize(
    ("said", "warnings"),
    [
        ({}, ()),
        ({"warnings": ["store down", "slow"]}, ("store down", "slow")),
        ({"isPartial": True}, ("the server says that its answer is partial",)),
        ({"isPartial": True, "warnings": ["store down"]}, ("store down",)),
    ],
)
def test_what_a_server_warns_of_comes_with_the_samples(
    said: dict[str, Any], warnings: tuple[str, ...]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        kind = "matrix" if request.url.path.endswith("_range") else "vector"
        body = {"status": "success", "data": {"resultType": kind, "result": []}, **said}
        return httpx.Response(200, json=body)

    asked = client(answer)
    assert asked.instant("up").warnings == warnings
    # Two pieces that warn of the same.
    found = asked.range("up", start=START, end=START + MOST_POINTS * MINUTE, step=MINUTE)
    assert (asked.queries, found.warnings) == (3, warnings)


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
