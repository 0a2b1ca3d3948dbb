"""Usage as the objects of the group metrics.k8s.io tell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deployments.embedded.workloads.containers.status import timestamp
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.metrics_api.points import Usage

Body = dict[str, Any]
GROUP, VERSION = "metrics.k8s.io", "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"
ROOT = f"/apis/{API_VERSION}"
PAGE_KIB = 4
"""Memory is used in pages."""
_SUFFIXES = ((10**9, ""), (10**6, "m"), (10**3, "u"), (1, "n"))


def cpu_quantity(cores: float) -> str:
    """Return processors with the accuracy that the API has, for example 250m or 123456789n."""
    nano = int(cores * 1e9)
    unit, suffix = next(one for one in _SUFFIXES if nano % one[0] == 0)
    return f"{nano // unit}{suffix if nano else ''}"


def memory_quantity(many_bytes: float) -> str:
    """Return an amount of memory in whole pages, for example 16916Ki or 64Mi."""
    kib = round(many_bytes / 1024 / PAGE_KIB) * PAGE_KIB
    for power, suffix in ((2, "Gi"), (1, "Mi")):
        if kib and kib % 1024**power == 0:
            return f"{kib // 1024**power}{suffix}"
    return f"{kib}Ki" if kib else "0"


def duration(seconds: float) -> str:
    """Return a time as Go writes it, to the millisecond: 250ms, 15s, 1m0.5s."""
    millis = round(seconds * 1e3)
    if 0 < millis < 1_000:
        return f"{millis}ms"
    minutes, rest = divmod(millis, 60_000)
    hours, minutes = divmod(minutes, 60)
    told = f"{rest / 1e3:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if hours or minutes else ''}{told}"


def pod_metrics(pod: Body, container: str, usage: Usage, clock: Clock) -> Body:
    """Return what a pod uses.

    Args:
        pod: As the API has it.
        container: That runs in it.
        usage: Of that.
        clock: Of the world; what is told bears the time on the wall.
    """
    metadata = pod["metadata"]
    named = {"name": metadata["name"], "namespace": metadata["namespace"]}
    used = {"name": container, "usage": _used(usage)}
    return _measured(named, metadata, usage, clock) | {"containers": [used]}


def node_metrics(node: Body, usage: Usage, clock: Clock) -> Body:
    """Return what a node uses; arguments as `pod_metrics` has them."""
    metadata = node["metadata"]
    return _measured({"name": metadata["name"]}, metadata, usage, clock) | {"usage": _used(usage)}


def _measured(named: Body, metadata: Body, usage: Usage, clock: Clock) -> Body:
    since, at = clock.on_wall(usage.since_seconds), clock.on_wall(usage.at_seconds)
    told = named | {"creationTimestamp": timestamp(clock.wall())}
    if metadata.get("labels"):
        told["labels"] = metadata["labels"]
    return {"metadata": told, "timestamp": timestamp(at), "window": duration(at - since)}


def _used(usage: Usage) -> Body:
    return {
        "cpu": cpu_quantity(usage.cpu_cores),
        "memory": memory_quantity(usage.memory_bytes),
    }


def whole(kind: str, item: Body) -> Body:
    """Return one object as it is told alone."""
    return {"kind": kind, "apiVersion": API_VERSION} | item


def listed(kind: str, items: Sequence[Body]) -> Body:
    """Return several, which do not say again what they are."""
    head: Body = {"kind": f"{kind}List", "apiVersion": API_VERSION, "metadata": {}}
    return head | {"items": list(items)}


COLUMNS = (("Name", "name"), ("cpu", "quantity"), ("memory", "quantity"), ("Window", "duration"))


def table(kind: str, items: Sequence[Body]) -> Body:
    """Return several as people read them."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": [
            {"name": name, "type": "string", "format": form, "description": "", "priority": 0}
            for name, form in COLUMNS
        ],
        "rows": [{"cells": _cells(one), "object": whole(kind, one)} for one in items],
    }


def _cells(item: Body) -> list[str]:
    # Each pod of this world has one container.
    usage = item["usage"] if "usage" in item else item["containers"][0]["usage"]
    return [item["metadata"]["name"], usage["cpu"], usage["memory"], item["window"]]


def groups() -> Body:
    """Return which groups there are."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group()]}


def group() -> Body:
    """Return which versions the group has."""
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group()


def _group() -> Body:
    version = {"groupVersion": API_VERSION, "version": VERSION}
    return {"name": GROUP, "versions": [version], "preferredVersion": version}


def resources() -> Body:
    """Return what the version has."""
    rows = [
        {
            "name": name,
            "singularName": "",
            "namespaced": name == "pods",
            "kind": kind,
            "verbs": ["get", "list"],
        }
        for name, kind in (("nodes", "NodeMetrics"), ("pods", "PodMetrics"))
    ]
    head = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": API_VERSION}
    return head | {"resources": rows}


def failure(code: int, reason: str, message: str, **details: str) -> Body:
    """Return a refusal as clients read it."""
    found: Body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    found |= {"message": message, "reason": reason, "code": code}
    return found | {"details": details} if details else found
