"""What becomes of the parts of an object when it is written over or deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.kubernetes import errors
from deployments.embedded.kubernetes.kinds import STATUS, Kind

Body = dict[str, Any]
DEFAULT_GRACE_SECONDS = 30
BORN_WITH_STATUS = frozenset({"Node"})
"""Kinds that a client creates together with their status: a kubelet registers itself so."""
DEFINITION = "CustomResourceDefinition"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""Holds a definition that is to go until its objects went."""
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
FINISHED = frozenset({"Succeeded", "Failed"})
KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def check_namespace(kind: Kind, namespace: str, metadata: Mapping[str, Any]) -> None:
    """Refuse an object of another namespace.

    Raises:
        ApiError: 400.
    """
    said = metadata.get("namespace")
    if kind.namespaced and said and said != namespace:
        message = (
            "the namespace of the provided object does not match the namespace sent on the request"
        )
        raise errors.bad_request(message)


def kept(kind: Kind, old: Body, body: Body, *, part: str) -> Body:
    """Return what a write is, with everything that it may not change as it was."""
    metadata = body.setdefault("metadata", {})
    if part == STATUS:
        # Beside a status only what people say about an object may change.
        said = {key: metadata.get(key) for key in ("labels", "annotations", "managedFields")}
        known = {key: value for key, value in said.items() if value is not None}
        return {**old, "status": body.get("status") or {}, "metadata": {**old["metadata"], **known}}
    if STATUS in kind.subresources:
        if "status" in old:
            body["status"] = old["status"]
        else:
            body.pop("status", None)
    for name in KEPT:
        if name in old["metadata"]:
            metadata[name] = old["metadata"][name]
        else:
            metadata.pop(name, None)
    metadata["name"] = old["metadata"]["name"]
    if kind.namespaced:
        metadata["namespace"] = old["metadata"]["namespace"]
    body["apiVersion"], body["kind"] = kind.api_version, kind.name
    return body


def wanted(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of an object that say what is wanted."""
    return {k: v for k, v in body.items() if k not in ("metadata", "status", "apiVersion", "kind")}


def grace_seconds(kind: Kind, body: Body, asked: int | None) -> int:
    """Return how long an object has to end."""
    if kind.name != "Pod":
        return 0
    spec, status = body.get("spec") or {}, body.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in FINISHED:
        return 0
    if asked is not None:
        return asked
    return int(spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS))


def may_go(kind: Kind, metadata: Mapping[str, Any]) -> bool:
    """Return whether an object waits for its deletion and nothing holds it."""
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    return kind.name != "Namespace" and not metadata.get("deletionGracePeriodSeconds")
