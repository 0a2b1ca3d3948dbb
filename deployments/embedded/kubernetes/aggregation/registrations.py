"""Registrations of groups, as they are stored: who answers for a version, and with what weight."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deployments.embedded.kubernetes.kinds import REGISTRATION

Body = dict[str, Any]
PLURAL = "apiservices"
AVAILABLE = "Available"
MANAGED = "kube-aggregator.kubernetes.io/automanaged"
ON_START, ALWAYS = "onstart", "true"
"""Values of that label: made when the server starts, and kept as definitions come and go."""
LOCAL = ("Local", "Local APIServices are always available")
DEFINED = (1_000, 100)
"""Priorities of what a definition adds: of the group, and of the version."""
PRIORITIES: Mapping[tuple[str, str], tuple[int, int]] = {
    ("", "v1"): (18_000, 1),
    ("apps", "v1"): (17_800, 15),
    ("events.k8s.io", "v1"): (17_750, 15),
    ("authorization.k8s.io", "v1"): (17_600, 15),
    ("autoscaling", "v2"): (17_500, 30),
    ("batch", "v1"): (17_400, 15),
    ("networking.k8s.io", "v1"): (17_200, 15),
    ("policy", "v1"): (17_100, 15),
    ("rbac.authorization.k8s.io", "v1"): (17_000, 15),
    ("apiextensions.k8s.io", "v1"): (16_700, 15),
    ("scheduling.k8s.io", "v1"): (16_600, 15),
    ("coordination.k8s.io", "v1"): (16_500, 15),
}
"""Of the groups that the server has, as upstream weighs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A version of a group that another server answers for.

    Attributes:
        group: For example metrics.k8s.io.
        version: For example v1beta1.
        namespace: Of the service.
        service: By which the server is found.
        port: Of the service.
        verifies: Whether the certificate of the server is verified.
        authority: PEM that it is verified with; empty for what the system trusts.
        priority: Of the group, 1 to 20,000.
        version_priority: Of the version, 1 to 1,000.
        available: It answered when it was last asked.
    """

    group: str
    version: str
    namespace: str
    service: str
    port: int
    verifies: bool
    authority: str
    priority: int
    version_priority: int
    available: bool

    @property
    def name(self) -> str:
        """Of the object."""
        return f"{self.version}.{self.group}"

    @property
    def root(self) -> str:
        """Where its paths begin, which is also where it says what it has."""
        return f"/apis/{self.group}/{self.version}"


def registration_of(body: Body) -> Registration | None:
    """Return what an object registers; None for a group of the server itself."""
    spec = body["spec"]
    place = spec.get("service")
    if place is None:
        return None
    return Registration(
        group=spec.get("group", ""),
        version=spec.get("version", ""),
        namespace=place["namespace"],
        service=place["name"],
        port=place["port"],
        verifies=not spec.get("insecureSkipTLSVerify"),
        authority=_text(spec.get("caBundle") or ""),
        priority=spec["groupPriorityMinimum"],
        version_priority=spec["versionPriority"],
        available=(condition_of(body) or {}).get("status") == "True",
    )


def _text(encoded: str) -> str:
    try:
        return b64decode(encoded).decode(errors="replace")
    except binascii.Error:
        return encoded


def condition_of(body: Body) -> Body | None:
    """Return the condition that tells whether a registration is available; None before it is known."""
    conditions: list[Body] = (body.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == AVAILABLE), None)


def first_status(body: Body) -> Body:
    """Return the status that a registration begins with: nobody has to be asked about one's own."""
    if (body.get("spec") or {}).get("service") is not None:
        return {}
    reason, message = LOCAL
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": AVAILABLE, "status": "True", "lastTransitionTime": since}
    return {"conditions": [condition | {"reason": reason, "message": message}]}


def local(group: str, version: str, managed: str) -> Body:
    """Return the registration of a version that the server itself has."""
    priority, version_priority = PRIORITIES.get((group, version), DEFINED)
    spec = {
        "group": group,
        "version": version,
        "groupPriorityMinimum": priority,
        "versionPriority": version_priority,
    }
    if not group:
        del spec["group"]
    metadata = {"name": f"{version}.{group}", "labels": {MANAGED: managed}}
    return {
        "apiVersion": f"{REGISTRATION}/v1",
        "kind": "APIService",
        "metadata": metadata,
        "spec": spec,
    }


def own() -> Iterator[Body]:
    """Yield the registrations that a server starts with."""
    for group, version in PRIORITIES:
        yield local(group, version, ON_START)


def service_cell(body: Body) -> str:
    """Return what a table says of who answers."""
    place = body["spec"].get("service")
    return "Local" if place is None else f"{place['namespace']}/{place['name']}"


def available_cell(body: Body) -> str:
    """Return what a table says of whether they do."""
    condition = condition_of(body)
    if condition is None:
        return "Unknown"
    reason = condition.get("reason")
    told = condition["status"] == "True" or not reason
    return str(condition["status"]) if told else f"{condition['status']} ({reason})"
