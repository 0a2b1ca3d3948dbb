"""The status of a pod as its kubelet writes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from deployments.embedded.workloads.containers.specs import Rules
from deployments.embedded.workloads.containers.status import container_status, timestamp
from deployments.embedded.workloads.containers.table import Phase, Table
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.nodes import ADDRESS
from deployments.embedded.workloads.kubelet.roster import Resident
from deployments.embedded.workloads.physics.arrays import Floats

Body = dict[str, Any]
_SEEN = (
    "phase", "started_at", "finished_at", "restarts", "ready", "started", "exit_code", "reason",
    "back_off",
)  # fmt: skip
_WITHOUT_SANDBOX = (Phase.NEW, Phase.CREATING)


def fingerprints(table: Table) -> Floats:
    """Return (R, 9) what of containers shows in their status: equal rows look equal."""
    return np.stack([np.asarray(getattr(table, name), dtype=float) for name in _SEEN], axis=1)


def on_wall(table: Table, clock: Clock) -> Table:
    """Return containers with the times that are written, which are those of the wall."""
    return replace(
        table,
        started_at=clock.on_wall_all(table.started_at),
        finished_at=clock.on_wall_all(table.finished_at),
        last_started_at=clock.on_wall_all(table.last_started_at),
    )


def pod_status(one: Resident, table: Table, rules: Rules, *, now: float) -> Body:
    """Return the status of a pod that lives.

    Args:
        one: Has a row in the engine. Its transitions are noted.
        table: Of `on_wall`.
        rules: Of the same rows.
        now: On the wall.

    Returns:
        What a kubelet owns of it; a field that is to go is None.
    """
    row = one.row
    container = container_status(table, row, one.names, rules)
    container["restartCount"] += one.restarts_before
    ready, name = bool(container["ready"]), one.pod.spec.name
    sandbox = Phase(int(table.phase[row])) not in _WITHOUT_SANDBOX
    begun = table.started_at[row] > 0
    why = (
        (None, None)
        if ready
        else ("ContainersNotReady", f"containers with unready status: [{name}]")
    )
    status: Body = {
        "phase": "Running" if begun else "Pending",
        "conditions": [
            _condition(one, "PodReadyToStartContainers", sandbox, now),
            _condition(one, "Initialized", True, now),
            _condition(one, "Ready", ready, now, *why),
            _condition(one, "ContainersReady", ready, now, *why),
            _condition(one, "PodScheduled", True, now),
        ],
        "hostIP": ADDRESS,
        "hostIPs": [{"ip": ADDRESS}],
        "startTime": timestamp(one.start_seconds),
        "containerStatuses": [container],
    }
    if sandbox:
        status |= {"podIP": one.address, "podIPs": [{"ip": one.address}]}
    return status


def evicted_status(one: Resident, *, now: float) -> Body:
    """Return the status of a pod that its kubelet put out; `now` is on the wall."""
    container: Body = {
        "name": one.pod.spec.name,
        "image": one.pod.spec.image,
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": one.restarts_before,
        "lastState": {},
        "state": {
            "terminated": {
                "exitCode": 137,
                "reason": "Error",
                "startedAt": timestamp(one.start_seconds),
                "finishedAt": timestamp(now),
            }
        },
    }
    for known in ((one.written or {}).get("containerStatuses") or ())[:1]:
        container |= {
            key: known[key] for key in ("imageID", "containerID", "restartCount") if key in known
        }
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
        "containerStatuses": [container],
    }


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
