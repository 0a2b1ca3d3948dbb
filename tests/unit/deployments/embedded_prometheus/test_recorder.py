"""What a Prometheus knows of the demonstration, step by step."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from deployments.embedded.prometheus.exposition import exposition
from deployments.embedded.prometheus.metrics import DESCRIBED
from deployments.embedded.prometheus.promql.queries import instant_answer
from deployments.embedded.prometheus.recorder import Recorder
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.prometheus.scraped import DeploymentState
from deployments.embedded.workloads.physics.fault_kinds import (
    Deadlock,
    MemoryLeak,
    NodeLost,
)
from tests.support.workloads_shop import Shop

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "cluster-metrics.md"
WEB = DeploymentState(
    namespace="shop", name="web", spec_replicas=4, replicas=4, ready=3, available=3, updated=4
)


class Watched:
    """The shop with a Prometheus that scrapes it."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.samples = Samples()
        self.recorder = Recorder(self.samples, self.shop.engine.world)

    def run(self, seconds: float) -> None:
        nodes = self.shop.engine.world.nodes
        for _ in range(round(seconds / 5.0)):
            tick = self.shop.run(5.0)
            self.recorder.record(
                tick, self.shop.engine.pods, nodes, self.shop.seconds, deployments=(WEB,)
            )

    def ask(self, query: str) -> list[dict[str, Any]]:
        found = instant_answer(self.samples, query, time_ms=round(self.shop.seconds * 1000))
        return list(found["result"])

    def number(self, query: str) -> float:
        (one,) = self.ask(query)
        return float(one["value"][1])


@pytest.fixture(scope="module")
def well() -> Watched:
    watched = Watched()
    watched.run(900.0)
    return watched


def test_every_metric_is_described_and_in_the_document(well: Watched) -> None:
    found = set(well.samples._families)
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}
    assert bases == set(DESCRIBED)
    text = DOCUMENT.read_text()
    assert [name for name in DESCRIBED if f"`{name}" not in text] == []


def test_rates_are_what_the_physics_did(well: Watched) -> None:
    answer, rows = well.shop.tick.answer, well.shop.rows("web")
    served = well.number('sum(rate(http_requests_total{job="shop/web",code="200"}[5m]))')
    assert served == pytest.approx(answer.served_rps[rows].sum(), rel=0.1)
    cores = well.number('sum(rate(container_cpu_usage_seconds_total{container="web"}[5m]))')
    assert cores == pytest.approx(answer.cpu_cores[rows].sum(), rel=0.1)


def test_a_quantile_comes_of_the_buckets(well: Watched) -> None:
    median = well.number(
        "histogram_quantile(0.5, sum by (le) "
        '(rate(http_request_duration_seconds_bucket{job="shop/web"}[5m])))'
    )
    mean = well.number(
        'sum(rate(http_request_duration_seconds_sum{job="shop/web"}[5m])) '
        '/ sum(rate(http_request_duration_seconds_count{job="shop/web"}[5m]))'
    )
    assert 0.3 * mean < median < mean


def test_a_joined_limit_tells_how_full_memory_is(well: Watched) -> None:
    full = well.ask(
        "container_memory_working_set_bytes / on (namespace, pod, container) "
        'kube_pod_container_resource_limits{resource="memory"}'
    )
    assert len(full) == 39
    assert all(0.05 < float(one["value"][1]) < 1.0 for one in full)


def test_messages_are_not_requests(well: Watched) -> None:
    assert well.ask('http_requests_total{job="shop/order-worker"}') == []
    assert well.number('sum(messages_processed_total{job="shop/order-worker"})') > 0
    assert {one["metric"]["queue"] for one in well.ask("rabbitmq_queue_messages_ready")} == {
        "order-worker",
        "reports",
    }


def test_state_is_counted_as_kube_state_metrics_does(well: Watched) -> None:
    assert well.number('sum(kube_pod_status_phase{phase="Running"})') == 39
    assert well.number("sum(kube_pod_status_phase)") == 39
    assert well.number('sum(kube_pod_status_ready{condition="true"})') == 39
    assert well.number('sum(kube_node_status_condition{condition="Ready",status="true"})') == 6
    assert well.number("kube_deployment_status_replicas_unavailable") == 1
    assert well.number("count(up == 1)") == 39 + 6 + 6 + 1


def test_a_leak_ends_in_a_restart_that_rates_survive() -> None:
    watched = Watched()
    watched.run(600.0)
    watched.shop.break_with(MemoryLeak(target="shop/cart", mib_per_hour=6_000.0))
    watched.run(600.0)
    restarts = watched.number(
        'sum(increase(kube_pod_container_status_restarts_total{container="cart"}[10m]))'
    )
    assert restarts >= 4
    reasons = watched.ask('kube_pod_container_status_last_terminated_reason{container="cart"}')
    assert {one["metric"]["reason"] for one in reasons} == {"OOMKilled"}
    rates = watched.ask('rate(http_requests_total{job="shop/cart"}[10m])')
    assert all(float(one["value"][1]) >= 0.0 for one in rates)


def test_a_lost_node_ends_its_series_and_its_pods_are_told_of() -> None:
    watched = Watched()
    watched.run(300.0)
    assert watched.number('count(container_memory_working_set_bytes{node="node-2"})') > 0
    watched.shop.break_with(NodeLost(node="node-2"))
    watched.run(30.0)
    assert watched.ask('container_memory_working_set_bytes{node="node-2"}') == []
    assert watched.number('up{instance="node-2:10250"}') == 0
    assert watched.number('count(kube_pod_info{node="node-2"})') > 0
    unknown = 'kube_node_status_condition{node="node-2",condition="Ready",status="unknown"}'
    assert watched.number(unknown) == 1


def test_a_deadlocked_program_does_not_answer_a_scrape() -> None:
    watched = Watched()
    watched.run(300.0)
    watched.shop.break_with(Deadlock(target="shop/search"))
    watched.run(15.0)
    assert watched.number('sum(up{job="shop/search"})') < 3


def test_ticks_between_scrapes_are_left_out() -> None:
    watched = Watched()
    watched.run(120.0)
    assert (
        watched.number(
            'count_over_time(kube_node_status_capacity{node="node-1",resource="cpu"}[2m])'
        )
        == 8
    )


def test_the_text_for_scrapes_has_every_live_series(well: Watched) -> None:
    lines = exposition(well.samples, DESCRIBED).splitlines()
    kinds = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE"))
    assert kinds["http_request_duration_seconds"] == "histogram"
    newest = sum(len(labels) for labels, _ in well.samples.newest().values())
    assert sum(not line.startswith("#") for line in lines) == newest


def test_series_of_replaced_pods_end_and_those_of_new_ones_begin() -> None:
    watched = Watched()
    watched.run(60.0)
    old = {one["metric"]["pod"] for one in watched.ask('kube_pod_info{created_by_name="web"}')}
    watched.shop.apply("web")
    watched.run(30.0)
    new = {one["metric"]["pod"] for one in watched.ask('kube_pod_info{created_by_name="web"}')}
    assert (len(old), len(new)) == (4, 4)
    assert old.isdisjoint(new)
    assert watched.number("count(kube_pod_info)") == 39
