"""What Prometheus knows of the hours before, and how that goes over into what is played."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest

from deployments.embedded.prometheus.promql.queries import range_answer
from deployments.embedded.prometheus.recorder import Recorder
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.prometheus.scraper import HANDOVER_SECONDS, Api, Scraper
from deployments.embedded.workloads.demonstration import PARTS
from deployments.embedded.workloads.earlier import Earlier
from deployments.embedded.workloads.physics.fault_kinds import NodeLost
from deployments.embedded.workloads.physics.faults import ActiveFault
from tests.support.workloads_shop import MONDAY_NOON, Shop

WEB = 'sum(rate(http_requests_total{job="shop/web"}[5m]))'
LOST = ActiveFault(name="a", fault=NodeLost(node="node-1"), since_seconds=MONDAY_NOON)


class Played:
    """The shop that begins at noon, with hours before it."""

    def __init__(self, *, hours: float = 1.0, api: Api | None = None) -> None:
        self.shop = Shop()
        self.world = self.shop.engine.world
        self.samples = Samples()
        first = MONDAY_NOON - hours * 3600.0
        self.scraper = Scraper(
            Recorder(self.samples, self.world),
            self.world,
            api=api,
            parts=PARTS,
            earlier=Earlier(self.world, PARTS, first_seconds=first) if hours else None,
        )
        asyncio.run(self.scraper.fill(lambda: MONDAY_NOON))

    def run(self, seconds: float, *, faults: tuple[ActiveFault, ...] = ()) -> None:
        for _ in range(round(seconds / 5.0)):
            tick = self.shop.run(5.0)
            self.scraper.on_tick(tick, self.shop.engine.pods, self.shop.seconds, faults=faults)

    def ask(self, query: str, *, begin: float, end: float) -> list[dict[str, Any]]:
        found = range_answer(
            self.samples,
            query,
            start_ms=round((MONDAY_NOON + begin) * 1000),
            end_ms=round((MONDAY_NOON + end) * 1000),
            step_ms=15_000,
        )
        return list(found["result"])


def test_load_goes_over_into_what_is_played_without_a_jump() -> None:
    played = Played()
    played.run(900.0)

    (found,) = played.ask(WEB, begin=-900.0, end=900.0)

    assert played.scraper.is_live
    web = played.world.workload_index("shop/web")
    times = np.array([when for when, _ in found["values"]])
    rates = np.array([float(value) for _, value in found["values"]])
    assert len(times) == 121
    # The mean of what was asked for in the five minutes that a rate is of.
    asked = [
        np.mean([played.world.demand.rps(t - s)[web] for s in range(0, 300, 5)]) for t in times
    ]
    # A roll-out hides one interval between the last sample of the old pods and the first of the new,
    # and half of it that is not extrapolated to: 22.5 of 300 s.
    np.testing.assert_allclose(rates, asked, rtol=22.5 / 300.0 + 0.005)


def test_pods_of_before_are_seen_until_those_of_the_cluster_are_ready() -> None:
    played = Played()
    played.run(600.0)

    found = played.ask("count(kube_pod_info) == 39", begin=-600.0, end=600.0)
    ready = played.ask('sum(kube_pod_status_ready{condition="true"}) < 39', begin=-600.0, end=600.0)
    pods = played.ask('kube_pod_info{created_by_name=~"web(-.+)?"}', begin=-600.0, end=600.0)

    assert len(found[0]["values"]) == 81
    assert ready == []
    spans = {one["metric"]["pod"]: [when for when, _ in one["values"]] for one in pods}
    ends = {times[-1] for times in spans.values()}
    assert len(spans) == 8
    assert len(ends) == 2
    assert min(ends) - MONDAY_NOON < HANDOVER_SECONDS


def test_pods_that_do_not_become_ready_are_shown_as_they_are_after_a_while() -> None:
    played = Played()
    played.shop.delete("cart")
    played.run(HANDOVER_SECONDS - 15.0)
    assert not played.scraper.is_live
    played.run(15.0)
    assert played.scraper.is_live


def test_a_fault_is_seen_at_once() -> None:
    played = Played()
    played.run(30.0, faults=(LOST,))
    assert played.scraper.is_live


def _node(name: str, ready: str, **spec: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}, {"type": "PIDPressure", "status": "False"}]
    return {"metadata": {"name": name}, "spec": spec, "status": {"conditions": conditions}}


def _value(played: Played, query: str) -> list[float]:
    at = played.shop.seconds - MONDAY_NOON
    found = played.ask(query, begin=at, end=at)
    return [float(one["values"][0][1]) for one in found]


def test_nodes_are_as_the_api_has_them_not_as_the_world_knows() -> None:
    api = Api()
    ready = 'kube_node_status_condition{node="node-1",condition="Ready",status="%s"}'
    for name in ("node-1", "node-2"):
        api.watched["/api/v1/nodes"](None, _node(name, "True"))
    played = Played(hours=0.0, api=api)

    played.shop.break_with(LOST.fault)
    played.run(30.0, faults=(LOST,))

    # The node is silent, and nobody has noticed yet.
    assert _value(played, 'up{instance="node-1:10250"}') == [0.0]
    assert _value(played, ready % "true") == [1.0]
    assert _value(played, ready % "unknown") == [0.0]
    # Only what there is: neither another node nor a condition that nobody told of.
    assert _value(played, "count(kube_node_status_condition)") == [6.0]
    assert _value(played, "count(kube_node_status_allocatable)") == [4.0]

    api.watched["/api/v1/nodes"](None, _node("node-1", "Unknown", unschedulable=True))
    played.run(15.0, faults=(LOST,))

    assert _value(played, ready % "true") == [0.0]
    assert _value(played, ready % "unknown") == [1.0]
    assert _value(played, "kube_node_spec_unschedulable") == [1.0, 0.0]


def test_hours_before_have_nodes_and_owners_too() -> None:
    played = Played(api=Api())

    assert _value(played, 'sum(kube_node_status_condition{condition="Ready",status="true"})') == [6]
    sets = (
        'label_replace(kube_replicaset_owner{owner_name="web"}, "set", "$1", "replicaset", "(.*)")'
    )
    pods = 'label_replace(kube_pod_owner, "set", "$1", "owner_name", "(.*)")'
    assert _value(played, f"count({pods} * on (set) group_left () {sets})") == [4]


def test_owners_of_pods_are_replica_sets_that_the_api_has() -> None:
    api = Api()
    owner = {"kind": "Deployment", "name": "cart", "controller": True}
    told = api.watched["/apis/apps/v1/replicasets"]
    played = Played(hours=0.0, api=api)
    played.run(15.0)
    assert _value(played, 'count(kube_pod_info{created_by_kind="ReplicaSet"})') == []

    told(None, {"metadata": {"namespace": "shop", "name": "cart", "ownerReferences": [owner]}})
    told(None, {"metadata": {"namespace": "shop", "name": "alone"}})
    played.run(15.0)

    cart = sum(one.name.startswith("cart-") for one in played.shop.engine.pods)
    made = 'count(kube_pod_info{created_by_kind="ReplicaSet",created_by_name="cart"})'
    assert _value(played, made) == [cart]
    owned = 'count(kube_pod_owner{owner_kind="ReplicaSet",owner_is_controller="true"})'
    assert _value(played, owned) == [cart]
    deployments = 'kube_replicaset_owner{owner_kind="Deployment",owner_name="cart"}'
    assert _value(played, deployments) == [1.0]
    assert _value(played, 'kube_replicaset_owner{replicaset="alone",owner_name=""}') == [1.0]


def test_without_hours_before_what_is_played_is_recorded_from_the_start() -> None:
    played = Played(hours=0.0)
    played.run(15.0)
    (found,) = played.ask("count(kube_pod_info)", begin=0.0, end=15.0)
    assert [float(value) for _, value in found["values"]] == [39.0]


def test_steps_of_kubelets_wait_until_the_hours_before_are_recorded() -> None:
    played = Played()
    played.scraper._filled_at = None
    before = played.samples.newest()["kube_pod_info"]
    played.run(60.0)
    assert played.samples.newest()["kube_pod_info"] == before


@pytest.mark.slow
def test_a_day_takes_seconds_and_little_memory() -> None:
    begin = time.process_time()
    played = Played(hours=24.0)
    seconds = time.process_time() - begin

    (found,) = played.ask(WEB, begin=-86_000.0, end=0.0)

    rates = np.array([float(value) for _, value in found["values"]])
    assert rates.max() > 1.7 * rates.min()
    assert seconds < 10.0
    assert played.samples.bytes < 46 * 2**20
