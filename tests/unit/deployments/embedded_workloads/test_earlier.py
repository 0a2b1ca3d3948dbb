"""The hours before a cluster was started."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deployments.embedded.prometheus.scraper import DeploymentStates
from deployments.embedded.workloads.demonstration import PARTS, demonstration_world
from deployments.embedded.workloads.earlier import Earlier, earlier_pods
from deployments.embedded.workloads.engine import Tick
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


def steps(hours: float, *, until: float = MONDAY_NOON) -> list[tuple[float, Tick]]:
    earlier = Earlier(demonstration_world(), PARTS, first_seconds=until - hours * 3600.0)
    found = []
    while (tick := earlier.step(until)) is not None:
        found.append((earlier.now, tick))
    return found


def test_all_were_well_and_the_last_step_ends_with_the_time() -> None:
    found = steps(4.0)

    times = np.array([now for now, _ in found])
    assert times[0] == MONDAY_NOON - 4 * 3600.0 + 60.0
    assert times[-1] == MONDAY_NOON
    gaps = np.diff(times)
    assert set(gaps[times[1:] <= MONDAY_NOON - 2 * 3600.0]) == {60.0}
    assert set(gaps[times[1:] > MONDAY_NOON - 2 * 3600.0]) == {15.0}
    assert {int(tick.table.ready.sum()) for _, tick in found} == {REPLICAS}
    assert {int(tick.table.restarts.sum()) for _, tick in found} == {0}


def test_the_first_hour_looks_like_the_second() -> None:
    """Nothing warms up or fills while it is watched."""
    found = steps(2.0)

    memory = np.array([tick.answer.memory_mib.sum() for _, tick in found])
    assert memory[:20].mean() == pytest.approx(memory[-20:].mean(), rel=0.03)


def test_a_time_that_moves_on_is_followed_and_no_step_is_cut_short() -> None:
    earlier = Earlier(demonstration_world(), PARTS, first_seconds=MONDAY_NOON)

    assert earlier.step(MONDAY_NOON + 14.0) is None
    assert earlier.step(MONDAY_NOON + 16.0) is not None
    assert earlier.now == MONDAY_NOON + 15.0


def test_load_is_that_of_the_world_at_every_time() -> None:
    world = demonstration_world()
    web = world.workload_index("shop/web")
    for now, tick in steps(1.0):
        assert tick.answer.workload_offered_rps[web] == pytest.approx(world.demand.rps(now)[web])


def test_parts_that_are_unknown_are_refused() -> None:
    world = demonstration_world()

    with pytest.raises(ValueError, match="no profile shop/web"):
        earlier_pods(World.of([OTHER], world.nodes, seed=1), PARTS, created_seconds=0.0)


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
