"""A node for each pod: one that is ready, tolerated, selected and large enough, and not the fullest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.events import WARNING, record
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.lifetimes import FINISHED
from deployments.embedded.kubernetes.pods import bind, set_condition
from deployments.embedded.kubernetes.quantities import amount, requested
from deployments.embedded.kubernetes.store import Body, Entry, Happened

COMPONENT = "default-scheduler"
RETRY_SECONDS = 5.0
NO_NODES = "no nodes available to schedule pods"
SMALL = 1e-9


@dataclass(frozen=True, slots=True)
class Placed:
    """What a pod takes of its node."""

    node: str
    cpu: float
    memory: float
    owner: str


@dataclass(slots=True)
class Place:
    """A node as the scheduler sees it: what it offers, and what is taken of it.

    Attributes:
        version: Of the node when it was read; 0 before that.
        refusal: Why no pod may go there; empty where some may.
        taints: That pods have to tolerate.
        labels: Of the node.
        offers: Cores, bytes and number of pods.
        cpu: Cores taken.
        memory: Bytes taken.
        owners: Number of pods there by the unique id of their owner.
    """

    version: int = 0
    refusal: str = ""
    taints: tuple[Mapping[str, Any], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    offers: tuple[float, float, float] = (0.0, 0.0, 0.0)
    cpu: float = 0.0
    memory: float = 0.0
    owners: Counter[str] = field(default_factory=Counter)

    def read(self, entry: Entry) -> None:
        """Take down what a node says of itself, where that is newer."""
        if entry.version == self.version:
            return
        body = entry.body()
        taints = body["spec"].get("taints") or ()
        allocatable = (body.get("status") or {}).get("allocatable") or {}
        self.version = entry.version
        self.labels = entry.labels
        self.taints = tuple(one for one in taints if one["effect"] != "PreferNoSchedule")
        self.offers = (
            amount(allocatable.get("cpu", 0)),
            amount(allocatable.get("memory", 0)),
            amount(allocatable.get("pods", 110)),
        )
        self.refusal = "" if is_ready(body) else "node(s) were not ready"
        if body["spec"].get("unschedulable"):
            self.refusal = "node(s) were unschedulable"

    def take(self, pod: Placed, times: int) -> None:
        """Count a pod in, once, or out, minus once."""
        self.cpu += times * pod.cpu
        self.memory += times * pod.memory
        self.owners[pod.owner] += times
        if not self.owners[pod.owner]:
            del self.owners[pod.owner]


class Scheduler(Controller):
    """Binds pods to nodes, and says why where it cannot."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return pods, and the nodes they go to."""
        self._placed: dict[Key, Placed] = {}
        self._places: dict[str, Place] = defaultdict(Place)
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
        elif had is None or entry.fields["status.phase"] in FINISHED:
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
        wanted = _wanted(entry.key, body, node="")
        refusals: Counter[str] = Counter()
        best: tuple[float, float, str] | None = None
        for node in self.objects.store.shelf(nodes).entries.values():
            place = self._places[node.name]
            place.read(node)
            why = _refusal(body["spec"], wanted, place)
            if why:
                refusals[why] += 1
                continue
            rank = _rank(wanted, place, node.name)
            if best is None or rank < best:
                best = rank
        if best is not None:
            self._note(bind(self.objects, pods, entry, best[2]))
            said = f"Successfully assigned {entry.namespace}/{entry.name} to {best[2]}"
            record(self.objects, body, "Scheduled", said, component=COMPONENT)
            return None
        total = sum(refusals.values())
        reasons = ", ".join(sorted(f"{many} {why}" for why, many in refusals.items()))
        said = f"0/{total} nodes are available: {reasons}." if total else NO_NODES
        if set_condition(body, "PodScheduled", "False", reason="Unschedulable", message=said):
            self.objects.store.put(pods, body)
            record(self.objects, body, "FailedScheduling", said, component=COMPONENT, kind=WARNING)
        return RETRY_SECONDS

    def _note(self, entry: Entry) -> None:
        self._drop(entry.key)
        node = entry.fields["spec.nodeName"]
        if entry.fields["status.phase"] in FINISHED:
            return
        body = entry.body()
        if node:
            found = self._placed[entry.key] = _wanted(entry.key, body, node=node)
            self._places[node].take(found, 1)
        elif not body["metadata"].get("deletionTimestamp"):
            self._waiting[entry.key] = None

    def _drop(self, key: Key) -> None:
        self._waiting.pop(key, None)
        had = self._placed.pop(key, None)
        if had is not None:
            self._places[had.node].take(had, -1)


def _wanted(key: Key, pod: Body, *, node: str) -> Placed:
    references = pod["metadata"].get("ownerReferences") or ()
    # A pod of nobody is its own: it has no siblings to stay away from.
    owner = next((one["uid"] for one in references), "/".join(key))
    return Placed(node, requested(pod["spec"], "cpu"), requested(pod["spec"], "memory"), owner)


def _refusal(spec: Body, wanted: Placed, place: Place) -> str:
    if place.refusal:
        return place.refusal
    for taint in place.taints:
        if not tolerated(spec, taint):
            return f"node(s) had untolerated taint(s) {{{taint['key']}: {taint.get('value', '')}}}"
    if not (spec.get("nodeSelector") or {}).items() <= place.labels.items():
        return "node(s) didn't match Pod's node affinity/selector"
    cpu, memory, pods = place.offers
    if place.owners.total() >= pods:
        return "Too many pods"
    if wanted.cpu and place.cpu + wanted.cpu > cpu + SMALL:
        return "Insufficient cpu"
    if wanted.memory and place.memory + wanted.memory > memory + SMALL:
        return "Insufficient memory"
    return ""


def _rank(wanted: Placed, place: Place, name: str) -> tuple[float, float, str]:
    """Return what is least where a pod should go: siblings there, then how full it is."""
    return float(place.owners[wanted.owner]), place.cpu / max(place.offers[0], SMALL), name


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
