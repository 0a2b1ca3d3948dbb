"""What the controller of ReplicaSets does: how many pods there are, which ones, and whose."""

from __future__ import annotations

from tests.contract import manifests
from tests.contract.acting import make_ready
from tests.contract.api import Api, Object, path


def _pods(api: Api, namespace: str, name: str, count: int) -> list[Object]:
    return api.until_listed(
        path("pods", namespace), lambda them: len(them) == count, labelSelector=f"app={name}"
    )


def _names(pods: list[Object]) -> set[str]:
    return {pod["metadata"]["name"] for pod in pods}


def _scale(api: Api, namespace: str, name: str, replicas: int) -> None:
    url = path("replicasets", namespace, name, "scale")
    api.patch(url, {"spec": {"replicas": replicas}}).object()


def _forbid_pods(api: Api, namespace: str) -> None:
    """Make a namespace in which there may be none."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}},
    }
    api.make("namespaces", None, manifests.namespace(namespace))
    api.make("resourcequotas", namespace, quota)
    quotas = path("resourcequotas", namespace)
    api.until(quotas, "none", lambda it: it.get("status", {}).get("hard"))


def test_a_set_keeps_so_many_pods_and_counts_them(api: Api, namespace: str, name: str) -> None:
    api.make("replicasets", namespace, manifests.replica_set(name, replicas=3))
    _pods(api, namespace, name, 3)

    seen = api.until(
        path("replicasets", namespace), name, lambda it: it["status"].get("replicas") == 3
    )

    assert seen["status"]["fullyLabeledReplicas"] == 3
    assert "readyReplicas" not in seen["status"]
    assert seen["status"]["observedGeneration"] == 1


def test_ready_pods_are_counted_apart(api: Api, namespace: str, name: str) -> None:
    api.make("replicasets", namespace, manifests.replica_set(name, replicas=2))
    make_ready(api, namespace, _pods(api, namespace, name, 2)[0]["metadata"]["name"])

    seen = api.until(
        path("replicasets", namespace), name, lambda it: it["status"].get("readyReplicas") == 1
    )

    assert (seen["status"]["replicas"], seen["status"]["availableReplicas"]) == (2, 1)


def test_a_smaller_set_gives_up_pods_that_are_not_ready_first(
    api: Api, namespace: str, name: str
) -> None:
    api.make("replicasets", namespace, manifests.replica_set(name, replicas=3))
    ready = _pods(api, namespace, name, 3)[1]["metadata"]["name"]
    make_ready(api, namespace, ready)
    api.until(
        path("replicasets", namespace), name, lambda it: it["status"].get("readyReplicas") == 1
    )

    _scale(api, namespace, name, 1)

    assert _names(_pods(api, namespace, name, 1)) == {ready}


def test_a_smaller_set_gives_up_the_cheaper_pods_first(api: Api, namespace: str, name: str) -> None:
    api.make("replicasets", namespace, manifests.replica_set(name, replicas=3))
    pods = _pods(api, namespace, name, 3)
    for pod, cost in zip(pods, ("5", "-5", "9"), strict=True):
        annotations = {"controller.kubernetes.io/pod-deletion-cost": cost}
        url = path("pods", namespace, pod["metadata"]["name"])
        api.patch(url, {"metadata": {"annotations": annotations}}).object()
        make_ready(api, namespace, pod["metadata"]["name"])
    api.until(
        path("replicasets", namespace), name, lambda it: it["status"].get("readyReplicas") == 3
    )

    _scale(api, namespace, name, 2)

    assert _names(_pods(api, namespace, name, 2)) == _names([pods[0], pods[2]])


def test_a_pod_that_nobody_owns_is_adopted(api: Api, namespace: str, name: str) -> None:
    stray = manifests.pod(f"{name}-stray")
    stray["metadata"]["labels"] = {"app": name}
    api.make("pods", namespace, stray)

    owner = api.make("replicasets", namespace, manifests.replica_set(name, replicas=1))
    adopted = api.until(
        path("pods", namespace), f"{name}-stray", lambda it: "ownerReferences" in it["metadata"]
    )

    assert adopted["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]
    assert _names(_pods(api, namespace, name, 1)) == {f"{name}-stray"}


def test_a_pod_that_loses_its_label_is_let_go_and_replaced(
    api: Api, namespace: str, name: str
) -> None:
    api.make("replicasets", namespace, manifests.replica_set(name, replicas=1))
    (pod,) = _pods(api, namespace, name, 1)
    url = path("pods", namespace, pod["metadata"]["name"])

    api.patch(url, {"metadata": {"labels": {"app": f"{name}-quarantine"}}}).object()
    released = api.until(
        path("pods", namespace),
        pod["metadata"]["name"],
        lambda it: "ownerReferences" not in it["metadata"],
    )
    (replacement,) = _pods(api, namespace, name, 1)

    assert released["metadata"]["uid"] == pod["metadata"]["uid"]
    assert replacement["metadata"]["uid"] != pod["metadata"]["uid"]


def test_a_pod_that_failed_is_replaced_and_stays(api: Api, namespace: str, name: str) -> None:
    api.make("replicasets", namespace, manifests.replica_set(name, replicas=1))
    (pod,) = _pods(api, namespace, name, 1)
    status = {"status": {"phase": "Failed", "reason": "Evicted"}}
    url = path("pods", namespace, pod["metadata"]["name"], "status")

    api.patch(url, status, "strategic").object()

    assert pod["metadata"]["name"] in _names(_pods(api, namespace, name, 2))


def test_pods_that_are_refused_are_a_failure_of_the_set(api: Api, name: str) -> None:
    _forbid_pods(api, name)

    api.make("replicasets", name, manifests.replica_set("web"))
    seen = api.until(
        path("replicasets", name), "web", lambda it: it.get("status", {}).get("conditions")
    )

    (condition,) = seen["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("ReplicaFailure", "True")
    assert condition["reason"] == "FailedCreate"
    assert "exceeded quota: none" in condition["message"]


def test_it_says_so_once_however_often_it_tries(api: Api, name: str) -> None:
    _forbid_pods(api, name)
    api.make("replicasets", name, manifests.replica_set("refused"))
    first = api.until(
        path("replicasets", name), "refused", lambda it: it["status"].get("conditions")
    )

    # Each attempt is told with the name that the pod would have had.
    api.until_listed(
        path("events", name),
        lambda them: sum(it.get("count", 1) for it in them if it["reason"] == "FailedCreate") > 5,
    )

    later = api.get(path("replicasets", name, "refused")).object()
    assert later["status"]["conditions"] == first["status"]["conditions"]
