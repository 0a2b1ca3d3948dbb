"""A container's status as the API has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from deployments.embedded.workloads.containers.messages import Names, pull_error, start_error
from deployments.embedded.workloads.containers.specs import Rules
from deployments.embedded.workloads.containers.table import REASONS, Phase, Reason, Table, running
from deployments.embedded.workloads.physics.noise import key_of

Json = dict[str, Any]
_CREATING = "ContainerCreating"


def container_status(
    table: Table, row: int, names: Names, rules: Rules, *, waiting: bool = False
) -> Json:
    """Return the containerStatuses entry of a row.

    Args:
        table: Of all containers.
        row: Which.
        names: Of its pod.
        rules: What the pods ask for.
        waiting: The pod has init containers: what does not run yet waits for them.

    Returns:
        JSON with every field that clients demand; imageID and containerID are made up and stable.
    """
    found: Json = {
        "name": names.container,
        "image": names.image,
        "imageID": "",
        "ready": bool(table.ready[row]),
        "started": bool(table.started[row] and running(table)[row]),
        "restartCount": int(table.restarts[row]),
        "state": _state(table, row, names, rules, waiting=waiting),
        "lastState": {},
    }
    phase = Phase(int(table.phase[row]))
    if table.started_at[row] > 0:
        found["containerID"] = _container_id(names, int(table.restarts[row]))
        found["imageID"] = f"{names.image.rpartition(':')[0]}@sha256:{_digest(names.image)}"
    if table.finished_at[row] > 0 and phase not in (Phase.ENDED, Phase.GONE):
        found["lastState"] = {"terminated": _terminated(table, row, names, rules)}
    return found


def _state(table: Table, row: int, names: Names, rules: Rules, *, waiting: bool) -> Json:
    phase = Phase(int(table.phase[row]))
    if phase in (Phase.RUNNING, Phase.STOPPING):
        return {"running": {"startedAt": timestamp(table.started_at[row])}}
    if phase in (Phase.ENDED, Phase.GONE) and table.finished_at[row] > 0:
        return {"terminated": _terminated(table, row, names, rules)}
    reason, message = _waiting(phase, table, row, names, rules)
    if waiting and reason == _CREATING:
        reason = "PodInitializing"
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def _waiting(
    phase: Phase, table: Table, row: int, names: Names, rules: Rules
) -> tuple[str, str | None]:
    if phase is Phase.BACK_OFF:
        wait = _duration(float(table.back_off[row]))
        pod = f"{names.pod}_{names.namespace}({names.uid})"
        text = f"back-off {wait} restarting failed container={names.container} pod={pod}"
        return "CrashLoopBackOff", text
    if phase is Phase.PULL_ERROR:
        return "ErrImagePull", pull_error(names)
    if phase is Phase.PULL_BACK_OFF:
        text = f'Back-off pulling image "{names.image}": ErrImagePull: {pull_error(names)}'
        return "ImagePullBackOff", text
    if phase is Phase.CONFIG_ERROR:
        return "CreateContainerConfigError", rules.facts[row].config_error
    return _CREATING, None


def _terminated(table: Table, row: int, names: Names, rules: Rules) -> Json:
    reason = Reason(int(table.reason[row]))
    restarts = int(table.restarts[row])
    ended_before = table.started_at[row] > table.last_started_at[row]
    found: Json = {
        "exitCode": int(table.exit_code[row]),
        "reason": REASONS[reason],
        "startedAt": timestamp(table.last_started_at[row]),
        "finishedAt": timestamp(table.finished_at[row]),
        "containerID": _container_id(names, restarts - ended_before),
    }
    if reason is Reason.START_ERROR:
        found["message"] = start_error((*rules.specs[row].command, "")[0])
        # What never ran has no start: the runtime reports the epoch.
        found["startedAt"] = timestamp(0.0)
    return found


def timestamp(seconds: float) -> str:
    """Return an instant as the API writes it, whole seconds, UTC."""
    return datetime.fromtimestamp(int(seconds), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _duration(seconds: float) -> str:
    """Return a duration as Go prints it: 10s, 1m20s, 5m0s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _container_id(names: Names, restarts: int) -> str:
    return f"containerd://{_digest(f'{names.uid}/{names.container}/{restarts}')}"


def _digest(text: str) -> str:
    return "".join(f"{key_of(text, seed=part):016x}" for part in range(4))
