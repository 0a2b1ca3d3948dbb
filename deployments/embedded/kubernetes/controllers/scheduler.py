"""A node for each pod: one that is ready, tolerated, selected and large enough, and not the fullest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.events import WARNING, record
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.objects import FINISHED
from deployments.embedded.kubernetes.pods import bind, set_condition
from deployments.embedded.kubernetes.quantities import amount, requested
from deployments.embedded.kubernetes.store import Body, Entry, Happened

COMPONENT = "default-scheduler"
RETRY_SECONDS = 5.0
ZONE = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Placed:
    """What a pod takes of its node."""

    node: str
    cpu: float
    memory: float
    owner: str


class Scheduler(Controller):
    """Binds pods to nodes, and says why where it cannot."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return pods, and the nodes they go to."""
        self._placed: dict[Key, Placed] = {}
        self._by_node: dict[str, dict[Key, Placed]] = defaultdict(dict)
        self._waiting: dict[Key, None] = {}
        return self.kind("", "v1", "pods"), self.kind("", "v1", "nodes")

    def everything(self) -> Iterable[Key]:
        """Return all pods, after taking down where they are."""
        for entry in self.objects.store.list(self.watched[0]):
            self._note(entry)
        return list(self._waiting)

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return a pod that has no node; when a node changed or a pod went, all that wait."""
        if kind is self.watched[1]:
            return list(self._waiting)
        entry = happened.entry
        had = self._placed.get(entry.key)
        if self.objects.store.get(kind, *entry.key) is None:
            self._drop(entry.key)
        else:
            self._note(entry)
        if had is not None and entry.key not in self._placed:
            return list(self._waiting)
        return [entry.key] if entry.key in self._waiting else []

    def reconcile(self, key: Key) -> float | None:
        """Find a node for a pod."""
        pods, nodes = self.watched
        entry = self.objects.store.get(pods, *key)
        if entry is None or key not in self._waiting:
            return None
        body = entry.body()
        refusals: Counter[str] = Counter()
        best: tuple[tuple[float, ...], str] | None = None
        for node in self.objects.store.list(nodes):
            why = self._refusal(body, node)
            if why:
                refusals[why] += 1
                continue
            rank = self._rank(body, node)
            if best is None or (rank, node.name) < best:
                best = (rank, node.name)
        if best is not None:
            bound = bind(self.objects, pods, entry, best[1])
            self._note(bound)
            said = f"Successfully assigned {entry.namespace}/{entry.name} to {best[1]}"
            record(self.objects, body, "Scheduled", said, component=COMPONENT)
            return None
        total = sum(refusals.values())
        reasons = ", ".join(sorted(f"{many} {why}" for why, many in refusals.items()))
        said = (
            f"0/{total} nodes are available: {reasons}."
            if total
            else "no nodes available to schedule pods"
        )
        if set_condition(body, "PodScheduled", "False", reason="Unschedulable", message=said):
            self.objects.store.put(pods, body)
            record(self.objects, body, "FailedScheduling", said, component=COMPONENT, kind=WARNING)
        return RETRY_SECONDS

    def _note(self, entry: Entry) -> None:
        self._drop(entry.key)
        node = entry.fields["spec.nodeName"]
        if entry.fields["status.phase"] in FINISHED:
            return
        if not node:
            if not entry.body()["metadata"].get("deletionTimestamp"):
                self._waiting[entry.key] = None
            return
        spec = entry.body()["spec"]
        found = Placed(
            node, requested(spec, "cpu"), requested(spec, "memory"), next(iter(entry.owners), "")
        )
        self._placed[entry.key] = self._by_node[node][entry.key] = found

    def _drop(self, key: Key) -> None:
        self._waiting.pop(key, None)
        had = self._placed.pop(key, None)
        if had is not None:
            self._by_node[had.node].pop(key, None)

    def _refusal(self, pod: Body, node: Entry) -> str:
        body, spec = node.body(), pod["spec"]
        if body["spec"].get("unschedulable"):
            return "node(s) were unschedulable"
        for taint in body["spec"].get("taints") or ():
            if taint["effect"] != "PreferNoSchedule" and not tolerated(spec, taint):
                return (
                    f"node(s) had untolerated taint(s) {{{taint['key']}: {taint.get('value', '')}}}"
                )
        if not is_ready(body):
            return "node(s) were not ready"
        if not (spec.get("nodeSelector") or {}).items() <= node.labels.items():
            return "node(s) didn't match Pod's node affinity/selector"
        allocatable = (body.get("status") or {}).get("allocatable") or {}
        taken = self._by_node[node.name].values()
        if len(taken) >= amount(allocatable.get("pods", 110)):
            return "Too many pods"
        for name in ("cpu", "memory"):
            wanted = requested(spec, name)
            used = sum(getattr(one, name) for one in taken)
            if wanted and used + wanted > amount(allocatable.get(name, 0)) + 1e-9:
                return f"Insufficient {name}"
        return ""

    def _rank(self, pod: Body, node: Entry) -> tuple[float, ...]:
        """Return what is least where a pod should go: siblings there, then how full it is."""
        owner = next((one["uid"] for one in pod["metadata"].get("ownerReferences") or ()), "")
        taken = self._by_node[node.name].values()
        siblings = sum(bool(owner) and one.owner == owner for one in taken)
        allocatable = (node.body().get("status") or {}).get("allocatable") or {}
        full = sum(one.cpu for one in taken) / max(amount(allocatable.get("cpu", 1)), 1e-9)
        return float(siblings), full


def is_ready(node: Mapping[str, Any]) -> bool:
    """Return whether a node says that it is ready."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def tolerated(spec: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Return whether a pod tolerates a taint."""
    return any(
        one.get("effect") in (None, "", taint["effect"])
        and (
            (one.get("operator") == "Exists" and one.get("key") in (None, "", taint["key"]))
            or (one.get("key") == taint["key"] and one.get("value", "") == taint.get("value", ""))
        )
        for one in spec.get("tolerations") or ()
    )
