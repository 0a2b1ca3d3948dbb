"""Everything that a cycle reads of a cluster: one list for each kind, then logs of those who are ill."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tasks.adapters.kubernetes.connection import ClusterConnection
from tasks.adapters.kubernetes.errors import NotThereError, RefusedError
from tasks.adapters.kubernetes.listing import list_all
from tasks.adapters.kubernetes.reading import (
    TEMPLATE_HASH,
    calls_of,
    node_view,
    note_of,
    pod_view,
    replicas_of,
    revisions_of,
    seconds_of,
    sizes_of,
)
from tasks.domain.errors import TransientError
from tasks.domain.healing.symptoms import ill_pods
from tasks.domain.healing.view import ClusterView, PodView, WorkloadView

KINDS: Mapping[str, str] = {
    "deployments": "/apis/apps/v1/deployments",
    "replica_sets": "/apis/apps/v1/replicasets",
    "pods": "/api/v1/pods",
    "nodes": "/api/v1/nodes",
    "leases": "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
    "events": "/api/v1/events",
    "config_maps": "/api/v1/configmaps",
}
"""What is listed, and where."""
LOG_LINES = 40
LOGS_OF_ONE = 2
"""Pods of a workload whose logs are read."""
MOST_LOGS = 60
"""Logs that one cycle reads: a sick cluster must not be asked for more."""

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """Objects of a cluster, by the names of `KINDS`."""

    deployments: Sequence[Body] = ()
    replica_sets: Sequence[Body] = ()
    pods: Sequence[Body] = ()
    nodes: Sequence[Body] = ()
    leases: Sequence[Body] = ()
    events: Sequence[Body] = ()
    config_maps: Sequence[Body] = ()


def read_objects(connection: ClusterConnection) -> Objects:
    """List every kind once.

    Raises:
        InfraError: One of `tasks.adapters.kubernetes.errors`.
    """
    return Objects(**{name: list_all(connection, path).items for name, path in KINDS.items()})


@dataclass(slots=True)
class _Index:
    """Objects by who owns them, and by where they are."""

    sets: dict[str, list[Body]] = field(default_factory=lambda: defaultdict(list))
    pods: dict[str, list[Body]] = field(default_factory=lambda: defaultdict(list))
    events: dict[tuple[str, str, str], list[Body]] = field(
        default_factory=lambda: defaultdict(list)
    )
    maps: dict[str, dict[str, dict[str, str]]] = field(default_factory=lambda: defaultdict(dict))


def view_of(objects: Objects, *, now_seconds: float) -> ClusterView:
    """Return what decisions see, without metrics and logs.

    Args:
        objects: Of the cluster.
        now_seconds: When they were listed, Unix time.
    """
    index = _indexed(objects)
    leases = {one["metadata"]["name"]: one for one in objects.leases}
    workloads = [_workload(one, index) for one in objects.deployments]
    nodes = [node_view(one, lease=leases.get(one["metadata"]["name"])) for one in objects.nodes]
    return ClusterView(
        now_seconds=now_seconds,
        workloads={one.key: one for one in workloads},
        nodes={one.name: one for one in nodes},
    )


def _indexed(objects: Objects) -> _Index:
    index = _Index()
    for one in objects.replica_sets:
        for uid in _owners(one):
            index.sets[uid].append(one)
    for one in objects.pods:
        for uid in _owners(one):
            index.pods[uid].append(one)
    for one in objects.events:
        about = one.get("involvedObject") or {}
        key = about.get("namespace") or "", about.get("kind") or "", about.get("name") or ""
        index.events[key].append(one)
    for one in objects.config_maps:
        metadata = one["metadata"]
        index.maps[metadata["namespace"]][metadata["name"]] = dict(one.get("data") or {})
    return index


def _owners(body: Body) -> list[str]:
    return [one["uid"] for one in body["metadata"].get("ownerReferences") or ()]


def _workload(deployment: Body, index: _Index) -> WorkloadView:
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    namespace, name = metadata["namespace"], metadata["name"]
    sets = index.sets.get(metadata["uid"], [])
    pods = [one for owner in sets for one in index.pods.get(owner["metadata"]["uid"], [])]
    revisions = revisions_of(sets)
    container = template["spec"]["containers"][0]
    about = [("Deployment", name), *(("ReplicaSet", one["metadata"]["name"]) for one in sets)]
    about += [("Pod", one["metadata"]["name"]) for one in pods]
    notes = [note_of(one) for key in about for one in index.events.get((namespace, *key), ())]
    return WorkloadView(
        namespace=namespace,
        name=name,
        uid=metadata["uid"],
        generation=int(metadata.get("generation") or 0),
        annotations=metadata.get("annotations") or {},
        labels=metadata.get("labels") or {},
        template=revisions[0].template if revisions else "",
        changed_seconds=_changed(sets, revisions[0].template) if revisions else None,
        replicas=replicas_of(deployment),
        sizes=sizes_of(container),
        image=container.get("image") or "",
        pods=tuple(sorted((pod_view(one) for one in pods), key=lambda one: one.name)),
        revisions=revisions,
        notes=tuple(sorted(notes, key=lambda one: one.last_seconds, reverse=True)),
        calls=calls_of(container, namespace=namespace, config_maps=index.maps.get(namespace, {})),
    )


def _changed(sets: Iterable[Body], template: str) -> float | None:
    for one in sets:
        if (one["metadata"].get("labels") or {}).get(TEMPLATE_HASH) == template:
            return seconds_of(one["metadata"]["creationTimestamp"])
    return None


def with_logs(view: ClusterView, connection: ClusterConnection) -> ClusterView:
    """Return the view with the last log lines of pods that are ill.

    A log that cannot be read is left out: its node may be gone.
    """
    left, found = MOST_LOGS, dict(view.workloads)
    for key, workload in view.workloads.items():
        logs: dict[str, tuple[str, ...]] = {}
        for pod in ill_pods(workload, now=view.now_seconds)[:LOGS_OF_ONE]:
            if left > 0:
                left -= 1
                logs[pod.name] = _log(connection, workload.namespace, pod)
        if logs:
            found[key] = replace(workload, logs=logs)
    return replace(view, workloads=found)


def _log(connection: ClusterConnection, namespace: str, pod: PodView) -> tuple[str, ...]:
    path = f"/api/v1/namespaces/{namespace}/pods/{pod.name}/log"
    troubled = [one for one in pod.containers if one.last_end is not None or not one.ready]
    name = troubled[0].name if troubled else (pod.main.name if pod.main else "")
    lines: list[str] = []
    # What the process before this one said last is why it ended.
    for previous in ("true", "false"):
        try:
            said = connection.text(path, tailLines=LOG_LINES, previous=previous, container=name)
        except (NotThereError, RefusedError, TransientError):
            continue
        lines += said.splitlines()
    return tuple(lines)
