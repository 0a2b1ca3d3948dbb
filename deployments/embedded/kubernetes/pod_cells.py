"""What columns of `kubectl get pods` say."""

from __future__ import annotations

from deployments.embedded.kubernetes.store import Body


def ready_count(body: Body) -> str:
    """Return how many of a pod's containers are ready, as 1/2."""
    containers = body["spec"].get("containers") or []
    statuses = _status(body).get("containerStatuses") or []
    return f"{sum(bool(one.get('ready')) for one in statuses)}/{len(containers)}"


def pod_status(body: Body) -> str:
    """Return what is the matter with a pod in a word: the worst of its phase and its containers."""
    status = _status(body)
    found = status.get("reason") or status.get("phase") or "Unknown"
    preparing = "" if _is_initialized(status) else _init_status(body)
    found = preparing or found
    for one in [] if preparing else reversed(status.get("containerStatuses") or []):
        state = one.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason"):
            found = waiting["reason"]
        elif ended:
            found = ended.get("reason") or f"ExitCode:{ended.get('exitCode', 0)}"
    if body["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(found)


def _is_initialized(status: Body) -> bool:
    conditions = status.get("conditions") or ()
    return any(one["type"] == "Initialized" and one["status"] == "True" for one in conditions)


def _init_status(body: Body) -> str:
    """Return how far the first init container is that has not ended well; empty when all have."""
    specified = body["spec"].get("initContainers") or ()
    stays = {one["name"] for one in specified if one.get("restartPolicy") == "Always"}
    for at, one in enumerate(_status(body).get("initContainerStatuses") or ()):
        state = one.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if ended is not None and not ended.get("exitCode"):
            continue
        if one["name"] in stays and one.get("started"):
            continue
        if ended is not None:
            return f"Init:{ended.get('reason') or 'ExitCode:' + str(ended['exitCode'])}"
        if waiting.get("reason", "PodInitializing") != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{at}/{len(specified)}"
    return ""


def restart_count(body: Body) -> str:
    """Return how often containers were restarted: of those that are being waited for."""
    status = _status(body)
    preparing = not _is_initialized(status) and _init_status(body)
    statuses = status.get("initContainerStatuses" if preparing else "containerStatuses") or []
    return str(sum(one.get("restartCount", 0) for one in statuses))


def restarted_at(body: Body) -> str | None:
    """Return when the last life of one of those containers ended; None when none has."""
    status = _status(body)
    preparing = not _is_initialized(status) and _init_status(body)
    statuses = status.get("initContainerStatuses" if preparing else "containerStatuses") or []
    ends = [(one.get("lastState") or {}).get("terminated") or {} for one in statuses]
    return max((one["finishedAt"] for one in ends if one.get("finishedAt")), default=None)


def _status(body: Body) -> Body:
    found: Body = body.get("status") or {}
    return found
