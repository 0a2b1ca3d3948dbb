"""Objects of the API become the values that decisions see."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.embedded.workloads.demonstration import demonstration_manifests
from tasks.adapters.kubernetes.reading import (
    calls_of,
    node_view,
    note_of,
    pod_view,
    quantity,
    replicas_of,
    revisions_of,
    seconds_of,
    sizes_of,
)

START = "2026-11-02T10:00:00Z"
LATER = "2026-11-02T10:01:30Z"


def pod(**status: Any) -> dict[str, Any]:
    metadata = {
        "name": "cart-7d9-x", "uid": "u", "creationTimestamp": START,
        "labels": {"pod-template-hash": "7d9"},
    }  # fmt: skip
    return {"metadata": metadata, "spec": {"nodeName": "node-1"}, "status": status}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("250m", 0.25), ("2", 2.0), (1, 1.0), ("512Mi", 512 * 2**20), ("1e3", 1e3), ("1.5Gi", 1.5 * 2**30),
        ("100M", 1e8), ("2E", 2e18), (None, None), ("much", None), ("3Xi", None),
    ],
)  # fmt: skip
def test_quantities_are_numbers_or_unknown(text: Any, number: float | None) -> None:
    assert quantity(text) == number


def test_a_container_that_loops_says_how_it_ended_and_how_long_it_ran() -> None:
    ended = {"exitCode": 137, "reason": "OOMKilled", "startedAt": START, "finishedAt": LATER}
    status = {
        "name": "cart", "ready": False, "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": ended},
    }  # fmt: skip
    unready = {"type": "Ready", "status": "False", "lastTransitionTime": LATER}

    found = pod_view(pod(phase="Running", conditions=[unready], containerStatuses=[status]))

    assert found.main is not None
    assert found.main.last_end is not None
    assert (found.ready, found.unready_since_seconds) == (False, seconds_of(LATER))
    assert (found.main.waiting, found.restarts, found.template) == ("CrashLoopBackOff", 3, "7d9")
    assert (found.main.last_end.exit_code, found.main.last_end.ran_seconds) == (137, 90.0)


def test_a_pod_without_a_node_says_why_and_has_no_container() -> None:
    refused = {"type": "PodScheduled", "status": "False", "message": "0/6 nodes are available"}

    found = pod_view(pod(conditions=[refused]))

    assert (found.phase, found.main) == ("Pending", None)
    assert found.unschedulable == "0/6 nodes are available"


def test_an_init_container_comes_first_and_is_not_the_main_one() -> None:
    first, second = ({"name": name, "ready": False} for name in ("wait", "cart"))

    found = pod_view(pod(initContainerStatuses=[first], containerStatuses=[second]))

    assert [one.name for one in found.containers] == ["wait", "cart"]
    assert found.main is not None
    assert found.main.name == "cart"


def test_events_of_both_kinds_say_when_they_were_seen_last() -> None:
    about = {"kind": "Pod", "name": "cart-7d9-x"}
    metadata = {"creationTimestamp": START}
    old = {"metadata": metadata, "involvedObject": about, "lastTimestamp": LATER, "count": 4}
    series = {"count": 9, "lastObservedTime": LATER}
    new = {"metadata": metadata, "involvedObject": about, "eventTime": START, "series": series}

    assert (note_of(old).count, note_of(old).last_seconds) == (4, seconds_of(LATER))
    assert (note_of(new).count, note_of(new).last_seconds) == (9, seconds_of(LATER))
    assert note_of({"metadata": metadata}).last_seconds == seconds_of(START)


def test_a_deployment_that_is_stuck_or_not_yet_observed_says_so() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    status = {"replicas": 5, "readyReplicas": 4, "observedGeneration": 6, "conditions": [late]}

    found = replicas_of({"metadata": {"generation": 7}, "spec": {"replicas": 4}, "status": status})

    assert (found.wanted, found.there, found.ready, found.updated) == (4, 5, 4, 0)
    assert (found.stuck, found.observed) == (True, False)


def test_revisions_come_newest_first() -> None:
    def replica_set(number: str, ready: int) -> dict[str, Any]:
        annotations = {"deployment.kubernetes.io/revision": number}
        labels = {"pod-template-hash": f"hash-{number}"}
        metadata = {"annotations": annotations, "labels": labels, "creationTimestamp": START}
        return {"metadata": metadata, "status": {"replicas": ready, "readyReplicas": ready}}

    found = revisions_of([replica_set("9", 3), replica_set("10", 0), replica_set("2", 0)])

    assert [one.number for one in found] == [10, 9, 2]
    assert found[1].ready == 3


def test_what_a_workload_calls_is_read_from_its_environment() -> None:
    manifests = demonstration_manifests()
    maps = {one["metadata"]["name"]: one["data"] for one in manifests if one["kind"] == "ConfigMap"}
    found = {
        one["metadata"]["name"]: calls_of(
            one["spec"]["template"]["spec"]["containers"][0], namespace="shop", config_maps=maps
        )
        for one in manifests
        if one["kind"] == "Deployment"
    }

    assert found["web"] == ("shop/api",)
    assert found["payments"] == ("shop/database", "payments.example.com")
    assert set(found["catalogue"]) == {"shop/database", "shop/cache"}
    assert found["search"] == ()


@pytest.mark.parametrize(
    ("value", "called"),
    [
        ("http://api:8080/v1", ("shop/api",)),
        ("redis.other.svc.cluster.local:6379", ("other/redis",)),
        ("amqp://user:secret@queue.example.com/vhost", ("queue.example.com",)),
        ("2.4.1", ()), ("7d", ()), ("/var/lib/index", ()), ("orders", ()), ("", ()), ("0.75", ()),
    ],
)  # fmt: skip
def test_only_addresses_are_taken_for_what_is_called(value: str, called: tuple[str, ...]) -> None:
    container = {"env": [{"name": "X", "value": value}]}

    assert calls_of(container, namespace="shop", config_maps={}) == called


def test_a_node_whose_state_is_unknown_is_neither_ready_nor_unready() -> None:
    unknown = {"type": "Ready", "status": "Unknown", "lastTransitionTime": LATER}
    full = {"type": "DiskPressure", "status": "True"}
    node = {
        "metadata": {"name": "node-1", "labels": {"topology.kubernetes.io/zone": "zone-a"}},
        "spec": {"unschedulable": True},
        "status": {"conditions": [unknown, full]},
    }

    found = node_view(node, lease={"spec": {"renewTime": "2026-11-02T10:00:00.123456Z"}})

    assert (found.ready, found.zone, found.cordoned) == (None, "zone-a", True)
    assert found.pressures == {"DiskPressure"}
    assert found.lease_seconds == pytest.approx(1_793_613_600.123, abs=0.01)


def test_sizes_that_are_not_set_are_unknown() -> None:
    found = sizes_of({"resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "1Gi"}}})

    assert (found.cpu_request, found.cpu_limit) == (0.25, None)
    assert (found.memory_request, found.memory_limit) == (None, 2.0**30)
