"""Metrics of a recorded hour of the shop, as decisions see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from deployments.embedded.prometheus.recorder import Recorder
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.workloads.engine import Pod
from deployments.embedded.workloads.physics.fault_kinds import ErrorRate, MemoryLeak
from tasks.adapters.prometheus import PrometheusClient
from tasks.adapters.workload_metrics import queries, with_metrics
from tasks.domain.healing.view import ClusterView, NodeView, WorkloadView
from tests.support.embedded_prometheus import embedded_prometheus
from tests.support.sick import cluster, container, pod, workload
from tests.support.workloads_shop import Shop

pytestmark = pytest.mark.embedded("prometheus")

MIB = 2.0**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An hour that was well, and ten minutes in which one leaked and one failed."""

    url: str
    now: float
    pods: tuple[Pod, ...]


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorded]:
    shop, samples = Shop(), Samples()
    recorder = Recorder(samples, shop.engine.world)

    def run(minutes: int) -> None:
        for _ in range(minutes * 4):
            tick = shop.run(15.0, step_seconds=5.0)
            recorder.record(tick, shop.engine.pods, shop.engine.world.nodes, shop.seconds)

    run(80)
    shop.break_with(MemoryLeak(target="shop/recommendations", mib_per_hour=1_200.0))
    shop.break_with(ErrorRate(target="shop/search", fraction=0.25))
    run(10)
    with embedded_prometheus(samples, now=shop.seconds) as url:
        yield Recorded(url=url, now=shop.seconds, pods=shop.engine.pods)


def _workload(recorded: Recorded, name: str, *, ready: bool = True) -> WorkloadView:
    ours = [one for one in recorded.pods if one.name.startswith(f"{name}-")]
    since = None if ready else recorded.now - 100.0
    seen = [
        pod(
            at, container(ready=ready), name=one.name, node=f"node-{one.node + 1}",
            created_seconds=recorded.now - 5_000.0, unready_since_seconds=since,
        )
        for at, one in enumerate(ours)
    ]  # fmt: skip
    return workload(*seen, name=name)


def _seen(recorded: Recorded, *workloads: WorkloadView) -> ClusterView:
    nodes = tuple(NodeView(name=f"node-{at + 1}") for at in range(6))
    view = cluster(*workloads, nodes=nodes)
    view = ClusterView(now_seconds=recorded.now, workloads=view.workloads, nodes=view.nodes)
    with PrometheusClient(recorded.url) as client:
        found = with_metrics(view, client)
        ill = any(not one.ready for each in workloads for one in each.pods)
        assert client.queries == len(queries()) + ill
    return found


def test_work_of_a_workload_is_that_of_now_and_that_of_the_hour_before(recorded: Recorded) -> None:
    found = _seen(recorded, _workload(recorded, "search"), _workload(recorded, "web"))

    search, web = found.workloads["shop/search"].work, found.workloads["shop/web"].work
    assert search.rps is not None
    assert search.rps == pytest.approx(search.usual_rps, rel=0.3)
    assert search.error_share == pytest.approx(0.25, abs=0.05)
    assert search.usual_error_share is not None
    assert search.usual_error_share < 0.01
    assert web.latency_p95_seconds is not None
    assert 0.0 < web.latency_p95_seconds < 1.0


def test_pods_and_nodes_have_theirs(recorded: Recorded) -> None:
    found = _seen(recorded, _workload(recorded, "web"))

    for one in found.workloads["shop/web"].pod_work.values():
        assert one.cpu_cores is not None
        assert 0.05 < one.cpu_cores < 1.0
        assert one.memory_bytes is not None
        assert 100 * MIB < one.memory_bytes < 320 * MIB
        assert (one.answers, one.memory_times) == (True, None)
        assert one.rps is not None
        assert one.rps > 5.0
    assert {one.scraped for one in found.nodes.values() if one.name != "node-0"} == {True}
    assert {one.pods_answer for one in found.nodes.values() if one.pods_answer is not None} == {1.0}


def test_a_queue_is_work_too_and_what_has_no_metric_is_unknown(recorded: Recorded) -> None:
    found = _seen(recorded, _workload(recorded, "order-worker"), workload(name="nobody"))

    worker, nobody = (found.workloads[f"shop/{name}"] for name in ("order-worker", "nobody"))
    assert worker.work.rps is not None
    assert worker.work.rps > 0.0
    assert nobody.work.rps is None
    assert {one.cpu_cores for one in nobody.pod_work.values()} == {None}


def test_memory_of_those_who_are_ill_is_read_back_and_shows_a_leak(recorded: Recorded) -> None:
    found = _seen(recorded, _workload(recorded, "recommendations", ready=False))

    for one in found.workloads["shop/recommendations"].pod_work.values():
        assert one.memory_times is not None
        assert one.memory_values is not None
        late = one.memory_times > recorded.now - 540.0
        rate = np.polyfit(one.memory_times[late], one.memory_values[late], 1)[0]
        assert rate * 3_600 == pytest.approx(1_200 * MIB, rel=0.15)
