"""Pods as the kubelets know them: read from the API, told to the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from deployments.embedded.workloads.containers.companions import Companion
from deployments.embedded.workloads.containers.messages import Names
from deployments.embedded.workloads.containers.specs import (
    ContainerSpec,
    Facts,
    facts_of,
    read_container,
    read_others,
)
from deployments.embedded.workloads.engine import Pod
from deployments.embedded.workloads.kubelet.addresses import Addresses
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.physics.world import World

Body = dict[str, Any]
FINISHED = ("Succeeded", "Failed")


@dataclass(slots=True, kw_only=True)
class Resident:
    """A pod on one of the nodes.

    Attributes:
        body: As the API had it last.
        pod: As the engine was told.
        address: Of the pod.
        start_seconds: When its kubelet first saw it, on the wall.
        restarts_before: Of its containers, by name, in the life of a kubelet before this one.
        heard: Its node knows of it.
        stale: The engine was told of another state of it.
        gone: The API no longer has it; only its node, which hears nothing, does not know.
        evicted: Why its kubelet put it out; empty where it did not.
        row: In the engine; -1 when it is not there.
        since: Condition to its status and its last transition, on the wall.
        written: The status that was written last.
    """

    body: Body
    pod: Pod
    address: str
    start_seconds: float
    restarts_before: Mapping[str, int]
    heard: bool = False
    stale: bool = True
    gone: bool = False
    evicted: str = ""
    row: int = -1
    since: dict[str, tuple[str, float]] = field(default_factory=dict)
    written: Body | None = None

    @property
    def names(self) -> Names:
        """Return what messages about its first container name."""
        return self.names_of(self.pod.spec.name)

    def names_of(self, container: str) -> Names:
        """Return what messages about one of its containers name; the first one's where it is none."""
        others = (one.spec for one in self.pod.companions if one.spec.name == container)
        spec = next(others, self.pod.spec)
        return Names(
            pod=self.pod.name,
            namespace=self.pod.namespace,
            uid=self.pod.uid,
            container=spec.name,
            image=spec.image,
            address=self.address,
        )

    @property
    def path(self) -> str:
        """Return where the API has it."""
        return f"/api/v1/namespaces/{self.pod.namespace}/pods/{self.pod.name}"


class Roster:
    """All pods on the nodes of a world.

    Args:
        world: Profiles and nodes.
        other: Index of the profile of pods whose workload the world does not know.
        clock: Of the world.
    """

    def __init__(self, world: World, *, other: int, clock: Clock) -> None:
        self._world, self._other, self._clock = world, other, clock
        self._workloads = {one.name: at for at, one in enumerate(world.workloads)}
        self._nodes = {one.name: at for at, one in enumerate(world.nodes)}
        self._maps: dict[str, dict[str, Mapping[str, str]]] = defaultdict(dict)
        self._facts: dict[tuple[str, int, ContainerSpec], Facts] = {}
        self._addresses = Addresses()
        self.residents: dict[str, Resident] = {}
        self.changed = False
        self.finished: list[Body] = []
        """Pods that ended for good and are being deleted; nothing is left but to say so."""

    def config_map(self, before: Body | None, now: Body | None) -> None:
        """Take note of a ConfigMap."""
        metadata = (now or before or {})["metadata"]
        maps = self._maps[metadata["namespace"]]
        if now is None:
            maps.pop(metadata["name"], None)
        else:
            maps[metadata["name"]] = now.get("data") or {}
        self._facts.clear()
        for one in self.residents.values():
            one.stale = True
        self.changed = True

    def pod(self, before: Body | None, now: Body | None) -> None:
        """Take note of a pod."""
        body = now or before or {}
        uid, node = body["metadata"]["uid"], body["spec"].get("nodeName", "")
        if node not in self._nodes:
            return
        self.changed = True
        known = self.residents.get(uid)
        if now is None:
            if known is not None:
                known.gone = known.stale = True
        elif (now.get("status") or {}).get("phase") in FINISHED:
            if known is not None:
                known.gone = True
            if now["metadata"].get("deletionTimestamp"):
                self.finished.append(now)
        elif known is not None:
            known.body, known.stale = now, True
        else:
            self.residents[uid] = self._resident(uid, now, self._nodes[node])

    def _resident(self, uid: str, body: Body, node: int) -> Resident:
        metadata, status = body["metadata"], body.get("status") or {}
        started = status.get("startTime")
        return Resident(
            body=body,
            pod=Pod(
                uid=uid,
                namespace=metadata["namespace"],
                name=metadata["name"],
                workload=self._workloads.get(workload_of(body), self._other),
                node=node,
                created_seconds=self._clock.of_wall(unix(metadata["creationTimestamp"])),
                spec=read_container(body["spec"]),
                facts=Facts(),
            ),
            address=self._addresses.take(node, status.get("podIP", "")),
            start_seconds=unix(started) if started else self._clock.wall(),
            # A kubelet that lost its memory starts containers anew, as after a restart of the machine.
            restarts_before={
                one["name"]: int(one["restartCount"]) + 1
                for name in ("containerStatuses", "initContainerStatuses")
                for one in status.get(name) or ()
                if "containerID" in one or one.get("restartCount", 0) > 0
            },
        )

    def told(self, deaf: Sequence[bool]) -> list[Resident]:
        """Return who lives there, each with the pod that the engine is to be told of, by row.

        Args:
            deaf: (N,) the node runs, and hears nothing: its pods stay as they are.
        """
        for uid in [uid for uid, one in self.residents.items() if self._leaves(one, deaf)]:
            left = self.residents.pop(uid)
            self._addresses.give_back(left.pod.node, left.address)
        found: list[Resident] = []
        for one in self.residents.values():
            one.row, is_deaf = -1, bool(deaf[one.pod.node])
            if one.evicted or (is_deaf and not one.heard):
                continue
            one.row, one.heard = len(found), True
            if one.stale or is_deaf:
                one.pod = self._pod(one, deaf=is_deaf)
                # What it did not hear it has to be told once it listens again.
                one.stale = is_deaf
            found.append(one)
        self.changed = False
        return found

    def _leaves(self, one: Resident, deaf: Sequence[bool]) -> bool:
        return one.gone and not deaf[one.pod.node]

    def _pod(self, one: Resident, *, deaf: bool) -> Pod:
        metadata, pod = one.body["metadata"], one.pod
        deleting = "deletionTimestamp" in metadata
        listed = is_ready(one.body) and not one.gone and not deleting
        if deaf:
            return replace(pod, listed=listed)
        spec = read_container(one.body["spec"])
        if deleting:
            grace = metadata.get("deletionGracePeriodSeconds", spec.grace_seconds)
            spec = replace(spec, grace_seconds=float(grace))
        # Equal specifications become one: the engine reads each only once.
        facts = self._facts_of(pod, spec)
        return replace(
            pod,
            spec=spec,
            facts=facts,
            deleting=deleting,
            listed=listed,
            companions=self._companions(pod, one.body["spec"]),
        )

    def _companions(self, pod: Pod, body: Body) -> tuple[Companion, ...]:
        return tuple(
            Companion(
                spec=spec,
                # Nobody knows what is in their images, so that any command is.
                facts=replace(self._facts_of(pod, spec), command_ok=True),
                is_init=is_init,
                stays=stays,
            )
            for spec, is_init, stays in read_others(body)
        )

    def _facts_of(self, pod: Pod, spec: ContainerSpec) -> Facts:
        key = (pod.namespace, pod.workload, spec)
        found = self._facts.get(key)
        if found is None:
            found = self._facts[key] = facts_of(
                self._world.workloads[pod.workload],
                spec,
                namespace=pod.namespace,
                config_maps=self._maps[pod.namespace],
            )
        return found


def workload_of(pod: Body) -> str:
    """Return "namespace/name" of what a pod belongs to: its Deployment, its other owner, or itself."""
    metadata = pod["metadata"]
    name = str(metadata["name"])
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            name = str(owner["name"])
            if owner["kind"] == "ReplicaSet":
                code = (metadata.get("labels") or {}).get("pod-template-hash", "")
                name = name.removesuffix(f"-{code}")
    return f"{metadata['namespace']}/{name}"


def is_ready(pod: Body) -> bool:
    """Return whether the API says that a pod is ready."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def unix(text: str) -> float:
    """Return Unix time of an instant as the API writes it."""
    return datetime.fromisoformat(text).timestamp()
