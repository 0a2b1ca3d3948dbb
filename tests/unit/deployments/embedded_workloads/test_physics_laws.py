"""The laws that a plausible cluster keeps, whatever the formulas behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.embedded.workloads.physics.arrays import Floats
from deployments.embedded.workloads.physics.fault_kinds import (
    CertificateExpired,
    ClockSkew,
    CorruptState,
    CpuStress,
    Deadlock,
    DependencyDown,
    DiskFill,
    DnsFailure,
    EdgeLatency,
    EdgeLoss,
    EdgePartition,
    ErrorRate,
    HostKill,
    MemoryDemand,
    MemoryLeak,
    NodeLost,
    NodePartitioned,
    NodePressure,
    NoisyNeighbour,
    SecuritySignal,
    Slowdown,
    SlowStart,
    TrafficSpike,
    VolumeDelay,
    VolumeErrors,
)
from deployments.embedded.workloads.physics.faults import Fault
from deployments.embedded.workloads.physics.profiles import Dependency, Need, WorkloadProfile
from deployments.embedded.workloads.physics.state import Answer, Cause, equal
from tests.support.workloads_stage import Stage, plain, staged

FEW = settings(max_examples=25, deadline=None)


def chain(need: Need = Need.FAIL, **changes: Any) -> tuple[WorkloadProfile, ...]:
    """Return a shop front that calls a store."""
    calls = Dependency(name="shop/store", need=need, timeout_seconds=1.0)
    return (
        plain("shop/web", dependencies=(calls,), patience_seconds=30.0, **changes),
        plain("shop/store", rps=None),
    )


def mean(answers: list[Answer], name: str) -> Floats:
    found: Floats = np.mean([getattr(one, name) for one in answers], axis=0)
    return found


# Load


@FEW
@given(rps=st.floats(1.0, 80.0), cost=st.floats(0.001, 0.010))
def test_cpu_is_requests_times_their_cost_and_the_idle_part(rps: float, cost: float) -> None:
    stage = staged(plain(rps=rps, cpu_seconds_per_request=cost, idle_cpu_cores=0.02))
    cpu = mean(stage.run(300), "cpu_cores")[0]
    assert cpu == pytest.approx(rps * cost + 0.02, rel=0.05)


@FEW
@given(rps=st.floats(0.0, 500.0), cost=st.floats(0.001, 0.050), count=st.integers(1, 5))
def test_what_is_offered_is_served_or_fails(rps: float, cost: float, count: int) -> None:
    stage = staged(plain(rps=rps, cpu_seconds_per_request=cost), counts=(count,))
    answer = stage.step()
    assert np.allclose(answer.offered_rps, answer.served_rps + answer.failed_rps)
    assert answer.workload_offered_rps[0] == pytest.approx(rps)
    both = answer.workload_served_rps + answer.workload_failed_rps
    assert both[0] == pytest.approx(rps)


@FEW
@given(rps=st.floats(1.0, 300.0), wait=st.floats(0.0, 0.5))
def test_requests_in_work_are_their_rate_times_their_time(rps: float, wait: float) -> None:
    answer = staged(plain(rps=rps, wait_seconds=wait)).step()
    assert answer.concurrency[0] == pytest.approx(
        answer.served_rps[0] * answer.latency_seconds[0], rel=0.01
    )


@FEW
@given(low=st.floats(0.0, 300.0), more=st.floats(0.1, 200.0))
def test_more_requests_never_make_it_faster(low: float, more: float) -> None:
    quiet, busy = (staged(plain(rps=rps)).step() for rps in (low, low + more))
    assert busy.latency_seconds[0] >= quiet.latency_seconds[0] * (1 - 1e-9)
    assert busy.throttled_fraction[0] >= quiet.throttled_fraction[0] - 1e-9


@FEW
@given(rps=st.floats(0.0, 1000.0), limit=st.floats(0.1, 4.0))
def test_no_replica_uses_more_than_its_limit(rps: float, limit: float) -> None:
    answer = staged(plain(rps=rps), cpu_limit=limit).step()
    assert answer.cpu_cores[0] <= limit + 1e-9


def test_a_replica_that_is_offered_too_much_serves_what_it_can_and_is_throttled() -> None:
    answer = staged(plain(rps=500.0, idle_cpu_cores=0.0), cpu_limit=1.0).step()
    assert answer.served_rps[0] == pytest.approx(100.0, rel=0.06)
    assert answer.throttled_fraction[0] > 0.9
    assert answer.latency_seconds[0] > 0.2


def test_a_request_takes_no_less_than_its_own_work_however_many_cores_there_are() -> None:
    stage = staged(plain(rps=1.0, idle_cpu_cores=0.0), cpu_limit=4.0)
    # 10 ms on one of the cores, and 2 ms of waiting for others.
    assert mean(stage.run(300), "latency_seconds")[0] == pytest.approx(0.012, rel=0.03)


def test_latency_is_that_of_the_queue_and_of_what_the_limit_cuts_short() -> None:
    stage = staged(plain(rps=50.0, idle_cpu_cores=0.0), cpu_limit=1.0)
    # 10 ms / (1 - 0.5), 2 ms of waiting; the deviation of a period is sqrt(2 x 50) x 10 ms / 0.316
    # = 0.316 cores, so that half a core of room is crossed in 6 percent of periods: 3 ms.
    assert mean(stage.run(600), "latency_seconds")[0] == pytest.approx(0.025, rel=0.04)


def test_too_many_requests_keep_a_health_page_waiting_and_few_do_not() -> None:
    idle, busy, much = (staged(plain(rps=rps)).step().health_seconds[0] for rps in (1, 60, 400))
    assert idle < 0.01
    assert idle < busy < 0.1
    assert much > 2.0


def test_long_jobs_do_not_keep_the_health_page_of_a_consumer_waiting() -> None:
    stage = staged(plain(rps=5.0, queue=True, cpu_seconds_per_request=2.0, threads=4))
    assert stage.step().health_seconds[0] < 0.3


def test_a_node_never_gives_more_cores_than_it_has_and_shares_by_requests() -> None:
    stage = staged(plain(rps=4000.0), counts=(2,), node_count=1, cpu_limit=4.0)
    stage.placement = replace(stage.placement, cpu_request_cores=np.array([1.0, 3.0]))
    answer = stage.step()
    assert answer.node_cpu_cores[0] <= 4.0 + 1e-9
    assert answer.cpu_cores[1] == pytest.approx(3 * answer.cpu_cores[0], rel=0.05)


def test_a_small_container_is_not_starved_on_a_full_node() -> None:
    greedy, small = plain("shop/web", rps=2000.0), plain("shop/store", rps=10.0)
    stage = staged(greedy, small, counts=(2, 1), node_count=1, cpu_limit=4.0)
    answer = stage.step()
    assert answer.node_cpu_cores[0] == pytest.approx(4.0, abs=0.01)
    assert answer.latency_seconds[2] < 0.05
    assert answer.failed_rps[2] == pytest.approx(0.0, abs=1e-3)


def test_requests_are_shared_by_ready_replicas_and_fail_when_there_is_none() -> None:
    stage = staged(plain(rps=90.0), counts=(3,))
    assert stage.step().offered_rps == pytest.approx(np.full(3, 30.0), rel=0.15)
    stage.placement = replace(stage.placement, ready=np.array([True, False, False]))
    assert stage.step().offered_rps == pytest.approx([90.0, 0.0, 0.0])
    stage.placement = replace(stage.placement, ready=np.zeros(3, dtype=bool))
    answer = stage.step()
    assert answer.offered_rps.sum() == 0.0
    assert answer.workload_failed_rps[0] == pytest.approx(90.0)


def test_a_replica_serves_only_when_it_has_come_up() -> None:
    stage = staged(plain(startup_seconds=20.0), settle_seconds=0.0)
    booted = [bool(one.booted[0]) for one in stage.run(40, step_seconds=1.0)]
    assert booted.index(True) == pytest.approx(20, abs=2)
    assert booted == sorted(booted)


def test_too_little_cpu_makes_the_start_longer() -> None:
    stage = staged(
        plain(startup_seconds=10.0, startup_cpu_cores=1.0), settle_seconds=0.0, cpu_limit=0.25
    )
    booted = [bool(one.booted[0]) for one in stage.run(60, step_seconds=1.0)]
    assert booted.index(True) == pytest.approx(40, abs=3)


def test_a_queue_keeps_what_is_not_worked_on_and_loses_none() -> None:
    stage = staged(plain(rps=150.0, queue=True, idle_cpu_cores=0.0), cpu_limit=1.0)
    before = float(stage.state.backlog[0])
    answers = stage.run(600)
    served = sum(float(one.workload_served_rps[0]) * 5.0 for one in answers)
    failed = sum(float(one.workload_failed_rps[0]) * 5.0 for one in answers)
    assert answers[-1].backlog[0] - before == pytest.approx(150.0 * 600 - served - failed, rel=1e-6)
    assert answers[-1].backlog[0] > 10_000
    assert failed == 0.0


# Memory


@FEW
@given(need=st.floats(50.0, 900.0), limit=st.floats(64.0, 1024.0))
def test_it_is_out_of_memory_if_and_only_if_it_needs_more_than_its_limit(
    need: float, limit: float
) -> None:
    stage = staged(
        plain(memory_base_mib=need, memory_mib_per_request=0.0),
        memory_limit=limit,
        settle_seconds=60.0,
    )
    killed = any(cause == Cause.OUT_OF_MEMORY for *_, cause in stage.exits)
    if need > 1.03 * limit:
        assert killed
    if need < 0.97 * limit:
        assert not stage.exits
    answer = stage.step()
    assert answer.memory_mib[0] <= limit + 1e-9


def test_it_is_killed_again_and_again_until_the_limit_rises() -> None:
    stage = staged(plain(memory_base_mib=300.0), memory_limit=256.0, settle_seconds=600.0)
    assert len(stage.exits) > 5
    assert {code for _, _, code, _ in stage.exits} == {137}
    stage.placement = replace(stage.placement, memory_limit_mib=np.array([512.0]))
    stage.exits.clear()
    stage.run(600)
    assert stage.exits == []


@settings(max_examples=10, deadline=None)
@given(rate=st.floats(300.0, 3000.0), limit=st.floats(300.0, 600.0))
def test_a_leak_reaches_the_limit_after_what_is_free_over_its_rate(
    rate: float, limit: float
) -> None:
    stage = staged(plain(memory_base_mib=100.0, memory_mib_per_request=0.0), memory_limit=limit)
    start = stage.seconds
    stage.break_with(MemoryLeak(target="shop/web", mib_per_hour=rate))
    expected = (limit - 100.0) / rate * 3600.0
    stage.run(expected * 1.1 + 60)
    assert stage.exits[0][0] - start == pytest.approx(expected, rel=0.06, abs=10)


def test_what_leaked_is_gone_with_the_process_and_leaks_again() -> None:
    stage = staged(plain(memory_base_mib=100.0, memory_mib_per_request=0.0), memory_limit=300.0)
    stage.break_with(MemoryLeak(target="shop/web", mib_per_hour=2_400.0))
    answers = stage.run(960)
    # 200 MiB at 40 a minute: five minutes, and eight seconds to come up.
    assert len(stage.exits) == 3
    lowest = min(float(one.memory_mib[0]) for one in answers[70:])
    assert lowest < 110.0


def test_memory_follows_the_requests_that_are_being_worked_on() -> None:
    heavy = plain(rps=50.0, wait_seconds=0.5, memory_mib_per_request=4.0, memory_base_mib=100.0)
    answer = staged(heavy).step()
    assert answer.memory_mib[0] == pytest.approx(100 + 4 * answer.concurrency[0], rel=0.03)


# Dependencies


def test_errors_of_a_dependency_reach_whoever_calls_it() -> None:
    stage = staged(*chain(), counts=(1, 2))
    stage.break_with(ErrorRate(target="shop/store", fraction=0.2))
    answer = stage.run(60)[-1]
    failed = answer.workload_failed_rps / answer.workload_offered_rps
    assert failed == pytest.approx([0.2, 0.2], abs=0.01)


def test_a_client_that_can_do_without_is_only_slower() -> None:
    stage = staged(*chain(Need.DEGRADE), counts=(1, 1))
    before = stage.step()
    stage.break_with(EdgePartition(source="shop/web", target="shop/store"))
    after = stage.run(60)[-1]
    assert after.workload_failed_rps[0] == pytest.approx(0.0)
    assert after.latency_seconds[0] == pytest.approx(before.latency_seconds[0] + 1.0, abs=0.1)


def test_who_calls_a_locked_replica_waits_for_the_time_out_as_often_as_it_is_met() -> None:
    stage = staged(*chain(Need.DEGRADE), counts=(1, 2))
    before = stage.step()
    stage.break_with(Deadlock(target="shop/store", pods=("store-0",)))
    after = stage.run(60)[-1]
    # Half of the calls, up to five percent uneven, take the second after which they are given up.
    longer = after.latency_seconds[0] - before.latency_seconds[0]
    assert longer == pytest.approx(0.5, abs=0.05)


def test_a_client_that_cannot_do_without_crashes_until_its_dependency_is_back() -> None:
    stage = staged(*chain(Need.CRASH), counts=(2, 1))
    stage.break_with(DependencyDown(target="shop/store"))
    stage.run(300)
    ends = [one for one in stage.exits if one[1] < 2]
    assert len(ends) > 4
    assert {(code, cause) for _, _, code, cause in ends} == {(1, Cause.DEPENDENCY)}
    stage.faults.clear()
    stage.run(120)
    stage.exits.clear()
    answer = stage.run(120)[-1]
    assert stage.exits == []
    assert answer.workload_failed_rps[0] == pytest.approx(0.0, abs=0.01)


def test_a_service_outside_the_cluster_can_be_down() -> None:
    gateway = Dependency(name="payments-gateway", share=0.5)
    stage = staged(plain(dependencies=(gateway,)))
    stage.break_with(DependencyDown(target="payments-gateway"))
    answer = stage.run(60)[-1]
    assert answer.workload_failed_rps[0] == pytest.approx(10.0, rel=0.02)


def test_calls_make_load_on_what_is_called() -> None:
    twice = Dependency(name="shop/store", share=0.5, calls=4.0)
    stage = staged(
        plain("shop/web", rps=10.0, dependencies=(twice,)),
        plain("shop/store", rps=None),
        counts=(1, 1),
    )
    assert stage.step().workload_offered_rps[1] == pytest.approx(20.0, rel=0.01)


def test_a_circle_of_calls_settles() -> None:
    one = plain("shop/a", dependencies=(Dependency(name="shop/b", share=0.5),))
    other = plain("shop/b", rps=None, dependencies=(Dependency(name="shop/a", share=0.5),))
    stage = staged(one, other, counts=(1, 1))
    first, last = stage.run(60)[-1], stage.run(300)[-1]
    assert np.isfinite(last.latency_seconds).all()
    assert last.workload_offered_rps == pytest.approx(first.workload_offered_rps, rel=0.02)


# Faults

TO_A_REPLICA = {"target": "shop/web"}
EVERY_FAULT: tuple[Fault, ...] = (
    MemoryDemand(target="shop/web", factor=1.5),
    TrafficSpike(target="shop/web", factor=3.0),
    ErrorRate(target="shop/web", fraction=0.3),
    Slowdown(target="shop/web", factor=3.0),
    CpuStress(target="shop/web", cores=0.5),
    Deadlock(target="shop/web", share=0.5),
    DependencyDown(target="shop/store"),
    VolumeDelay(target="shop/web", milliseconds=50),
    VolumeErrors(target="shop/web", fraction=0.2),
    NodeLost(node="node-0"),
    NodePartitioned(node="node-0", serves=False),
    NodePressure(node="node-0", resource="memory", fraction=0.5),
    NoisyNeighbour(node="node-0", cores=8.0),
    ClockSkew(node="node-0", seconds=900),
    EdgeLatency(source="shop/web", target="shop/store", milliseconds=200),
    EdgeLoss(source="shop/web", target="shop/store", fraction=0.3),
    EdgePartition(source="shop/web", target="shop/store"),
    CertificateExpired(source="shop/web", target="shop/store"),
    DnsFailure(target="shop/web", fraction=0.5),
    HostKill(target="shop/web", share=0.5, every_seconds=60),
    SecuritySignal(target="shop/web", cores=0.4),
)


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda one: one.kind)
def test_a_fault_can_be_seen_and_once_it_is_withdrawn_all_is_as_before(fault: Fault) -> None:
    front, store = chain(volume_mib=1000.0, volume_reads_per_request=1.0)
    front = replace(front, live_needs_dependencies=False, memory_mib_per_request=0.0)
    stage, calm = (staged(front, store, counts=(2, 2), settle_seconds=300.0) for _ in range(2))
    stage.break_with(fault)
    broken, usual = stage.run(120), calm.run(120)
    assert signature(broken) != pytest.approx(signature(usual), rel=0.02, abs=0.01)
    stage.faults.clear()
    stage.run(600), calm.run(600)
    assert signature(stage.run(120)) == pytest.approx(signature(calm.run(120)), rel=0.02, abs=0.01)


def signature(answers: list[Answer]) -> list[float]:
    """Return what an operator would look at."""
    names = ("cpu_cores", "memory_mib", "served_rps", "failed_rps", "latency_seconds")
    seen = [float(value) for name in names for value in mean(answers, name)]
    last = answers[-1]
    return [
        *seen,
        *map(float, last.node_memory_mib),
        *map(float, last.node_cpu_cores),
        *map(float, last.node_reports),
    ]


def test_a_deadlocked_replica_lives_uses_no_cpu_and_serves_nothing_until_restarted() -> None:
    stage = staged(plain(), counts=(2,))
    stage.break_with(Deadlock(target="shop/web", pods=("web-1",)))
    answer = stage.run(60)[-1]
    assert stage.exits == []
    assert answer.served_rps[1] == 0.0
    assert answer.cpu_cores[1] < 0.005
    assert np.isinf(answer.health_seconds[1])
    assert not answer.refuses[1]
    restarted = np.array([0, 1])
    ages = stage.placement.container_age_seconds * (1 - restarted)
    stage.placement = replace(stage.placement, restarts=restarted, container_age_seconds=ages)
    assert stage.run(60)[-1].served_rps[1] > 5.0


def test_a_deadlock_that_recurs_comes_back_after_a_restart() -> None:
    stage = staged(plain())
    stage.break_with(Deadlock(target="shop/web", recurs_after_seconds=60))
    stage.step()
    stage.placement = replace(
        stage.placement, restarts=np.array([1]), container_age_seconds=np.zeros(1)
    )
    served = [float(one.served_rps[0]) > 0 for one in stage.run(120)]
    assert served[6]
    assert not served[-1]


def test_a_lost_node_serves_nothing_and_a_partitioned_one_goes_on() -> None:
    lost, cut = (staged(plain(), counts=(3,)) for _ in range(2))
    lost.break_with(NodeLost(node="node-0"))
    cut.break_with(NodePartitioned(node="node-0"))
    off, on = lost.run(30)[-1], cut.run(30)[-1]
    assert off.served_rps[0] == 0.0
    assert off.cpu_cores[0] == 0.0
    assert not off.node_alive[0]
    assert not off.node_reports[0]
    assert on.served_rps[0] > 5.0
    assert on.node_alive[0]
    assert not on.node_reports[0]


def test_a_kill_by_the_host_is_137_and_not_of_memory_and_happens_once() -> None:
    stage = staged(plain(), counts=(2,))
    stage.break_with(HostKill(target="shop/web"))
    stage.run(300)
    assert sorted((row, code, cause) for _, row, code, cause in stage.exits) == [
        (0, 137, Cause.KILLED_BY_HOST),
        (1, 137, Cause.KILLED_BY_HOST),
    ]


def test_a_bad_image_and_a_missing_key_end_it_until_they_are_put_right() -> None:
    for field, cause in (("image_ok", Cause.BAD_IMAGE), ("config_ok", Cause.MISSING_CONFIG)):
        stage = staged(plain())
        wrong = {field: np.array([False]), "container_age_seconds": np.zeros(1)}
        stage.placement = replace(stage.placement, restarts=np.array([1]), **wrong)
        stage.run(120)
        assert len(stage.exits) > 3
        assert {(code, why) for _, _, code, why in stage.exits} == {(1, cause)}
        stage.placement = replace(stage.placement, **{field: np.array([True])})
        stage.exits.clear()
        stage.run(60)
        assert stage.exits == []


def test_corrupt_state_ends_a_pod_until_a_new_one_takes_its_place() -> None:
    stage = staged(plain(), age_seconds=1000.0)
    stage.break_with(CorruptState(target="shop/web"), HostKill(target="shop/web"))
    stage.run(120)
    assert [cause for *_, cause in stage.exits][1:4] == [Cause.CORRUPT_STATE] * 3
    stage.placement = replace(stage.placement, pod_age_seconds=np.zeros(1))
    stage.run(30)
    stage.exits.clear()
    stage.run(120)
    assert stage.exits == []


def test_a_slow_start_takes_so_many_times_as_long() -> None:
    stage = staged(plain(startup_seconds=10.0), settle_seconds=0.0)
    stage.break_with(SlowStart(target="shop/web", factor=4.0))
    booted = [bool(one.booted[0]) for one in stage.run(60, step_seconds=1.0)]
    assert booted.index(True) == pytest.approx(40, abs=2)


def test_a_disk_fills_at_its_rate_and_a_full_volume_ends_the_program() -> None:
    stage = staged(plain(volume_mib=200.0))
    stage.break_with(DiskFill(target="shop/web", mib_per_hour=3600.0))
    answers = stage.run(150)
    assert answers[-1].disk_mib[0] == pytest.approx(150.0, rel=0.05)
    stage.run(120)
    assert stage.exits[0][3] == Cause.DISK_FULL
    assert stage.step().disk_mib[0] <= 200.0


def test_an_expired_certificate_breaks_one_edge_while_the_dependency_is_healthy() -> None:
    stage = staged(*chain(), plain("shop/other", dependencies=chain()[0].dependencies),
                   counts=(1, 2, 1))  # fmt: skip
    stage.break_with(CertificateExpired(source="shop/web", target="shop/store"))
    answer = stage.run(60)[-1]
    assert answer.workload_failed_rps[0] == pytest.approx(20.0, rel=0.01)
    assert answer.workload_failed_rps[2] == pytest.approx(0.0)


def test_a_foreign_process_uses_cpu_and_traffic_without_requests() -> None:
    stage = staged(plain(rps=1.0))
    before = stage.step()
    stage.break_with(SecuritySignal(target="shop/web", cores=0.6, egress_mib_per_second=2.0))
    after = stage.step()
    assert after.cpu_cores[0] - before.cpu_cores[0] == pytest.approx(0.6, abs=0.01)
    sent = after.network_out_bytes[0] - before.network_out_bytes[0]
    assert sent == pytest.approx(2 * 2**20, rel=0.01)


def test_a_node_out_of_memory_kills_whoever_is_most_over_its_request_below_its_limit() -> None:
    stage = staged(plain(memory_base_mib=600.0), counts=(3,), memory_limit=4096.0, node_count=1)
    requests = np.array([700.0, 100.0, 700.0])
    stage.placement = replace(stage.placement, memory_request_mib=requests)
    stage.break_with(NodePressure(node="node-0", resource="memory", fraction=0.95))
    stage.step()
    assert [(row, code, cause) for _, row, code, cause in stage.exits] == [
        (1, 137, Cause.NODE_OUT_OF_MEMORY)
    ]


# The whole


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, MemoryLeak(target="shop/web", mib_per_hour=120.0)])
def test_an_hour_in_steps_of_one_second_and_of_five_agree(fault: Fault | None) -> None:
    hours = []
    for step_seconds in (1.0, 5.0):
        stage = staged(*chain(), counts=(2, 2))
        stage.break_with(*([fault] if fault else []))
        hours.append(stage.run(3600, step_seconds=step_seconds))
    for name in ("cpu_cores", "memory_mib", "served_rps", "latency_seconds", "disk_mib"):
        small, large = (mean(one, name) for one in hours)
        assert large == pytest.approx(small, rel=0.02, abs=1e-6), name


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    first, again, other = (staged(*chain(), counts=(2, 2), seed=seed).step() for seed in (7, 7, 8))
    assert equal(first, again)
    assert not equal(first, other)


def test_a_step_changes_nothing_that_it_was_given() -> None:
    stage: Stage = staged(*chain(), counts=(2, 2))
    stage.break_with(*EVERY_FAULT)
    before, copied = stage.state, {
        name: np.copy(getattr(stage.state, name)) for name in stage.state.__slots__
    }  # fmt: skip
    stage.step()
    assert all(np.array_equal(getattr(before, name), value) for name, value in copied.items())


@settings(max_examples=40, deadline=None)
@given(
    chosen=st.lists(st.sampled_from(EVERY_FAULT), max_size=6),
    rps=st.floats(0.0, 2_000.0),
    counts=st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
def test_no_mix_of_faults_gives_a_number_that_cannot_be(
    chosen: list[Fault], rps: float, counts: tuple[int, int]
) -> None:
    front, store = chain(Need.CRASH, volume_mib=500.0, volume_reads_per_request=1.0)
    stage = staged(plain("shop/web", rps=rps, dependencies=front.dependencies), store,
                   counts=counts)  # fmt: skip
    stage.break_with(*chosen)
    for answer in stage.run(60):
        for name in Answer.__slots__:
            value = getattr(answer, name)
            if name not in ("health_seconds", "exit_code"):
                assert np.isfinite(value).all(), name
            assert (value >= -1e-9).all() or name == "exit_code", name
        assert np.allclose(answer.offered_rps, answer.served_rps + answer.failed_rps)
