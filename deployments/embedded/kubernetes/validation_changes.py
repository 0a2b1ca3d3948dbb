"""What of an object may not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from deployments.embedded.kubernetes.causes import Cause, forbidden, wrong

Body = dict[str, Any]
IMMUTABLE = "field is immutable"


def fixed_metadata(body: Body, before: Body) -> Iterator[Cause]:
    """Yield what is wrong with how the metadata changed."""
    if not before["metadata"].get("deletionTimestamp"):
        return
    known = before["metadata"].get("finalizers") or []
    added = [one for one in body["metadata"].get("finalizers") or [] if one not in known]
    if added:
        listed = ", ".join(f'"{one}"' for one in added)
        message = (
            "no new finalizers can be added if the object is being deleted, found new finalizers "
            f"[]string{{{listed}}}"
        )
        yield forbidden("metadata.finalizers", message)


def _selector(body: Body, before: Body) -> Iterator[Cause]:
    if body["spec"].get("selector") != before["spec"].get("selector"):
        yield wrong("spec.selector", body["spec"].get("selector"), IMMUTABLE)


POD_MAY_CHANGE = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
POD_MESSAGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
    "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative)"
)


def _pod(body: Body, before: Body) -> Iterator[Cause]:
    if body["spec"] != before["spec"] and _fixed_part(body["spec"]) != _fixed_part(before["spec"]):
        yield forbidden("spec", POD_MESSAGE)


def _fixed_part(spec: Body) -> Body:
    found = {key: value for key, value in spec.items() if key not in POD_MAY_CHANGE}
    for name in ("containers", "initContainers"):
        if name in found:
            found[name] = [{k: v for k, v in one.items() if k != "image"} for one in found[name]]
    return found


def _data(body: Body, before: Body) -> Iterator[Cause]:
    if before["kind"] == "Secret" and body.get("type") != before.get("type"):
        yield wrong("type", body.get("type"), IMMUTABLE)
    if not before.get("immutable"):
        return
    if not body.get("immutable"):
        yield forbidden("immutable", "field is immutable when `immutable` is set")
    for name in ("data", "binaryData"):
        if body.get(name) != before.get(name):
            yield forbidden(name, "field is immutable when `immutable` is set")


def _role(body: Body, before: Body) -> Iterator[Cause]:
    if body.get("roleRef") != before.get("roleRef"):
        yield wrong("roleRef", body.get("roleRef"), "cannot change roleRef")


def _service(body: Body, before: Body) -> Iterator[Cause]:
    old, new = before["spec"].get("clusterIPs") or [], body["spec"].get("clusterIPs") or []
    if "ExternalName" in (body["spec"].get("type"), before["spec"].get("type")):
        return
    if old and new[:1] != old[:1]:
        yield wrong("spec.clusterIPs[0]", new, "may not change once set")


def _priority(body: Body, before: Body) -> Iterator[Cause]:
    if body.get("value") != before.get("value"):
        yield forbidden("value", "may not be changed in an update.")


CHANGES: dict[str, Callable[[Body, Body], Iterator[Cause]]] = {
    "Deployment": _selector,
    "ReplicaSet": _selector,
    "Pod": _pod,
    "ConfigMap": _data,
    "Secret": _data,
    "RoleBinding": _role,
    "ClusterRoleBinding": _role,
    "Service": _service,
    "PriorityClass": _priority,
}
