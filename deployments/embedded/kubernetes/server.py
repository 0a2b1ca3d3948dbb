"""The server: requests in, objects, lists, watches and refusals out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import yaml
from aiohttp import web

from deployments.embedded.kubernetes import discovery, errors, patches, pods, scale
from deployments.embedded.kubernetes.access import REVIEWS_PATH, Access, Attempt, User
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.faults import Faults
from deployments.embedded.kubernetes.kinds import SCALE, STATUS, Kind
from deployments.embedded.kubernetes.node_logs import read_log
from deployments.embedded.kubernetes.objects import Objects
from deployments.embedded.kubernetes.paging import Pages
from deployments.embedded.kubernetes.requests import (
    Target,
    deletion_of,
    is_true,
    is_watch,
    listing_of,
    target_of,
    writer_of,
)
from deployments.embedded.kubernetes.store import Body, Entry
from deployments.embedded.kubernetes.tables import table_of, wants_table
from deployments.embedded.kubernetes.watching import lines

JSON = "application/json"
MOST_BYTES = 3 * 2**20
"""Of a request, as etcd takes."""
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
APPLY = "application/apply-patch+yaml"
CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "application/json-patch+json": patches.json_patch,
    "application/merge-patch+json": patches.merge_patch,
    "application/strategic-merge-patch+json": patches.strategic_patch,
}
HEALTHY = frozenset({"/healthz", "/livez", "/readyz"})


class ApiServer:
    """Answers requests on the objects of a cluster.

    Args:
        objects: Of the cluster.
        access: Who may do what.
        faults: What is to go wrong.
    """

    def __init__(self, objects: Objects, access: Access, faults: Faults) -> None:
        self._objects = objects
        self._access = access
        self._faults = faults
        self._pages = Pages()

    def application(self) -> web.Application:
        """Return the application to serve."""
        found = web.Application(client_max_size=MOST_BYTES)
        found.router.add_route("*", "/{path:.*}", self._handle)
        return found

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except ApiError as error:
            headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
            return _json(orjson.dumps(error.status()), code=error.code, headers=headers)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path in HEALTHY:
            return web.Response(text="ok")
        user = self._access.user(request.headers.get("Authorization", ""))
        if path.startswith(Faults.PATH):
            return await self._faults.answer(request, user)
        if path == REVIEWS_PATH:
            return self._review(user, await _body(request))
        found = self._document(request)
        if found is not None:
            self._access.check(user, Attempt(verb="get", path=path))
            return _json(orjson.dumps(found))
        target = target_of(path, self._objects.kinds)
        verb = _verb(request, target)
        attempt = Attempt(
            verb=verb,
            group=target.kind.group,
            plural=target.kind.plural,
            part=target.part,
            namespace=_namespace_of(target),
            name=target.name,
        )
        self._access.check(user, attempt)
        await self._faults.meet(attempt, request)
        return await self._do(request, target, verb)

    def _document(self, request: web.Request) -> Body | None:
        path, kinds = request.path.rstrip("/"), self._objects.kinds
        if request.method != "GET":
            return None
        if path == "/openapi/v3":
            return discovery.openapi_index(kinds)
        if path.startswith("/openapi/v3/"):
            return discovery.openapi(path, kinds)
        depth = path.count("/")
        if path == "/version" or (
            path.startswith("/api") and depth <= (2 if "/apis" not in path else 3)
        ):
            aggregated = "apidiscovery.k8s.io" in request.headers.get("Accept", "")
            return discovery.answer(path, kinds, aggregated=aggregated)
        return None

    def _review(self, user: User, review: Body) -> web.StreamResponse:
        asked = (review.get("spec") or {}).get("resourceAttributes") or {}
        attempt = Attempt(
            verb=asked.get("verb", ""),
            group=asked.get("group", ""),
            plural=asked.get("resource", ""),
            part=asked.get("subresource", ""),
            namespace=asked.get("namespace", ""),
            name=asked.get("name", ""),
        )
        review["status"] = {"allowed": self._access.allows(user, attempt)}
        review.setdefault("metadata", {})
        return _json(orjson.dumps(review), code=201)

    async def _do(self, request: web.Request, target: Target, verb: str) -> web.StreamResponse:
        match verb:
            case "watch":
                return await self._watch(request, target)
            case "list":
                return self._list(request, target)
            case "get":
                return await self._get(request, target)
            case "create":
                return await self._create(request, target)
            case "update":
                return self._update(request, target, await _body(request))
            case "patch":
                return await self._patch(request, target)
            case "delete":
                return self._delete(request, target, await _body(request))
            case "deletecollection":
                return self._delete_all(request, target, await _body(request))
        raise errors.not_allowed()

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        wanted = listing_of(request.query, target.kind)
        response = web.StreamResponse(headers={"Content-Type": JSON})
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            async for line in self._faults.through(lines(self._objects.store, target, wanted)):
                if line:
                    await response.write(line)
        except ConnectionResetError:
            return response
        await response.write_eof()
        return response

    def _list(self, request: web.Request, target: Target) -> web.StreamResponse:
        kind, store = target.kind, self._objects.store
        wanted = listing_of(request.query, kind)
        if wanted.token:
            page = self._pages.next(wanted.token, limit=wanted.limit)
        else:
            found = store.list(kind, target.namespace, labels=wanted.labels, fields=wanted.fields)
            entries = sorted(found, key=lambda entry: entry.key)
            page = self._pages.first(entries, version=store.version, limit=wanted.limit)
        metadata: Body = {"resourceVersion": str(page.version)}
        if page.token:
            metadata |= {"continue": page.token, "remainingItemCount": page.remaining}
        if wants_table(request.headers.getall("Accept", ())):
            return _json(orjson.dumps(table_of(kind, page.entries, metadata)))
        head = {"kind": kind.list_name, "apiVersion": kind.api_version, "metadata": metadata}
        items = b",".join(entry.data for entry in page.entries)
        return _json(orjson.dumps(head)[:-1] + b',"items":[' + items + b"]}")

    async def _get(self, request: web.Request, target: Target) -> web.StreamResponse:
        entry = self._objects.get(target.kind, target.namespace, target.name)
        if target.part == "log":
            return await read_log(self._objects, entry, request)
        if target.part == SCALE:
            return _json(orjson.dumps(scale.scale_of(entry)))
        if target.part not in ("", STATUS):
            raise errors.not_allowed()
        if wants_table(request.headers.getall("Accept", ())):
            metadata = {"resourceVersion": str(entry.version)}
            return _json(orjson.dumps(table_of(target.kind, [entry], metadata)))
        return _json(entry.data)

    async def _create(self, request: web.Request, target: Target) -> web.StreamResponse:
        body = await _body(request)
        if target.part in ("eviction", "binding"):
            pod = self._objects.get(target.kind, target.namespace, target.name)
            if target.part == "binding":
                node = str((body.get("target") or {}).get("name", ""))
                pods.bind(self._objects, target.kind, pod, node)
            else:
                how = deletion_of(request.query, body.get("deleteOptions") or {})
                pods.evict(self._objects, target.kind, pod, how)
            return _json(orjson.dumps(_success(code=201)), code=201)
        if target.name or target.part:
            raise errors.not_allowed()
        _said_kind(body, target.kind)
        writer = writer_of(request.query, request.headers.get("User-Agent", ""))
        entry = self._objects.create(target.kind, target.namespace, body, writer)
        return _json(entry.data, code=201)

    def _update(self, request: web.Request, target: Target, body: Body) -> web.StreamResponse:
        kind, writer = target.kind, writer_of(request.query, request.headers.get("User-Agent", ""))
        place = (kind, target.namespace, target.name)
        if target.part == SCALE:
            entry = self._objects.patch(
                *place, lambda old: scale.scaled(old, body), writer, part=SCALE
            )
            return _json(orjson.dumps(scale.scale_of(entry)))
        if target.part not in ("", STATUS):
            raise errors.not_allowed()
        _said_kind(body, kind)
        return _json(self._objects.replace(*place, body, writer, part=target.part).data)

    async def _patch(self, request: web.Request, target: Target) -> web.StreamResponse:
        kind, part = target.kind, target.part
        writer = writer_of(request.query, request.headers.get("User-Agent", ""))
        content = request.content_type
        place = (kind, target.namespace, target.name)
        if content == APPLY:
            if not request.query.get("fieldManager"):
                message = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
                raise ApiError(422, "Invalid", message)
            force = is_true(request.query.get("force"))
            config = await _body(request)
            entry, new = self._objects.apply(*place, config, writer, force=force, part=part)
            return _json(entry.data, code=201 if new else 200)
        if content not in CHANGES or (kind.custom and content.startswith("application/strategic")):
            known = ", ".join([*CHANGES, APPLY])
            message = (
                "the body of the request was in an unknown format - accepted media types include: "
                f"{known}"
            )
            raise ApiError(415, "UnsupportedMediaType", message)
        change, body = CHANGES[content], await _json_body(request)
        if part == SCALE:

            def scaled(old: Body) -> Body:
                seen = scale.scale_of(self._objects.get(*place))
                return scale.scaled(old, change(seen, body))

            entry = self._objects.patch(*place, scaled, writer, part=SCALE)
            return _json(orjson.dumps(scale.scale_of(entry)))
        if part not in ("", STATUS):
            raise errors.not_allowed()
        found = self._objects.patch(
            *place, lambda old: _whole(change(old, body)), writer, part=part
        )
        return _json(found.data)

    def _delete(self, request: web.Request, target: Target, body: Body) -> web.StreamResponse:
        if target.part:
            raise errors.not_allowed()
        how = deletion_of(request.query, body)
        entry, gone = self._objects.delete(target.kind, target.namespace, target.name, how)
        if not gone or target.kind.returns_deleted:
            return _json(entry.data)
        return _json(orjson.dumps(_success(target.kind, entry)))

    def _delete_all(self, request: web.Request, target: Target, body: Body) -> web.StreamResponse:
        wanted, how = listing_of(request.query, target.kind), deletion_of(request.query, body)
        store = self._objects.store
        found = list(
            store.list(target.kind, target.namespace, labels=wanted.labels, fields=wanted.fields)
        )
        for entry in found:
            self._objects.delete(target.kind, entry.namespace, entry.name, how)
        metadata = {"resourceVersion": str(store.version)}
        head = {"kind": target.kind.list_name, "apiVersion": target.kind.api_version}
        items = b",".join(entry.data for entry in found)
        said = orjson.dumps(head | {"metadata": metadata})[:-1] + b',"items":[' + items + b"]}"
        return _json(said)


def _verb(request: web.Request, target: Target) -> str:
    verb = VERBS.get(request.method)
    if verb is None:
        raise errors.not_allowed()
    if target.name:
        return verb
    match verb:
        case "get":
            return "watch" if is_watch(request.query) else "list"
        case "delete":
            return "deletecollection"
        case "create":
            return "create"
    raise errors.not_allowed()


def _namespace_of(target: Target) -> str:
    """Return the namespace that a role has to cover; a namespace object lies in itself."""
    return target.name if target.kind.name == "Namespace" else target.namespace


def _json(
    content: bytes, *, code: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(body=content, status=code, content_type=JSON, headers=headers)


async def _body(request: web.Request) -> Body:
    found = await _json_body(request)
    return _whole(found if found is not None else {})


async def _json_body(request: web.Request) -> Any:
    raw = await request.read()
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if "yaml" not in request.content_type:
            message = f"error decoding: {error}"
            raise errors.bad_request(message) from error
    try:
        return yaml.safe_load(raw)
    except yaml.YAMLError as error:
        message = f"error converting YAML to JSON: {error}"
        raise errors.bad_request(message) from error


def _whole(value: Any) -> Body:
    if not isinstance(value, dict):
        message = f"json: cannot unmarshal {type(value).__name__} into an object"
        raise errors.bad_request(message)
    return value


def _said_kind(body: Body, kind: Kind) -> None:
    said, version = body.get("kind", kind.name), body.get("apiVersion", kind.api_version)
    if said != kind.name or version != kind.api_version:
        message = (
            f"{version}, Kind={said} is not what this path holds, which is {kind.api_version}, "
            f"Kind={kind.name}"
        )
        raise errors.bad_request(message)


def _success(kind: Kind | None = None, entry: Entry | None = None, *, code: int = 200) -> Body:
    found: Body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if kind is not None and entry is not None:
        details = {"name": entry.name, "kind": kind.plural, "uid": entry.uid}
        return found | {"details": details | ({"group": kind.group} if kind.group else {})}
    return found | {"code": code}
