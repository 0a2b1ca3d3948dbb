"""Physics and containers together: what an operator sees of each kind of fault."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.cluster_physics_stage import many_pods_engine
from deployments.embedded.workloads.changes import SpecChange, change_of
from deployments.embedded.workloads.containers.eviction import evictions, pressure
from deployments.embedded.workloads.demonstration import GATEWAY, PARTS
from deployments.embedded.workloads.manifests import deployment
from deployments.embedded.workloads.physics.fault_kinds import (
    KINDS,
    CorruptState,
    Deadlock,
    DependencyDown,
    HostKill,
    MemoryDemand,
    MemoryLeak,
    NodeLost,
    NodePressure,
    SlowStart,
)
from deployments.embedded.workloads.physics.faults import Fault
from deployments.embedded.workloads.physics.state import Cause
from tests.support.workloads_shop import Shop


@pytest.fixture
def shop() -> Shop:
    """Return a shop that has been open for five minutes."""
    found = Shop()
    found.run(300)
    return found


def last_end(shop: Shop, row: int) -> tuple[int, str]:
    found = shop.status(row)
    ended = found["lastState"].get("terminated") or found["state"]["terminated"]
    return ended["exitCode"], ended["reason"]


def waiting(shop: Shop, row: int) -> str:
    return str(shop.status(row)["state"].get("waiting", {}).get("reason"))


def test_a_shop_opens_by_itself_and_everything_becomes_ready(shop: Shop) -> None:
    assert shop.tick.table.ready.all()
    answer = shop.tick.answer
    assert answer.workload_failed_rps.sum() < 0.005 * answer.workload_offered_rps.sum()


@pytest.mark.slow
def test_it_stays_open_without_a_restart_for_hours(shop: Shop) -> None:
    before = int(shop.tick.table.restarts.sum())
    shop.run(3 * 3600)
    assert int(shop.tick.table.restarts.sum()) == before


@pytest.mark.parametrize(
    ("fault", "row_of", "end"),
    [
        (MemoryDemand(target="shop/web", factor=4.0), "web", (137, "OOMKilled")),
        (MemoryLeak(target="shop/cart", mib_per_hour=6000.0), "cart", (137, "OOMKilled")),
        (HostKill(target="shop/api", every_seconds=20.0), "api", (137, "Error")),
        (DependencyDown(target="shop/database"), "order-worker", (1, "Error")),
        # Its page calls the gateway: the innocent is killed, and 503 is all that is told.
        (DependencyDown(target=GATEWAY), "payments", (143, "Error")),
        (Deadlock(target="shop/search", recurs_after_seconds=60.0), "search", (137, "Error")),
    ],
)
def test_what_breaks_a_workload_ends_in_a_crash_loop_with_its_code(
    shop: Shop, fault: Fault, row_of: str, end: tuple[int, str]
) -> None:
    shop.break_with(fault)
    row = shop.rows(row_of)[0]
    shop.run(900)
    assert last_end(shop, row) == end
    assert shop.status(row)["restartCount"] >= 3
    assert any(
        pod.startswith(row_of) and reason in ("BackOff", "Killing")
        for pod, reason, _ in shop.events
    )
    shop.faults.clear()
    shop.run(900)
    assert shop.ready(row_of) == len(shop.rows(row_of))


def test_corrupt_files_loop_until_the_pod_is_made_anew(shop: Shop) -> None:
    shop.break_with(CorruptState(target="shop/cart"))
    shop.faults["kill"] = shop.faults["corrupt-state"].__class__(
        name="kill", fault=HostKill(target="shop/cart"), since_seconds=shop.seconds
    )
    shop.run(600)
    assert waiting(shop, shop.rows("cart")[0]) == "CrashLoopBackOff"
    shop.apply("cart")
    shop.run(120)
    assert shop.ready("cart") == len(shop.rows("cart"))


def test_a_slow_start_is_killed_by_its_startup_probe(shop: Shop) -> None:
    shop.break_with(SlowStart(target="shop/search", factor=6.0))
    shop.apply("search")
    shop.run(900)
    row = shop.rows("search")[0]
    assert shop.status(row)["restartCount"] >= 2
    assert any("failed startup probe" in message for _, _, message in shop.events)


MISTAKES = [
    (change_of("image-tag", {"tag": "2.5.0"}), "CrashLoopBackOff"),
    (change_of("image-tag", {"tag": "2.5.1-rc1"}), "ImagePullBackOff"),
    (change_of("missing-key", {"name": "API_URL"}), "CreateContainerConfigError"),
    (change_of("dropped-variable", {"name": "API_URL"}), "CrashLoopBackOff"),
    (change_of("limit", {"resource": "memory", "quantity": "48Mi"}), "CrashLoopBackOff"),
    (change_of("command", {}), "CrashLoopBackOff"),
]


@pytest.mark.parametrize(("mistake", "told"), MISTAKES)
def test_a_mistake_stays_broken_until_it_is_rolled_back(
    shop: Shop, mistake: SpecChange, told: str
) -> None:
    web = next(part for part in PARTS if part.name == "web")
    shop.apply("web", mistake.of(deployment(web)))
    seen = set()
    for _ in range(120):
        shop.run(10)
        seen.add(waiting(shop, shop.rows("web")[0]))
    assert told in seen
    assert shop.ready("web") == 0
    shop.apply("web")
    shop.run(120)
    assert shop.ready("web") == 4


@pytest.mark.parametrize("probe", ["readinessProbe", "livenessProbe"])
def test_a_probe_in_the_wrong_place_keeps_a_good_program_out(shop: Shop, probe: str) -> None:
    web = next(part for part in PARTS if part.name == "web")
    shop.apply("web", change_of("probe-place", {"probe": probe}).of(deployment(web)))
    shop.run(600)
    assert any("statuscode: 404" in message for _, _, message in shop.events)
    restarted = shop.status(shop.rows("web")[0])["restartCount"]
    assert (restarted > 0) is (probe == "livenessProbe")


def test_pods_of_a_lost_node_are_started_again_when_it_is_back(shop: Shop) -> None:
    row = next(row for row, one in enumerate(shop.engine.pods) if one.node == 1)
    shop.break_with(NodeLost(node="node-2"))
    shop.run(120)
    assert shop.tick.answer.served_rps[row] == 0.0
    assert shop.status(row)["restartCount"] == 0
    shop.faults.clear()
    shop.run(300)
    assert last_end(shop, row) == (255, "Unknown")
    assert shop.tick.table.ready[row] == np.True_


def test_a_deleted_pod_ends_and_its_name_may_come_again(shop: Shop) -> None:
    shop.delete("web")
    # Asked to end, it gets no more requests, although it still runs.
    ending = shop.run(1, step_seconds=1.0)
    assert ending.placement.running[shop.rows("web")].all()
    assert not ending.placement.ready[shop.rows("web")].any()
    tick = shop.run(60)
    assert not tick.placement.running[shop.rows("web")].any()
    assert not tick.placement.ready[shop.rows("web")].any()
    assert tick.answer.workload_failed_rps[0] == tick.answer.workload_offered_rps[0]
    shop.apply("web")
    shop.run(60)
    assert shop.ready("web") == 4


def test_other_pods_keep_what_they_were_when_one_comes_or_goes(shop: Shop) -> None:
    kept = shop.tick.table.started_at[shop.rows("database")[0]]
    shop.engine.set_pods(shop.engine.pods[:5] + shop.engine.pods[9:])
    shop.engine.set_pods(tuple(reversed(shop.engine.pods)))
    shop.run(5)
    assert shop.tick.table.started_at[shop.rows("database")[0]] == kept
    assert shop.tick.answer.memory_mib[shop.rows("database")[0]] > 500


@pytest.mark.parametrize(("resource", "word"), [("memory", "memory"), ("disk", "ephemeral")])
def test_a_kubelet_of_a_node_that_is_short_puts_out_one_pod_at_a_time(
    shop: Shop, resource: str, word: str
) -> None:
    world = shop.engine.world
    assert evictions(world, shop.tick.placement, shop.tick.answer) == ()
    used = shop.tick.answer.node_memory_mib[0] / world.node_columns["memory_mib"][0]
    fraction = 1.0 - used - 0.003 if resource == "memory" else 0.75
    shop.break_with(NodePressure(node="node-1", resource=resource, fraction=fraction))
    tick = shop.run(5)
    short = pressure(world, tick.answer)
    assert list(short.memory if resource == "memory" else short.disk) == [True] + [False] * 5
    (found,) = evictions(world, tick.placement, tick.answer)
    assert shop.engine.pods[found.row].node == 0
    assert found.message.startswith(f"The node was low on resource: {word}")


def test_counters_add_up_what_was_measured_and_rise(shop: Shop) -> None:
    before = shop.tick.counters
    web = shop.rows("web")
    cpu = served = 0.0
    for _ in range(60):
        tick = shop.run(5)
        cpu += float(tick.answer.cpu_cores[web].sum()) * 5.0
        served += float(tick.answer.served_rps[web].sum()) * 5.0
    after = shop.tick.counters
    assert (after.cpu_seconds - before.cpu_seconds)[web].sum() == pytest.approx(cpu)
    assert (after.served - before.served)[web].sum() == pytest.approx(served)
    assert (after.periods - before.periods)[web] == pytest.approx(np.full(4, 3000.0))
    # Most pages take less than a quarter of a second; none is in no bucket but the last.
    buckets = (after.latency_buckets - before.latency_buckets)[web].sum(axis=0)
    assert (np.diff(buckets) >= 0).all()
    assert buckets[-1] == pytest.approx(served, rel=1e-3)
    mean = (after.latency_seconds - before.latency_seconds)[web].sum() / served
    assert mean == pytest.approx(tick.answer.workload_latency_seconds[0], rel=0.1)


def test_a_restart_resets_the_counters_of_the_process_and_not_of_the_pods_network(
    shop: Shop,
) -> None:
    row = shop.rows("search")[0]
    before = shop.tick.counters
    shop.break_with(HostKill(target="shop/search"))
    shop.run(15)
    after = shop.tick.counters
    assert after.served[row] < before.served[row]
    assert after.cpu_seconds[row] < before.cpu_seconds[row]
    assert after.sent_bytes[row] >= before.sent_bytes[row]


def test_nothing_that_is_written_names_what_was_broken(shop: Shop) -> None:
    for fault in (
        HostKill(target="shop/search", every_seconds=60.0),
        CorruptState(target="shop/cart"),
        Deadlock(target="shop/catalogue"),
        MemoryLeak(target="shop/api", mib_per_hour=9000.0),
    ):
        shop.break_with(fault)
    shop.run(600)
    statuses = [json.dumps(shop.status(row)) for row in range(len(shop.engine.pods))]
    text = " ".join([*statuses, *(" ".join(one) for one in shop.events)]).lower()
    names = [*KINDS, *(one.name.lower() for one in Cause if one is not Cause.NONE)]
    assert not [name for name in names if name in text or name.replace("_", " ") in text]


def test_ten_thousand_pods_are_stepped_with_their_containers() -> None:
    engine, seconds = many_pods_engine(2_000)
    for _ in range(30):
        seconds += 5.0
        tick = engine.step(now_seconds=seconds, step_seconds=5.0)
    assert tick.table.ready.mean() > 0.9
