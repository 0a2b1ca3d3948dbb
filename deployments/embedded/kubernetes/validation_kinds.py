"""What kinds besides pods and their templates have to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from deployments.embedded.kubernetes.causes import Cause, forbidden, required, unsupported, wrong
from deployments.embedded.kubernetes.validation_registrations import registration_causes

Body = dict[str, Any]
CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
KEY_MESSAGE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
SERVICES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
LAST_PORT = 65535
EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def _data(body: Body) -> Iterator[Cause]:
    for name in ("data", "binaryData"):
        for key in body.get(name) or ():
            if not CONFIG_KEY.fullmatch(key):
                yield wrong(f"{name}[{key}]", key, KEY_MESSAGE)


def _service(body: Body) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    kind, ports = spec.get("type"), spec.get("ports") or []
    if kind not in SERVICES:
        yield unsupported("spec.type", kind, SERVICES)
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    for at, one in enumerate(ports):
        here, number = f"spec.ports[{at}]", one.get("port", 0)
        if not 0 < number <= LAST_PORT:
            yield wrong(f"{here}.port", number, "must be between 1 and 65535, inclusive")
        if len(ports) > 1 and not one.get("name"):
            yield required(f"{here}.name")


def _budget(body: Body) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield wrong("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        value = spec.get(name)
        if isinstance(value, int) and value < 0:
            yield wrong(f"spec.{name}", value, "must be greater than or equal to 0")
        elif isinstance(value, str) and not re.fullmatch(r"[0-9]+%", value):
            message = (
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
                "'93%', regex used for validation is '[0-9]+%')"
            )
            yield wrong(f"spec.{name}", value, message)
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in EVICTION_POLICIES:
        yield unsupported("spec.unhealthyPodEvictionPolicy", policy, EVICTION_POLICIES)


def _autoscaler(body: Body) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        yield wrong("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield wrong("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        yield wrong("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    for name in ("kind", "name"):
        if not target.get(name):
            yield required(f"spec.scaleTargetRef.{name}")


def _lease(body: Body) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    if "leaseDurationSeconds" in spec and spec["leaseDurationSeconds"] <= 0:
        value = spec["leaseDurationSeconds"]
        yield wrong("spec.leaseDurationSeconds", value, "must be greater than 0")
    if spec.get("leaseTransitions", 0) < 0:
        value = spec["leaseTransitions"]
        yield wrong("spec.leaseTransitions", value, "must be greater than or equal to 0")


def _node(body: Body) -> Iterator[Cause]:
    for at, one in enumerate((body.get("spec") or {}).get("taints") or ()):
        if not one.get("key"):
            yield required(f"spec.taints[{at}].key")
        if one.get("effect") not in EFFECTS:
            yield unsupported(f"spec.taints[{at}].effect", one.get("effect"), EFFECTS)


def _role(body: Body) -> Iterator[Cause]:
    for at, one in enumerate(body.get("rules") or ()):
        here = f"rules[{at}]"
        if not one.get("verbs"):
            yield required(f"{here}.verbs", "verbs must contain at least one value")
        if one.get("nonResourceURLs"):
            if body["kind"] == "Role":
                message = "namespaced rules cannot apply to non-resource URLs"
                yield wrong(f"{here}.nonResourceURLs", one["nonResourceURLs"], message)
            continue
        if not one.get("apiGroups"):
            yield required(f"{here}.apiGroups", "resource rules must supply at least one api group")
        if not one.get("resources"):
            yield required(f"{here}.resources", "resource rules must supply at least one resource")


def _binding(body: Body) -> Iterator[Cause]:
    reference = body.get("roleRef") or {}
    known = ("ClusterRole",) if body["kind"] == "ClusterRoleBinding" else ("Role", "ClusterRole")
    if reference.get("kind") not in known:
        yield unsupported("roleRef.kind", reference.get("kind", ""), known)
    if not reference.get("name"):
        yield required("roleRef.name")


def _definition(body: Body) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    names, group = spec.get("names") or {}, spec.get("group") or ""
    wanted = f"{names.get('plural', '')}.{group}"
    if body["metadata"]["name"] != wanted:
        message = 'must be spec.names.plural+"."+spec.group'
        yield wrong("metadata.name", body["metadata"]["name"], message)
    if not group:
        yield required("spec.group")
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        yield unsupported("spec.scope", spec.get("scope", ""), ("Cluster", "Namespaced"))
    versions = spec.get("versions") or []
    if sum(bool(one.get("storage")) for one in versions) != 1:
        message = "must have exactly one version marked as storage version"
        yield wrong("spec.versions", [one.get("name") for one in versions], message)
    for at, one in enumerate(versions):
        if not (one.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{at}].schema.openAPIV3Schema", "schemas are required")


def _namespace(body: Body) -> Iterator[Cause]:
    if "." in body["metadata"]["name"]:
        name = body["metadata"]["name"]
        yield wrong("metadata.name", name, "must not contain dots")


def _event(body: Body) -> Iterator[Cause]:
    about = body.get("involvedObject") or {}
    place = body["metadata"].get("namespace", "")
    if about.get("namespace") and about["namespace"] != place and place != "default":
        yield wrong(
            "involvedObject.namespace", about["namespace"], "does not match event.namespace"
        )


def _priority(body: Body) -> Iterator[Cause]:
    highest = 1_000_000_000
    system = body["metadata"]["name"].startswith("system-")
    if body.get("value", 0) > highest and not system:
        message = f"maximum allowed value of a user defined priority is {highest}"
        yield forbidden("value", message)


KINDS: dict[str, Callable[[Body], Iterator[Cause]]] = {
    "ConfigMap": _data,
    "Secret": _data,
    "Service": _service,
    "PodDisruptionBudget": _budget,
    "HorizontalPodAutoscaler": _autoscaler,
    "Lease": _lease,
    "Node": _node,
    "Role": _role,
    "ClusterRole": _role,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "CustomResourceDefinition": _definition,
    "Namespace": _namespace,
    "Event": _event,
    "PriorityClass": _priority,
    "APIService": registration_causes,
}
