"""Cluster roles that are put together from others."""

from __future__ import annotations

from collections.abc import Iterable

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.kinds import RBAC, Kind
from deployments.embedded.kubernetes.selectors import object_selector
from deployments.embedded.kubernetes.store import Body, Happened


class Roles(Controller):
    """Gives roles with a rule of aggregation the rules of all that join them."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return cluster roles."""
        return (self.kind(RBAC, "v1", "clusterroles"),)

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return every role that others may join: there are few."""
        del kind, happened
        return self.everything()

    def everything(self) -> Iterable[Key]:
        """Return the roles that others may join."""
        found = self.objects.store.list(self.watched[0])
        return [one.key for one in found if b'"aggregationRule"' in one.data]

    def reconcile(self, key: Key) -> float | None:
        """Write the rules of a role, by the names of those that join it."""
        kind = self.watched[0]
        entry = self.objects.store.get(kind, *key)
        if entry is None:
            return None
        body = entry.body()
        selectors = [
            object_selector(one)
            for one in (body.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
        ]
        if not selectors:
            return None
        rules: list[Body] = []
        for one in sorted(self.objects.store.list(kind), key=lambda it: it.name):
            if one.name == entry.name or not any(wanted.fits(one.labels) for wanted in selectors):
                continue
            rules += [rule for rule in one.body().get("rules") or () if rule not in rules]
        if rules != (body.get("rules") or []):
            self.objects.store.put(kind, body | {"rules": rules})
        return None
