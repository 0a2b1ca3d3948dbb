"""How much of a namespace is used, against what a quota allows; of pods and what they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from deployments.embedded.kubernetes import errors
from deployments.embedded.kubernetes.kinds import Kind, Kinds
from deployments.embedded.kubernetes.lifetimes import FINISHED
from deployments.embedded.kubernetes.quantities import amount, canonical
from deployments.embedded.kubernetes.store import Store

Body = dict[str, Any]
PODS = ("pods", "count/pods")


def charge(store: Store, kinds: Kinds, kind: Kind, body: Body) -> None:
    """Refuse a new pod that no quota of its namespace has room for.

    Raises:
        ApiError: 403, with what is asked for, used and allowed.
    """
    if kind.plural != "pods" or kind.group:
        return
    quotas = kinds.built_in("", "v1", "resourcequotas")
    if not store.shelf(quotas).entries:
        return
    namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
    for entry in store.list(quotas, namespace):
        hard = entry.body()["spec"].get("hard") or {}
        used = usage(hard, (one.body() for one in store.list(kind, namespace)))
        asked = {key: _of_pod(key, body) for key in hard}
        over = [k for k in sorted(hard) if asked[k] and used[k] + asked[k] > amount(hard[k])]
        if over:
            message = (
                f'pods "{name}" is forbidden: exceeded quota: {entry.name}, requested: '
                f"{_told(over, asked)}, used: {_told(over, used)}, limited: "
                f"{','.join(f'{key}={hard[key]}' for key in over)}"
            )
            details = {"name": name, "kind": "pods"}
            raise errors.ApiError(403, "Forbidden", message, details=details)


def usage(hard: Iterable[str], pods: Iterable[Body]) -> dict[str, float]:
    """Return how much pods use of each resource that a quota limits."""
    found = dict.fromkeys(hard, 0.0)
    for pod in pods:
        if (pod.get("status") or {}).get("phase") not in FINISHED:
            for key in found:
                found[key] += _of_pod(key, pod)
    return found


def written(number: float) -> str:
    """Return an amount as a quantity."""
    return canonical(f"{number:.9f}".rstrip("0").rstrip("."))


def _of_pod(key: str, pod: Body) -> float:
    if key in PODS:
        return 1.0
    group, _, resource = key.rpartition(".")
    if group not in ("", "requests", "limits") or resource not in ("cpu", "memory"):
        return 0.0
    return sum(_asked(pod, group or "requests", resource))


def _asked(pod: Body, group: str, resource: str) -> Iterator[float]:
    for one in pod["spec"].get("containers") or ():
        yield amount(((one.get("resources") or {}).get(group) or {}).get(resource, 0))


def _told(keys: Iterable[str], amounts: dict[str, float]) -> str:
    return ",".join(f"{key}={written(amounts[key])}" for key in keys)
