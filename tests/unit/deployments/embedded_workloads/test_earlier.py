"""The hours before a cluster was started."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deployments.embedded.prometheus.recorder import Recorder
from deployments.embedded.prometheus.samples import Samples
from deployments.embedded.prometheus.scraper import DeploymentStates, record_earlier
from deployments.embedded.workloads.demonstration import PARTS, demonstration_world
from deployments.embedded.workloads.earlier import earlier_pods, earlier_ticks
from deployments.embedded.workloads.kubelet.kubelets import OTHER
from deployments.embedded.workloads.physics.world import World
from tests.support.workloads_shop import MONDAY_NOON

REPLICAS = sum(part.replicas for part in PARTS)


def test_pods_have_names_as_a_replica_set_gives_them() -> None:
    names = [
        one.name for one in earlier_pods(demonstration_world(), PARTS, created_seconds=MONDAY_NOON)
    ]

    assert len(set(names)) == REPLICAS
    assert all(re.fullmatch(r"[a-z-]+-[a-z0-9]{9}-[a-z0-9]{5}", name) for name in names)
    # Those of one roll-out share what their ReplicaSet is called.
    assert len({name.rpartition("-")[0] for name in names}) == len(PARTS)


def test_all_were_well_and_the_last_step_ends_before_the_start() -> None:
    found = list(earlier_ticks(demonstration_world(), PARTS, until_seconds=MONDAY_NOON, hours=2.0))

    times = [now for now, *_ in found]
    assert len(times) == 119
    assert times[0] == MONDAY_NOON - 7_140.0
    assert times[-1] == MONDAY_NOON - 60.0
    assert {int(tick.table.ready.sum()) for _, tick, _ in found} == {REPLICAS}
    # Before the first hour, clients of a database that was not up yet may have had to start again.
    assert len({int(tick.table.restarts.sum()) for _, tick, _ in found}) == 1


def test_load_goes_on_where_it_ended() -> None:
    world = demonstration_world()
    web = world.workload_index("shop/web")
    before = list(earlier_ticks(world, PARTS, until_seconds=MONDAY_NOON, hours=3.0))
    after = list(earlier_ticks(world, PARTS, until_seconds=MONDAY_NOON + 3_600.0, hours=1.0))

    ends = np.mean([tick.answer.workload_offered_rps[web] for _, tick, _ in before[-30:]])
    goes_on = np.mean([tick.answer.workload_offered_rps[web] for _, tick, _ in after[:30]])
    assert goes_on == pytest.approx(ends, rel=0.25)


def test_no_hours_are_no_steps_and_unknown_parts_are_refused() -> None:
    world = demonstration_world()

    assert list(earlier_ticks(world, PARTS, until_seconds=MONDAY_NOON, hours=0.0)) == []
    with pytest.raises(ValueError, match="no profile shop/web"):
        earlier_pods(World.of([OTHER], world.nodes, seed=1), PARTS, created_seconds=0.0)


def test_prometheus_knows_pods_and_deployments_of_those_hours() -> None:
    world, samples = demonstration_world(), Samples()

    recorder = Recorder(samples, world)
    record_earlier(recorder, world, PARTS, until_seconds=MONDAY_NOON, hours=1.0)

    known = samples.newest()
    assert len(known["kube_pod_info"][0]) == REPLICAS
    assert sorted(known["kube_deployment_status_replicas_available"][1]) == sorted(
        part.replicas for part in PARTS
    )


def test_deployments_are_told_and_forgotten() -> None:
    states = DeploymentStates()
    web = {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"replicas": 4},
        "status": {"replicas": 5, "readyReplicas": 3, "availableReplicas": 2, "updatedReplicas": 1},
    }
    states.tell(None, web)
    states.tell(None, {"metadata": {"namespace": "shop", "name": "cart"}, "spec": {}})

    cart, found = states.all()
    assert (found.spec_replicas, found.replicas, found.ready) == (4, 5, 3)
    assert (found.available, found.updated) == (2, 1)
    assert (cart.spec_replicas, cart.replicas) == (1, 0)
    states.tell(web, None)
    assert [one.name for one in states.all()] == ["cart"]
