"""A node for each pod: one that is ready, tolerated, selected and large enough, and not the fullest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.events import WARNING, record
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.lifetimes import FINISHED
from deployments.embedded.kubernetes.objects import Deletion
from deployments.embedded.kubernetes.pods import bind, set_condition
from deployments.embedded.kubernetes.quantities import amount, requested
from deployments.embedded.kubernetes.store import Body, Entry, Happened

COMPONENT = "default-scheduler"
RETRY_SECONDS = 5.0
NO_NODES = "no nodes available to schedule pods"
SMALL = 1e-9
CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class Placed:
    """What a pod takes of its node."""

    node: str
    cpu: float
    memory: float
    owner: str
    priority: int = 0


@dataclass(slots=True)
class Place:
    """A node as the scheduler sees it: what it offers, and what is taken of it.

    Attributes:
        version: Of the node when it was read; 0 before that.
        is_cordoned: Whether only pods that tolerate it may go there.
        taints: That pods have to tolerate.
        labels: Of the node.
        offers: Cores, bytes and number of pods.
        cpu: Cores taken.
        memory: Bytes taken.
        count: Pods there.
        owners: Number of them by the unique id of their owner.
    """

    version: int = 0
    is_cordoned: bool = False
    taints: tuple[Mapping[str, Any], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    offers: tuple[float, float, float] = (0.0, 0.0, 0.0)
    cpu: float = 0.0
    memory: float = 0.0
    count: int = 0
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
            amount(allocatable.get("pods", 0)),
        )
        self.is_cordoned = bool(body["spec"].get("unschedulable"))

    def take(self, pod: Placed, times: int) -> None:
        """Count a pod in, once, or out, minus once."""
        self.cpu += times * pod.cpu
        self.memory += times * pod.memory
        self.count += times
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
        self._priorities: Counter[int] = Counter()
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
        full: list[str] = []
        for node in self.objects.store.shelf(nodes).entries.values():
            place = self._places[node.name]
            place.read(node)
            why = _refusal(body["spec"], place)
            if why:
                refusals[why] += 1
                continue
            short = _shortage(wanted, place)
            if short:
                refusals.update(short)
                full.append(node.name)
                continue
            rank = _rank(wanted, place, node.name)
            if best is None or rank < best:
                best = rank
        if best is not None:
            self._note(bind(self.objects, pods, entry, best[2]))
            said = f"Successfully assigned {entry.namespace}/{entry.name} to {best[2]}"
            record(self.objects, body, "Scheduled", said, component=COMPONENT)
            return None
        number = len(self.objects.store.shelf(nodes).entries)
        reasons = ", ".join(sorted(f"{many} {why}" for why, many in refusals.items()))
        said = f"0/{number} nodes are available: {reasons}." if number else NO_NODES
        if set_condition(body, "PodScheduled", "False", reason="Unschedulable", message=said):
            entry = self.objects.store.put(pods, body)
            record(self.objects, body, "FailedScheduling", said, component=COMPONENT, kind=WARNING)
        self._preempt(entry, body, wanted, full)
        return RETRY_SECONDS

    def _preempt(self, entry: Entry, body: Body, wanted: Placed, full: list[str]) -> None:
        """Make room by ending less important pods, where that helps and was not done already."""
        is_lowest = min(self._priorities, default=wanted.priority) >= wanted.priority
        if is_lowest or body["spec"].get("preemptionPolicy") == "Never":
            return
        if (body.get("status") or {}).get("nominatedNodeName") in full:
            return
        chosen = fewest_victims(wanted, {name: self._places[name] for name in full}, self._placed)
        if chosen is None:
            return
        node, victims = chosen
        pods = self.watched[0]
        body.setdefault("status", {})["nominatedNodeName"] = node
        self.objects.store.put(pods, body)
        for key in victims:
            found = self.objects.store.get(pods, *key)
            if found is not None:
                self._end(found, entry, node)

    def _end(self, victim: Entry, winner: Entry, node: str) -> None:
        pods, found = self.watched[0], victim.body()
        message = f"{COMPONENT}: preempting to accommodate a higher priority pod"
        set_condition(
            found, "DisruptionTarget", "True", reason="PreemptionByScheduler", message=message
        )
        self.objects.store.put(pods, found)
        said = f"Preempted by pod {winner.uid} on node {node}"
        record(self.objects, found, "Preempted", said, component=COMPONENT)
        self.objects.delete(pods, victim.namespace, victim.name, Deletion())

    def _note(self, entry: Entry) -> None:
        self._drop(entry.key)
        node = entry.fields["spec.nodeName"]
        if entry.fields["status.phase"] in FINISHED:
            return
        body = entry.body()
        if node:
            found = self._placed[entry.key] = _wanted(entry.key, body, node=node)
            self._places[node].take(found, 1)
            self._priorities[found.priority] += 1
        elif (
            not body["metadata"].get("deletionTimestamp")
            and entry.fields["spec.schedulerName"] == COMPONENT
        ):
            self._waiting[entry.key] = None

    def _drop(self, key: Key) -> None:
        self._waiting.pop(key, None)
        had = self._placed.pop(key, None)
        if had is not None:
            self._places[had.node].take(had, -1)
            self._priorities[had.priority] -= 1
            if not self._priorities[had.priority]:
                del self._priorities[had.priority]


def _wanted(key: Key, pod: Body, *, node: str) -> Placed:
    references = pod["metadata"].get("ownerReferences") or ()
    # A pod of nobody is its own: it has no siblings to stay away from.
    owner = next((one["uid"] for one in references), "/".join(key))
    spec = pod["spec"]
    return Placed(
        node, requested(spec, "cpu"), requested(spec, "memory"), owner, spec.get("priority", 0)
    )


def _refusal(spec: Body, place: Place) -> str:
    """Return why a pod may not go to a node, whatever room there is; empty where it may."""
    if place.is_cordoned and not tolerated(spec, CORDONED):
        return "node(s) were unschedulable"
    for taint in place.taints:
        if not tolerated(spec, taint):
            return "node(s) had untolerated taint(s)"
    selector = spec.get("nodeSelector")
    if selector and not selector.items() <= place.labels.items():
        return "node(s) didn't match Pod's node affinity/selector"
    return ""


def _shortage(wanted: Placed, place: Place) -> list[str]:
    """Return what a node has too little of."""
    cpu, memory, pods = place.offers
    found = []
    if place.count >= pods:
        found.append("Too many pods")
    if wanted.cpu and place.cpu + wanted.cpu > cpu + SMALL:
        found.append("Insufficient cpu")
    if wanted.memory and place.memory + wanted.memory > memory + SMALL:
        found.append("Insufficient memory")
    return found


def fewest_victims(
    wanted: Placed, places: Mapping[str, Place], placed: Mapping[Key, Placed]
) -> tuple[str, list[Key]] | None:
    """Return a node and the pods to end there so that a more important one has room.

    The node is the one where the most important of them is least important, then where they are fewest.

    Args:
        wanted: What the pod asks for, and its priority.
        places: The nodes that lack nothing but room.
        placed: Every pod that has a node.

    Returns:
        None where no node would have room.
    """
    lesser: dict[str, list[tuple[int, Key]]] = defaultdict(list)
    for key, one in placed.items():
        if one.node in places and one.priority < wanted.priority:
            lesser[one.node].append((one.priority, key))
    best: tuple[int, int, str] | None = None
    found: dict[str, list[Key]] = {}
    for node, candidates in lesser.items():
        victims = _victims(wanted, places[node], sorted(candidates), placed)
        if victims:
            found[node] = victims
            highest = max(placed[key].priority for key in victims)
            best = min(best or (highest, len(victims), node), (highest, len(victims), node))
    return None if best is None else (best[2], found[best[2]])


def _victims(
    wanted: Placed, place: Place, order: list[tuple[int, Key]], placed: Mapping[Key, Placed]
) -> list[Key]:
    room = replace(place)
    for at, (_, key) in enumerate(order):
        gone = placed[key]
        room.cpu, room.memory, room.count = (
            room.cpu - gone.cpu,
            room.memory - gone.memory,
            room.count - 1,
        )
        if not _shortage(wanted, room):
            return [key for _, key in order[: at + 1]]
    return []


def _rank(wanted: Placed, place: Place, name: str) -> tuple[float, float, str]:
    """Return what is least where a pod should go: siblings there, then how full it is."""
    return float(place.owners[wanted.owner]), place.cpu / max(place.offers[0], SMALL), name


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
