"""Nodes that no longer report: told unknown, tainted, and after a while without their pods."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.controllers.scheduler import CORDONED, tolerated
from deployments.embedded.kubernetes.defaults import NOT_READY, UNREACHABLE
from deployments.embedded.kubernetes.events import WARNING, record
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.objects import Deletion, timestamp
from deployments.embedded.kubernetes.pods import is_ready, set_condition
from deployments.embedded.kubernetes.store import Body, Happened

COMPONENT = "node-controller"
LEASES = "kube-node-lease"
GRACE_SECONDS = 50.0
"""Without a renewed lease or status; as upstream since 1.32."""
LOOK_SECONDS = 5.0
EVICTOR = "taint-eviction-controller"
EFFECTS = ("NoSchedule", "NoExecute")
PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
"""Condition to the taint that it gives."""
CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class Nodes(Controller):
    """Watches leases, and acts on nodes whose lease has run out."""

    every_seconds = LOOK_SECONDS

    def kinds(self) -> tuple[Kind, ...]:
        """Return nodes; leases and pods are looked up."""
        self._seen: dict[tuple[str, str, str], datetime] = {}
        return (self.kind("", "v1", "nodes"),)

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return the node."""
        del kind
        return [happened.entry.key]

    def reconcile(self, key: Key) -> float | None:
        """Bring a node's conditions, taints and pods to what its lease says."""
        nodes = self.watched[0]
        entry = self.objects.store.get(nodes, *key)
        if entry is None:
            return None
        body = entry.body()
        silent = self._silent_seconds(body)
        if silent is not None and silent > GRACE_SECONDS:
            heard = _heartbeats(body)
            for name in CONDITIONS:
                set_condition(
                    body, name, "Unknown",
                    reason="NodeStatusUnknown", message="Kubelet stopped posting node status.",
                )  # fmt: skip
            for one in body["status"]["conditions"]:
                if one["type"] in heard:
                    one["lastHeartbeatTime"] = heard[one["type"]]
        conditions = {
            one["type"]: one["status"] for one in (body.get("status") or {}).get("conditions") or ()
        }
        ready = conditions.get("Ready")
        _taint(body, UNREACHABLE, wanted=ready == "Unknown")
        _taint(body, NOT_READY, wanted=ready == "False")
        for name, taint in PRESSURES.items():
            _taint(body, taint, wanted=conditions.get(name) == "True", effects=EFFECTS[:1])
        is_cordoned = bool(body["spec"].get("unschedulable"))
        _taint(body, CORDONED["key"], wanted=is_cordoned, effects=EFFECTS[:1])
        if body != entry.body():
            self.objects.store.put(nodes, body)
            if ready in ("False", "Unknown"):
                said = f"Node {entry.name} status is now: NodeNotReady"
                record(self.objects, body, "NodeNotReady", said, component=COMPONENT)
        taints = [one for one in body["spec"].get("taints") or () if one["effect"] == EFFECTS[1]]
        self._forget(body, taints)
        if taints or ready == "Unknown":
            return self._mark_and_evict(body, taints, silent=ready == "Unknown")
        return None

    def _forget(self, node: Body, taints: list[Body]) -> None:
        """Forget since when a node had the taints that it has no more."""
        uid = node["metadata"]["uid"]
        there = {(one["key"], one.get("value", "")) for one in taints}
        for place in [one for one in self._seen if one[0] == uid and one[1:] not in there]:
            del self._seen[place]

    def _silent_seconds(self, node: Body) -> float | None:
        """Return how long a node has said nothing; None for one that never had a lease.

        A status is a sign of life as a lease is: who comes back sends both, in any order.
        """
        leases = self.kind("coordination.k8s.io", "v1", "leases")
        found = self.objects.store.get(leases, LEASES, node["metadata"]["name"])
        if found is None:
            return None
        renewed = (found.body().get("spec") or {}).get("renewTime")
        if not renewed:
            return None
        said = max(datetime.fromisoformat(one) for one in (renewed, *_heartbeats(node).values()))
        return (datetime.now(UTC) - said).total_seconds()

    def _mark_and_evict(self, node: Body, taints: list[Body], *, silent: bool) -> float | None:
        """Tell pods of a silent node not ready, and end those that do not tolerate its taints.

        Returns:
            After how many seconds the next one is to go; None for none.
        """
        pods, name = self.kind("", "v1", "pods"), node["metadata"]["name"]
        left: list[float] = []
        for entry in self.objects.store.list(pods):
            if entry.fields["spec.nodeName"] != name:
                continue
            body = entry.body()
            if silent and is_ready(body) and set_condition(body, "Ready", "False"):
                self.objects.store.put(pods, body)
                said = "Node is not ready"
                record(self.objects, body, "NodeNotReady", said, component=COMPONENT, kind=WARNING)
            if body["metadata"].get("deletionTimestamp"):
                continue
            stays = [one for taint in taints if (one := self._stays(node, body, taint)) is not None]
            if stays and min(stays) <= 0.0:
                self._evict(pods, body)
            elif stays:
                left.append(min(stays))
        return min(left, default=None)

    def _stays(self, node: Body, pod: Body, taint: Body) -> float | None:
        """Return for how many more seconds a pod may stay in spite of a taint; None for ever."""
        seconds = _stays_seconds(pod["spec"], taint)
        if not seconds:
            return seconds
        # Who taints a node by hand seldom says when.
        place = (node["metadata"]["uid"], taint["key"], taint.get("value", ""))
        now = datetime.now(UTC)
        since = self._seen.setdefault(place, now)
        if taint.get("timeAdded"):
            since = datetime.fromisoformat(taint["timeAdded"])
        return seconds - (now - since).total_seconds()

    def _evict(self, pods: Kind, body: Body) -> None:
        namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
        message = "Taint manager: deleting due to NoExecute taint"
        set_condition(
            body, "DisruptionTarget", "True", reason="DeletionByTaintManager", message=message
        )
        self.objects.store.put(pods, body)
        self.objects.delete(pods, namespace, name, Deletion())
        said = f"Marking for deletion Pod {namespace}/{name}"
        record(self.objects, body, "TaintManagerEviction", said, component=EVICTOR)


def _heartbeats(node: Body) -> dict[str, str]:
    """Return when a kubelet last told of each condition."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    return {
        one["type"]: one["lastHeartbeatTime"] for one in conditions if one.get("lastHeartbeatTime")
    }


def _taint(
    node: Body, key: str, *, wanted: bool, effects: tuple[str, ...] = ("NoSchedule", "NoExecute")
) -> None:
    """Put the taints of a condition on a node, or take them off, in place."""
    taints = [one for one in node["spec"].get("taints") or () if one["key"] != key]
    known = [one for one in node["spec"].get("taints") or () if one["key"] == key]
    if wanted and {one["effect"] for one in known} < {*effects}:
        known = [{"key": key, "effect": one, "timeAdded": timestamp()} for one in effects]
    kept = [*taints, *(known if wanted else ())]
    if kept:
        node["spec"]["taints"] = kept
    else:
        node["spec"].pop("taints", None)


def _stays_seconds(spec: Body, taint: Body) -> float | None:
    """Return how many seconds a pod may stay in spite of a taint; None for ever."""
    if not tolerated(spec, taint):
        return 0.0
    fitting = [
        one.get("tolerationSeconds")
        for one in spec.get("tolerations") or ()
        if tolerated({"tolerations": [one]}, taint)
    ]
    limits = [float(one) for one in fitting if one is not None]
    return min(limits) if limits else None
