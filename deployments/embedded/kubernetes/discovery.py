"""What clients ask first: which groups, versions and kinds there are, and what each can do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deployments.embedded.kubernetes.errors import nowhere
from deployments.embedded.kubernetes.kinds import SCALE, Kind, Kinds

Body = dict[str, Any]

VERSION: Body = {
    "major": "1", "minor": "36", "gitVersion": "v1.36.4+homeostat", "gitCommit": "", "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "",
}  # fmt: skip
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
PART_VERBS = ["get", "patch", "update"]
REVIEWS = "authorization.k8s.io"


def versions(kinds: Kinds) -> dict[str, list[str]]:
    """Return the versions of each named group, in the order they were made known."""
    found: dict[str, list[str]] = {}
    for kind in kinds:
        known = found.setdefault(kind.group, []) if kind.group else [kind.version]
        if kind.version not in known:
            known.append(kind.version)
    return found | {REVIEWS: ["v1"]}


def answer(path: str, kinds: Kinds, *, aggregated: bool) -> Body:
    """Return the document at a path.

    Raises:
        ApiError: 404 where there is none.
    """
    match [part for part in path.split("/") if part]:
        case ["version"]:
            return VERSION
        case ["api"]:
            return _all(kinds, [""]) if aggregated else {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            named = versions(kinds)
            if aggregated:
                return _all(kinds, list(named))
            groups = [_group(name, known) for name, known in named.items()]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["apis", group] if group in versions(kinds):
            return {"apiVersion": "v1"} | _group(group, versions(kinds)[group])
        case ["api", version]:
            return _resources("", version, kinds)
        case ["apis", group, version]:
            return _resources(group, version, kinds)
    raise nowhere()


def _group(name: str, known: Iterable[str]) -> Body:
    found = [{"groupVersion": f"{name}/{one}", "version": one} for one in known]
    return {"kind": "APIGroup", "name": name, "versions": found, "preferredVersion": found[0]}


def _resources(group: str, version: str, kinds: Kinds) -> Body:
    fitting = [kind for kind in kinds if (kind.group, kind.version) == (group, version)]
    named = f"{group}/{version}" if group else version
    rows: list[Body] = []
    for kind in fitting:
        rows += _rows(kind)
    if group == REVIEWS and version == "v1":
        rows = [
            {
                "name": "selfsubjectaccessreviews",
                "singularName": "selfsubjectaccessreview",
                "namespaced": False,
                "kind": "SelfSubjectAccessReview",
                "verbs": ["create"],
            }
        ]
    if not rows:
        raise nowhere()
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": named,
        "resources": rows,
    }


def _rows(kind: Kind) -> list[Body]:
    row: Body = {
        "name": kind.plural,
        "singularName": kind.name.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": VERBS,
    }
    if kind.short_names:
        row["shortNames"] = list(kind.short_names)
    parts = []
    for part in kind.subresources:
        more = {"name": f"{kind.plural}/{part}", "singularName": "", "namespaced": kind.namespaced}
        match part:
            case "scale":
                about = {
                    "group": "autoscaling",
                    "version": "v1",
                    "kind": "Scale",
                    "verbs": PART_VERBS,
                }
            case "eviction":
                about = {
                    "group": "policy",
                    "version": "v1",
                    "kind": "Eviction",
                    "verbs": ["create"],
                }
            case "binding":
                about = {"kind": "Binding", "verbs": ["create"]}
            case "log":
                about = {"kind": kind.name, "verbs": ["get"]}
            case _:
                about = {"kind": kind.name, "verbs": PART_VERBS}
        parts.append(more | about)
    return [row, *parts]


def _all(kinds: Kinds, groups: list[str]) -> Body:
    """Return the aggregated document, which newer clients ask for in one request."""
    items = []
    for group in groups:
        known = ["v1"] if not group else versions(kinds)[group]
        listed = []
        for version in known:
            fitting = [k for k in kinds if (k.group, k.version) == (group, version)]
            listed.append(
                {
                    "version": version,
                    "freshness": "Current",
                    "resources": [_aggregated(kind) for kind in fitting],
                }
            )
        items.append({"metadata": {"name": group, "creationTimestamp": None}, "versions": listed})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _aggregated(kind: Kind) -> Body:
    of = {"group": kind.group, "version": kind.version, "kind": kind.name}
    found: Body = {
        "resource": kind.plural,
        "responseKind": of,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.name.lower(),
        "verbs": VERBS,
        "subresources": [
            {
                "subresource": part,
                "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"}
                if part == SCALE
                else of,
                "verbs": PART_VERBS,
            }
            for part in kind.subresources
        ],
    }
    if kind.short_names:
        found["shortNames"] = list(kind.short_names)
    return found


def openapi_index(kinds: Kinds) -> Body:
    """Return where the document of each group version is."""
    places = {_place(kind) for kind in kinds}
    return {"paths": {one: {"serverRelativeURL": f"/openapi/v3/{one}"} for one in sorted(places)}}


def openapi(path: str, kinds: Kinds) -> Body:
    """Return as much of a group version's document as kubectl reads before it writes.

    That the server validates fields, and for which kinds, is all it looks for.

    Raises:
        ApiError: 404 where there is none.
    """
    place = path.removeprefix("/openapi/v3/").strip("/")
    fitting = [kind for kind in kinds if _place(kind) == place]
    if not fitting:
        raise nowhere()
    validation = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    paths = {}
    for kind in fitting:
        scope = "/namespaces/{namespace}" if kind.namespaced else ""
        of = {"group": kind.group, "version": kind.version, "kind": kind.name}
        verb = {"parameters": [validation], "x-kubernetes-group-version-kind": of, "responses": {}}
        paths[f"/{place}{scope}/{kind.plural}/{{name}}"] = {"patch": verb, "put": verb}
        paths[f"/{place}{scope}/{kind.plural}"] = {"post": verb}
    info = {"title": "Homeostat's embedded Kubernetes", "version": VERSION["gitVersion"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}


def _place(kind: Kind) -> str:
    return f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"
