"""What pods and the templates of pods have to be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from deployments.embedded.kubernetes.causes import (
    Cause,
    duplicate,
    forbidden,
    required,
    unsupported,
    wrong,
)
from deployments.embedded.kubernetes.quantities import amount
from deployments.embedded.kubernetes.selectors import object_selector

Body = dict[str, Any]

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
RESTARTS = ("Always", "OnFailure", "Never")
PULLS = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
LAST_PORT = 65535
NOT_NEGATIVE = "must be greater than or equal to 0"
PROBES = frozenset({"livenessProbe", "readinessProbe", "startupProbe"})


def pod_causes(spec: Body, field: str) -> Iterator[Cause]:
    """Yield what is wrong with the specification of a pod."""
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{field}.containers")
    seen: set[str] = set()
    for group in ("initContainers", "containers"):
        for at, one in enumerate(spec.get(group) or ()):
            yield from _container(one, f"{field}.{group}[{at}]", seen)
    if spec.get("restartPolicy") not in RESTARTS:
        yield unsupported(f"{field}.restartPolicy", spec.get("restartPolicy"), RESTARTS)
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        value = spec["terminationGracePeriodSeconds"]
        yield wrong(f"{field}.terminationGracePeriodSeconds", value, NOT_NEGATIVE)
    yield from _volumes(spec, field)


def _container(one: Body, here: str, seen: set[str]) -> Iterator[Cause]:
    name = one.get("name") or ""
    if not name:
        yield required(f"{here}.name")
    elif name in seen:
        yield duplicate(f"{here}.name", name)
    elif not LABEL.fullmatch(name):
        yield wrong(f"{here}.name", name, LABEL_MESSAGE)
    seen.add(name)
    if not one.get("image"):
        yield required(f"{here}.image")
    if one.get("imagePullPolicy") not in PULLS:
        yield unsupported(f"{here}.imagePullPolicy", one.get("imagePullPolicy"), PULLS)
    for at, port in enumerate(one.get("ports") or ()):
        yield from _port(port, f"{here}.ports[{at}]")
    nameless = [at for at, it in enumerate(one.get("env") or ()) if not it.get("name")]
    yield from (required(f"{here}.env[{at}].name") for at in nameless)
    yield from _resources(one.get("resources") or {}, f"{here}.resources")
    for probe in PROBES & one.keys():
        yield from _probe(one[probe], f"{here}.{probe}")


def _port(port: Body, here: str) -> Iterator[Cause]:
    number = port.get("containerPort", 0)
    if not number:
        yield required(f"{here}.containerPort")
    elif not 0 < number <= LAST_PORT:
        yield wrong(f"{here}.containerPort", number, "must be between 1 and 65535, inclusive")
    if port.get("protocol") not in PROTOCOLS:
        yield unsupported(f"{here}.protocol", port.get("protocol"), PROTOCOLS)


def _resources(resources: Mapping[str, Any], here: str) -> Iterator[Cause]:
    limits = resources.get("limits") or {}
    for group in ("limits", "requests"):
        for name, value in (resources.get(group) or {}).items():
            if amount(value) < 0:
                yield wrong(f"{here}.{group}[{name}]", value, NOT_NEGATIVE)
    for name, value in (resources.get("requests") or {}).items():
        if name in limits and amount(value) > amount(limits[name]):
            message = f"must be less than or equal to {name} limit of {limits[name]}"
            yield wrong(f"{here}.requests", value, message)


def _probe(probe: Body, here: str) -> Iterator[Cause]:
    handlers = [name for name in ("httpGet", "tcpSocket", "exec", "grpc") if name in probe]
    if not handlers:
        yield required(here, "must specify a handler type")
    elif len(handlers) > 1:
        yield forbidden(f"{here}.{handlers[1]}", "may not specify more than 1 handler type")
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"):
        if probe.get(name, 0) < 0:
            yield wrong(f"{here}.{name}", probe[name], NOT_NEGATIVE)


def _volumes(spec: Body, field: str) -> Iterator[Cause]:
    names: set[str] = set()
    for at, one in enumerate(spec.get("volumes") or ()):
        here, name = f"{field}.volumes[{at}]", one.get("name") or ""
        if not name:
            yield required(f"{here}.name")
        elif name in names:
            yield duplicate(f"{here}.name", name)
        names.add(name)
    for at, one in enumerate(spec.get("containers") or ()):
        for number, mount in enumerate(one.get("volumeMounts") or ()):
            if mount.get("name") not in names:
                here = f"{field}.containers[{at}].volumeMounts[{number}].name"
                yield "FieldValueNotFound", f'Not found: "{mount.get("name", "")}"', here


def template_causes(body: Body) -> Iterator[Cause]:
    """Yield what is wrong with something that makes pods of a template."""
    spec = body.get("spec") or {}
    if spec.get("replicas", 1) < 0:
        yield wrong("spec.replicas", spec["replicas"], NOT_NEGATIVE)
    if spec.get("minReadySeconds", 0) < 0:
        yield wrong("spec.minReadySeconds", spec["minReadySeconds"], NOT_NEGATIVE)
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        yield required("spec.selector")
    elif not selector:
        yield wrong("spec.selector", selector, "empty selector is invalid for deployment")
    else:
        labels = (template.get("metadata") or {}).get("labels") or {}
        if not object_selector(selector).fits(labels):
            message = "`selector` does not match template `labels`"
            yield wrong("spec.template.metadata.labels", labels, message)
    inner = template.get("spec") or {}
    yield from pod_causes(inner, "spec.template.spec")
    if inner.get("restartPolicy") in RESTARTS[1:]:
        field = "spec.template.spec.restartPolicy"
        yield unsupported(field, inner["restartPolicy"], RESTARTS[:1])
    if body["kind"] == "Deployment":
        yield from _strategy(spec.get("strategy") or {})


def _strategy(strategy: Body) -> Iterator[Cause]:
    here, rolling = "spec.strategy", strategy.get("rollingUpdate")
    match strategy.get("type"):
        case "Recreate":
            if rolling is not None:
                message = "may not be specified when strategy `type` is 'Recreate'"
                yield forbidden(f"{here}.rollingUpdate", message)
        case "RollingUpdate":
            if rolling is None:
                yield required(f"{here}.rollingUpdate", "this should be defaulted and never be nil")
            elif _is_none(rolling.get("maxSurge")) and _is_none(rolling.get("maxUnavailable")):
                value, message = rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"
                yield wrong(f"{here}.rollingUpdate.maxUnavailable", value, message)
        case other:
            yield unsupported(f"{here}.type", other, ("Recreate", "RollingUpdate"))


def _is_none(value: object) -> bool:
    return value in (0, "0%")
