"""As many pods of a template as a ReplicaSet wants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from deployments.embedded.kubernetes.controllers.loop import (
    Controller,
    Key,
    controller_reference,
    owner_of,
)
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.events import NORMAL, WARNING, record
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.lifetimes import FINISHED
from deployments.embedded.kubernetes.objects import Deletion, Writer
from deployments.embedded.kubernetes.pods import is_ready, set_condition
from deployments.embedded.kubernetes.selectors import object_selector
from deployments.embedded.kubernetes.store import NOBODY, Body, Entry, Happened

COMPONENT = "replicaset-controller"
WRITER = Writer(manager="kube-controller-manager")
MOST_AT_ONCE = 500
RETRY_SECONDS = 1.0
COST = "controller.kubernetes.io/pod-deletion-cost"
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class ReplicaSets(Controller):
    """Creates, adopts and deletes pods, and tells how many there are."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return ReplicaSets, and the pods they make."""
        return self.kind("apps", "v1", "replicasets"), self.kind("", "v1", "pods")

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return the ReplicaSet itself, or the one of a pod; for an orphan those that would take it."""
        entry = happened.entry
        if kind is self.watched[0]:
            return [entry.key]
        owners = {
            owner_of(one, "ReplicaSet") for one in (entry, happened.before) if one is not None
        }
        if owners != {None}:
            return [one for one in owners if one is not None]
        sets = self.objects.store.list(self.watched[0], entry.namespace)
        return [one.key for one in sets if _selects(one.body(), entry)]

    def reconcile(self, key: Key) -> float | None:
        """Bring the number of pods to what is wanted."""
        sets, pods = self.watched
        entry = self.objects.store.get(sets, *key)
        if entry is None:
            return None
        body = entry.body()
        if not body["metadata"].get("deletionTimestamp"):
            self._release(body, entry)
            self._adopt(body, entry)
        owned = list(self.objects.store.owned(pods, entry.uid))
        alive = [one for one in owned if _is_alive(one.body())]
        wanted, failure = int(body["spec"]["replicas"]), ""
        if not body["metadata"].get("deletionTimestamp"):
            failure = self._bring(body, alive, wanted)
            owned = list(self.objects.store.owned(pods, entry.uid))
        there = [found for one in owned if _is_alive(found := one.body())]
        ending = sum(b'"deletionTimestamp"' in one.data for one in owned)
        again = self._tell(sets, key, there, failure, ending)
        return RETRY_SECONDS if failure else again

    def _release(self, body: Body, entry: Entry) -> None:
        """Let go of pods that no longer have the labels."""
        pods = self.watched[1]
        selector = object_selector(body["spec"].get("selector"))
        for pod in list(self.objects.store.owned(pods, entry.uid)):
            if selector.fits(pod.labels):
                continue
            found = pod.body()
            kept = [one for one in found["metadata"]["ownerReferences"] if one["uid"] != entry.uid]
            if kept:
                found["metadata"]["ownerReferences"] = kept
            else:
                del found["metadata"]["ownerReferences"]
            self.objects.store.put(pods, found)

    def _adopt(self, body: Body, entry: Entry) -> None:
        pods = self.watched[1]
        selector = object_selector(body["spec"].get("selector"))
        for pod in list(self.objects.store.owned(pods, NOBODY[0])):
            fits = pod.namespace == entry.namespace and selector.fits(pod.labels)
            if fits and _is_alive(found := pod.body()):
                found["metadata"]["ownerReferences"] = [
                    controller_reference(body, kind="ReplicaSet")
                ]
                self.objects.store.put(pods, found)

    def _bring(self, body: Body, alive: list[Entry], wanted: int) -> str:
        """Make or delete pods; return why some could not be made, empty where all could."""
        pods, namespace = self.watched[1], body["metadata"]["namespace"]
        for _ in range(min(wanted - len(alive), MOST_AT_ONCE)):
            try:
                made = self.objects.create(pods, namespace, _pod_of(body), WRITER)
            except ApiError as error:
                self._say(body, "FailedCreate", f"Error creating: {error.message}", kind=WARNING)
                return error.message
            self._say(body, "SuccessfulCreate", f"Created pod: {made.name}")
        if len(alive) > wanted:
            siblings = Counter(node for one in alive if (node := one.fields["spec.nodeName"]))
            order = sorted(alive, key=lambda pod: _goes_first(pod, siblings))
            for pod in order[: len(alive) - wanted]:
                self.objects.delete(pods, namespace, pod.name, Deletion())
                self._say(body, "SuccessfulDelete", f"Deleted pod: {pod.name}")
        return ""

    def _say(self, body: Body, reason: str, message: str, *, kind: str = NORMAL) -> None:
        record(self.objects, body, reason, message, component=COMPONENT, kind=kind)

    def _tell(
        self, sets: Kind, key: Key, alive: list[Body], failure: str, ending: int
    ) -> float | None:
        entry = self.objects.store.get(sets, *key)
        if entry is None:
            return None
        body = entry.body()
        settled = float(body["spec"].get("minReadySeconds", 0))
        ready = [one for one in alive if is_ready(one)]
        waits = [left for one in ready if (left := settled - _ready_seconds(one)) > 0.0]
        labels = body["spec"]["template"]["metadata"].get("labels") or {}
        fitting = [
            one for one in alive if labels.items() <= (one["metadata"].get("labels") or {}).items()
        ]
        counts = {
            "fullyLabeledReplicas": len(fitting),
            "readyReplicas": len(ready),
            "availableReplicas": len(ready) - len(waits),
        }
        status: Body = {"replicas": len(alive)}
        status |= {name: many for name, many in counts.items() if many}
        status["terminatingReplicas"] = ending
        status["observedGeneration"] = body["metadata"].get("generation", 1)
        if failure:
            known = (body.get("status") or {}).get("conditions") or []
            status["conditions"] = list(known)
            said = {"reason": "FailedCreate", "message": failure}
            # Told once: each attempt fails with another name, and a status that changes is another try.
            if not any(one["type"] == "ReplicaFailure" for one in known):
                set_condition({"status": status}, "ReplicaFailure", "True", **said)
        if body.get("status") != status:
            self.objects.store.put(sets, body | {"status": status})
        return min(waits, default=None)


def _selects(body: Body, pod: Entry) -> bool:
    return object_selector(body["spec"].get("selector")).fits(pod.labels)


def _is_alive(pod: Body) -> bool:
    ended = (pod.get("status") or {}).get("phase") in FINISHED
    return not ended and not pod["metadata"].get("deletionTimestamp")


def _pod_of(body: Body) -> Body:
    template = body["spec"]["template"]
    said = template.get("metadata") or {}
    metadata: Body = {
        "generateName": f"{body['metadata']['name']}-",
        "labels": dict(said.get("labels") or {}),
        "ownerReferences": [controller_reference(body, kind="ReplicaSet")],
    }
    if said.get("annotations"):
        metadata["annotations"] = dict(said["annotations"])
    return {"metadata": metadata, "spec": template["spec"]}


def _goes_first(pod: Entry, siblings: Mapping[str, int]) -> tuple[Any, ...]:
    """Return the order in which pods are deleted, as kube-controller-manager ranks them.

    Those without a node go first, then by phase, those that are not ready, the cheaper ones, those with
    most siblings on their node, those that are ready for less long, those that restarted, the youngest.
    """
    body = pod.body()
    status = body.get("status") or {}
    restarts = sum(one.get("restartCount", 0) for one in status.get("containerStatuses") or ())
    age = datetime.fromisoformat(body["metadata"]["creationTimestamp"]).timestamp()
    node = pod.fields["spec.nodeName"]
    return (
        bool(node),
        PHASES.get(status.get("phase", ""), 1),
        is_ready(body),
        _cost(body),
        -siblings.get(node, 0),
        _ready_seconds(body),
        -restarts,
        -age,
    )


def _cost(pod: Body) -> int:
    said = (pod["metadata"].get("annotations") or {}).get(COST, "0")
    try:
        return int(said)
    except ValueError:
        return 0


def _ready_seconds(pod: Body) -> float:
    for one in (pod.get("status") or {}).get("conditions") or ():
        if one["type"] == "Ready" and one.get("lastTransitionTime"):
            since = datetime.fromisoformat(one["lastTransitionTime"])
            return (datetime.now(UTC) - since).total_seconds()
    return 0.0
