"""Where pods go: nodes that are ready, have room, and are not tainted against them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract import manifests
from tests.contract.acting import add_node, node_conditions
from tests.contract.api import Api, Object, path


@pytest.fixture
def pool(name: str) -> str:
    """A label of nodes that only this test has, so that no other pods come to them."""
    return name


def _node(api: Api, pool: str, suffix: str = "a", **fields: object) -> str:
    # Pods of other tests tolerate nothing, so they stay away.
    taints = [{"key": "pool", "value": pool, "effect": "NoSchedule"}, *fields.pop("taints", [])]  # type: ignore[misc]
    node = f"{pool}-{suffix}"
    labels = {"pool": pool, **fields.pop("labels", {})}  # type: ignore[dict-item]
    add_node(api, node, labels=labels, taints=taints, **fields)  # type: ignore[arg-type]
    return node


def _pod(api: Api, namespace: str, pool: str, suffix: str = "a", **fields: object) -> str:
    name = f"{pool}-{suffix}"
    container = {
        "name": "main",
        "image": "app:1",
        "resources": {"requests": fields.pop("requests", {})},
    }
    spec = {
        "containers": [container],
        "nodeSelector": {"pool": pool, **fields.pop("selector", {})},  # type: ignore[dict-item]
        "tolerations": [{"key": "pool", "operator": "Exists"}, *fields.pop("tolerations", [])],  # type: ignore[misc]
        **fields,
    }
    api.make("pods", namespace, manifests.pod(name, **spec))
    return name


def _decided(pod: Object) -> object:
    return pod["spec"].get("nodeName") or _scheduled(pod)


def _scheduled(pod: Object) -> Object:
    conditions = pod.get("status", {}).get("conditions", [])
    return next((it for it in conditions if it["type"] == "PodScheduled"), {})


def _outcome(api: Api, namespace: str, name: str) -> Object:
    return api.until(path("pods", namespace), name, _decided)


def test_a_pod_goes_to_a_node_that_fits(api: Api, namespace: str, pool: str) -> None:
    node = _node(api, pool)

    pod = _outcome(api, namespace, _pod(api, namespace, pool, requests={"cpu": "1"}))

    assert pod["spec"]["nodeName"] == node
    assert _scheduled(pod)["status"] == "True"
    assert pod["status"]["phase"] == "Pending"


def test_a_pod_that_is_bound_is_told_in_an_event(api: Api, namespace: str, pool: str) -> None:
    node = _node(api, pool)
    name = _pod(api, namespace, pool)

    (event,) = api.until_listed(
        path("events", namespace),
        lambda them: len(them) == 1,
        fieldSelector=f"involvedObject.name={name},reason=Scheduled",
    )

    assert event["message"] == f"Successfully assigned {namespace}/{name} to {node}"
    assert event["reportingComponent"] == "default-scheduler"


@pytest.mark.parametrize(
    ("node", "pod", "words"),
    [
        pytest.param({"cpu": "1"}, {"requests": {"cpu": "2"}}, "Insufficient cpu", id="cpu"),
        pytest.param(
            {"memory": "1Gi"}, {"requests": {"memory": "2Gi"}}, "Insufficient memory", id="memory"
        ),
        pytest.param({"pods": "0"}, {}, "Too many pods", id="number of pods"),
        pytest.param(
            {"taints": [{"key": "dedicated", "value": "x", "effect": "NoSchedule"}]},
            {},
            "had untolerated taint(s)",
            id="taint",
        ),
        pytest.param(
            {},
            {"selector": {"zone": "none"}},
            "didn't match Pod's node affinity/selector",
            id="selector",
        ),
        pytest.param({"unschedulable": True}, {}, "were unschedulable", id="cordoned"),
    ],
)
def test_a_pod_that_fits_nowhere_waits_and_says_why(
    api: Api, namespace: str, pool: str, node: Object, pod: Object, words: str
) -> None:
    _node(api, pool, **node)

    waiting = _outcome(api, namespace, _pod(api, namespace, pool, **pod))

    condition = _scheduled(waiting)
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    assert "nodes are available" in condition["message"]
    assert words in condition["message"]
    assert waiting["status"]["phase"] == "Pending"
    assert "nodeName" not in waiting["spec"]


def test_a_failure_to_schedule_is_told_in_an_event(api: Api, namespace: str, pool: str) -> None:
    name = _pod(api, namespace, pool)

    (event,) = api.until_listed(
        path("events", namespace),
        lambda them: len(them) == 1,
        fieldSelector=f"involvedObject.name={name}",
    )

    assert (event["reason"], event["type"]) == ("FailedScheduling", "Warning")
    assert "nodes available" in event["message"] or "nodes are available" in event["message"]


def test_requests_of_all_pods_of_a_node_add_up(api: Api, namespace: str, pool: str) -> None:
    node = _node(api, pool, cpu="2")
    outcomes = [
        _outcome(api, namespace, _pod(api, namespace, pool, suffix, requests={"cpu": "800m"}))
        for suffix in ("a", "b", "c")
    ]

    assert [it["spec"].get("nodeName") for it in outcomes] == [node, node, None]


def test_a_pod_that_has_ended_makes_room(api: Api, namespace: str, pool: str) -> None:
    node = _node(api, pool, cpu="1")
    first = _pod(api, namespace, pool, "first", requests={"cpu": "1"})
    _outcome(api, namespace, first)
    second = _pod(api, namespace, pool, "second", requests={"cpu": "1"})
    _outcome(api, namespace, second)

    api.delete(path("pods", namespace, first), gracePeriodSeconds=0).object()

    pod = api.until(path("pods", namespace), second, lambda it: it["spec"].get("nodeName"))
    assert pod["spec"]["nodeName"] == node


def test_a_pod_that_waits_goes_to_a_node_that_comes(api: Api, namespace: str, pool: str) -> None:
    name = _pod(api, namespace, pool)
    _outcome(api, namespace, name)

    node = _node(api, pool)

    pod = api.until(path("pods", namespace), name, lambda it: it["spec"].get("nodeName"))
    assert pod["spec"]["nodeName"] == node


def test_a_node_that_is_uncordoned_takes_pods_again(api: Api, namespace: str, pool: str) -> None:
    node = _node(api, pool, unschedulable=True)
    name = _pod(api, namespace, pool)
    _outcome(api, namespace, name)

    api.patch(path("nodes", None, node), {"spec": {"unschedulable": None}}, "strategic").object()

    pod = api.until(path("pods", namespace), name, lambda it: it["spec"].get("nodeName"))
    assert pod["spec"]["nodeName"] == node


@pytest.mark.parametrize(
    ("toleration", "is_bound"),
    [
        pytest.param({"key": "gpu", "operator": "Exists"}, True, id="exists"),
        pytest.param({"key": "gpu", "operator": "Equal", "value": "yes"}, True, id="equal"),
        pytest.param({"key": "gpu", "value": "no"}, False, id="other value"),
        pytest.param(
            {"key": "gpu", "operator": "Exists", "effect": "NoExecute"}, False, id="other effect"
        ),
        pytest.param({"operator": "Exists"}, True, id="everything"),
    ],
)
def test_a_toleration_lets_a_pod_onto_a_tainted_node(
    api: Api, namespace: str, pool: str, toleration: Object, is_bound: bool
) -> None:
    _node(api, pool, taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}])

    pod = _outcome(api, namespace, _pod(api, namespace, pool, tolerations=[toleration]))

    assert ("nodeName" in pod["spec"]) is is_bound


def test_a_selector_chooses_among_nodes(api: Api, namespace: str, pool: str) -> None:
    _node(api, pool, "a", labels={"zone": "a"})
    wanted = _node(api, pool, "b", labels={"zone": "b"})

    pod = _outcome(api, namespace, _pod(api, namespace, pool, selector={"zone": "b"}))

    assert pod["spec"]["nodeName"] == wanted


def test_pods_of_a_set_are_spread_over_equal_nodes(api: Api, namespace: str, pool: str) -> None:
    nodes = {_node(api, pool, suffix) for suffix in "ab"}
    body = manifests.replica_set(pool, replicas=2)
    body["spec"]["template"]["spec"] |= {
        "nodeSelector": {"pool": pool},
        "tolerations": [{"key": "pool", "operator": "Exists"}],
    }
    api.make("replicasets", namespace, body)

    pods = api.until_listed(
        path("pods", namespace),
        lambda them: len(them) == 2 and all(it["spec"].get("nodeName") for it in them),
        labelSelector=f"app={pool}",
    )

    assert {it["spec"]["nodeName"] for it in pods} == nodes


def test_a_pod_of_another_scheduler_is_left_alone(api: Api, namespace: str, pool: str) -> None:
    _node(api, pool)
    _pod(api, namespace, pool, "other", schedulerName="somebody")

    _outcome(api, namespace, _pod(api, namespace, pool, "mine"))

    other = api.get(path("pods", namespace, f"{pool}-other")).object()
    assert "nodeName" not in other["spec"]
    assert _scheduled(other) == {}


def test_a_new_node_is_tainted_until_it_is_ready(api: Api, name: str) -> None:
    made = api.make("nodes", None, manifests.node(name))
    status = {"status": {"conditions": node_conditions()}}

    api.patch(path("nodes", None, name, "status"), status, "strategic").object()
    ready = api.until(path("nodes"), name, lambda it: not it["spec"].get("taints"))

    assert made["spec"]["taints"] == [
        {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    ]
    assert "taints" not in ready["spec"]


@pytest.mark.parametrize(
    ("status", "key"),
    [("False", "node.kubernetes.io/not-ready"), ("Unknown", "node.kubernetes.io/unreachable")],
)
def test_a_node_that_is_not_ready_is_tainted(
    api: Api, namespace: str, pool: str, status: str, key: str
) -> None:
    node = _node(api, pool)
    change = {"status": {"conditions": node_conditions(status)}}
    api.patch(path("nodes", None, node, "status"), change, "strategic").object()

    def has_both(it: Object) -> bool:
        effects = {t["effect"] for t in it["spec"].get("taints", []) if t["key"] == key}
        return effects == {"NoSchedule", "NoExecute"}

    assert api.until(path("nodes"), node, has_both)
    waiting = _outcome(api, namespace, _pod(api, namespace, pool))
    assert _scheduled(waiting)["reason"] == "Unschedulable"


def test_a_cordoned_node_has_a_taint_that_says_so(api: Api, pool: str) -> None:
    node = _node(api, pool)

    api.patch(path("nodes", None, node), {"spec": {"unschedulable": True}}).object()

    def is_tainted(it: Object) -> bool:
        return any(t["key"] == "node.kubernetes.io/unschedulable" for t in it["spec"]["taints"])

    assert api.until(path("nodes"), node, is_tainted)


@pytest.mark.parametrize("tolerates", [False, True])
def test_pods_leave_a_node_whose_taint_they_do_not_tolerate(
    api: Api, namespace: str, pool: str, tolerates: bool
) -> None:
    node = _node(api, pool)
    tolerations = [{"key": "leave", "operator": "Exists"}] if tolerates else []
    stays = _pod(
        api, namespace, pool, "stays", tolerations=[{"key": "leave", "operator": "Exists"}]
    )
    name = _pod(api, namespace, pool, "judged", tolerations=tolerations)
    for each in (stays, name):
        _outcome(api, namespace, each)
    taints = [*api.get(path("nodes", None, node)).object()["spec"]["taints"]]
    taints.append({"key": "leave", "effect": "NoExecute"})

    api.patch(path("nodes", None, node), {"spec": {"taints": taints}}).object()

    is_met: Callable[[Object], object] = (
        (lambda it: it["spec"].get("nodeName"))
        if tolerates
        else (lambda it: not it or "deletionTimestamp" in it["metadata"])
    )
    left = api.until(path("pods", namespace), name, is_met)
    assert ("deletionTimestamp" not in left.get("metadata", {"deletionTimestamp": ""})) is tolerates


def test_pods_tolerate_a_lost_node_for_five_minutes(api: Api, namespace: str, name: str) -> None:
    made = api.make("pods", namespace, manifests.pod(name))

    tolerations = {
        it["key"]: (it["effect"], it["tolerationSeconds"]) for it in made["spec"]["tolerations"]
    }
    assert tolerations == {
        "node.kubernetes.io/not-ready": ("NoExecute", 300),
        "node.kubernetes.io/unreachable": ("NoExecute", 300),
    }


def test_a_more_important_pod_takes_the_place_of_another(
    api: Api, namespace: str, pool: str
) -> None:
    node = _node(api, pool, cpu="1")
    api.make("priorityclasses", None, manifests.priority_class(pool))
    lesser = _pod(api, namespace, pool, "lesser", requests={"cpu": "1"})
    _outcome(api, namespace, lesser)

    greater = _pod(api, namespace, pool, "greater", requests={"cpu": "1"}, priorityClassName=pool)
    ending = api.until(
        path("pods", namespace), lesser, lambda it: "deletionTimestamp" in it["metadata"]
    )
    api.delete(path("pods", namespace, lesser), gracePeriodSeconds=0)

    condition = next(
        it for it in ending["status"]["conditions"] if it["type"] == "DisruptionTarget"
    )
    assert condition["reason"] == "PreemptionByScheduler"
    pod = api.until(path("pods", namespace), greater, lambda it: it["spec"].get("nodeName"))
    assert pod["spec"]["nodeName"] == node
