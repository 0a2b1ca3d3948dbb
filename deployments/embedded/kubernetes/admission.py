"""What a server adds to objects by looking at others, and what it refuses because of them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from deployments.embedded.kubernetes import errors
from deployments.embedded.kubernetes.addresses import give_address
from deployments.embedded.kubernetes.defaults import NOT_READY
from deployments.embedded.kubernetes.kinds import Kind, Kinds
from deployments.embedded.kubernetes.quotas import charge
from deployments.embedded.kubernetes.store import Store

Body = dict[str, Any]
SYSTEM_PRIORITIES = {
    "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000,
}  # fmt: skip
IMMORTAL = ("default", "kube-public", "kube-system")

__all__ = ["admit", "admit_deletion", "charge"]


def admit(store: Store, kinds: Kinds, kind: Kind, body: Body, before: Body | None) -> None:
    """Complete an object that is about to be stored, in place.

    Raises:
        ApiError: 403 where it names something that is not there.
    """
    if kind.name in _BY_KIND:
        _BY_KIND[kind.name](store, kinds, body, before)


def admit_deletion(kind: Kind, name: str) -> None:
    """Refuse to delete what a cluster cannot be without.

    Raises:
        ApiError: 403.
    """
    if kind.name == "Namespace" and name in IMMORTAL:
        message = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
        details = {"name": name, "kind": kind.plural}
        raise errors.ApiError(403, "Forbidden", message, details=details)


def _pod(store: Store, kinds: Kinds, body: Body, before: Body | None) -> None:
    name = body["spec"].get("priorityClassName")
    if before is not None:
        body["spec"].setdefault("priority", before["spec"].get("priority", 0))
        return
    if not name:
        body["spec"].setdefault("priority", 0)
        return
    found = store.get(kinds.built_in("scheduling.k8s.io", "v1", "priorityclasses"), "", name)
    if found is None and name not in SYSTEM_PRIORITIES:
        pod = body["metadata"]["name"]
        message = f'pods "{pod}" is forbidden: no PriorityClass with name {name} was found'
        raise errors.ApiError(403, "Forbidden", message, details={"name": pod, "kind": "pods"})
    if found is None:
        body["spec"]["priority"] = SYSTEM_PRIORITIES[name]
        return
    known = found.body()
    body["spec"]["priority"] = known.get("value", 0)
    body["spec"]["preemptionPolicy"] = known.get("preemptionPolicy", "PreemptLowerPriority")


def _node(store: Store, kinds: Kinds, body: Body, before: Body | None) -> None:
    """Keep pods away from a new node until it says that it is ready."""
    del store, kinds
    if before is not None:
        return
    taints = body.setdefault("spec", {}).setdefault("taints", [])
    wanted = {"key": NOT_READY, "effect": "NoSchedule"}
    if not any(one.get("key") == NOT_READY and one["effect"] == "NoSchedule" for one in taints):
        taints.append(wanted)


def _secret(store: Store, kinds: Kinds, body: Body, before: Body | None) -> None:
    del store, kinds, before
    for name, text in (body.pop("stringData", None) or {}).items():
        body.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()


def _service(store: Store, kinds: Kinds, body: Body, before: Body | None) -> None:
    give_address(store, kinds.built_in("", "v1", "services"), body, before)


_BY_KIND: dict[str, Callable[[Store, Kinds, Body, Body | None], None]] = {
    "Pod": _pod,
    "Node": _node,
    "Secret": _secret,
    "Service": _service,
}
