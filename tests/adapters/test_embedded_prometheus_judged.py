"""The embedded Prometheus answers as the real one does."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.embedded_prometheus import add, embedded_prometheus, samples_of
from tests.support.prometheus_judge import (
    INSTANTS,
    LATER_QUERIES,
    LATER_RANGE,
    QUERIES,
    RANGE,
    REFUSED,
    SINCE,
    asked,
    difference,
    pausing,
    real_prometheus,
    release,
    samples,
)
from tests.support.reality import ToolPath

pytestmark = [pytest.mark.real("prometheus", "promtool"), pytest.mark.embedded("prometheus")]
EMPTY = {
    "absent(up)",
    "kube_pod_info unless on (pod) http_requests_total",
    "clamp(up, 2, 1)",
    "histogram_quantile(0.5, up)",
}


@pytest.fixture(scope="module")
def real(tool_path: ToolPath, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("prometheus")
    with (
        real_prometheus(tool_path("prometheus"), tool_path("promtool"), folder) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def ours() -> Iterator[httpx.Client]:
    store = samples_of(samples())
    add(store, pausing(), ending=True)
    with (
        embedded_prometheus(store) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def alike(query: str, real: httpx.Client) -> bool:
    """Whether the real server is of a release that answers as the embedded one should."""
    return release(real) >= SINCE.get(query, (0, 0))


@pytest.mark.parametrize("query", [one for one in QUERIES if one not in SINCE])
def test_the_judge_answers_what_is_asked(real: httpx.Client, query: str) -> None:
    found = asked(real, "query_range", query=query, **RANGE)
    assert found["status"] == "success", found
    assert bool(found["data"]["result"]) is (query not in EMPTY)
    assert asked(real, "query", query=query, time=f"{INSTANTS[0]}")["status"] == "success"


@pytest.mark.parametrize(("query", "kind"), REFUSED)
def test_the_judge_refuses_what_is_wrong(real: httpx.Client, query: str, kind: str) -> None:
    found = asked(real, "query", query=query, time=f"{INSTANTS[0]}")
    assert (found["status"], found["errorType"]) == ("error", kind)


def test_the_judge_tells_answers_apart(real: httpx.Client) -> None:
    one, other = (
        asked(real, "query", query=text, time=f"{INSTANTS[0]}") for text in ("up", "2*up")
    )
    assert difference(one, one) is None
    assert difference(one, other) is not None


@pytest.mark.parametrize("query", QUERIES)
def test_a_range_is_answered_alike(
    real: httpx.Client, ours: httpx.Client, query: str, alike: bool
) -> None:
    answers = [asked(one, "query_range", query=query, **RANGE) for one in (real, ours)]
    found = difference(*answers)
    assert (found is None) is alike, found


@pytest.mark.parametrize("query", QUERIES)
def test_an_instant_is_answered_alike(
    real: httpx.Client, ours: httpx.Client, query: str, alike: bool
) -> None:
    found = [
        difference(*(asked(one, "query", query=query, time=f"{when}") for one in (real, ours)))
        for when in INSTANTS
    ]
    assert (set(found) == {None}) is alike, found


@pytest.mark.parametrize("query", LATER_QUERIES)
def test_series_that_end_and_begin_again_are_read_alike(
    real: httpx.Client, ours: httpx.Client, query: str
) -> None:
    answers = [asked(one, "query_range", query=query, **LATER_RANGE) for one in (real, ours)]
    assert answers[0]["data"]["result"]
    assert difference(*answers) is None


def test_the_marker_of_an_end_hides_a_series_at_once(real: httpx.Client) -> None:
    """The judge's own markers work: without them the series would be seen for five minutes."""
    found = asked(real, "query_range", query="going", **LATER_RANGE)["data"]["result"]
    counts = {one["metric"]["kind"]: len(one["values"]) for one in found}
    assert counts["steady"] - counts["pausing"] == 30


@pytest.mark.parametrize(("query", "kind"), REFUSED)
def test_what_is_wrong_is_refused_alike(
    real: httpx.Client, ours: httpx.Client, query: str, kind: str
) -> None:
    said = {"query": query, "time": f"{INSTANTS[0]}"}
    statuses = [one.get("/api/v1/query", params=said).status_code for one in (real, ours)]
    assert statuses[0] == statuses[1]
    assert asked(ours, "query", **said)["errorType"] == kind
