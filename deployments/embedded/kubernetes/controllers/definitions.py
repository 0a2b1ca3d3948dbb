"""Kinds that people define themselves."""

from __future__ import annotations

from collections.abc import Iterable

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.kinds import CRD, Kind, Kinds
from deployments.embedded.kubernetes.lifetimes import CLEANUP
from deployments.embedded.kubernetes.objects import Deletion
from deployments.embedded.kubernetes.pods import set_condition
from deployments.embedded.kubernetes.store import Body, Change, Happened

AGAIN_SECONDS = 0.5
ACCEPTED = (
    ("NamesAccepted", "NoConflicts", "no conflicts found"),
    ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
)


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
        """Make a definition's kinds known, or take its objects away before it goes."""
        kind = self.watched[0]
        entry = self.objects.store.get(kind, *key)
        if entry is None:
            return None
        body = entry.body()
        if body["metadata"].get("deletionTimestamp"):
            return self._empty(body)
        define(self.objects.kinds, body)
        names = body["spec"]["names"]
        status = body.get("status") or {}
        body["status"] = status | {
            "acceptedNames": {"singular": names["kind"].lower(), "listKind": f"{names['kind']}List"}
            | names,
            "storedVersions": [v["name"] for v in body["spec"]["versions"] if v.get("storage")],
        }
        for name, reason, message in ACCEPTED:
            set_condition(body, name, "True", reason=reason, message=message)
        if body != entry.body():
            self.objects.store.put(kind, body)
        return None

    def _empty(self, body: Body) -> float | None:
        """Delete the objects of a definition that goes; the last of them lets it go."""
        kinds, spec, left = self.objects.kinds, body["spec"], False
        for version in spec["versions"]:
            kind = kinds.find(spec["group"], version["name"], spec["names"]["plural"])
            if kind is None:
                continue
            for entry in self.objects.store.list(kind):
                _, gone = self.objects.delete(kind, entry.namespace, entry.name, Deletion())
                left = left or not gone
        if left:
            return AGAIN_SECONDS
        metadata = body["metadata"]
        metadata["finalizers"] = [one for one in metadata.get("finalizers") or () if one != CLEANUP]
        kinds.set_custom(spec["group"], spec["names"]["plural"], [])
        entry = self.objects.store.put(self.watched[0], body)
        if not metadata["finalizers"]:
            self.objects.finish(self.watched[0], entry)
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
                needs_version=True,
                categories=tuple(names.get("categories") or ()),
                schema=(version.get("schema") or {}).get("openAPIV3Schema"),
                scale_paths=(version.get("subresources") or {}).get("scale"),
                columns=tuple(version.get("additionalPrinterColumns") or ()),
            )
            for version in spec["versions"]
            if version.get("served")
        ],
    )
