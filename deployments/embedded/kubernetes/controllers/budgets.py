"""How many pods of a disruption budget may go right now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.controllers.rollouts import share
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.lifetimes import FINISHED
from deployments.embedded.kubernetes.pods import is_ready, set_condition
from deployments.embedded.kubernetes.selectors import object_selector
from deployments.embedded.kubernetes.store import NOBODY, Body, Happened

EVICTED_SECONDS = 120.0
"""An eviction that has not ended a pod by then is no longer counted."""


class Budgets(Controller):
    """Counts healthy pods against what budgets ask for."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return budgets, the pods they cover, and the sets that say how many are expected."""
        return (
            self.kind("policy", "v1", "poddisruptionbudgets"),
            self.kind("", "v1", "pods"),
            self.kind("apps", "v1", "replicasets"),
        )

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return the budget itself, or those of its namespace."""
        entry = happened.entry
        if kind is self.watched[0]:
            return [entry.key]
        budgets = self.objects.store.shelf(self.watched[0]).entries
        return [key for key in budgets if key[0] == entry.namespace]

    def reconcile(self, key: Key) -> float | None:
        """Write a budget's status."""
        budgets, pods, sets = self.watched
        entry = self.objects.store.get(budgets, *key)
        if entry is None:
            return None
        body = entry.body()
        spec, before = body["spec"], body.get("status") or {}
        selector = object_selector(spec.get("selector"))
        covered = [
            (pod, found)
            for pod in self.objects.store.list(pods, entry.namespace, labels=selector)
            if ((found := pod.body()).get("status") or {}).get("phase") not in FINISHED
        ]
        owners = {uid for pod, _ in covered for uid in pod.owners}
        wanted = sum(
            int(one.body()["spec"]["replicas"])
            for one in self.objects.store.list(sets, entry.namespace)
            if one.uid in owners
        )
        loose = sum(pod.owners is NOBODY for pod, _ in covered)
        expected = wanted + loose
        evicted = _still_going(before, {pod.name: found for pod, found in covered})
        healthy = sum(
            is_ready(found)
            and pod.name not in evicted
            and not found["metadata"].get("deletionTimestamp")
            for pod, found in covered
        )
        desired = _desired(spec, expected)
        allowed = max(healthy - desired, 0) if covered else 0
        status: Body = {
            "observedGeneration": body["metadata"].get("generation", 1),
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "conditions": list(before.get("conditions") or []),
        }
        if evicted:
            status["disruptedPods"] = evicted
        told = body | {"status": status}
        reason = "SufficientPods" if allowed else "InsufficientPods"
        set_condition(told, "DisruptionAllowed", "True" if allowed else "False", reason=reason)
        for one in status["conditions"]:
            one |= {"message": "", "observedGeneration": status["observedGeneration"]}
        if status != before:
            self.objects.store.put(budgets, told)
        return EVICTED_SECONDS if evicted else None


def _desired(spec: Body, expected: int) -> int:
    if spec.get("maxUnavailable") is not None:
        return max(expected - share(spec["maxUnavailable"], expected, up=True), 0)
    return share(spec.get("minAvailable", 1), expected, up=True)


def _still_going(before: Body, pods: dict[str, Body]) -> dict[str, str]:
    """Return evictions that have not shown yet, by pod."""
    now = datetime.now(UTC)
    return {
        name: since
        for name, since in (before.get("disruptedPods") or {}).items()
        if name in pods
        and not pods[name]["metadata"].get("deletionTimestamp")
        and (now - datetime.fromisoformat(since)).total_seconds() < EVICTED_SECONDS
    }
