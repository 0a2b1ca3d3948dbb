"""Lists as people read them: the columns that `kubectl get` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.store import Body, Entry

Cells = list[Any]
Columns = tuple[tuple[str, Callable[[Body], Any]], ...]
MINUTE, HOUR, DAY = 60, 3600, 86_400


def table_of(kind: Kind, entries: Sequence[Entry], metadata: Body) -> Body:
    """Return a list, or one object, as a table; each row carries the object's metadata."""
    columns = COLUMNS.get(kind.name, ())
    rows = []
    for entry in entries:
        body = entry.body()
        cells = [entry.name, *(tell(body) for _, tell in columns), _age(body)]
        partial = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": body["metadata"],
        }
        rows.append({"cells": cells, "object": partial})
    names = ["Name", *(name for name, _ in columns), "Age"]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_column(name) for name in names],
        "rows": rows,
    }


def _column(name: str) -> Body:
    kind = "name" if name == "Name" else ""
    return {"name": name, "type": "string", "format": kind, "description": "", "priority": 0}


def _age(body: Body) -> str:
    made = datetime.fromisoformat(body["metadata"]["creationTimestamp"])
    return duration((datetime.now(UTC) - made).total_seconds())


def duration(seconds: float) -> str:
    """Return a time as kubectl shows it, for example 5m20s."""
    whole = int(seconds)
    if whole < 2 * MINUTE:
        return f"{whole}s"
    if whole < 10 * MINUTE:
        return f"{whole // MINUTE}m{whole % MINUTE}s" if whole % MINUTE else f"{whole // MINUTE}m"
    if whole < 3 * HOUR:
        return f"{whole // MINUTE}m"
    if whole < 8 * HOUR and whole % HOUR >= MINUTE:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE}m"
    if whole < 2 * DAY:
        return f"{whole // HOUR}h"
    return f"{whole // DAY}d"


def _status(body: Body) -> Body:
    found: Body = body.get("status") or {}
    return found


def _ready(body: Body) -> str:
    containers = body["spec"].get("containers") or []
    statuses = _status(body).get("containerStatuses") or []
    return f"{sum(bool(one.get('ready')) for one in statuses)}/{len(containers)}"


def _pod_status(body: Body) -> str:
    """Return what kubectl's column says: the worst of phase and containers."""
    status = _status(body)
    found = status.get("reason") or status.get("phase") or "Unknown"
    for one in reversed(status.get("containerStatuses") or []):
        state = one.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason"):
            found = waiting["reason"]
        elif ended:
            found = ended.get("reason") or f"ExitCode:{ended.get('exitCode', 0)}"
    if body["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(found)


def _restarts(body: Body) -> int:
    return sum(one.get("restartCount", 0) for one in _status(body).get("containerStatuses") or [])


def _of_wanted(body: Body) -> str:
    return f"{_status(body).get('readyReplicas', 0)}/{body['spec'].get('replicas', 0)}"


def _count(name: str) -> Callable[[Body], int]:
    return lambda body: int(_status(body).get(name, 0))


def _wanted(body: Body) -> int:
    return int(body["spec"].get("replicas", 0))


def _node_status(body: Body) -> str:
    conditions = {one["type"]: one["status"] for one in _status(body).get("conditions") or []}
    ready = {"True": "Ready", None: "Unknown"}.get(conditions.get("Ready"), "NotReady")
    return f"{ready},SchedulingDisabled" if body["spec"].get("unschedulable") else ready


def _version(body: Body) -> str:
    return str((_status(body).get("nodeInfo") or {}).get("kubeletVersion", ""))


def _about(body: Body) -> str:
    of = body.get("involvedObject") or {}
    return f"{str(of.get('kind', '')).lower()}/{of.get('name', '')}"


def _field(name: str) -> Callable[[Body], Any]:
    return lambda body: body.get(name, "")


def _data(body: Body) -> int:
    return len(body.get("data") or {}) + len(body.get("binaryData") or {})


def _allowed(body: Body) -> int:
    return int(_status(body).get("disruptionsAllowed", 0))


def _spec(name: str) -> Callable[[Body], Any]:
    return lambda body: body["spec"].get(name, "<none>")


def _ports(body: Body) -> str:
    ports = body["spec"].get("ports") or []
    return ",".join(f"{one['port']}/{one.get('protocol', 'TCP')}" for one in ports) or "<none>"


COLUMNS: dict[str, Columns] = {
    "Pod": (("Ready", _ready), ("Status", _pod_status), ("Restarts", _restarts)),
    "Deployment": (
        ("Ready", _of_wanted),
        ("Up-to-date", _count("updatedReplicas")),
        ("Available", _count("availableReplicas")),
    ),
    "ReplicaSet": (
        ("Desired", _wanted),
        ("Current", _count("replicas")),
        ("Ready", _count("readyReplicas")),
    ),
    "Node": (("Status", _node_status), ("Version", _version)),
    "Namespace": (("Status", lambda body: _status(body).get("phase", "")),),
    "Event": (
        ("Type", _field("type")),
        ("Reason", _field("reason")),
        ("Object", _about),
        ("Message", _field("message")),
    ),
    "ConfigMap": (("Data", _data),),
    "Secret": (("Type", _field("type")), ("Data", _data)),
    "Service": (("Type", _spec("type")), ("Cluster-IP", _spec("clusterIP")), ("Port(s)", _ports)),
    "PodDisruptionBudget": (
        ("Min Available", _spec("minAvailable")),
        ("Max Unavailable", _spec("maxUnavailable")),
        ("Allowed Disruptions", _allowed),
    ),
    "HorizontalPodAutoscaler": (
        ("Minpods", _spec("minReplicas")),
        ("Maxpods", _spec("maxReplicas")),
        ("Replicas", _count("currentReplicas")),
    ),
    "Lease": (("Holder", lambda body: body.get("spec", {}).get("holderIdentity", "")),),
}


def wants_table(accept: Iterable[str]) -> bool:
    """Return whether a client would rather have a table."""
    return any("as=Table" in one for one in accept)
