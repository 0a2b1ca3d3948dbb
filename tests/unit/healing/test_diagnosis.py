"""Why a workload is ill, from what is seen: each cause, and what looks like it and is another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.domain.healing.causes import Cause
from tasks.domain.healing.diagnosis import Diagnosis, diagnose, leak_rate
from tasks.domain.healing.view import NodeView, PodWork, WorkloadView
from tests.support.sick import (
    MIB,
    NEW,
    NOW,
    cluster,
    container,
    end,
    growing,
    looping,
    note,
    pod,
    workload,
)

TIMEOUT = 'Liveness probe failed: Get "http://10.0.0.1:8080/healthz": context deadline exceeded'
REFUSED = 'Readiness probe failed: Get "http://10.0.0.1:9999/": dial tcp 10.0.0.1:9999: connect: connection refused'
DATABASE = "shop/database"
COMPLAINT = "2026-11-02T10:00:00Z ERROR call failed dependency=database.shop.svc.cluster.local error='connection refused'"


def found(sick: WorkloadView, *others: WorkloadView, nodes: tuple[NodeView, ...] = ()) -> Diagnosis:
    diagnosis = diagnose(cluster(sick, *others, nodes=nodes), sick.key)
    assert diagnosis is not None
    assert diagnosis.evidence
    return diagnosis


def test_who_is_well_has_no_diagnosis() -> None:
    well = workload()

    assert diagnose(cluster(well), well.key) is None


@pytest.mark.parametrize(
    "one",
    [
        pod(0, container(ready=False), created_seconds=NOW - 40.0),
        pod(0, container(ready=False), unready_since_seconds=NOW - 10.0),
        pod(0, container(ready=False), deleting_since_seconds=NOW - 5.0),
        pod(0, container(restarts=5, ended_before=end(1, ago=900.0))),
        pod(0, container(restarts=1, ended_before=end(137, ago=30.0))),
    ],
    ids=["starts", "unready for seconds", "leaves", "fell long ago", "fell once"],
)  # fmt: skip
def test_who_is_on_the_way_or_over_it_is_left_alone(one: object) -> None:
    sick = workload(one, pod(1))  # type: ignore[arg-type]

    assert diagnose(cluster(sick), sick.key) is None


def test_an_image_that_cannot_be_pulled() -> None:
    waits = container(
        ready=False, running=False, waiting="ImagePullBackOff", waiting_message="x: not found"
    )

    diagnosis = found(workload(pod(0, waits, template=NEW), pod(1), changed=True))

    assert (diagnosis.cause, diagnosis.pods) == (Cause.IMAGE, ("app-0",))
    assert "not found" in diagnosis.evidence[0]


def test_pods_that_no_node_has_room_for() -> None:
    one = replace(
        pod(0, container(ready=False)), node="", unschedulable="0/6 nodes: Insufficient cpu"
    )

    assert found(workload(one, pod(1))).cause is Cause.CAPACITY


@pytest.mark.parametrize(
    "one",
    [
        container(ready=False, running=False, waiting="CreateContainerConfigError"),
        looping(128, "StartError", message="stat /app/serve: no such file"),
        looping(127),
    ],
)
def test_what_the_kubelet_cannot_start_is_its_configuration(one: object) -> None:
    sick = workload(pod(0, one, template=NEW), pod(1), changed=True)  # type: ignore[arg-type]

    assert found(sick).cause is Cause.CONFIGURATION


def test_a_program_that_says_what_it_misses() -> None:
    line = "2026-11-02T10:00:00Z FATAL required environment variable DATABASE_URL is not set"

    diagnosis = found(workload(pod(0, looping(1)), pod(1), logs={"app-0": (line,)}))

    assert (diagnosis.cause, diagnosis.evidence[0]) == (Cause.CONFIGURATION, line)


def test_a_release_of_which_every_pod_ends_is_a_wrong_change() -> None:
    diagnosis = found(workload(pod(0, looping(2), template=NEW), pod(1), pod(2), changed=True))

    assert (diagnosis.cause, diagnosis.about) == (Cause.CONFIGURATION, NEW)


def test_one_pod_of_many_that_ends_at_its_start_is_corrupt() -> None:
    line = "FATAL cannot load settings: unexpected end of JSON input"

    diagnosis = found(workload(pod(0, looping(1)), pod(1), pod(2), logs={"app-0": (line,)}))

    assert (diagnosis.cause, diagnosis.pods) == (Cause.CORRUPT_STATE, ("app-0",))


def test_too_little_memory_and_a_leak_are_told_apart_by_how_memory_grew() -> None:
    killed = looping(137, "OOMKilled")
    flat = PodWork(memory_times=growing(0.0).memory_times, memory_values=np.full(41, 250.0 * MIB))

    demand = found(workload(pod(0, killed), pod(1), pod_work={"app-0": flat}))
    leak = found(workload(pod(0, killed), pod(1), pod_work={"app-0": growing(600.0)}))
    unknown = found(workload(pod(0, killed), pod(1)))

    assert (demand.cause, leak.cause) == (Cause.OUT_OF_MEMORY, Cause.MEMORY_LEAK)
    assert unknown.cause is Cause.OUT_OF_MEMORY
    assert "600 MiB an hour" in leak.evidence[0]


def test_killed_far_below_its_limit_on_a_machine_short_of_memory_is_the_machine() -> None:
    work = PodWork(memory_times=growing(0.0).memory_times, memory_values=np.full(41, 90.0 * MIB))
    pressed = NodeView(name="node-0", pressures=frozenset({"MemoryPressure"}))
    sick = workload(pod(0, looping(137, "OOMKilled")), pod(1), pod_work={"app-0": work})

    assert found(sick, nodes=(pressed,)).cause is Cause.NODE_PRESSURE
    assert found(sick).cause is Cause.OUT_OF_MEMORY


def test_a_cache_that_fills_is_no_leak() -> None:
    times = growing(0.0, minutes=30.0).memory_times
    assert times is not None
    filling = 100.0 * MIB * (1.0 - np.exp(-(times - times[0]) / 300.0))

    assert leak_rate(PodWork(memory_times=times, memory_values=filling)) is None
    assert leak_rate(growing(120.0)) == pytest.approx(120.0 * MIB / 3_600.0)
    assert leak_rate(growing(120.0, minutes=2.0)) is None


def test_a_victim_names_the_dependency_that_its_logs_complain_of() -> None:
    sick = workload(
        pod(0, looping(1)), pod(1, looping(1)), name="orders", calls=("shop/cache", DATABASE),
        logs={"app-0": (COMPLAINT, COMPLAINT)},
    )  # fmt: skip

    diagnosis = found(sick)

    assert (diagnosis.cause, diagnosis.about) == (Cause.DEPENDENCY, DATABASE)


def test_a_victim_without_a_line_is_known_by_its_dependency_being_down() -> None:
    said = note("Readiness probe failed: HTTP probe failed with statuscode: 503")
    sick = workload(pod(0, container(ready=False)), name="cart", calls=(DATABASE,), notes=(said,))
    down = workload(pod(0, looping(1)), name="database")

    assert found(sick, down).cause is Cause.DEPENDENCY
    assert found(sick, workload(name="database")).cause is Cause.UNKNOWN


def test_a_complaint_of_somebody_that_it_does_not_call_is_noise() -> None:
    sick = workload(pod(0, looping(1)), pod(1), pod(2), logs={"app-0": (COMPLAINT,)})

    assert found(sick).cause is Cause.CORRUPT_STATE


def test_who_lives_uses_nothing_and_answers_nobody_is_locked() -> None:
    sick = workload(
        pod(0, container(ready=False)), pod(1), notes=(note(TIMEOUT),),
        pod_work={"app-0": PodWork(cpu_cores=0.0)},
    )  # fmt: skip

    assert found(sick).cause is Cause.DEADLOCK
    busy = replace(sick, pod_work={"app-0": PodWork(cpu_cores=0.9)})
    assert found(busy).cause is not Cause.DEADLOCK


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", "Unhealthy"),
        (REFUSED, "Unhealthy"),
        ("Container app failed startup probe, will be restarted", "Killing"),
    ],
)
def test_a_probe_that_asks_wrongly_or_does_not_wait(message: str, reason: str) -> None:
    sick = workload(pod(0, container(ready=False)), pod(1), notes=(note(message, reason=reason),))

    assert found(sick).cause is Cause.PROBE


def test_liveness_that_kills_a_new_revision_before_it_was_ready_is_the_probe() -> None:
    killing = note("Container app failed liveness probe, will be restarted", reason="Killing")
    sick = workload(pod(0, looping(143), template=NEW), pod(1), changed=True, notes=(killing,))

    assert found(sick).cause is Cause.PROBE


def test_exit_137_of_nobodys_doing_is_from_outside() -> None:
    killing = note("Container app failed liveness probe, will be restarted", reason="Killing")
    sick = workload(pod(0, looping(137)), pod(1))

    assert found(sick).cause is Cause.KILLED_FROM_OUTSIDE
    assert found(replace(sick, notes=(killing,))).cause is not Cause.KILLED_FROM_OUTSIDE


def test_a_silent_machine_whose_pods_answer_is_cut_off_and_not_lost() -> None:
    sick = workload(pod(0, container(ready=False)), pod(1), pod(2))
    silent = NodeView(name="node-0", ready=None)

    lost = found(sick, nodes=(silent,))
    cut_off = found(sick, nodes=(replace(silent, pods_answer=1.0),))

    assert (lost.cause, lost.about) == (Cause.NODE_LOST, "node-0")
    assert cut_off.cause is Cause.NODE_PARTITIONED


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("The node was low on resource: ephemeral-storage. Threshold", Cause.DISK),
        ("The node was low on resource: memory. Threshold", Cause.NODE_PRESSURE),
    ],
)
def test_who_was_evicted_is_told_why(message: str, cause: Cause) -> None:
    gone = pod(0, container(ready=False, running=False), phase="Failed", reason="Evicted")

    assert found(workload(gone, pod(1), notes=(note(message, reason="Evicted"),))).cause is cause


def test_what_no_rule_explains_is_unknown_and_says_what_was_seen() -> None:
    diagnosis = found(workload(pod(0, looping(3)), pod(1, looping(3)), pod(2)))

    assert diagnosis.cause is Cause.UNKNOWN
    assert "2 of 3 pods are not well" in diagnosis.evidence
