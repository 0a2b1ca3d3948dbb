"""What is done to pods besides writing them: binding to a node, and eviction within budgets."""

from __future__ import annotations

from collections.abc import Mapping

from deployments.embedded.kubernetes.errors import ApiError, bad_request
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.lifetimes import FINISHED
from deployments.embedded.kubernetes.objects import Deletion, Objects, timestamp
from deployments.embedded.kubernetes.selectors import object_selector
from deployments.embedded.kubernetes.store import Body, Entry

RETRY_SECONDS = 10
ALWAYS = "AlwaysAllow"
VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."


def bind(objects: Objects, kind: Kind, pod: Entry, node: str) -> Entry:
    """Give a pod its node.

    Raises:
        ApiError: 409 where it has one.
    """
    body = pod.body()
    if body["spec"].get("nodeName"):
        message = (
            f'Operation cannot be fulfilled on pods/binding "{pod.name}": pod {pod.name} is already '
            f'assigned to node "{body["spec"]["nodeName"]}"'
        )
        raise ApiError(409, "Conflict", message, details={"name": pod.name, "kind": "pods/binding"})
    if not node:
        message = "binding needs a target"
        raise bad_request(message)
    body["spec"]["nodeName"] = node
    set_condition(body, "PodScheduled", "True")
    return objects.store.put(kind, body)


def set_condition(
    body: Body, name: str, status: str, *, reason: str = "", message: str = ""
) -> bool:
    """Write one condition of an object's status, in place; return whether it is another now."""
    conditions = body.setdefault("status", {}).get("conditions") or []
    known: Body = next((one for one in conditions if one["type"] == name), {})
    said = {"status": status, "reason": reason, "message": message}
    if known and all(known.get(key, "") == value for key, value in said.items()):
        return False
    since = known.get("lastTransitionTime") if known.get("status") == status else None
    fresh = {"type": name, "lastTransitionTime": since or timestamp()}
    fresh |= {key: value for key, value in said.items() if value}
    body["status"]["conditions"] = [one for one in conditions if one["type"] != name] + [fresh]
    return True


def is_ready(body: Mapping[str, Body]) -> bool:
    """Return whether a pod says that it is ready."""
    conditions = (body.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def evict(objects: Objects, kind: Kind, pod: Entry, how: Deletion) -> tuple[Entry, bool]:
    """Delete a pod unless a budget forbids it; the budget counts it at once.

    Raises:
        ApiError: 429 where a budget has no disruption left.
    """
    body = pod.body()
    budgets = [] if _needs_no_budget(body) else _budgets(objects, pod)
    if len(budgets) > 1:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ApiError(500, "InternalError", message)
    if budgets and (is_ready(body) or not _spares_unready(budgets[0].body())):
        _spend(objects, budgets[0], pod, dry_run=how.dry_run)
    return objects.delete(kind, pod.namespace, pod.name, how)


def _needs_no_budget(body: Body) -> bool:
    """Return whether a pod serves nobody (canIgnorePDB): not yet, no longer, or not for long."""
    phase = (body.get("status") or {}).get("phase")
    return phase in (*FINISHED, "Pending") or bool(body["metadata"].get("deletionTimestamp"))


def _budgets(objects: Objects, pod: Entry) -> list[Entry]:
    kind = objects.kinds.find("policy", "v1", "poddisruptionbudgets")
    if kind is None:
        return []
    return [
        entry
        for entry in objects.store.list(kind, pod.namespace)
        if object_selector(entry.body()["spec"].get("selector")).fits(pod.labels)
    ]


def _spares_unready(budget: Body) -> bool:
    """Return whether a pod that is not ready goes without being counted."""
    if budget["spec"].get("unhealthyPodEvictionPolicy") == ALWAYS:
        return True
    status = budget.get("status") or {}
    return int(status.get("currentHealthy", 0)) >= int(status.get("desiredHealthy", 0)) > 0


def _spend(objects: Objects, budget: Entry, pod: Entry, *, dry_run: bool) -> None:
    body = budget.body()
    status = body.setdefault("status", {})
    if int(status.get("observedGeneration", 0)) < int(body["metadata"].get("generation", 0)):
        why = f"The disruption budget {budget.name} is still being processed by the server."
        raise _violated(why, retry_after=RETRY_SECONDS)
    left = int(status.get("disruptionsAllowed", 0))
    if left <= 0:
        healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
        why = (
            f"The disruption budget {budget.name} needs {desired} healthy pods and has {healthy} "
            "currently"
        )
        raise _violated(why)
    if dry_run:
        return
    status["disruptionsAllowed"] = left - 1
    status.setdefault("disruptedPods", {})[pod.name] = timestamp()
    kind = objects.kinds.find("policy", "v1", "poddisruptionbudgets")
    if kind is not None:
        objects.store.put(kind, body)


def _violated(why: str, *, retry_after: int | None = None) -> ApiError:
    details = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    return ApiError(429, "TooManyRequests", VIOLATED, details=details, retry_after=retry_after)
