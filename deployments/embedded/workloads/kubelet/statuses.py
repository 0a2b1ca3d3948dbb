"""The status of a pod as its kubelet writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deployments.embedded.workloads.containers.companions import Together
from deployments.embedded.workloads.containers.specs import ContainerSpec, Rules
from deployments.embedded.workloads.containers.status import container_status, timestamp
from deployments.embedded.workloads.containers.table import Phase, Table
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.nodes import ADDRESS
from deployments.embedded.workloads.kubelet.roster import Resident
from deployments.embedded.workloads.physics.arrays import Floats, Ints

Body = dict[str, Any]
_SEEN = (
    "phase", "started_at", "finished_at", "restarts", "ready", "started", "exit_code", "reason",
    "back_off",
)  # fmt: skip
_WITHOUT_SANDBOX = (Phase.NEW, Phase.CREATING)


def fingerprints(table: Table, changes: Ints) -> Floats:
    """Return (R, 10) what of containers shows in their status: equal rows look equal.

    Args:
        table: Of first containers.
        changes: (R,) of the other containers of each pod.
    """
    columns = [getattr(table, name) for name in _SEEN]
    return np.stack([np.asarray(one, dtype=float) for one in (*columns, changes)], axis=1)


def on_wall(table: Table, clock: Clock) -> Table:
    """Return containers with the times that are written, which are those of the wall."""
    return replace(
        table,
        started_at=clock.on_wall_all(table.started_at),
        finished_at=clock.on_wall_all(table.finished_at),
        last_started_at=clock.on_wall_all(table.last_started_at),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """The status of a container that is not the first.

    Attributes:
        status: As the API has it.
        is_init: It is an init container.
        is_done: What comes after it may begin; for init containers.
    """

    status: Body
    is_init: bool
    is_done: bool


def others_of(one: Resident, found: Together, clock: Clock) -> list[Other]:
    """Return the statuses of the other containers of a pod, in their order."""
    companions = found.rows.get(one.row, ())
    if not companions:
        return []
    table, made = on_wall(found.table, clock), []
    waiting = found.waits(one.row) or any(companion.is_init for companion, _ in companions)
    for companion, row in companions:
        name = companion.spec.name
        status = container_status(table, row, one.names_of(name), found.rules, waiting=waiting)
        status["restartCount"] += one.restarts_before.get(name, 0)
        is_done = companion.is_init and found.is_done(companion, row)
        if companion.is_init and not companion.stays:
            status |= {"ready": is_done, "started": False}
        made.append(Other(status=status, is_init=companion.is_init, is_done=is_done))
    return made


def pod_status(
    one: Resident, table: Table, rules: Rules, *, now: float, others: Sequence[Other] = ()
) -> Body:
    """Return the status of a pod that lives.

    Args:
        one: Has a row in the engine. Its transitions are noted.
        table: Of `on_wall`.
        rules: Of the same rows.
        now: On the wall.
        others: Its other containers.

    Returns:
        What a kubelet owns of it; a field that is to go is None.
    """
    row = one.row
    init = [other for other in others if other.is_init]
    container = container_status(table, row, one.names, rules, waiting=bool(init))
    container["restartCount"] += one.restarts_before.get(one.pod.spec.name, 0)
    containers = [container, *(other.status for other in others if not other.is_init)]
    sandbox = Phase(int(table.phase[row])) not in _WITHOUT_SANDBOX or any(
        other.status["state"].get("waiting", {}).get("reason") != "PodInitializing"
        for other in init
    )
    begun = all("waiting" not in each["state"] or each["lastState"] for each in containers)
    unready = [each["name"] for each in containers if not each["ready"]]
    incomplete = [other.status["name"] for other in init if not other.is_done]
    ready, initialized = not unready, not incomplete
    why = _why("ContainersNotReady", "unready", unready)
    status: Body = {
        "phase": "Running" if begun else "Pending",
        "conditions": [
            _condition(one, "PodReadyToStartContainers", sandbox, now),
            _condition(
                one,
                "Initialized",
                initialized,
                now,
                *_why("ContainersNotInitialized", "incomplete", incomplete),
            ),
            _condition(one, "Ready", ready, now, *why),
            _condition(one, "ContainersReady", ready, now, *why),
            _condition(one, "PodScheduled", True, now),
        ],
        "hostIP": ADDRESS,
        "hostIPs": [{"ip": ADDRESS}],
        "startTime": timestamp(one.start_seconds),
        "containerStatuses": containers,
    }
    if init:
        status["initContainerStatuses"] = [other.status for other in init]
    if sandbox:
        status |= {"podIP": one.address, "podIPs": [{"ip": one.address}]}
    return status


def _why(reason: str, what: str, names: Sequence[str]) -> tuple[str | None, str | None]:
    """Return reason and message of a condition that containers keep from being true."""
    if not names:
        return None, None
    return reason, f"containers with {what} status: [{' '.join(names)}]"


def evicted_status(one: Resident, *, now: float) -> Body:
    """Return the status of a pod that its kubelet put out; `now` is on the wall."""
    written = (one.written or {}).get("containerStatuses") or ()
    known = {each["name"]: each for each in written}
    beside = [other.spec for other in one.pod.companions if not other.is_init]
    containers = [
        _put_out(one, spec, known.get(spec.name, {}), now) for spec in (one.pod.spec, *beside)
    ]
    failed = ("PodFailed", None)
    why = ("TerminationByKubelet", one.evicted)
    return {
        "phase": "Failed",
        "reason": "Evicted",
        "message": one.evicted,
        "conditions": [
            _condition(one, "DisruptionTarget", True, now, *why),
            _condition(one, "PodReadyToStartContainers", False, now),
            _condition(one, "Initialized", True, now),
            _condition(one, "Ready", False, now, *failed),
            _condition(one, "ContainersReady", False, now, *failed),
            _condition(one, "PodScheduled", True, now),
        ],
        "startTime": timestamp(one.start_seconds),
        "containerStatuses": containers,
    }


def _put_out(one: Resident, spec: ContainerSpec, known: Body, now: float) -> Body:
    """Return the status of a container of a pod that was put out; `known` is what was written last."""
    kept = ("imageID", "containerID", "restartCount")
    return {
        "name": spec.name,
        "image": spec.image,
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": one.restarts_before.get(spec.name, 0),
        "lastState": {},
        "state": {
            "terminated": {
                "exitCode": 137,
                "reason": "Error",
                "startedAt": timestamp(one.start_seconds),
                "finishedAt": timestamp(now),
            }
        },
    } | {key: known[key] for key in kept if key in known}


def _condition(
    one: Resident, name: str, status: bool, now: float,
    reason: str | None = None, message: str | None = None,
) -> Body:  # fmt: skip
    said = "True" if status else "False"
    known = one.since.get(name)
    if known is None or known[0] != said:
        known = one.since[name] = (said, now)
    return {
        "type": name,
        "status": said,
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(known[1]),
        "reason": reason,
        "message": message,
    }
