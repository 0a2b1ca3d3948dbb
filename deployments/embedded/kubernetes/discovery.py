"""What clients ask first: which groups, versions and kinds there are, and what each can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deployments.embedded.kubernetes import reviews
from deployments.embedded.kubernetes.aggregation.discovered import Discovered
from deployments.embedded.kubernetes.aggregation.registrations import DEFINED, PRIORITIES
from deployments.embedded.kubernetes.errors import no_page, not_allowed
from deployments.embedded.kubernetes.kinds import REGISTRATION, Kind, Kinds

Body = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
VERSION: Body = {
    "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
    "minCompatibilityMajor": "1", "minCompatibilityMinor": "35", "gitVersion": "v1.36.4+homeostat",
    "gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "",
    "compiler": "", "platform": "",
}  # fmt: skip
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
PART_VERBS = ["get", "patch", "update"]
FIRST = 20_001
"""Priority of the group of registrations, above all that can be registered."""
PARTS: Mapping[str, tuple[list[str], Mapping[str, str]]] = {
    "scale": (PART_VERBS, {"group": "autoscaling", "version": "v1", "kind": "Scale"}),
    "eviction": (["create"], {"group": "policy", "version": "v1", "kind": "Eviction"}),
    "binding": (["create"], {"kind": "Binding"}),
    "log": (["get"], {}),
}
"""Verbs of a subresource, and what it is where it is not the object itself."""


def versions(kinds: Kinds, told: Iterable[Discovered] = ()) -> dict[str, list[str]]:
    """Return the versions of each named group, the preferred one first, groups of more weight first."""
    known = [(kind.group, kind.version, _priority(kind)) for kind in kinds if kind.group]
    reviewed = (reviews.GROUP, "v1")
    known.append((*reviewed, PRIORITIES[reviewed][0]))
    known += [(one.group, one.version, one.priority) for one in told]
    found: dict[str, list[str]] = {}
    for group, version, _ in sorted(known, key=lambda one: (-one[2], one[0])):
        if version not in found.setdefault(group, []):
            found[group].append(version)
    return found


def _priority(kind: Kind) -> int:
    if kind.group == REGISTRATION:
        return FIRST
    return PRIORITIES.get((kind.group, kind.version), DEFINED)[0]


def answer(path: str, kinds: Kinds, told: Iterable[Discovered], *, aggregated: bool) -> Body:
    """Return the document at a path.

    Args:
        path: Of the request.
        kinds: That the server has.
        told: What other servers have.
        aggregated: Whether the client takes the one document of all groups.

    Raises:
        ApiError: 404 where there is none.
    """
    remote = {(one.group, one.version): one.entry() for one in told}
    named = versions(kinds, told)
    match [part for part in path.split("/") if part]:
        case ["version"]:
            return VERSION
        case ["api"]:
            return _all(kinds, {"": ["v1"]}, {}) if aggregated else _core()
        case ["apis"]:
            if aggregated:
                return _all(kinds, named, remote)
            groups = [_group(name, known) for name, known in named.items()]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["apis", group] if group in named:
            return {"kind": "APIGroup", "apiVersion": "v1"} | _group(group, named[group])
        case ["api", version] if version == "v1":
            return _resources("", version, kinds)
        case ["apis", group, version] if version in named.get(group, ()):
            return _resources(group, version, kinds)
        case []:
            return {"paths": ["/api", "/api/v1", "/apis", *(f"/apis/{name}" for name in named)]}
    raise no_page()


def _core() -> Body:
    places = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": places}


def _group(name: str, known: Iterable[str]) -> Body:
    found = [{"groupVersion": f"{name}/{one}", "version": one} for one in known]
    return {"name": name, "versions": found, "preferredVersion": found[0]}


def _resources(group: str, version: str, kinds: Kinds) -> Body:
    fitting = sorted(_of(kinds, group, version), key=lambda kind: kind.plural)
    rows = [row for kind in fitting for row in _rows(kind)]
    if group == reviews.GROUP:
        rows = [
            {"name": plural, "singularName": kind.lower(), "namespaced": False, "kind": kind,
             "verbs": ["create"]}
            for plural, kind in sorted(reviews.KINDS.items())
        ]  # fmt: skip
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": rows,
    }


def _of(kinds: Kinds, group: str, version: str) -> list[Kind]:
    return [kind for kind in kinds if (kind.group, kind.version) == (group, version)]


def _rows(kind: Kind) -> Iterator[Body]:
    row: Body = {
        "name": kind.plural,
        "singularName": kind.name.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": _verbs(kind),
    }
    yield row | _names(kind)
    for part in sorted(kind.subresources):
        verbs, about = PARTS.get(part, (PART_VERBS, {}))
        yield {
            "name": f"{kind.plural}/{part}",
            "singularName": "",
            "namespaced": kind.namespaced,
            "kind": kind.name,
            **about,
            "verbs": verbs,
        }


def _verbs(kind: Kind) -> list[str]:
    # All that they hold goes with them, so that they go one by one.
    return [one for one in VERBS if one != "deletecollection" or kind.name != "Namespace"]


def _names(kind: Kind) -> Body:
    found: Body = {}
    if kind.short_names:
        found["shortNames"] = list(kind.short_names)
    if kind.categories:
        found["categories"] = list(kind.categories)
    return found


def _all(
    kinds: Kinds, groups: Mapping[str, Iterable[str]], remote: Mapping[tuple[str, str], Body]
) -> Body:
    """Return the aggregated document, which newer clients ask for in one request."""
    items = []
    for group, known in groups.items():
        metadata = {"name": group} if group else {}
        listed = [
            remote.get((group, one))
            or {"version": one, "resources": _aggregated(kinds, group, one), "freshness": "Current"}
            for one in known
        ]
        items.append({"metadata": metadata, "versions": listed})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _aggregated(kinds: Kinds, group: str, version: str) -> list[Body]:
    if group == reviews.GROUP:
        return [
            _resource(plural, kind, "Cluster", ["create"])
            for plural, kind in sorted(reviews.KINDS.items())
        ]
    found = []
    for kind in sorted(_of(kinds, group, version), key=lambda one: one.plural):
        scope = "Namespaced" if kind.namespaced else "Cluster"
        row = _resource(kind.plural, kind.name, scope, _verbs(kind)) | _names(kind)
        if kind.subresources:
            row["subresources"] = [_part(kind, one) for one in sorted(kind.subresources)]
        found.append(row)
    return found


def _resource(plural: str, name: str, scope: str, verbs: list[str]) -> Body:
    return {
        "resource": plural,
        "responseKind": {"group": "", "version": "", "kind": name},
        "scope": scope,
        "singularResource": name.lower(),
        "verbs": verbs,
    }


def _part(kind: Kind, name: str) -> Body:
    verbs, about = PARTS.get(name, (PART_VERBS, {}))
    of = {"group": "", "version": "", "kind": kind.name, **about}
    return {"subresource": name, "responseKind": of, "verbs": verbs}


def only_read(method: str) -> None:
    """Refuse to write what is only told.

    Raises:
        ApiError: 405.
    """
    if method not in ("GET", "HEAD"):
        raise not_allowed()
