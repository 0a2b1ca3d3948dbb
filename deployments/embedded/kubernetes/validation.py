"""What an object has to be before it is stored; only what our clients could get wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from deployments.embedded.kubernetes.errors import ApiError, invalid
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.selectors import object_selector

Body = dict[str, Any]
Cause = tuple[str, str, str]
"""Reason, message and field."""

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
LONGEST_NAME = 253
LONGEST_VALUE = 63

NAME_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
FREE_NAMES = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})


def check(kind: Kind, body: Body, before: Body | None) -> None:
    """Check an object that is about to be stored.

    Args:
        kind: What it is.
        body: With its defaults.
        before: As it is stored; None for a new one.

    Raises:
        ApiError: 422 with every cause.
    """
    causes = [*_metadata(kind, body)]
    if kind.name in _BY_KIND:
        causes += _BY_KIND[kind.name](body)
    if before is not None and kind.name in _FIXED:
        causes += _FIXED[kind.name](body, before)
    if causes:
        raise invalid(kind.name, kind.group, body["metadata"]["name"], causes)


def required(field: str, message: str = "Required value") -> Cause:
    """Return the cause of a value that is missing."""
    return "FieldValueRequired", message, field


def wrong(field: str, value: Any, message: str) -> Cause:
    """Return the cause of a value that cannot be."""
    shown = f'"{value}"' if isinstance(value, str) else value
    return "FieldValueInvalid", f"Invalid value: {shown}: {message}", field


def as_refusal(kind: Kind, name: str, causes: list[Cause]) -> ApiError:
    """Return the refusal for some causes."""
    return invalid(kind.name, kind.group, name, causes)


def _metadata(kind: Kind, body: Body) -> Iterator[Cause]:
    name = body["metadata"]["name"]
    if kind.name not in FREE_NAMES and (len(name) > LONGEST_NAME or not SUBDOMAIN.fullmatch(name)):
        yield wrong("metadata.name", name, NAME_MESSAGE)
    yield from _labels(body["metadata"], "metadata.labels")


def _labels(metadata: Body, field: str) -> Iterator[Cause]:
    for value in (metadata.get("labels") or {}).values():
        if not isinstance(value, str) or len(value) > LONGEST_VALUE or not VALUE.fullmatch(value):
            yield wrong(field, value, VALUE_MESSAGE)


def _pod(body: Body) -> Iterator[Cause]:
    yield from _pod_spec(body.get("spec") or {}, "spec")


def _pod_spec(spec: Body, field: str) -> Iterator[Cause]:
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{field}.containers")
    seen: set[str] = set()
    for at, one in enumerate(containers):
        here = f"{field}.containers[{at}]"
        if not one.get("name"):
            yield required(f"{here}.name")
        elif one["name"] in seen:
            yield "FieldValueDuplicate", f'Duplicate value: "{one["name"]}"', f"{here}.name"
        elif not LABEL.fullmatch(one["name"]):
            yield wrong(f"{here}.name", one["name"], "a lowercase RFC 1123 label must be given")
        seen.add(one.get("name", ""))
        if not one.get("image"):
            yield required(f"{here}.image")


def _with_template(body: Body) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    selector, template = spec.get("selector"), spec.get("template") or {}
    if not isinstance(spec.get("replicas", 1), int) or spec.get("replicas", 1) < 0:
        message = "must be greater than or equal to 0"
        yield wrong("spec.replicas", spec.get("replicas"), message)
    if not selector:
        yield required("spec.selector")
    else:
        labels = (template.get("metadata") or {}).get("labels") or {}
        if not object_selector(selector).fits(labels):
            message = "`selector` does not match template `labels`"
            yield wrong("spec.template.metadata.labels", labels, message)
    yield from _labels(template.get("metadata") or {}, "spec.template.labels")
    yield from _pod_spec(template.get("spec") or {}, "spec.template.spec")


def _autoscaler(body: Body) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    if not spec.get("maxReplicas"):
        yield wrong("spec.maxReplicas", spec.get("maxReplicas", 0), "must be greater than 0")
    elif spec["maxReplicas"] < spec.get("minReplicas", 1):
        message = "must be greater than or equal to `minReplicas`"
        yield wrong("spec.maxReplicas", spec["maxReplicas"], message)


def _fixed_selector(body: Body, before: Body) -> Iterator[Cause]:
    if body["spec"].get("selector") != before["spec"].get("selector"):
        yield wrong("spec.selector", body["spec"].get("selector"), "field is immutable")


POD_MAY_CHANGE = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
POD_MESSAGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
    "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative)"
)


def _fixed_pod(body: Body, before: Body) -> Iterator[Cause]:
    if _fixed_part(body["spec"]) != _fixed_part(before["spec"]):
        yield "FieldValueForbidden", f"Forbidden: {POD_MESSAGE}", "spec"


def _fixed_part(spec: Body) -> Body:
    found = {key: value for key, value in spec.items() if key not in POD_MAY_CHANGE}
    for name in ("containers", "initContainers"):
        if name in found:
            found[name] = [{k: v for k, v in one.items() if k != "image"} for one in found[name]]
    return found


def _fixed_data(body: Body, before: Body) -> Iterator[Cause]:
    if not before.get("immutable"):
        return
    for name in ("data", "binaryData"):
        if body.get(name) != before.get(name):
            message = "Forbidden: field is immutable when `immutable` is set"
            yield "FieldValueForbidden", message, name


def _fixed_role(body: Body, before: Body) -> Iterator[Cause]:
    if body.get("roleRef") != before.get("roleRef"):
        yield wrong("roleRef", body.get("roleRef"), "cannot change roleRef")


_BY_KIND: dict[str, Callable[[Body], Iterator[Cause]]] = {
    "Pod": _pod,
    "Deployment": _with_template,
    "ReplicaSet": _with_template,
    "HorizontalPodAutoscaler": _autoscaler,
}
_FIXED: dict[str, Callable[[Body, Body], Iterator[Cause]]] = {
    "Deployment": _fixed_selector,
    "ReplicaSet": _fixed_selector,
    "Pod": _fixed_pod,
    "ConfigMap": _fixed_data,
    "Secret": _fixed_data,
    "RoleBinding": _fixed_role,
    "ClusterRoleBinding": _fixed_role,
}
