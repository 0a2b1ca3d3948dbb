"""Parts of objects with a path of their own: status, scale, eviction, binding."""

from __future__ import annotations

import pytest

from tests.contract import manifests
from tests.contract.acting import make_ready, set_status
from tests.contract.api import Api, Object, path


@pytest.mark.parametrize("plural", ["pods", "deployments", "nodes", "poddisruptionbudgets"])
def test_an_ordinary_write_leaves_the_status_alone(
    api: Api, namespace: str, name: str, plural: str
) -> None:
    url, body = _of(plural, namespace, name)
    api.post(url, body).object()
    before = api.get(f"{url}/{name}").object().get("status", {})
    statuses: dict[str, Object] = {"pods": {"reason": "Mine"}, "deployments": {"replicas": 7}}
    status = statuses.get(plural, {"x": 1})

    patched = api.patch(f"{url}/{name}", {"status": status}, fieldValidation="Ignore").object()

    for key in status:
        assert patched.get("status", {}).get(key) == before.get(key)


@pytest.mark.parametrize("method", ["patch", "put"])
def test_a_write_of_the_status_leaves_the_rest_alone(
    api: Api, namespace: str, name: str, method: str
) -> None:
    made = api.make("deployments", namespace, manifests.deployment(name, replicas=0))
    url = path("deployments", namespace, name, "status")
    change: Object = {
        "metadata": {"labels": {"from": "status"}},
        "spec": {"replicas": 5},
        "status": {"collisionCount": 3},
    }
    if method == "put":
        change = {**made, **change, "metadata": {"name": name, "labels": {"from": "status"}}}
        change["spec"] = {**made["spec"], "replicas": 5}

    written = getattr(api, method)(url, change).object()

    assert written["status"]["collisionCount"] == 3
    assert written["spec"]["replicas"] == 0
    assert written["metadata"]["generation"] == made["metadata"]["generation"]


def test_a_status_is_read_as_the_whole_object(api: Api, namespace: str, name: str) -> None:
    made = api.make("pods", namespace, manifests.pod(name))

    read = api.get(path("pods", namespace, name, "status")).object()

    assert (read["kind"], read["metadata"]["uid"]) == ("Pod", made["metadata"]["uid"])


def test_the_generation_counts_changes_of_the_specification(
    api: Api, namespace: str, name: str
) -> None:
    url = path("deployments", namespace, name)
    generations = [
        api.make("deployments", namespace, manifests.deployment(name, replicas=0)),
        api.patch(url, {"metadata": {"labels": {"a": "b"}}}).object(),
        api.patch(url, {"spec": {"minReadySeconds": 1}}).object(),
        api.patch(url, {"spec": {"minReadySeconds": 1}}).object(),
    ]

    assert [it["metadata"]["generation"] for it in generations] == [1, 1, 2, 2]


def test_the_controller_says_which_generation_it_has_seen(
    api: Api, namespace: str, name: str
) -> None:
    url = path("deployments", namespace)
    api.make("deployments", namespace, manifests.deployment(name, replicas=0))
    api.patch(f"{url}/{name}", {"spec": {"minReadySeconds": 1}}).object()

    seen = api.until(url, name, lambda it: it["status"].get("observedGeneration") == 2)

    assert seen["metadata"]["generation"] == 2


@pytest.mark.parametrize("plural", ["deployments", "replicasets"])
def test_a_scale_has_the_replicas_and_a_selector_in_text(
    api: Api, namespace: str, name: str, plural: str
) -> None:
    made = api.make(plural, namespace, _of(plural, namespace, name)[1])

    scale = api.get(path(plural, namespace, name, "scale")).object()

    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["spec"] == {}
    assert scale["status"] == {"replicas": 0, "selector": f"app={name}"}
    assert scale["metadata"]["uid"] == made["metadata"]["uid"]


@pytest.mark.parametrize("kind", ["merge", "strategic", "json"])
@pytest.mark.parametrize("plural", ["deployments", "replicasets"])
def test_replicas_are_changed_through_the_scale(
    api: Api, namespace: str, name: str, plural: str, kind: str
) -> None:
    api.make(plural, namespace, _of(plural, namespace, name)[1])
    url = path(plural, namespace, name)
    patch: object = {"spec": {"replicas": 2}}
    if kind == "json":
        patch = [{"op": "add", "path": "/spec/replicas", "value": 2}]

    scale = api.patch(f"{url}/scale", patch, kind).object()

    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 2)
    assert api.get(url).object()["spec"]["replicas"] == 2


def test_a_scale_is_replaced_with_its_version_checked(api: Api, namespace: str, name: str) -> None:
    api.make("replicasets", namespace, manifests.replica_set(name, replicas=0))
    url = path("replicasets", namespace, name)
    # Its controller writes the status once; later that would be one more version than is read here.
    api.until(path("replicasets", namespace), name, lambda it: "observedGeneration" in it["status"])
    scale = api.get(f"{url}/scale").object()
    api.patch(url, {"metadata": {"labels": {"a": "b"}}}).object()

    stale = api.put(f"{url}/scale", {**scale, "spec": {"replicas": 1}})
    fresh = api.put(f"{url}/scale", {**api.get(f"{url}/scale").object(), "spec": {"replicas": 1}})

    assert (stale.status, stale.body["reason"]) == (409, "Conflict")
    assert fresh.object()["spec"]["replicas"] == 1


def test_a_negative_scale_is_invalid(api: Api, namespace: str, name: str) -> None:
    api.make("deployments", namespace, manifests.deployment(name, replicas=0))

    reply = api.patch(path("deployments", namespace, name, "scale"), {"spec": {"replicas": -1}})

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert "must be greater than or equal to 0" in reply.body["message"]


def test_the_official_client_scales(api: Api, namespace: str, name: str) -> None:
    api.make("deployments", namespace, manifests.deployment(name, replicas=0))

    scale = api.apps.patch_namespaced_deployment_scale(name, namespace, {"spec": {"replicas": 4}})

    assert scale.spec.replicas == 4
    assert api.apps.read_namespaced_deployment_scale(name, namespace).spec.replicas == 4


def _evict(api: Api, namespace: str, name: str, **options: object) -> tuple[int, Object]:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}, **options}
    reply = api.post(path("pods", namespace, name, "eviction"), body)
    return reply.status, reply.body


def test_a_pod_that_no_budget_protects_is_evicted(api: Api, namespace: str, name: str) -> None:
    api.make("pods", namespace, manifests.pod(name))

    status, body = _evict(api, namespace, name)

    assert (status, body["kind"], body["status"]) == (201, "Status", "Success")
    assert api.until(path("pods", namespace), name, lambda it: not it) == {}


def test_the_last_healthy_pod_of_a_budget_is_not_evicted(
    api: Api, namespace: str, name: str
) -> None:
    _protected(api, namespace, name, pods=1)

    status, body = _evict(api, namespace, name + "-0")

    assert (status, body["reason"]) == (429, "TooManyRequests")
    assert body["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    (cause,) = body["details"]["causes"]
    assert cause["reason"] == "DisruptionBudget"
    assert cause["message"] == (
        f"The disruption budget {name} needs 1 healthy pods and has 1 currently"
    )
    assert api.get(path("pods", namespace, name + "-0")).status == 200


def test_as_many_are_evicted_as_a_budget_allows(api: Api, namespace: str, name: str) -> None:
    budget = _protected(api, namespace, name, pods=2)

    first, _ = _evict(api, namespace, f"{name}-0")
    second, _ = _evict(api, namespace, f"{name}-1")

    assert budget["status"]["disruptionsAllowed"] == 1
    assert (first, second) == (201, 429)


def test_a_budget_counts_the_healthy_and_the_expected(api: Api, namespace: str, name: str) -> None:
    budget = _protected(api, namespace, name, pods=2)["status"]

    counted = {k: budget[k] for k in ("currentHealthy", "desiredHealthy", "expectedPods")}
    assert counted == {"currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2}
    (condition,) = budget["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionAllowed", "True")
    assert condition["reason"] == "SufficientPods"


def test_a_pod_that_does_not_run_is_evicted_whatever_a_budget_says(
    api: Api, namespace: str, name: str
) -> None:
    _protected(api, namespace, name, pods=1)
    api.make("pods", namespace, _member(name, "pending"))

    status, _ = _evict(api, namespace, f"{name}-pending")

    assert status == 201


def test_a_pod_that_never_ran_is_evicted_though_its_budget_has_no_healthy_one(
    api: Api, namespace: str, name: str
) -> None:
    api.make("pods", namespace, _member(name, "pending"))
    _budget(api, namespace, name, healthy=0)

    status, _ = _evict(api, namespace, f"{name}-pending")

    assert status == 201


def test_a_pod_that_is_on_its_way_out_may_be_evicted_once_more(
    api: Api, namespace: str, name: str
) -> None:
    held = _member(name, "leaving")
    held["metadata"]["finalizers"] = ["tests.homeostat.dev/hold"]
    url = path("pods", namespace, f"{name}-leaving")
    api.make("pods", namespace, held)
    make_ready(api, namespace, f"{name}-leaving")
    api.delete(url).object()
    _budget(api, namespace, name, healthy=0)

    status, _ = _evict(api, namespace, f"{name}-leaving")

    assert status == 201
    api.patch(url, {"metadata": {"finalizers": None}}).object()


@pytest.mark.parametrize(
    ("policy", "healthy", "answer"),
    [
        pytest.param(None, 0, 429, id="unsaid, budget not met"),
        pytest.param(None, 1, 201, id="unsaid, budget met"),
        pytest.param("IfHealthyBudget", 0, 429, id="if healthy, budget not met"),
        pytest.param("IfHealthyBudget", 1, 201, id="if healthy, budget met"),
        pytest.param("AlwaysAllow", 0, 201, id="always, budget not met"),
        pytest.param("AlwaysAllow", 1, 201, id="always, budget met"),
    ],
)
def test_whether_a_pod_that_runs_unready_is_evicted_is_a_policy_of_its_budget(
    api: Api, namespace: str, name: str, policy: str | None, healthy: int, answer: int
) -> None:
    for number in range(healthy):
        api.make("pods", namespace, _member(name, str(number)))
        make_ready(api, namespace, f"{name}-{number}")
    api.make("pods", namespace, _member(name, "unready"))
    set_status(api, namespace, f"{name}-unready", {"phase": "Running"})
    rule = {} if policy is None else {"unhealthyPodEvictionPolicy": policy}
    _budget(api, namespace, name, healthy=healthy, minAvailable=1, **rule)

    status, _ = _evict(api, namespace, f"{name}-unready")

    assert status == answer


def test_a_dry_eviction_leaves_a_budget_as_it_was(api: Api, namespace: str, name: str) -> None:
    _protected(api, namespace, name, pods=2)
    url = path("poddisruptionbudgets", namespace, name)
    before = api.get(url).object()["status"]

    status, _ = _evict(api, namespace, f"{name}-0", deleteOptions={"dryRun": ["All"]})

    assert (status, api.get(url).object()["status"]) == (201, before)


def test_an_unknown_policy_for_unready_pods_is_refused(api: Api, namespace: str, name: str) -> None:
    body = manifests.disruption_budget(name, minAvailable=1, unhealthyPodEvictionPolicy="Sometimes")

    reply = api.post(path("poddisruptionbudgets", namespace), body)

    assert (reply.status, reply.body.get("reason")) == (422, "Invalid")
    assert reply.body["message"].endswith(
        'spec.unhealthyPodEvictionPolicy: Unsupported value: "Sometimes": '
        'supported values: "AlwaysAllow", "IfHealthyBudget"'
    )


def test_a_dry_eviction_evicts_nothing(api: Api, namespace: str, name: str) -> None:
    api.make("pods", namespace, manifests.pod(name))

    status, _ = _evict(api, namespace, name, deleteOptions={"dryRun": ["All"]})

    assert status == 201
    assert "deletionTimestamp" not in api.get(path("pods", namespace, name)).object()["metadata"]


def test_an_eviction_of_what_is_not_there_is_not_found(api: Api, namespace: str, name: str) -> None:
    status, body = _evict(api, namespace, name)

    assert (status, body["message"]) == (404, f'pods "{name}" not found')


def test_a_pod_is_bound_once(api: Api, namespace: str, name: str) -> None:
    body = manifests.pod(name, schedulerName="nobody")
    api.make("pods", namespace, body)
    binding = {"metadata": {"name": name}, "target": {"kind": "Node", "name": "somewhere"}}

    first = api.post(path("pods", namespace, name, "binding"), binding)
    second = api.post(path("pods", namespace, name, "binding"), binding)

    pod = api.get(path("pods", namespace, name)).object()
    assert (first.status, first.body["status"]) == (201, "Success")
    assert pod["spec"]["nodeName"] == "somewhere"
    condition = next(it for it in pod["status"]["conditions"] if it["type"] == "PodScheduled")
    assert condition["status"] == "True"
    assert (second.status, second.body["reason"]) == (409, "Conflict")
    assert f'pod {name} is already assigned to node "somewhere"' in second.body["message"]


def test_a_crash_that_a_kubelet_reports_is_read_back(api: Api, namespace: str, name: str) -> None:
    api.make("pods", namespace, manifests.pod(name))
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-28T00:00:00Z"}
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}
    container = {
        "name": "main",
        "ready": False,
        "restartCount": 3,
        "image": "app:1",
        "imageID": "",
        "state": {"waiting": waiting},
        "lastState": {"terminated": ended},
    }
    set_status(api, namespace, name, {"phase": "Running", "containerStatuses": [container]})

    read = api.core.read_namespaced_pod(name, namespace).status.container_statuses[0]

    assert read.state.waiting.reason == "CrashLoopBackOff"
    assert (read.last_state.terminated.reason, read.last_state.terminated.exit_code) == (
        "OOMKilled",
        137,
    )
    assert read.restart_count == 3


def _protected(api: Api, namespace: str, name: str, *, pods: int) -> Object:
    """Return a budget of one pod, once it has counted so many healthy ones."""
    for number in range(pods):
        api.make("pods", namespace, _member(name, str(number)))
        make_ready(api, namespace, f"{name}-{number}")
    return _budget(api, namespace, name, healthy=pods)


def _budget(api: Api, namespace: str, name: str, *, healthy: int, **spec: object) -> Object:
    api.make("poddisruptionbudgets", namespace, manifests.disruption_budget(name, **spec))
    return api.until(
        path("poddisruptionbudgets", namespace),
        name,
        lambda it: it.get("status", {}).get("currentHealthy") == healthy,
    )


def _member(name: str, number: str) -> Object:
    body = manifests.pod(f"{name}-{number}")
    body["metadata"]["labels"] = {"app": name}
    return body


def _of(plural: str, namespace: str, name: str) -> tuple[str, Object]:
    bodies = {
        "pods": manifests.pod(name),
        "deployments": manifests.deployment(name, replicas=0),
        "replicasets": manifests.replica_set(name, replicas=0),
        "nodes": manifests.node(name),
        "poddisruptionbudgets": manifests.disruption_budget(name),
    }
    return path(plural, None if plural == "nodes" else namespace), bodies[plural]
