"""Kinds that people define themselves."""

from __future__ import annotations

from collections.abc import Iterable

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.kinds import CRD, Kind, Kinds
from deployments.embedded.kubernetes.pods import set_condition
from deployments.embedded.kubernetes.store import Body, Change, Happened


class Definitions(Controller):
    """Makes the kinds of custom resource definitions known, and says that it did."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return definitions."""
        return (self.kind(CRD, "v1", "customresourcedefinitions"),)

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return the definition; kinds of one that went are forgotten at once."""
        del kind
        if happened.change is Change.DELETED:
            spec = happened.entry.body()["spec"]
            self.objects.kinds.set_custom(spec["group"], spec["names"]["plural"], [])
            return []
        return [happened.entry.key]

    def reconcile(self, key: Key) -> float | None:
        """Make a definition's kinds known."""
        kind = self.watched[0]
        entry = self.objects.store.get(kind, *key)
        if entry is None:
            return None
        body = entry.body()
        define(self.objects.kinds, body)
        names = body["spec"]["names"]
        accepted = {"singular": names["kind"].lower(), "listKind": f"{names['kind']}List"} | names
        status = body.get("status") or {}
        if status.get("acceptedNames") != accepted:
            body["status"] = status | {
                "acceptedNames": accepted,
                "storedVersions": [v["name"] for v in body["spec"]["versions"] if v.get("storage")],
            }
            set_condition(
                body, "NamesAccepted", "True", reason="NoConflicts", message="no conflicts found"
            )
            set_condition(
                body,
                "Established",
                "True",
                reason="InitialNamesAccepted",
                message="the initial names have been accepted",
            )
            self.objects.store.put(kind, body)
        return None


def define(kinds: Kinds, definition: Body) -> None:
    """Make the served versions of a definition known."""
    spec = definition["spec"]
    names = spec["names"]
    kinds.set_custom(
        spec["group"],
        names["plural"],
        [
            Kind(
                group=spec["group"],
                version=version["name"],
                name=names["kind"],
                plural=names["plural"],
                namespaced=spec["scope"] == "Namespaced",
                short_names=tuple(names.get("shortNames") or ()),
                subresources=tuple(
                    part
                    for part in ("status", "scale")
                    if part in (version.get("subresources") or {})
                ),
                generation=True,
                custom=True,
            )
            for version in spec["versions"]
            if version.get("served")
        ],
    )
