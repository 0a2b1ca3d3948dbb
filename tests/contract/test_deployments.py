"""What the controller of Deployments does: sets, revisions, rollouts and what it says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract import manifests
from tests.contract.acting import kubelet
from tests.contract.api import Api, Object, path

REVISION = "deployment.kubernetes.io/revision"


def _url(namespace: str, name: str, *rest: str) -> str:
    return path("deployments", namespace, name, *rest)


def _condition(thing: Object, kind: str) -> Object:
    conditions = thing.get("status", {}).get("conditions", [])
    return next((it for it in conditions if it["type"] == kind), {})


def _image(name: str) -> Object:
    container = {"name": "main", "image": name}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def _is_rolled_out(thing: Object) -> bool:
    status, wanted = thing["status"], thing["spec"]["replicas"]
    return bool(
        status.get("observedGeneration") == thing["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
    )


def _roll_out(api: Api, namespace: str, body: Object) -> Object:
    name = body["metadata"]["name"]
    api.make("deployments", namespace, body)
    return _until(api, namespace, name, _is_rolled_out)


def _until(api: Api, namespace: str, name: str, is_met: Callable[[Object], Any]) -> Object:
    return api.until(path("deployments", namespace), name, is_met)


def _sets(api: Api, namespace: str, name: str) -> list[Object]:
    """Return the sets of a deployment, by revision."""
    listed = api.get(path("replicasets", namespace), labelSelector=f"app={name}").object()
    return sorted(listed["items"], key=lambda it: int(it["metadata"]["annotations"][REVISION]))


def _pods(api: Api, namespace: str, name: str) -> list[Object]:
    listed = api.get(path("pods", namespace), labelSelector=f"app={name}").object()
    items: list[Object] = listed["items"]
    return items


def test_a_deployment_makes_a_set_that_it_owns(api: Api, namespace: str, name: str) -> None:
    made = api.make("deployments", namespace, manifests.deployment(name, replicas=2))

    (owned,) = api.until_listed(
        path("replicasets", namespace), lambda them: len(them) == 1, labelSelector=f"app={name}"
    )

    hash_ = owned["metadata"]["labels"]["pod-template-hash"]
    assert owned["metadata"]["name"] == f"{name}-{hash_}"
    assert owned["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": name,
            "uid": made["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert owned["spec"]["replicas"] == 2
    assert owned["spec"]["selector"]["matchLabels"] == {"app": name, "pod-template-hash": hash_}
    assert owned["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] == hash_
    annotations = owned["metadata"]["annotations"]
    assert annotations["deployment.kubernetes.io/desired-replicas"] == "2"
    assert annotations["deployment.kubernetes.io/max-replicas"] == "3"
    assert annotations[REVISION] == "1"


def test_a_set_makes_pods_that_it_owns(api: Api, namespace: str, name: str) -> None:
    api.make("deployments", namespace, manifests.deployment(name, replicas=2))

    pods = api.until_listed(
        path("pods", namespace), lambda them: len(them) == 2, labelSelector=f"app={name}"
    )

    (owner,) = _sets(api, namespace, name)
    for pod in pods:
        (reference,) = pod["metadata"]["ownerReferences"]
        assert (reference["kind"], reference["uid"]) == ("ReplicaSet", owner["metadata"]["uid"])
        assert pod["metadata"]["generateName"] == f"{owner['metadata']['name']}-"
        assert pod["metadata"]["labels"] == owner["spec"]["template"]["metadata"]["labels"]


def test_before_any_pod_is_ready_it_is_not_available(api: Api, namespace: str, name: str) -> None:
    api.make("deployments", namespace, manifests.deployment(name, replicas=2))

    seen = _until(api, namespace, name, lambda it: it["status"].get("replicas") == 2)

    status = seen["status"]
    assert (status["unavailableReplicas"], status["updatedReplicas"]) == (2, 2)
    assert "availableReplicas" not in status
    available = _condition(seen, "Available")
    assert (available["status"], available["reason"]) == ("False", "MinimumReplicasUnavailable")
    assert available["message"] == "Deployment does not have minimum availability."
    assert _condition(seen, "Progressing")["status"] == "True"


def test_when_all_pods_are_ready_it_is_available_and_has_progressed(
    api: Api, namespace: str, name: str
) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=2))
        done = _until(
            api,
            namespace,
            name,
            lambda it: _condition(it, "Progressing").get("reason") == "NewReplicaSetAvailable",
        )

    status = done["status"]
    assert (status["readyReplicas"], status["availableReplicas"]) == (2, 2)
    assert "unavailableReplicas" not in status
    available = _condition(done, "Available")
    assert (available["status"], available["reason"]) == ("True", "MinimumReplicasAvailable")
    assert available["message"] == "Deployment has minimum availability."
    (owner,) = _sets(api, namespace, name)
    assert _condition(done, "Progressing")["message"] == (
        f'ReplicaSet "{owner["metadata"]["name"]}" has successfully progressed.'
    )


def test_a_new_template_is_a_new_set_and_the_old_one_is_kept_empty(
    api: Api, namespace: str, name: str
) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=2))
        api.patch(_url(namespace, name), _image("app:2"), "strategic").object()
        done = _until(api, namespace, name, _is_rolled_out)

    old, new = _sets(api, namespace, name)
    assert (old["spec"]["replicas"], new["spec"]["replicas"]) == (0, 2)
    assert [it["metadata"]["annotations"][REVISION] for it in (old, new)] == ["1", "2"]
    assert done["metadata"]["annotations"][REVISION] == "2"
    assert {it["spec"]["containers"][0]["image"] for it in _pods(api, namespace, name)} == {"app:2"}


def test_a_change_of_replicas_alone_is_no_new_revision(api: Api, namespace: str, name: str) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=1))
        api.patch(_url(namespace, name, "scale"), {"spec": {"replicas": 3}}).object()
        done = _until(api, namespace, name, _is_rolled_out)

    assert len(_sets(api, namespace, name)) == 1
    assert done["metadata"]["annotations"][REVISION] == "1"
    assert len(_pods(api, namespace, name)) == 3


def test_the_template_of_before_brings_its_set_back_under_a_new_revision(
    api: Api, namespace: str, name: str
) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=1))
        (first,) = _sets(api, namespace, name)
        for image in ("app:2", "app:1"):
            api.patch(_url(namespace, name), _image(image), "strategic").object()
            done = _until(api, namespace, name, _is_rolled_out)

    sets = _sets(api, namespace, name)
    assert len(sets) == 2
    assert sets[-1]["metadata"]["uid"] == first["metadata"]["uid"]
    assert sets[-1]["metadata"]["annotations"][REVISION] == "3"
    assert sets[-1]["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert done["metadata"]["annotations"][REVISION] == "3"


@pytest.mark.parametrize(
    ("surge", "unavailable", "most", "least"),
    [
        pytest.param(1, 0, 5, 4, id="surge only"),
        pytest.param(0, 1, 4, 3, id="unavailable only"),
        pytest.param("50%", "25%", 6, 3, id="percentages"),
    ],
)
def test_a_rollout_has_no_more_and_no_fewer_pods_than_it_may(
    api: Api, namespace: str, name: str, surge: object, unavailable: object, most: int, least: int
) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    body = manifests.deployment(name, replicas=4, strategy={"rollingUpdate": rolling})
    with kubelet(api, namespace):
        settled = _roll_out(api, namespace, body)["metadata"]["resourceVersion"]
        # From where the one set wants all, and says so again below. Its status is older than that of
        # the deployment, which may count a pod less in between.
        (first,) = _sets(api, namespace, name)
        version = str(int(first["metadata"]["resourceVersion"]) - 1)
        api.patch(_url(namespace, name), _image("app:2"), "strategic").object()
        _until(api, namespace, name, _is_rolled_out)

    assert max(_wanted_by_sets(api, namespace, name, since=version)) <= most
    assert min(_available(api, namespace, name, since=settled)) >= least


def _wanted_by_sets(api: Api, namespace: str, name: str, *, since: str) -> list[int]:
    """Return how many pods all sets together wanted, after each change since a version."""
    wanted, totals = {}, []
    for each in _sets(api, namespace, name):
        wanted[each["metadata"]["uid"]] = 0
    events = api.watch(
        path("replicasets", namespace),
        resourceVersion=since,
        labelSelector=f"app={name}",
        timeout_seconds=1,
    )
    for event in events:
        wanted[event["object"]["metadata"]["uid"]] = event["object"]["spec"]["replicas"]
        totals.append(sum(wanted.values()))
    return totals


def _available(api: Api, namespace: str, name: str, *, since: str) -> list[int]:
    """Return how many pods were available whenever the controller said so since a version."""
    events = api.watch(
        path("deployments", namespace),
        resourceVersion=since,
        fieldSelector=f"metadata.name={name}",
        timeout_seconds=1,
    )
    return [event["object"]["status"].get("availableReplicas", 0) for event in events]


def test_a_rollout_whose_pods_never_get_ready_stops_where_it_may_not_go_on(
    api: Api, namespace: str, name: str
) -> None:
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    body = manifests.deployment(name, replicas=2, strategy={"rollingUpdate": rolling})

    def starts(pod: Object) -> bool:
        return bool(pod["spec"]["containers"][0]["image"] != "app:broken")

    with kubelet(api, namespace, starts=starts):
        _roll_out(api, namespace, body)
        api.patch(_url(namespace, name), _image("app:broken"), "strategic").object()
        stuck = _until(api, namespace, name, lambda it: it["status"].get("updatedReplicas") == 1)

    status = stuck["status"]
    assert (status["replicas"], status["updatedReplicas"], status["availableReplicas"]) == (3, 1, 2)


def test_recreating_ends_the_old_pods_before_it_makes_new_ones(
    api: Api, namespace: str, name: str
) -> None:
    body = manifests.deployment(name, replicas=2, strategy={"type": "Recreate"})
    with kubelet(api, namespace):
        _roll_out(api, namespace, body)
        version = api.get(path("pods", namespace)).object()["metadata"]["resourceVersion"]
        api.patch(_url(namespace, name), _image("app:2"), "strategic").object()
        _until(api, namespace, name, _is_rolled_out)

    events = api.watch(
        path("pods", namespace),
        resourceVersion=version,
        labelSelector=f"app={name}",
        timeout_seconds=1,
    )
    kinds = [event["type"] for event in events if event["type"] != "MODIFIED"]
    assert kinds[:4] == ["DELETED", "DELETED", "ADDED", "ADDED"]


def test_a_paused_deployment_rolls_nothing_out_until_it_is_resumed(
    api: Api, namespace: str, name: str
) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=1))
        api.patch(_url(namespace, name), {"spec": {"paused": True}}).object()
        api.patch(_url(namespace, name), _image("app:2"), "strategic").object()
        paused = _until(
            api, namespace, name, lambda it: it["status"].get("observedGeneration") == 3
        )
        while_paused = len(_sets(api, namespace, name))
        reason = _condition(paused, "Progressing").get("reason")
        api.patch(_url(namespace, name), {"spec": {"paused": False}}).object()
        _until(api, namespace, name, _is_rolled_out)

    assert (while_paused, reason) == (1, "DeploymentPaused")
    assert len(_sets(api, namespace, name)) == 2


def test_a_paused_deployment_is_still_scaled(api: Api, namespace: str, name: str) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=1))
        api.patch(_url(namespace, name), {"spec": {"paused": True, "replicas": 3}}).object()

        scaled = _until(api, namespace, name, lambda it: it["status"].get("availableReplicas") == 3)

    assert scaled["status"]["replicas"] == 3


def test_a_rollout_that_does_not_progress_in_time_says_so(
    api: Api, namespace: str, name: str
) -> None:
    body = manifests.deployment(name, replicas=1, progressDeadlineSeconds=1)
    api.make("deployments", namespace, body)

    late = _until(
        api,
        namespace,
        name,
        lambda it: _condition(it, "Progressing").get("reason") == "ProgressDeadlineExceeded",
    )

    progressing = _condition(late, "Progressing")
    (owner,) = _sets(api, namespace, name)
    assert progressing["status"] == "False"
    assert progressing["message"] == (
        f'ReplicaSet "{owner["metadata"]["name"]}" has timed out progressing.'
    )


def test_a_rollout_that_was_late_and_gets_ready_has_progressed(
    api: Api, namespace: str, name: str
) -> None:
    body = manifests.deployment(name, replicas=1, progressDeadlineSeconds=1)
    api.make("deployments", namespace, body)
    _until(
        api,
        namespace,
        name,
        lambda it: _condition(it, "Progressing").get("reason") == "ProgressDeadlineExceeded",
    )

    with kubelet(api, namespace):
        done = _until(
            api,
            namespace,
            name,
            lambda it: _condition(it, "Progressing").get("reason") == "NewReplicaSetAvailable",
        )

    assert _condition(done, "Progressing")["status"] == "True"


def test_a_pod_is_available_only_after_it_was_ready_for_so_long(
    api: Api, namespace: str, name: str
) -> None:
    body = manifests.deployment(
        name, replicas=1, minReadySeconds=3600, progressDeadlineSeconds=7200
    )
    (pod,) = _pods_of(api, namespace, body)
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": _now(api, namespace)}
    status = {"phase": "Running", "conditions": [ready]}
    url = path("pods", namespace, pod["metadata"]["name"], "status")
    api.patch(url, {"status": status}, "strategic").object()

    waiting = _until(api, namespace, name, lambda it: it["status"].get("readyReplicas") == 1)
    longer = {**ready, "lastTransitionTime": "2020-01-01T00:00:00Z"}
    api.patch(url, {"status": {"conditions": [longer]}}, "strategic").object()
    done = _until(api, namespace, name, lambda it: it["status"].get("availableReplicas") == 1)

    assert "availableReplicas" not in waiting["status"]
    assert done["status"]["readyReplicas"] == 1


def _pods_of(api: Api, namespace: str, body: Object) -> list[Object]:
    api.make("deployments", namespace, body)
    return api.until_listed(
        path("pods", namespace),
        lambda them: len(them) == body["spec"]["replicas"],
        labelSelector=f"app={body['metadata']['name']}",
    )


def _now(api: Api, namespace: str) -> str:
    body = {**manifests.config_map(""), "metadata": {"generateName": "now-"}}
    return str(api.make("configmaps", namespace, body)["metadata"]["creationTimestamp"])


def test_a_pod_that_is_deleted_is_made_anew(api: Api, namespace: str, name: str) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=2))
        before = {it["metadata"]["uid"] for it in _pods(api, namespace, name)}
        victim = _pods(api, namespace, name)[0]
        api.delete(path("pods", namespace, victim["metadata"]["name"])).object()
        after = api.until_listed(
            path("pods", namespace),
            lambda them: len(them) == 2 and victim not in them and _all_ready(them),
            labelSelector=f"app={name}",
        )

    assert len(before & {it["metadata"]["uid"] for it in after}) == 1


def _all_ready(pods: list[Object]) -> bool:
    return all(_condition(pod, "Ready").get("status") == "True" for pod in pods)


def test_a_pod_that_is_no_longer_ready_is_missed_and_not_replaced(
    api: Api, namespace: str, name: str
) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=2))
    victim = _pods(api, namespace, name)[0]["metadata"]["name"]
    condition = {"type": "Ready", "status": "False", "reason": "ContainersNotReady"}
    patch = {"status": {"conditions": [condition]}}
    api.patch(path("pods", namespace, victim, "status"), patch, "strategic").object()

    seen = _until(api, namespace, name, lambda it: it["status"].get("availableReplicas") == 1)

    assert (seen["status"]["replicas"], seen["status"]["unavailableReplicas"]) == (2, 1)
    assert victim in {it["metadata"]["name"] for it in _pods(api, namespace, name)}


def test_old_sets_beyond_the_limit_of_history_go(api: Api, namespace: str, name: str) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=1, revisionHistoryLimit=1))
        for image in ("app:2", "app:3"):
            api.patch(_url(namespace, name), _image(image), "strategic").object()
            _until(api, namespace, name, _is_rolled_out)
        left = api.until_listed(
            path("replicasets", namespace), lambda them: len(them) == 2, labelSelector=f"app={name}"
        )

    assert {it["metadata"]["annotations"][REVISION] for it in left} == {"2", "3"}


def test_the_controllers_tell_what_they_did_in_events(api: Api, namespace: str, name: str) -> None:
    api.make("deployments", namespace, manifests.deployment(name, replicas=1))

    (event,) = api.until_listed(
        path("events", namespace),
        lambda them: len(them) == 1,
        fieldSelector=f"involvedObject.name={name},involvedObject.kind=Deployment",
    )
    (owner,) = _sets(api, namespace, name)
    (made,) = api.until_listed(
        path("events", namespace),
        lambda them: len(them) == 1,
        fieldSelector=f"involvedObject.name={owner['metadata']['name']}",
    )

    assert (event["reason"], event["type"]) == ("ScalingReplicaSet", "Normal")
    assert event["message"] == (f"Scaled up replica set {owner['metadata']['name']} from 0 to 1")
    assert event["source"]["component"] == "deployment-controller"
    assert made["reason"] == "SuccessfulCreate"
    assert made["message"].startswith(f"Created pod: {owner['metadata']['name']}-")


def test_an_annotation_that_restarts_is_a_new_template(api: Api, namespace: str, name: str) -> None:
    with kubelet(api, namespace):
        _roll_out(api, namespace, manifests.deployment(name, replicas=1))
        before = _pods(api, namespace, name)[0]["metadata"]["uid"]
        restarted = {"kubectl.kubernetes.io/restartedAt": "2026-11-28T00:00:00Z"}
        patch = {"spec": {"template": {"metadata": {"annotations": restarted}}}}
        api.patch(_url(namespace, name), patch, "strategic").object()
        _until(api, namespace, name, _is_rolled_out)

    (pod,) = _pods(api, namespace, name)
    assert pod["metadata"]["uid"] != before
    assert pod["metadata"]["annotations"] == restarted
