"""The description of all kinds in OpenAPI 3, which kubectl explains fields with and validates by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from deployments.embedded.kubernetes.api_types import META, REFERENCE, names, schemas
from deployments.embedded.kubernetes.discovery import VERSION
from deployments.embedded.kubernetes.errors import no_page
from deployments.embedded.kubernetes.kinds import Kind, Kinds
from deployments.embedded.kubernetes.references import with_referenced

Json = Any
INTERNAL = ("x-omitted-zero", "x-numbers")
PATCHES = (
    "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)  # fmt: skip
PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]


def document(path: str, kinds: Kinds) -> bytes:
    """Return the index of all documents, or the one of a group and version.

    Raises:
        ApiError: 404 where there is none.
    """
    place = path.removeprefix("/openapi/v3").strip("/")
    if not place:
        places = sorted({_place(kind) for kind in kinds})
        found = {one: {"serverRelativeURL": f"/openapi/v3/{one}"} for one in places}
        return orjson.dumps({"paths": found})
    fitting = tuple(kind for kind in kinds if _place(kind) == place)
    if not fitting:
        raise no_page()
    if any(kind.custom for kind in fitting):
        return _described(fitting)
    return _kept(fitting)


@lru_cache(maxsize=4)
def _kept(kinds: tuple[Kind, ...]) -> bytes:
    return _described(kinds)


def _described(kinds: tuple[Kind, ...]) -> bytes:
    paths: dict[str, Json] = {}
    for kind in kinds:
        paths |= _paths(kind)
    said = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
    components = {"schemas": _components(kinds)}
    return orjson.dumps(
        {"openapi": "3.0.0", "info": said, "paths": paths, "components": components}
    )


def _place(kind: Kind) -> str:
    return f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"


def schema_name(kind: Kind) -> str:
    """Return how the schema of a kind is called."""
    known = names().get((kind.group, kind.version, kind.name))
    if known is not None and not kind.custom:
        return known
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.name])


def _paths(kind: Kind) -> dict[str, Json]:
    scope = "/namespaces/{namespace}" if kind.namespaced else ""
    of = {"group": kind.group, "version": kind.version, "kind": kind.name}
    schema = {"$ref": REFERENCE + schema_name(kind)}
    content = {"application/json": {"schema": schema}}
    answers = {"200": {"description": "OK", "content": content}}

    def verb(action: str, **more: Json) -> Json:
        said = {"x-kubernetes-action": action, "x-kubernetes-group-version-kind": of}
        return said | {"responses": answers} | more

    patch = {"content": {one: {"schema": {"$ref": f"{REFERENCE}{META}.Patch"}} for one in PATCHES}}
    body = {"content": {"*/*": {"schema": schema}}}
    here = f"/{_place(kind)}{scope}/{kind.plural}"
    found = {
        here: {"get": verb("list"), "post": verb("post", parameters=PARAMETERS, requestBody=body)},
        f"{here}/{{name}}": {
            "get": verb("get"),
            "put": verb("put", parameters=PARAMETERS, requestBody=body),
            "patch": verb("patch", parameters=PARAMETERS, requestBody=patch),
            "delete": verb("delete"),
        },
    }
    for part in kind.subresources:
        found[f"{here}/{{name}}/{part}"] = {"get": verb("get")}
    return found


def _components(kinds: Iterable[Kind]) -> dict[str, Json]:
    found: dict[str, Json] = {f"{META}.Patch": {"type": "object"}}
    wanted = [f"{META}.{name}" for name in ("ObjectMeta", "DeleteOptions", "Status", "ListMeta")]
    for kind in kinds:
        if kind.custom:
            found[schema_name(kind)] = _custom(kind)
        else:
            wanted.append(schema_name(kind))
            wanted += filter(None, [names().get((kind.group, kind.version, kind.list_name))])
    known = schemas()
    found |= {name: _public(known[name]) for name in with_referenced(known, wanted)}
    return dict(sorted(found.items()))


def _custom(kind: Kind) -> Json:
    schema = dict(kind.schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    every = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"allOf": [{"$ref": f"{REFERENCE}{META}.ObjectMeta"}]},
    }
    schema["properties"] = {**(schema.get("properties") or {}), **every}
    of = {"group": kind.group, "version": kind.version, "kind": kind.name}
    return schema | {"x-kubernetes-group-version-kind": [of]}


def _public(schema: Json) -> Json:
    if isinstance(schema, Mapping):
        return {key: _public(one) for key, one in schema.items() if key not in INTERNAL}
    return [_public(one) for one in schema] if isinstance(schema, list) else schema
