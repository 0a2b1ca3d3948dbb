"""Lists as people read them: the columns that `kubectl get` shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from deployments.embedded.kubernetes.aggregation.registrations import available_cell, service_cell
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.pod_cells import (
    pod_status,
    ready_count,
    restart_count,
    restarted_at,
)
from deployments.embedded.kubernetes.scale import selector_text
from deployments.embedded.kubernetes.store import Body, Entry

Columns = tuple[tuple[str, str, int, Callable[[Body], Any]], ...]
"""Name, type, priority (0 for those that are always shown) and what a cell says."""
MINUTE, HOUR, DAY = 60, 3600, 86_400


def table_of(
    kind: Kind, entries: Sequence[Entry], metadata: Body, *, rows: str = "Metadata"
) -> Body:
    """Return a list, or one object, as a table.

    Args:
        kind: Of the objects.
        entries: In the order of the rows.
        metadata: Of the list.
        rows: What each row carries besides its cells: Metadata, Object or None.
    """
    columns = _columns(kind)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": name,
                "type": said,
                "format": "name" if name == "Name" else "",
                "description": "",
                "priority": priority,
            }
            for name, said, priority, _ in columns
        ],
        "rows": [_row(entry, columns, rows) for entry in entries],
    }


def _row(entry: Entry, columns: Columns, carries: str) -> Body:
    body = entry.body()
    found: Body = {"cells": [tell(body) for _, _, _, tell in columns]}
    if carries == "Object":
        found["object"] = body
    elif carries != "None":
        found["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": body["metadata"],
        }
    return found


def _columns(kind: Kind) -> Columns:
    if kind.custom:
        own = tuple(_defined(one) for one in kind.columns)
        return (NAME, *own) if own else (NAME, AGE)
    if kind.name in ALONE:
        return ALONE[kind.name]
    known = COLUMNS.get(kind.name, ())
    wide = tuple(one for one in known if one[2])
    return (NAME, *(one for one in known if not one[2]), AGE, *wide)


def _defined(column: Mapping[str, Any]) -> tuple[str, str, int, Callable[[Body], Any]]:
    parts = [one for one in column["jsonPath"].split(".") if one]
    said = column.get("type", "string")

    def tell(body: Body) -> Any:
        found: Any = body
        for one in parts:
            found = found.get(one) if isinstance(found, dict) else None
        return _ago(found) if said == "date" and found else found

    return column["name"], said, int(column.get("priority", 0)), tell


def _name(body: Body) -> str:
    return str(body["metadata"]["name"])


def _age(body: Body) -> str:
    return _ago(body["metadata"].get("creationTimestamp"))


def _ago(when: str | None) -> str:
    if not when:
        return "<unknown>"
    seconds = (datetime.now(UTC) - datetime.fromisoformat(when)).total_seconds()
    return duration(max(seconds, 0.0))


def _restarts(body: Body) -> str:
    count, when = restart_count(body), restarted_at(body)
    return count if count == "0" or when is None else f"{count} ({_ago(when)} ago)"


NAME, AGE = ("Name", "string", 0, _name), ("Age", "string", 0, _age)


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


def _info(name: str) -> Callable[[Body], str]:
    return lambda body: str((_status(body).get("nodeInfo") or {}).get(name) or "<unknown>")


def _node_address(kind: str) -> Callable[[Body], str]:
    return lambda body: next(
        (one["address"] for one in _status(body).get("addresses") or () if one["type"] == kind),
        "<none>",
    )


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


def _limit(name: str) -> Callable[[Body], Any]:
    return lambda body: str(body["spec"].get(name, "N/A"))


def _selector_of(body: Body, name: str) -> str:
    return selector_text(body["spec"].get(name) or {}) or "<none>"


def _ports(body: Body) -> str:
    ports = body["spec"].get("ports") or []
    return ",".join(map(_port, ports)) or "<none>"


def _port(one: Body) -> str:
    node = f":{one['nodePort']}" if one.get("nodePort") else ""
    return f"{one['port']}{node}/{one.get('protocol', 'TCP')}"


def _containers(body: Body) -> list[Body]:
    spec: Body = body["spec"]
    inner: Body = spec.get("template", {}).get("spec") or spec
    found: list[Body] = inner.get("containers") or []
    return found


def _names(body: Body) -> str:
    return ",".join(one["name"] for one in _containers(body))


def _images(body: Body) -> str:
    return ",".join(one["image"] for one in _containers(body))


def _selector(body: Body) -> str:
    return selector_text(body["spec"].get("selector") or {}) or "<none>"


def _node(body: Body) -> str:
    return body["spec"].get("nodeName") or "<none>"


def _address(body: Body) -> str:
    return _status(body).get("podIP") or "<none>"


def _last_seen(body: Body) -> str:
    series = body.get("series") or {}
    return _ago(
        series.get("lastObservedTime") or body.get("lastTimestamp") or body.get("eventTime")
    )


def _source(body: Body) -> str:
    source = body.get("source") or {}
    parts = (source.get("component"), source.get("host"))
    other = (body.get("reportingComponent"), body.get("reportingInstance"))
    return ", ".join(one for one in (parts if any(parts) else other) if one)


def _reference(body: Body) -> str:
    target = body["spec"].get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _plain_selector(body: Body) -> str:
    selector = body["spec"].get("selector") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or "<none>"


def _role_of(body: Body) -> str:
    return f"{body['roleRef']['kind']}/{body['roleRef']['name']}"


def _subjects(kind: str) -> Callable[[Body], str]:
    return lambda body: ", ".join(
        f"{one['namespace']}/{one['name']}" if "namespace" in one else one["name"]
        for one in body.get("subjects") or ()
        if one["kind"] == kind
    )


def _roles(body: Body) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = body["metadata"].get("labels") or {}
    return (
        ",".join(sorted(k.removeprefix(prefix) for k in labels if k.startswith(prefix))) or "<none>"
    )


def _number(name: str, count: Callable[[Body], Any], priority: int = 0) -> Any:
    return name, "integer", priority, count


def _text(name: str, tell: Callable[[Body], Any], priority: int = 0) -> Any:
    return name, "string", priority, tell


SUBJECTS = (
    _text("Role", _role_of),
    _text("Users", _subjects("User"), 1),
    _text("Groups", _subjects("Group"), 1),
    _text("ServiceAccounts", _subjects("ServiceAccount"), 1),
)
CREATED: Any = ("Created At", "date", 0, lambda body: body["metadata"]["creationTimestamp"])
TEMPLATE = (
    _text("Containers", _names, 1),
    _text("Images", _images, 1),
    _text("Selector", _selector, 1),
)
COLUMNS: dict[str, Columns] = {
    "Pod": (
        _text("Ready", ready_count),
        _text("Status", pod_status),
        _text("Restarts", _restarts),
        _text("IP", _address, 1),
        _text("Node", _node, 1),
        _text("Nominated Node", lambda body: _status(body).get("nominatedNodeName") or "<none>", 1),
        _text("Readiness Gates", lambda _: "<none>", 1),
    ),
    "Deployment": (
        _text("Ready", _of_wanted),
        _text("Up-to-date", _count("updatedReplicas")),
        _text("Available", _count("availableReplicas")),
        *TEMPLATE,
    ),
    "ReplicaSet": (
        _number("Desired", _wanted),
        _number("Current", _count("replicas")),
        _number("Ready", _count("readyReplicas")),
        *TEMPLATE,
    ),
    "Namespace": (_text("Status", lambda body: _status(body).get("phase", "")),),
    "ConfigMap": (_text("Data", _data),),
    "Secret": (_text("Type", _field("type")), _text("Data", _data)),
    "Service": (
        _text("Type", _spec("type")),
        _text("Cluster-IP", _spec("clusterIP")),
        _text("External-IP", lambda body: body["spec"].get("externalName", "<none>")),
        _text("Port(s)", _ports),
        _text("Selector", _plain_selector, 1),
    ),
    "PodDisruptionBudget": (
        _text("Min Available", _limit("minAvailable")),
        _text("Max Unavailable", _limit("maxUnavailable")),
        _number("Allowed Disruptions", _allowed),
    ),
    "HorizontalPodAutoscaler": (
        _text("Reference", _reference),
        _text("Targets", lambda _: "<unknown>"),
        _text("MinPods", lambda body: str(body["spec"].get("minReplicas", "<unset>"))),
        _text("MaxPods", _spec("maxReplicas")),
        _text("Replicas", _count("currentReplicas")),
    ),
    "APIService": (_text("Service", service_cell), _text("Available", available_cell)),
    "Lease": (_text("Holder", lambda body: body.get("spec", {}).get("holderIdentity", "")),),
    "NetworkPolicy": (_text("Pod-Selector", lambda body: _selector_of(body, "podSelector")),),
    "RoleBinding": SUBJECTS,
    "ClusterRoleBinding": SUBJECTS,
}
ALONE: dict[str, Columns] = {
    "Node": (
        NAME,
        _text("Status", _node_status),
        _text("Roles", _roles),
        AGE,
        _text("Version", _info("kubeletVersion")),
        _text("Internal-IP", _node_address("InternalIP"), 1),
        _text("External-IP", _node_address("ExternalIP"), 1),
        _text("OS-Image", _info("osImage"), 1),
        _text("Kernel-Version", _info("kernelVersion"), 1),
        _text("Container-Runtime", _info("containerRuntimeVersion"), 1),
    ),
    "PriorityClass": (
        NAME,
        _number("Value", _field("value")),
        ("Global-Default", "boolean", 0, lambda body: bool(body.get("globalDefault"))),
        AGE,
        _text("PreemptionPolicy", _field("preemptionPolicy")),
    ),
    "Event": (
        _text("Last Seen", _last_seen),
        _text("Type", _field("type")),
        _text("Reason", _field("reason")),
        _text("Object", _about),
        _text("Subobject", lambda body: (body.get("involvedObject") or {}).get("fieldPath", ""), 1),
        _text("Source", _source, 1),
        _text("Message", lambda body: str(body.get("message", "")).strip()),
        _text(
            "First Seen", lambda body: _ago(body.get("firstTimestamp") or body.get("eventTime")), 1
        ),
        _text("Count", lambda body: body.get("count", 1), 1),
        _text("Name", _name, 1),
    ),
    "Role": (NAME, CREATED),
    "ClusterRole": (NAME, CREATED),
    "CustomResourceDefinition": (NAME, CREATED),
}
"""Kinds whose age is not the last of what is always shown."""
