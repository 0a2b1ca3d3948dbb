"""What other servers say that they have, as the documents about all groups tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """A version of a group of another server.

    Attributes:
        group: Of it.
        version: Of it.
        priority: Of the group; those of more weight are told first.
        resources: As the server told them last; None where it never did.
        fresh: It told them when it was last asked.
    """

    group: str
    version: str
    priority: int
    resources: tuple[Body, ...] | None = None
    fresh: bool = False

    def entry(self) -> Body:
        """Return what the one document of all groups says of the version."""
        found: Body = {"version": self.version}
        if self.resources is not None:
            found["resources"] = list(self.resources)
        return found | {"freshness": "Current" if self.fresh else "Stale"}


def resources_of(listed: Body) -> tuple[Body, ...]:
    """Return the resources of a list of them, as the one document of all groups has them.

    Args:
        listed: An APIResourceList; a name with a slash is a part of the resource before it.
    """
    rows = listed.get("resources") or []
    found = {row["name"]: _resource(row) for row in rows if "/" not in row["name"]}
    for row in rows:
        name, slash, part = row["name"].partition("/")
        if slash and name in found:
            said = {"subresource": part, "responseKind": _kind(row), "verbs": row.get("verbs", [])}
            found[name].setdefault("subresources", []).append(said)
    return tuple(found.values())


def _resource(row: Body) -> Body:
    found = {
        "resource": row["name"],
        "responseKind": _kind(row),
        "scope": "Namespaced" if row.get("namespaced") else "Cluster",
        "singularResource": row.get("singularName", ""),
        "verbs": row.get("verbs", []),
    }
    return found | {name: row[name] for name in ("shortNames", "categories") if row.get(name)}


def _kind(row: Body) -> Body:
    return {"group": row.get("group", ""), "version": row.get("version", ""), "kind": row["kind"]}
