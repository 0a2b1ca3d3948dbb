"""From objects of the API to the values that decisions see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from kubernetes.utils import quantity as quantities

from tasks.domain.healing.view import (
    ContainerView,
    End,
    NodeView,
    Note,
    PodView,
    Replicas,
    Revision,
    Sizes,
)

Body = Mapping[str, Any]

TEMPLATE_HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
_HOST = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::\d+)?(?:[/?].*)?$"
)
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SERVICE = re.compile(rf"^({_LABEL})\.({_LABEL})\.svc(?:\.cluster\.local)?$")


def seconds_of(text: str | None) -> float | None:
    """Return Unix seconds of an instant of the API; None where there is none."""
    return None if not text else datetime.fromisoformat(text).timestamp()


def quantity(value: Any) -> float | None:
    """Return a quantity as a number, for example "250m" as 0.25; None where it is none."""
    read: Any = quantities
    try:
        return None if value is None else float(read.parse_quantity(value))
    except ValueError:
        return None


def pod_view(pod: Body) -> PodView:
    """Return a pod of the API as decisions see it."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    ready = conditions.get("Ready") or {}
    scheduled = conditions.get("PodScheduled") or {}
    refused = scheduled.get("status") == "False"
    initial = [_container(one, initial=True) for one in status.get("initContainerStatuses") or ()]
    containers = [_container(one) for one in status.get("containerStatuses") or ()]
    return PodView(
        name=metadata["name"],
        uid=metadata["uid"],
        node=spec.get("nodeName") or "",
        phase=status.get("phase") or "Pending",
        reason=status.get("reason") or "",
        ready=ready.get("status") == "True",
        unready_since_seconds=(
            seconds_of(ready.get("lastTransitionTime")) if ready.get("status") == "False" else None
        ),
        created_seconds=seconds_of(metadata["creationTimestamp"]) or 0.0,
        unschedulable=str(scheduled.get("message") or "unschedulable") if refused else "",
        template=(metadata.get("labels") or {}).get(TEMPLATE_HASH, ""),
        deleting_since_seconds=seconds_of(metadata.get("deletionTimestamp")),
        containers=(*initial, *containers),
    )


def _container(status: Body, *, initial: bool = False) -> ContainerView:
    state, before = status.get("state") or {}, status.get("lastState") or {}
    waiting, running = state.get("waiting") or {}, state.get("running")
    return ContainerView(
        name=status["name"],
        initial=initial,
        ready=bool(status.get("ready")),
        running=running is not None,
        started_seconds=seconds_of((running or {}).get("startedAt")),
        restarts=int(status.get("restartCount") or 0),
        waiting=waiting.get("reason") or "",
        waiting_message=waiting.get("message") or "",
        ended=_end(state.get("terminated")),
        ended_before=_end(before.get("terminated")),
    )


def _end(terminated: Body | None) -> End | None:
    if not terminated:
        return None
    begun, ended = (seconds_of(terminated.get(one)) for one in ("startedAt", "finishedAt"))
    return End(
        exit_code=int(terminated.get("exitCode") or 0),
        reason=terminated.get("reason") or "",
        message=terminated.get("message") or "",
        ran_seconds=None if begun is None or ended is None else max(ended - begun, 0.0),
        at_seconds=ended,
    )


def note_of(event: Body) -> Note:
    """Return an event of the API as decisions see it."""
    about, series = event.get("involvedObject") or {}, event.get("series") or {}
    instants = (
        series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    )  # fmt: skip
    return Note(
        kind=about.get("kind") or "",
        name=about.get("name") or "",
        reason=event.get("reason") or "",
        message=event.get("message") or "",
        count=int(series.get("count") or event.get("count") or 1),
        last_seconds=next((seconds_of(one) for one in instants if one), None) or 0.0,
    )


def replicas_of(deployment: Body) -> Replicas:
    """Return the numbers of a Deployment."""
    spec, status = deployment["spec"], deployment.get("status") or {}
    progress: Body = next(
        (one for one in status.get("conditions") or () if one["type"] == "Progressing"), {}
    )
    return Replicas(
        wanted=int(spec.get("replicas", 1)),
        there=int(status.get("replicas") or 0),
        ready=int(status.get("readyReplicas") or 0),
        available=int(status.get("availableReplicas") or 0),
        updated=int(status.get("updatedReplicas") or 0),
        observed=int(status.get("observedGeneration") or 0)
        >= int(deployment["metadata"].get("generation") or 0),
        stuck=progress.get("reason") == "ProgressDeadlineExceeded",
    )


def revisions_of(replica_sets: Iterable[Body]) -> tuple[Revision, ...]:
    """Return the revisions of a Deployment, the newest first."""
    found = []
    for one in replica_sets:
        metadata, status = one["metadata"], one.get("status") or {}
        number = (metadata.get("annotations") or {}).get(REVISION, "0")
        found.append(
            Revision(
                number=int(number) if str(number).isdigit() else 0,
                template=(metadata.get("labels") or {}).get(TEMPLATE_HASH, ""),
                replicas=int(status.get("replicas") or 0),
                ready=int(status.get("readyReplicas") or 0),
                created_seconds=seconds_of(metadata["creationTimestamp"]) or 0.0,
            )
        )
    return tuple(sorted(found, key=lambda one: one.number, reverse=True))


def sizes_of(container: Body) -> Sizes:
    """Return what a container of a template is given."""
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    return Sizes(
        cpu_request=quantity(requests.get("cpu")),
        cpu_limit=quantity(limits.get("cpu")),
        memory_request=quantity(requests.get("memory")),
        memory_limit=quantity(limits.get("memory")),
    )


def calls_of(
    container: Body, *, namespace: str, config_maps: Mapping[str, Mapping[str, str]]
) -> tuple[str, ...]:
    """Return what a container's environment says that it calls.

    Addresses of services inside become "namespace/name", others stay the names of hosts.

    Args:
        container: Of a template.
        namespace: Of its pods.
        config_maps: Name to data, of that namespace.
    """
    values = [_value(one, config_maps) for one in container.get("env") or ()]
    for source in container.get("envFrom") or ():
        name = (source.get("configMapRef") or {}).get("name")
        values += [str(one) for one in config_maps.get(name or "", {}).values()]
    found = (_called(one, namespace) for one in values)
    return tuple(dict.fromkeys(one for one in found if one))


def _value(variable: Body, config_maps: Mapping[str, Mapping[str, str]]) -> str:
    reference = (variable.get("valueFrom") or {}).get("configMapKeyRef")
    if reference is None:
        return str(variable.get("value") or "")
    return str(config_maps.get(reference.get("name", ""), {}).get(reference.get("key", ""), ""))


def _called(value: str, namespace: str) -> str:
    found = _HOST.fullmatch(value.strip().lower())
    if found is None or ("." not in found[1] and "://" not in value):
        return ""
    host = found[1]
    service = _SERVICE.fullmatch(host)
    if service is not None:
        return f"{service[2]}/{service[1]}"
    if "." not in host:
        return f"{namespace}/{host}"
    # A version or a number with dots is no host.
    return host if re.search(r"\.[a-z]{2,}$", host) else ""


def node_view(node: Body, *, lease: Body | None = None) -> NodeView:
    """Return a machine as decisions see it, without its metrics."""
    metadata, status = node["metadata"], node.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    ready = conditions.get("Ready") or {}
    return NodeView(
        name=metadata["name"],
        zone=(metadata.get("labels") or {}).get("topology.kubernetes.io/zone", ""),
        ready={"True": True, "False": False}.get(ready.get("status", "")),
        since_seconds=seconds_of(ready.get("lastTransitionTime")),
        lease_seconds=seconds_of(((lease or {}).get("spec") or {}).get("renewTime")),
        pressures=frozenset(
            one for one in PRESSURES if (conditions.get(one) or {}).get("status") == "True"
        ),
        cordoned=bool((node.get("spec") or {}).get("unschedulable")),
    )
