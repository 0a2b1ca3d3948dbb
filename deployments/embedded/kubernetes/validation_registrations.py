"""What a registration of a group has to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from deployments.embedded.kubernetes.causes import Cause, required, wrong
from deployments.embedded.kubernetes.validation_pods import SUBDOMAIN

Body = dict[str, Any]
VERSION = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
VERSION_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
GROUP_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
MOST_PRIORITY, MOST_VERSION_PRIORITY, LAST_PORT = 20_000, 1_000, 65_535


def registration_causes(body: Body) -> Iterator[Cause]:
    """Yield what is wrong with a registration."""
    spec, name = body.get("spec") or {}, body["metadata"]["name"]
    group, version = spec.get("group") or "", spec.get("version") or ""
    if name != f"{version}.{group}":
        message = f'must be `spec.version+"."+spec.group`: "{version}.{group}"'
        yield wrong("metadata.name", name, message)
    if not group and version != "v1":
        message = "only v1 may have an empty group and it better be legacy kube"
        yield required("spec.group", message)
    if group and not SUBDOMAIN.fullmatch(group):
        yield wrong("spec.group", group, GROUP_MESSAGE)
    if not VERSION.fullmatch(version):
        yield wrong("spec.version", version, VERSION_MESSAGE)
    yield from _priorities(spec)
    yield from _server(spec)


def _priorities(spec: Body) -> Iterator[Cause]:
    for name, most in (
        ("groupPriorityMinimum", MOST_PRIORITY),
        ("versionPriority", MOST_VERSION_PRIORITY),
    ):
        value = spec.get(name) or 0
        if not 0 < value <= most:
            yield wrong(f"spec.{name}", value, f"must be positive and less than {most}")


def _server(spec: Body) -> Iterator[Cause]:
    place, bundle = spec.get("service"), spec.get("caBundle")
    waived = bool(spec.get("insecureSkipTLSVerify"))
    if place is None:
        if bundle:
            said = f"{len(bundle)} bytes"
            yield wrong("spec.caBundle", said, "local APIServices may not have a caBundle")
        if waived:
            message = "local APIServices may not have insecureSkipTLSVerify"
            yield wrong("spec.insecureSkipTLSVerify", waived, message)
        return
    for name in ("namespace", "name"):
        if not place.get(name):
            yield required(f"spec.service.{name}")
    port = place.get("port") or 0
    if not 0 < port <= LAST_PORT:
        message = f"port is not valid: must be between 1 and {LAST_PORT}, inclusive"
        yield wrong("spec.service.port", port, message)
    if waived and bundle:
        yield wrong("spec.insecureSkipTLSVerify", waived, "may not be true if caBundle is present")
