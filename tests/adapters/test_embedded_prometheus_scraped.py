"""A real Prometheus that scrapes the embedded one answers as that does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.played_cluster import eventually
from tests.support.prometheus_judge import asked, difference, program_release, prometheus_server
from tests.support.reality import ToolPath
from tests.support.scraped_shop import ScrapedShop, scraped, scraped_in_real_time, shop_at

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real("prometheus"),
    pytest.mark.embedded("prometheus"),
]

INTERVAL, SCRAPES = 15.0, 60
BEHIND_SECONDS = 2_400.0
"""A server takes samples of the last hour only; all of these are of it."""
TRACKS_STALENESS = (2, 48)
"""Since this release a series that has times of its own ends when it is no longer there."""
CONFIG = """
scrape_configs:
  - job_name: homeostat
    scrape_interval: 200ms
    scrape_timeout: 200ms
    honor_labels: true
    honor_timestamps: true
{staleness}
    static_configs:
      - targets: ["{target}"]
"""
QUERIES = (
    "container_memory_working_set_bytes",
    'sum by (pod) (rate(http_requests_total{namespace="shop"}[5m]))',
    'sum(increase(http_requests_total{code="200"}[2m])) by (job)',
    "histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))",
    "container_memory_working_set_bytes / on (namespace, pod, container) "
    'kube_pod_container_resource_limits{resource="memory"}',
    "sum by (node) (rate(container_cpu_usage_seconds_total[2m]))",
    "count by (node) (kube_pod_info)",
    "kube_pod_status_phase == 1",
    "sum by (node, condition) (kube_node_status_condition{status='true'})",
    "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "rabbitmq_queue_messages_ready",
    "rate(messages_processed_total[5m])",
    "predict_linear(container_memory_working_set_bytes[10m], 3600)",
    "time() - container_start_time_seconds",
    "timestamp(kube_pod_info)",
    "topk(3, rate(container_network_transmit_bytes_total[5m]))",
    'avg_over_time(up{job!="homeostat"}[5m])',
    "rate(container_cpu_cfs_throttled_periods_total[5m]) / rate(container_cpu_cfs_periods_total[5m])",
    "changes(kube_pod_container_status_restarts_total[10m])",
    "kubelet_volume_stats_used_bytes / kubelet_volume_stats_capacity_bytes",
)


def config(url: str, *, staleness: bool) -> str:
    line = "    track_timestamps_staleness: true" if staleness else ""
    return CONFIG.format(target=url.removeprefix("http://"), staleness=line)


@pytest.fixture(scope="module")
def both(
    tool_path: ToolPath, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, httpx.Client, ScrapedShop]]:
    """Give the real server, ours, and the shop after both know all of it."""
    begin = (time.time() - BEHIND_SECONDS) // INTERVAL * INTERVAL
    found = ScrapedShop(shop=shop_at(begin), interval_seconds=INTERVAL)
    with (
        scraped(found, scrapes=SCRAPES) as url,
        prometheus_server(
            tool_path("prometheus"),
            tmp_path_factory.mktemp("scraping"),
            config(url, staleness=False),
        ) as real,
        httpx.Client(base_url=real, trust_env=False) as theirs,
        httpx.Client(base_url=url, trust_env=False) as ours,
    ):

        def is_scraped() -> bool:
            # What was missed of each series is told by a count over all of the time.
            end = begin + INTERVAL * SCRAPES
            query = f"min(count_over_time(kube_pod_info[{INTERVAL * SCRAPES:.0f}s]))"
            data = asked(theirs, "query", query=query, time=f"{end + 7.0}")["data"]["result"]
            return bool(data) and float(data[0]["value"][1]) == SCRAPES

        assert eventually(is_scraped, seconds=120.0)
        yield theirs, ours, found


def test_samples_lie_where_they_lie_here(
    both: tuple[httpx.Client, httpx.Client, ScrapedShop],
) -> None:
    theirs, ours, found = both
    query = 'http_requests_total{job="shop/web",code="200"}[20m]'
    said = {"query": query, "time": f"{found.marks[-1]}"}
    answers = [asked(one, "query", **said) for one in (theirs, ours)]
    times = [when for when, _ in answers[0]["data"]["result"][0]["values"]]
    assert times == found.marks
    assert difference(*answers) is None


@pytest.mark.parametrize("query", QUERIES)
def test_it_is_answered_alike(
    both: tuple[httpx.Client, httpx.Client, ScrapedShop], query: str
) -> None:
    theirs, ours, found = both
    # Seven seconds off the samples: none lies on the edge of a range.
    begin, end = found.marks[0] + 307.0, found.marks[-1] + 7.0
    said = {"query": query, "start": f"{begin}", "end": f"{end}", "step": "30"}
    answers = [asked(one, "query_range", **said) for one in (theirs, ours)]
    assert answers[1]["data"]["result"] or "throttled" in query
    assert difference(*answers) is None


def _newest(server: httpx.Client) -> float:
    """Return when a server has its last sample of."""
    query = "max(timestamp(kube_node_status_capacity))"
    found = asked(server, "query", query=query, time=f"{time.time()}")["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


MARKS, REPLACED, SECONDS = 16, 9, 2.0


def test_series_of_replaced_pods_end_where_the_scraper_is_told_to_look(
    tool_path: ToolPath, tmp_path: Path
) -> None:
    """With times of their own, series end for a scraper only when it tracks them."""
    begin = time.time() // SECONDS * SECONDS + SECONDS
    found = ScrapedShop(shop=shop_at(begin), interval_seconds=SECONDS)

    def replace(number: int) -> None:
        if number == REPLACED:
            found.shop.apply("web")

    found.go_on()
    with scraped_in_real_time(found, marks=MARKS, before=replace) as (url, over):
        program = tool_path("prometheus")
        tracks = program_release(program) >= TRACKS_STALENESS
        with (
            prometheus_server(program, tmp_path, config(url, staleness=tracks)) as real,
            httpx.Client(base_url=real, trust_env=False) as theirs,
            httpx.Client(base_url=url, trust_env=False) as ours,
        ):
            assert over.wait(120.0)
            assert eventually(lambda: _newest(theirs) == found.marks[-1], seconds=30.0)
            # Late in each interval: the end is noticed by the first scrape after it.
            begin, end = found.marks[-6] - 0.1, found.marks[-1] - 0.1
            said = {"start": f"{begin:.1f}", "end": f"{end:.1f}", "step": f"{SECONDS:.0f}"}
            query = 'count by (pod) (kube_pod_info{created_by_name="web"})'
            answers = [asked(one, "query_range", query=query, **said) for one in (theirs, ours)]
    assert len(answers[1]["data"]["result"]) == 4
    assert len(answers[0]["data"]["result"]) == (4 if tracks else 8)
    assert (difference(*answers) is None) is tracks
