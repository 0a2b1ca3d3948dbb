"""The embedded Prometheus over HTTP, asked by our own client and by hand."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from deployments.embedded.prometheus.exposition import CONTENT_TYPE, Described
from deployments.embedded.prometheus.labels import Labels
from deployments.embedded.prometheus.samples import Samples
from tasks.adapters.prometheus import PrometheusClient, QueryRefusedError
from tests.support.embedded_prometheus import embedded_prometheus
from tests.support.reality import ToolPath

pytestmark = pytest.mark.embedded("prometheus")
BEGIN = 1_760_000_400.0
COUNT = 400
NOW = BEGIN + 15.0 * (COUNT - 1)
WEB: Labels = (("job", "shop/web"), ("pod", "web-1"))
CART: Labels = (("job", "shop/cart"), ("pod", 'quo"ted\\'))
DESCRIBED = {
    "requests_total": Described(kind="counter", text="Requests."),
    "size": Described(kind="gauge", text="Size, bytes."),
    "took_seconds": Described(kind="histogram", text="Latency, seconds."),
}


def filled() -> Samples:
    store = Samples()
    both = [WEB, CART]
    buckets: list[Labels] = [(("job", "x"), ("le", bound)) for bound in ("0.5", "+Inf")]
    for at in range(COUNT):
        now = BEGIN + 15.0 * at
        store.append(now, "requests_total", both, np.array([30.0 * at, 15.0 * at]))
        store.append(now, "size", both, np.array([1e-9, 1e22]))
        store.append(now, "took_seconds_bucket", buckets, np.array([1.0 * at, 2.0 * at]))
        store.append(now, "took_seconds_sum", [(("job", "x"),)], np.array([0.25 * at]))
        store.append(now, "took_seconds_count", [(("job", "x"),)], np.array([2.0 * at]))
    return store


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with embedded_prometheus(filled(), now=NOW, described=DESCRIBED) as found:
        yield found


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def test_our_client_asks_an_instant(url: str) -> None:
    with PrometheusClient(url) as client:
        found = client.instant("rate(requests_total[5m])", at=at(NOW))
    rates = {one["job"]: value for one, value in zip(found.labels, found.values[:, 0], strict=True)}
    assert rates == pytest.approx({"shop/web": 2.0, "shop/cart": 1.0})


def test_our_client_asks_a_range_longer_than_one_answer(url: str) -> None:
    begin = at(NOW) - timedelta(seconds=12_000)
    with PrometheusClient(url) as client:
        found = client.range(
            'sum(requests_total{job="shop/web"})',
            start=begin,
            end=at(NOW),
            step=timedelta(seconds=1),
        )
        assert client.queries == 2
    assert found.values.shape == (1, 12_001)
    assert np.isnan(found.values[0, 0])
    assert found.values[0, -1] == 30.0 * (COUNT - 1)


def test_a_long_query_may_be_posted(url: str) -> None:
    query = " + ".join(["sum(size)"] * 300)
    with PrometheusClient(url) as client:
        found = client.instant(query, at=at(NOW))
    assert found.values[0, 0] == pytest.approx(300 * 1e22)


def test_our_client_lists_series_and_values(url: str) -> None:
    with PrometheusClient(url) as client:
        found = client.series(['{job=~"shop/.*"}'], start=at(BEGIN), end=at(NOW))
        assert len(found) == 4
        assert {"__name__": "size", "job": "shop/web", "pod": "web-1"} in found
        assert client.label_values("job") == ["shop/cart", "shop/web", "x"]
        assert client.series(["size"], start=at(0), end=at(BEGIN - 1)) == []


def test_labels_are_listed_for_a_selector(http: httpx.Client) -> None:
    found = http.get("/api/v1/labels", params={"match[]": "took_seconds_sum"}).json()
    assert found == {"status": "success", "data": ["__name__", "job"]}
    posted = http.post("/api/v1/labels", data={"match[]": "size"}).json()
    assert posted["data"] == ["__name__", "job", "pod"]


def test_numbers_are_written_as_prometheus_writes_them(http: httpx.Client) -> None:
    found = http.get("/api/v1/query", params={"query": "size"}).json()["data"]["result"]
    assert sorted(one["value"] for one in found) == [[NOW, "1e+22"], [NOW, "1e-9"]]


def test_a_question_without_a_time_is_about_now(http: httpx.Client) -> None:
    found = http.get("/api/v1/query", params={"query": "time()"}).json()["data"]
    assert found == {"resultType": "scalar", "result": [NOW, str(int(NOW))]}


def test_times_and_steps_may_be_written_in_words(http: httpx.Client) -> None:
    said = {
        "query": "vector(1)",
        "start": at(BEGIN).isoformat().replace("+00:00", "Z"),
        "end": f"{BEGIN + 120}",
        "step": "1m",
    }
    (found,) = http.get("/api/v1/query_range", params=said).json()["data"]["result"]
    assert [when for when, _ in found["values"]] == [BEGIN, BEGIN + 60, BEGIN + 120]


def test_a_range_vector_is_answered_with_its_samples(http: httpx.Client) -> None:
    said = {"query": 'requests_total{job="shop/web"}[30s]', "time": f"{NOW}"}
    found = http.get("/api/v1/query", params=said).json()["data"]
    assert found["resultType"] == "matrix"
    # Open on the left: the sample of 30 s ago is not in it.
    assert [when for when, _ in found["result"][0]["values"]] == [NOW - 15, NOW]


UNKNOWN = (
    ("holt(up)", 400, "bad_data", "holt"),
    ("stdvar_over_time(size[5m])", 422, "execution", "function stdvar_over_time"),
    ("count_values('x', size)", 422, "execution", "aggregation count_values"),
    ("max_over_time(size[5m:1m])", 422, "execution", "subqueries"),
    ("size atan2 size", 422, "execution", "operator atan2"),
    ("size @ 5", 422, "execution", "modifier @"),
    ("rate(size", 400, "bad_data", "parse error"),
    ('size{job=~"(?P<"}', 400, "bad_data", ""),
    ("", 400, "bad_data", "parse error"),
)


@pytest.mark.parametrize(("query", "status", "kind", "text"), UNKNOWN)
def test_what_is_not_known_is_refused_by_name(
    http: httpx.Client, query: str, status: int, kind: str, text: str
) -> None:
    for path, more in (("query", {}), ("query_range", {"start": "0", "end": "60", "step": "30"})):
        answer = http.get(f"/api/v1/{path}", params={"query": query, **more})
        found = answer.json()
        assert (answer.status_code, found["status"], found["errorType"]) == (status, "error", kind)
        assert text in found["error"]


GRIDS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"start": "0", "end": "11001", "step": "1"}, "exceeded maximum resolution of 11,000 points"),
    ({"start": "0", "end": "10", "step": "0"}, "zero or negative query resolution step"),
    ({"start": "10", "end": "0", "step": "1"}, "end timestamp must not be before start time"),
    ({"start": "soon", "end": "0", "step": "1"}, 'cannot parse "soon" to a valid timestamp'),
    ({"start": "0", "end": "10", "step": "x"}, 'cannot parse "x" to a valid duration'),
    ({"start": "0", "end": "10"}, 'cannot parse "" to a valid duration'),
)


@pytest.mark.parametrize(("grid", "text"), GRIDS)
def test_a_grid_that_makes_no_sense_is_refused(
    http: httpx.Client, grid: dict[str, Any], text: str
) -> None:
    answer = http.get("/api/v1/query_range", params={"query": "size", **grid})
    assert answer.status_code == 400
    assert text in answer.json()["error"]


def test_series_have_to_be_asked_for(http: httpx.Client) -> None:
    answer = http.get("/api/v1/series")
    assert (answer.status_code, answer.json()["error"]) == (400, "no match[] parameter provided")
    assert http.get("/api/v1/series", params={"match[]": "sum(size)"}).status_code == 400
    # Names of labels may be any text since Prometheus 3.
    assert http.get("/api/v1/label/a-b/values").json()["data"] == []


def test_our_client_understands_a_refusal(url: str) -> None:
    with (
        PrometheusClient(url) as client,
        pytest.raises(QueryRefusedError, match="stdvar_over_time") as caught,
    ):
        client.instant("stdvar_over_time(size[5m])")
    assert caught.value.kind == "execution"


def test_nothing_can_be_written(http: httpx.Client) -> None:
    assert http.post("/api/v1/write", content=b"x").status_code == 404
    assert http.delete("/api/v1/series").status_code == 405


def test_it_says_that_it_is_ready(http: httpx.Client) -> None:
    assert http.get("/-/ready").text == "Prometheus Server is Ready.\n"


@pytest.mark.real("promtool")
def test_the_real_tool_reads_the_text_for_scrapes(http: httpx.Client, tool_path: ToolPath) -> None:
    answer = http.get("/metrics")
    assert answer.headers["Content-Type"] == CONTENT_TYPE
    assert r'size{job="shop/cart",pod="quo\"ted\\"} 1e+22' in answer.text
    command = [str(tool_path("promtool")), "check", "metrics"]
    said = subprocess.run(command, input=answer.content, capture_output=True, check=False)
    assert (said.returncode, said.stdout + said.stderr) == (0, b"")
