"""How things end: finalizers, time to end gracefully, and owners that take what they own along."""

from __future__ import annotations

import pytest

from tests.contract import manifests
from tests.contract.acting import make_ready
from tests.contract.api import Api, Object, path

HOLD = "tests.homeostat.dev/hold"


def _owned(name: str, owner: Object, kind: str, *, blocks: bool = False) -> Object:
    body = manifests.config_map(name)
    version = "apps/v1" if kind == "ReplicaSet" else "v1"
    body["metadata"]["ownerReferences"] = [
        {
            "apiVersion": version,
            "kind": kind,
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": blocks,
        }
    ]
    return body


# Finalizers.


def test_what_is_held_by_a_finalizer_stays_and_says_when_it_was_to_go(
    api: Api, namespace: str, name: str
) -> None:
    url = path("configmaps", namespace, name)
    body = manifests.config_map(name)
    body["metadata"]["finalizers"] = [HOLD]
    made = api.make("configmaps", namespace, body)

    deleted = api.delete(url)
    held = api.get(url).object()

    assert deleted.status == 200
    assert deleted.body["kind"] == "ConfigMap"
    assert deleted.body["metadata"]["deletionTimestamp"] == held["metadata"]["deletionTimestamp"]
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    assert held["metadata"]["uid"] == made["metadata"]["uid"]
    api.patch(url, {"metadata": {"finalizers": None}})


def test_the_last_finalizer_that_is_taken_away_ends_it(api: Api, namespace: str, name: str) -> None:
    url = path("configmaps", namespace, name)
    body = manifests.config_map(name)
    body["metadata"]["finalizers"] = [HOLD, f"{HOLD}-2"]
    api.make("configmaps", namespace, body)
    api.delete(url)

    api.patch(url, {"metadata": {"finalizers": [HOLD]}}).object()
    between = api.get(url).status
    api.patch(url, {"metadata": {"finalizers": []}}).object()

    assert (between, api.get(url).status) == (200, 404)


def test_what_is_about_to_go_takes_no_new_finalizer(api: Api, namespace: str, name: str) -> None:
    url = path("configmaps", namespace, name)
    body = manifests.config_map(name)
    body["metadata"]["finalizers"] = [HOLD]
    api.make("configmaps", namespace, body)
    api.delete(url)

    reply = api.patch(url, {"metadata": {"finalizers": [HOLD, f"{HOLD}-2"]}})

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert "no new finalizers can be added if the object is being deleted" in reply.body["message"]
    api.patch(url, {"metadata": {"finalizers": None}})


def test_what_is_about_to_go_may_still_change(api: Api, namespace: str, name: str) -> None:
    url = path("configmaps", namespace, name)
    body = manifests.config_map(name)
    body["metadata"]["finalizers"] = [HOLD]
    api.make("configmaps", namespace, body)
    api.delete(url)

    assert api.patch(url, {"data": {"late": "x"}}).object()["data"]["late"] == "x"
    api.patch(url, {"metadata": {"finalizers": None}})


# Graceful deletion of pods. Only pods that have a node have somebody who ends them.


def _running(api: Api, namespace: str, name: str, **spec: object) -> str:
    api.make("pods", namespace, manifests.pod(name, nodeName="elsewhere", **spec))
    make_ready(api, namespace, name)
    return path("pods", namespace, name)


def test_a_running_pod_is_given_time_to_end(api: Api, namespace: str, name: str) -> None:
    url = _running(api, namespace, name)

    deleted = api.delete(url)
    pod = api.get(url).object()

    assert (deleted.status, deleted.body["kind"]) == (200, "Pod")
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 30
    assert pod["metadata"]["deletionTimestamp"] > pod["metadata"]["creationTimestamp"]
    assert pod["status"]["phase"] == "Running"
    api.delete(url, gracePeriodSeconds=0)


@pytest.mark.parametrize("where", ["query", "body", "specification"])
def test_the_time_to_end_is_asked_for(api: Api, namespace: str, name: str, where: str) -> None:
    spec = {"terminationGracePeriodSeconds": 7} if where == "specification" else {}
    url = _running(api, namespace, name, **spec)
    if where == "query":
        api.delete(url, gracePeriodSeconds=7).object()
    else:
        api.delete(url, {"gracePeriodSeconds": 7} if where == "body" else None).object()

    assert api.get(url).object()["metadata"]["deletionGracePeriodSeconds"] == 7
    api.delete(url, gracePeriodSeconds=0)


def test_a_pod_is_ended_at_once_by_force(api: Api, namespace: str, name: str) -> None:
    url = _running(api, namespace, name)

    forced = api.delete(url, gracePeriodSeconds=0)

    assert (forced.status, forced.body["kind"]) == (200, "Pod")
    assert api.get(url).status == 404


def test_the_time_to_end_is_shortened_and_never_lengthened(
    api: Api, namespace: str, name: str
) -> None:
    url = _running(api, namespace, name)

    api.delete(url, gracePeriodSeconds=10).object()
    api.delete(url, gracePeriodSeconds=20).object()
    longer = api.get(url).object()["metadata"]["deletionGracePeriodSeconds"]
    api.delete(url, gracePeriodSeconds=5).object()
    shorter = api.get(url).object()["metadata"]["deletionGracePeriodSeconds"]

    assert (longer, shorter) == (10, 5)
    api.delete(url, gracePeriodSeconds=0)


def test_a_pod_that_has_no_node_ends_at_once(api: Api, namespace: str, name: str) -> None:
    api.make("pods", namespace, manifests.pod(name, schedulerName="nobody"))

    api.delete(path("pods", namespace, name)).object()

    assert api.get(path("pods", namespace, name)).status == 404


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_goes_at_once(api: Api, namespace: str, name: str, phase: str) -> None:
    url = _running(api, namespace, name)
    api.patch(f"{url}/status", {"status": {"phase": phase}}, "strategic").object()

    api.delete(url).object()

    assert api.get(url).status == 404


def test_a_pod_that_is_forced_while_it_ends_is_told_of_thrice(
    api: Api, namespace: str, name: str
) -> None:
    url = _running(api, namespace, name)
    version = api.get(url).object()["metadata"]["resourceVersion"]
    api.delete(url).object()
    api.delete(url, gracePeriodSeconds=0).object()

    events = api.watch(
        path("pods", namespace), resourceVersion=version, fieldSelector=f"metadata.name={name}"
    )
    seen = [next(events) for _ in range(3)]
    events.close()  # type: ignore[attr-defined]

    graces = [it["object"]["metadata"]["deletionGracePeriodSeconds"] for it in seen]
    assert [it["type"] for it in seen] == ["MODIFIED", "MODIFIED", "DELETED"]
    assert graces == [30, 0, 0]


# Owners.


@pytest.mark.parametrize("policy", [None, "Background"])
def test_what_is_owned_goes_after_its_owner(
    api: Api, namespace: str, name: str, policy: str | None
) -> None:
    owner = api.make("configmaps", namespace, manifests.config_map(name))
    api.make("configmaps", namespace, _owned(f"{name}-owned", owner, "ConfigMap"))

    api.delete(path("configmaps", namespace, name), propagationPolicy=policy)

    assert api.get(path("configmaps", namespace, name)).status == 404
    assert api.until(path("configmaps", namespace), f"{name}-owned", lambda it: not it) == {}


def test_an_owner_waits_in_the_foreground_for_what_it_owns(
    api: Api, namespace: str, name: str
) -> None:
    owner = api.make("configmaps", namespace, manifests.config_map(name))
    owned = _owned(f"{name}-owned", owner, "ConfigMap", blocks=True)
    owned["metadata"]["finalizers"] = [HOLD]
    api.make("configmaps", namespace, owned)

    api.delete(path("configmaps", namespace, name), {"propagationPolicy": "Foreground"}).object()
    api.until(
        path("configmaps", namespace),
        f"{name}-owned",
        lambda it: "deletionTimestamp" in it["metadata"],
    )
    waiting = api.get(path("configmaps", namespace, name)).object()
    api.patch(path("configmaps", namespace, f"{name}-owned"), {"metadata": {"finalizers": None}})

    assert waiting["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert api.until(path("configmaps", namespace), name, lambda it: not it) == {}


def test_orphans_stay_and_no_longer_name_their_owner(api: Api, namespace: str, name: str) -> None:
    owner = api.make("configmaps", namespace, manifests.config_map(name))
    api.make("configmaps", namespace, _owned(f"{name}-owned", owner, "ConfigMap"))

    api.delete(path("configmaps", namespace, name), propagationPolicy="Orphan")

    orphan = api.until(
        path("configmaps", namespace),
        f"{name}-owned",
        lambda it: "ownerReferences" not in it["metadata"],
    )
    assert orphan["data"] == {"key": "value"}
    assert api.until(path("configmaps", namespace), name, lambda it: not it) == {}


def test_what_has_another_owner_stays(api: Api, namespace: str, name: str) -> None:
    owners = [
        api.make("configmaps", namespace, manifests.config_map(f"{name}-{it}")) for it in "ab"
    ]
    body = _owned(name, owners[0], "ConfigMap")
    body["metadata"]["ownerReferences"] += _owned("", owners[1], "ConfigMap")["metadata"][
        "ownerReferences"
    ]
    api.make("configmaps", namespace, body)

    api.delete(path("configmaps", namespace, f"{name}-a"))

    left = api.until(
        path("configmaps", namespace), name, lambda it: len(it["metadata"]["ownerReferences"]) == 1
    )
    assert left["metadata"]["ownerReferences"][0]["name"] == f"{name}-b"


def test_what_names_an_owner_that_is_not_there_goes(api: Api, namespace: str, name: str) -> None:
    absent = {"metadata": {"name": "never", "uid": "11111111-1111-1111-1111-111111111111"}}

    api.make("configmaps", namespace, _owned(name, absent, "ConfigMap"))

    assert api.until(path("configmaps", namespace), name, lambda it: not it) == {}


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_a_deployment_takes_its_sets_and_pods_along(
    api: Api, namespace: str, name: str, policy: str
) -> None:
    api.make("deployments", namespace, manifests.deployment(name, replicas=2))
    mine = {"labelSelector": f"app={name}"}
    api.until_listed(path("pods", namespace), lambda them: len(them) == 2, **mine)

    api.delete(path("deployments", namespace, name), propagationPolicy=policy)

    for plural in ("pods", "replicasets"):
        assert api.until_listed(path(plural, namespace), lambda them: not them, **mine) == []
    assert api.until(path("deployments", namespace), name, lambda it: not it) == {}


def test_a_deployment_is_deleted_without_its_pods(api: Api, namespace: str, name: str) -> None:
    api.make("deployments", namespace, manifests.deployment(name, replicas=1))
    mine = {"labelSelector": f"app={name}"}
    (pod,) = api.until_listed(path("pods", namespace), lambda them: len(them) == 1, **mine)

    api.delete(path("deployments", namespace, name), propagationPolicy="Orphan")
    api.until(path("deployments", namespace), name, lambda it: not it)

    (left,) = api.get(path("replicasets", namespace), **mine).object()["items"]
    assert "ownerReferences" not in left["metadata"]
    assert api.get(path("pods", namespace, pod["metadata"]["name"])).status == 200


def test_what_the_policies_are_is_told_to_who_asks_for_another(
    api: Api, namespace: str, name: str
) -> None:
    api.make("configmaps", namespace, manifests.config_map(name))

    reply = api.delete(path("configmaps", namespace, name), propagationPolicy="Sideways")

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert reply.body["message"].endswith(
        'supported values: "Foreground", "Background", "Orphan", "nil"'
    )
