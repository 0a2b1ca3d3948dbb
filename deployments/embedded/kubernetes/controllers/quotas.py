"""What quotas say is used."""

from __future__ import annotations

from collections.abc import Iterable

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.quotas import usage, written
from deployments.embedded.kubernetes.store import Happened


class Quotas(Controller):
    """Counts the pods of a namespace for its quotas."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return quotas, and the pods that they count."""
        return self.kind("", "v1", "resourcequotas"), self.kind("", "v1", "pods")

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return the quota itself, or those of a pod's namespace."""
        entry = happened.entry
        if kind is self.watched[0]:
            return [entry.key]
        quotas = self.objects.store.shelf(self.watched[0]).entries
        return [key for key in quotas if key[0] == entry.namespace]

    def reconcile(self, key: Key) -> float | None:
        """Write a quota's status."""
        quotas, pods = self.watched
        entry = self.objects.store.get(quotas, *key)
        if entry is None:
            return None
        body = entry.body()
        hard = body["spec"].get("hard") or {}
        found = usage(hard, (one.body() for one in self.objects.store.list(pods, entry.namespace)))
        status = {"hard": hard, "used": {name: written(many) for name, many in found.items()}}
        if body.get("status") != status:
            self.objects.store.put(quotas, body | {"status": status})
        return None
