"""What a pod asks for, read from its specification, and what of it can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deployments.embedded.workloads.containers.quantities import cores, mebibytes
from deployments.embedded.workloads.manifests import LIVE_PATH, PORT, READY_PATH, STARTED_PATH
from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints
from deployments.embedded.workloads.physics.profiles import WorkloadProfile

STARTUP, READINESS, LIVENESS = 0, 1, 2
"""Columns of probes."""
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_PATHS = (STARTED_PATH, READY_PATH, LIVE_PATH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A probe of a container.

    Attributes:
        path: Of an HTTP probe; None when only the connection is tried.
        port: Number of the port.
        initial_delay_seconds: After the start of the container.
        period_seconds: At least 1.
        timeout_seconds: At least 1.
        failure_threshold: In a row.
        success_threshold: In a row.
    """

    path: str | None
    port: int
    initial_delay_seconds: float = 0.0
    period_seconds: float = 10.0
    timeout_seconds: float = 1.0
    failure_threshold: int = 3
    success_threshold: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """A container of a pod.

    Attributes:
        name: Of the container.
        image: With tag.
        command: Empty for the image's own.
        variables: Names in its environment.
        references: (ConfigMap, key) that must be there before it can be made.
        cpu_request_cores: 0 without a request.
        cpu_limit_cores: Infinite without a limit.
        memory_request_mib: 0 without a request.
        memory_limit_mib: Infinite without a limit.
        probes: Of startup, readiness and liveness.
        grace_seconds: Between the request to end and the kill.
    """

    name: str
    image: str
    command: tuple[str, ...]
    variables: frozenset[str]
    references: tuple[tuple[str, str], ...]
    cpu_request_cores: float
    cpu_limit_cores: float
    memory_request_mib: float
    memory_limit_mib: float
    probes: tuple[Probe | None, Probe | None, Probe | None]
    grace_seconds: float


def read_container(pod: Mapping[str, Any]) -> ContainerSpec:
    """Return the first container of a pod's specification, defaults filled in as the server does.

    Raises:
        InvalidQuantityError: A request or a limit is no quantity.
    """
    return _read(pod["containers"][0], pod)


def read_others(pod: Mapping[str, Any]) -> tuple[tuple[ContainerSpec, bool, bool], ...]:
    """Return the other containers: how each is specified, whether it is an init one, and whether it stays.

    Init containers come first, in their order. Their probes are left out.

    Raises:
        InvalidQuantityError: A request or a limit is no quantity.
    """
    init = [
        (one, True, one.get("restartPolicy") == "Always") for one in pod.get("initContainers") or ()
    ]
    beside = [(one, False, True) for one in pod["containers"][1:]]
    return tuple(
        (replace(_read(found, pod), probes=(None, None, None)), is_init, stays)
        for found, is_init, stays in (*init, *beside)
    )


def _read(found: Mapping[str, Any], pod: Mapping[str, Any]) -> ContainerSpec:
    resources = found.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    variables = found.get("env") or []
    references = [(one.get("valueFrom") or {}).get("configMapKeyRef") for one in variables]
    needed = [one for one in references if one and not one.get("optional")]
    ports = {one.get("name"): one["containerPort"] for one in found.get("ports") or []}
    startup, readiness, liveness = (_probe(found.get(name), ports) for name in PROBES)
    return ContainerSpec(
        name=found["name"],
        image=found["image"],
        command=tuple(found.get("command") or ()),
        variables=frozenset(one["name"] for one in variables),
        references=tuple((one["name"], one["key"]) for one in needed),
        cpu_request_cores=cores(requests.get("cpu", limits.get("cpu", 0))),
        cpu_limit_cores=cores(limits["cpu"]) if "cpu" in limits else np.inf,
        memory_request_mib=mebibytes(requests.get("memory", limits.get("memory", 0))),
        memory_limit_mib=mebibytes(limits["memory"]) if "memory" in limits else np.inf,
        probes=(startup, readiness, liveness),
        grace_seconds=float(pod.get("terminationGracePeriodSeconds", 30)),
    )


def _probe(found: Mapping[str, Any] | None, ports: Mapping[str, int]) -> Probe | None:
    if not found:
        return None
    http = found.get("httpGet")
    place = http or found.get("tcpSocket") or found.get("grpc") or {}
    port = place.get("port", PORT)
    return Probe(
        path=None if http is None else str(http.get("path", "/")),
        port=int(ports.get(port, 0)) if isinstance(port, str) else int(port),
        initial_delay_seconds=float(found.get("initialDelaySeconds", 0)),
        period_seconds=float(found.get("periodSeconds", 10)),
        timeout_seconds=float(found.get("timeoutSeconds", 1)),
        failure_threshold=int(found.get("failureThreshold", 3)),
        success_threshold=int(found.get("successThreshold", 1)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What of a specification can be done, and what the program makes of it.

    Attributes:
        pull_ok: The registry has the image.
        image_ok: Its program does not exit at its start; for the physics.
        config_error: Why the container cannot be made; None when it can.
        config_ok: The program finds every key it reads; for the physics.
        command_ok: The command is a file in the image.
        ready_needs_dependencies: As the profile says.
        live_needs_dependencies: As the profile says.
        pull_seconds: How long a first pull takes.
    """

    pull_ok: bool = True
    image_ok: bool = True
    config_error: str | None = None
    config_ok: bool = True
    command_ok: bool = True
    ready_needs_dependencies: bool = False
    live_needs_dependencies: bool = False
    pull_seconds: float = 1.0


def facts_of(
    profile: WorkloadProfile,
    spec: ContainerSpec,
    *,
    namespace: str,
    config_maps: Mapping[str, Mapping[str, str]],
) -> Facts:
    """Return what can be done of a container's specification.

    Args:
        profile: Of its workload.
        spec: As `read_container` returns it.
        namespace: Of the pod.
        config_maps: Data of the ConfigMaps of the namespace, by name.
    """
    tag = spec.image.rpartition(":")[2]
    return Facts(
        pull_ok=tag not in profile.missing_tags and not spec.image.endswith(":"),
        image_ok=tag not in profile.bad_tags,
        config_error=_config_error(spec, namespace, config_maps),
        config_ok=profile.required_keys <= spec.variables,
        # The images have one program, in /app; their owners rarely name it.
        command_ok=not spec.command or spec.command[0] in ("/app/server", "/bin/sh", "sh"),
        ready_needs_dependencies=profile.ready_needs_dependencies,
        live_needs_dependencies=profile.live_needs_dependencies,
    )


def _config_error(
    spec: ContainerSpec, namespace: str, config_maps: Mapping[str, Mapping[str, str]]
) -> str | None:
    for name, key in spec.references:
        if name not in config_maps:
            return f'configmap "{name}" not found'
        if key not in config_maps[name]:
            return f"couldn't find key {key} in ConfigMap {namespace}/{name}"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Specifications as arrays, one row for each pod; probes have three columns.

    Attributes:
        specs: (R,) as read.
        facts: (R,) as found.
        pull_ok: (R,)
        startable: (R,) neither configuration nor command are wrong.
        present: (R, 3) there is such a probe.
        http: (R, 3) it asks for a page.
        found: (R, 3) the program has that page.
        port_ok: (R, 3) the program listens there.
        coupled: (R, 3) the page calls the dependencies.
        delay: (R, 3) seconds.
        period: (R, 3) seconds.
        timeout: (R, 3) seconds.
        failures: (R, 3) in a row.
        successes: (R, 3) in a row.
        grace: (R,) seconds.
    """

    specs: tuple[ContainerSpec, ...]
    facts: tuple[Facts, ...]
    pull_ok: Bools
    startable: Bools
    present: Bools
    http: Bools
    found: Bools
    port_ok: Bools
    coupled: Bools
    delay: Floats
    period: Floats
    timeout: Floats
    failures: Ints
    successes: Ints
    grace: Floats


_NO_PROBE = Probe(path=None, port=PORT)


def rules_of(specs: Sequence[ContainerSpec], facts: Sequence[Facts]) -> Rules:
    """Return specifications and facts as arrays; the same length, one for each pod."""
    probes = [[probe or _NO_PROBE for probe in one.probes] for one in specs]

    def table(name: str, kind: type) -> Any:
        values = [[getattr(probe, name) for probe in row] for row in probes]
        return np.array(values, dtype=kind).reshape(-1, 3)

    coupled = [
        [
            (probe.path == READY_PATH and fact.ready_needs_dependencies)
            or (probe.path == LIVE_PATH and fact.live_needs_dependencies)
            for probe in row
        ]
        for row, fact in zip(probes, facts, strict=True)
    ]
    return Rules(
        specs=tuple(specs),
        facts=tuple(facts),
        pull_ok=np.array([one.pull_ok for one in facts], dtype=bool),
        startable=np.array(
            [one.config_error is None and one.command_ok for one in facts], dtype=bool
        ),
        present=np.array(
            [[probe is not None for probe in one.probes] for one in specs], dtype=bool
        ).reshape(-1, 3),
        http=np.array(
            [[probe.path is not None for probe in row] for row in probes], dtype=bool
        ).reshape(-1, 3),
        found=np.array(
            [[probe.path in (None, *_PATHS) for probe in row] for row in probes], dtype=bool
        ).reshape(-1, 3),
        port_ok=np.array(
            [[probe.port == PORT for probe in row] for row in probes], dtype=bool
        ).reshape(-1, 3),
        coupled=np.array(coupled, dtype=bool).reshape(-1, 3),
        delay=table("initial_delay_seconds", float),
        period=table("period_seconds", float),
        timeout=table("timeout_seconds", float),
        failures=table("failure_threshold", int),
        successes=table("success_threshold", int),
        grace=np.array([one.grace_seconds for one in specs], dtype=float),
    )
