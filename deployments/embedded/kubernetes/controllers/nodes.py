"""Nodes that no longer report: told unknown, tainted, and after a while without their pods."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.controllers.scheduler import tolerated
from deployments.embedded.kubernetes.defaults import NOT_READY, UNREACHABLE
from deployments.embedded.kubernetes.events import record
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.objects import Deletion, timestamp
from deployments.embedded.kubernetes.pods import is_ready, set_condition
from deployments.embedded.kubernetes.store import Body, Happened

COMPONENT = "node-controller"
LEASES = "kube-node-lease"
GRACE_SECONDS = 50.0
"""Without a renewed lease or status; as upstream since 1.32."""
LOOK_SECONDS = 5.0
CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class Nodes(Controller):
    """Watches leases, and acts on nodes whose lease has run out."""

    every_seconds = LOOK_SECONDS

    def kinds(self) -> tuple[Kind, ...]:
        """Return nodes; leases and pods are looked up."""
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
            for name in CONDITIONS:
                set_condition(
                    body, name, "Unknown",
                    reason="NodeStatusUnknown", message="Kubelet stopped posting node status.",
                )  # fmt: skip
        ready = next(
            (
                c["status"]
                for c in (body.get("status") or {}).get("conditions") or ()
                if c["type"] == "Ready"
            ),
            "Unknown",
        )
        _taint(body, UNREACHABLE, wanted=ready == "Unknown" and silent is not None)
        _taint(body, NOT_READY, wanted=ready == "False")
        if body != entry.body():
            self.objects.store.put(nodes, body)
            if ready != "True":
                said = f"Node {entry.name} status is now: NodeNotReady"
                record(self.objects, body, "NodeNotReady", said, component=COMPONENT)
        if ready != "True":
            self._mark_and_evict(body, silent=ready == "Unknown")
        return None

    def _silent_seconds(self, node: Body) -> float | None:
        """Return how long a node has said nothing; None for one that never had a lease."""
        leases = self.kind("coordination.k8s.io", "v1", "leases")
        found = self.objects.store.get(leases, LEASES, node["metadata"]["name"])
        if found is None:
            return None
        renewed = (found.body().get("spec") or {}).get("renewTime")
        if not renewed:
            return None
        return (datetime.now(UTC) - datetime.fromisoformat(renewed)).total_seconds()

    def _mark_and_evict(self, node: Body, *, silent: bool) -> None:
        pods = self.kind("", "v1", "pods")
        taints = [one for one in node["spec"].get("taints") or () if one["effect"] == "NoExecute"]
        name, now = node["metadata"]["name"], datetime.now(UTC)
        for entry in self.objects.store.list(pods):
            if entry.fields["spec.nodeName"] != name:
                continue
            body = entry.body()
            if silent and is_ready(body) and set_condition(body, "Ready", "False"):
                entry = self.objects.store.put(pods, body)  # noqa: PLW2901 - the newer version
            for taint in taints:
                stays = _stays_seconds(body["spec"], taint)
                since = datetime.fromisoformat(taint["timeAdded"])
                if stays is not None and (now - since).total_seconds() >= stays:
                    if not body["metadata"].get("deletionTimestamp"):
                        self.objects.delete(pods, entry.namespace, entry.name, Deletion())
                        record(
                            self.objects,
                            body,
                            "TaintManagerEviction",
                            f"Marking for deletion Pod {entry.namespace}/{entry.name}",
                            component="taint-eviction-controller",
                        )
                    break


def _taint(node: Body, key: str, *, wanted: bool) -> None:
    """Put both taints of a condition on a node, or take them off, in place."""
    taints = [one for one in node["spec"].get("taints") or () if one["key"] != key]
    known = [one for one in node["spec"].get("taints") or () if one["key"] == key]
    if wanted and len(known) < 2:
        known = [
            {"key": key, "effect": "NoSchedule"},
            {"key": key, "effect": "NoExecute", "timeAdded": timestamp()},
        ]
    kept = [*taints, *(known if wanted else ())]
    if kept:
        node["spec"]["taints"] = kept
    else:
        node["spec"].pop("taints", None)


def _stays_seconds(spec: Body, taint: Body) -> float | None:
    """Return how long a pod may stay in spite of a taint; None for ever."""
    if not tolerated(spec, taint):
        return 0.0
    fitting = [
        one.get("tolerationSeconds")
        for one in spec.get("tolerations") or ()
        if tolerated({"tolerations": [one]}, taint)
    ]
    limits = [float(one) for one in fitting if one is not None]
    return min(limits) if limits else None
