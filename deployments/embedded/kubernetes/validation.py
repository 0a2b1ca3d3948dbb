"""What an object has to be before it is stored; only what our clients could get wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from deployments.embedded.kubernetes.causes import Cause, wrong
from deployments.embedded.kubernetes.errors import invalid
from deployments.embedded.kubernetes.kinds import STATUS, Kind
from deployments.embedded.kubernetes.schemas import violations
from deployments.embedded.kubernetes.validation_changes import CHANGES, fixed_metadata
from deployments.embedded.kubernetes.validation_kinds import KINDS
from deployments.embedded.kubernetes.validation_pods import SUBDOMAIN, pod_causes, template_causes

Body = dict[str, Any]

LABEL_KEY = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
LONGEST_NAME = 253
LONGEST_VALUE = 63

NAME_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
KEY_MESSAGE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
FREE_NAMES = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "APIService"})


def check(kind: Kind, body: Body, before: Body | None, *, part: str = "") -> None:
    """Check an object that is about to be stored.

    Args:
        kind: What it is.
        body: With its defaults.
        before: As it is stored; None for a new one.
        part: That is written; of a status, the rest is as it was and is not looked at again.

    Raises:
        ApiError: 422 with every cause.
    """
    causes = [*_metadata(kind, body)]
    if kind.schema is not None:
        causes += violations(body, kind.schema)
    if part != STATUS:
        causes += _CHECKS[kind.name](body) if kind.name in _CHECKS and not kind.custom else ()
    if before is not None:
        causes += fixed_metadata(body, before)
        if kind.name in CHANGES and not kind.custom and part != STATUS:
            causes += CHANGES[kind.name](body, before)
    if causes:
        raise invalid(kind.name, kind.group, body["metadata"]["name"], causes)


def _metadata(kind: Kind, body: Body) -> Iterator[Cause]:
    name = body["metadata"]["name"]
    if kind.name not in FREE_NAMES and (len(name) > LONGEST_NAME or not SUBDOMAIN.fullmatch(name)):
        yield wrong("metadata.name", name, NAME_MESSAGE)
    yield from label_causes(body["metadata"], "metadata.labels")


def label_causes(metadata: Body, field: str) -> Iterator[Cause]:
    """Yield what is wrong with labels."""
    for key, value in (metadata.get("labels") or {}).items():
        prefix, slash, name = key.rpartition("/")
        if not LABEL_KEY.fullmatch(name) or len(name) > LONGEST_VALUE:
            yield wrong(field, key, KEY_MESSAGE)
        elif slash and not SUBDOMAIN.fullmatch(prefix):
            yield wrong(field, key, f"prefix part {NAME_MESSAGE}")
        if not isinstance(value, str) or not VALUE.fullmatch(value):
            yield wrong(field, value, VALUE_MESSAGE)
        elif len(value) > LONGEST_VALUE:
            yield wrong(field, value, f"must be no more than {LONGEST_VALUE} bytes")


def _pod(body: Body) -> Iterator[Cause]:
    yield from pod_causes(body.get("spec") or {}, "spec")


def _with_template(body: Body) -> Iterator[Cause]:
    yield from template_causes(body)
    template = (body.get("spec") or {}).get("template") or {}
    yield from label_causes(template.get("metadata") or {}, "spec.template.labels")


_CHECKS: dict[str, Callable[[Body], Iterator[Cause]]] = {
    "Pod": _pod,
    "Deployment": _with_template,
    "ReplicaSet": _with_template,
    **KINDS,
}
