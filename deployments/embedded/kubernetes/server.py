"""The server: requests in, objects, lists, watches and refusals out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from deployments.embedded.kubernetes import (
    discovery,
    errors,
    openapi,
    patches,
    pods,
    reviews,
    scale,
    wire,
)
from deployments.embedded.kubernetes import events_of_both_groups as events
from deployments.embedded.kubernetes.access import Access, Attempt, User
from deployments.embedded.kubernetes.aggregation.aggregator import Aggregator
from deployments.embedded.kubernetes.aggregation.registrations import Registration
from deployments.embedded.kubernetes.aggregation.requests import attempt_of
from deployments.embedded.kubernetes.api_types import Type, type_of
from deployments.embedded.kubernetes.causes import wrong
from deployments.embedded.kubernetes.decoding import WARN, check_kind, decode
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.escalation import check_grant
from deployments.embedded.kubernetes.faults import Faults
from deployments.embedded.kubernetes.forms import Form, form_of
from deployments.embedded.kubernetes.kinds import SCALE, STATUS, Kind
from deployments.embedded.kubernetes.node_logs import read_log
from deployments.embedded.kubernetes.objects import Objects, Writer
from deployments.embedded.kubernetes.paging import Pages
from deployments.embedded.kubernetes.requests import (
    Listing,
    Target,
    deletion_of,
    is_true,
    is_watch,
    listing_of,
    namespace_of,
    target_of,
    writer_of,
)
from deployments.embedded.kubernetes.store import Body, Entry
from deployments.embedded.kubernetes.watching import lines
from deployments.embedded.kubernetes.wire import answer, shown, success, whole, whole_body

MOST_BYTES = 3 * 2**20
"""Of a request, as etcd takes."""
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
OPTIONS = "PatchOptions"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
HEALTHY = frozenset({"/healthz", "/livez", "/readyz"})


class ApiServer:
    """Answers requests on the objects of a cluster.

    Args:
        objects: Of the cluster.
        access: Who may do what.
        faults: What is to go wrong.
        aggregator: Knows the servers that answer for other groups.
    """

    def __init__(
        self, objects: Objects, access: Access, faults: Faults, aggregator: Aggregator
    ) -> None:
        self._objects = objects
        self._access = access
        self._faults = faults
        self._aggregator = aggregator
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
            return wire.refusal(error)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        user = self._access.user(request.headers.get("Authorization", ""))
        if path.startswith(Faults.PATH):
            return await self._faults.answer(request, user)
        plural = reviews.review_of(path)
        if plural:
            body = await whole_body(request)
            found = reviews.answered(self._access, user, plural, request.method, body)
            return answer(orjson.dumps(found), code=201)
        remote = self._aggregator.at(path)
        if remote is not None:
            return await self._pass_on(request, remote, user)
        if not _is_of_objects(path):
            return self._document(request, user)
        target = target_of(path, self._objects.kinds)
        attempt = Attempt(
            verb=_verb(request, target),
            group=target.kind.group,
            plural=target.kind.plural,
            part=target.part,
            namespace=namespace_of(target),
            name=target.name,
        )
        self._access.check(user, attempt)

        async def do() -> web.StreamResponse:
            return await self._do(request, target, attempt, user)

        return await self._faults.meet(attempt, user, request, do)

    async def _pass_on(
        self, request: web.Request, remote: Registration, user: User
    ) -> web.StreamResponse:
        attempt = attempt_of(request.method, request.path, request.query)
        self._access.check(user, attempt)

        async def do() -> web.StreamResponse:
            return await self._aggregator.pass_on(request, remote, user)

        return await (self._faults.meet(attempt, user, request, do) if attempt.plural else do())

    def _document(self, request: web.Request, user: User) -> web.StreamResponse:
        path, kinds = request.path, self._objects.kinds
        self._access.check(user, Attempt(verb=VERBS.get(request.method, ""), path=path))
        if path in HEALTHY:
            return web.Response(text="ok")
        if path.startswith("/openapi/v3"):
            found = answer(openapi.document(path, kinds))
            if path.rstrip("/") == "/openapi/v3":
                # The index is JSON, and Kubernetes says that it is text.
                found.headers["Content-Type"] = "text/plain; charset=utf-8"
            return found
        discovery.only_read(request.method)
        aggregated = "as=APIGroupDiscoveryList" in request.headers.get("Accept", "")
        told = self._aggregator.told()
        found = answer(orjson.dumps(discovery.answer(path, kinds, told, aggregated=aggregated)))
        if found.body and aggregated and path.strip("/") in ("api", "apis"):
            found.headers["Content-Type"] = discovery.AGGREGATED
        return found

    async def _do(
        self, request: web.Request, target: Target, attempt: Attempt, user: User
    ) -> web.StreamResponse:
        match attempt.verb:
            case "watch":
                wanted = listing_of(request.query, target.kind)
                told = lines(self._objects.store, target, wanted, _form(request))
                return await wire.streamed(request, self._faults.through(told, attempt, user))
            case "list":
                return self._list(request, target)
            case "get":
                return await self._get(request, target)
            case "create":
                return self._create(request, target, await _object(request, target), user)
            case "update":
                return self._update(request, target, await _object(request, target), user)
            case "patch":
                return self._patch(request, target, await request.read(), user)
            case "delete":
                return self._delete(request, target, await whole_body(request))
            case "deletecollection":
                return self._delete_all(request, target, await whole_body(request))
        raise errors.not_allowed()

    def _list(self, request: web.Request, target: Target) -> web.StreamResponse:
        store, wanted = self._objects.store, listing_of(request.query, target.kind)
        if wanted.token:
            page = self._pages.next(wanted.token, limit=wanted.limit)
        else:
            entries = sorted(self._chosen(target, wanted), key=lambda entry: entry.key)
            version = wanted.version if wanted.exact and wanted.version else store.version
            page = self._pages.first(entries, version=version, limit=wanted.limit)
        metadata: Body = {"resourceVersion": str(page.version)}
        if page.token:
            metadata["continue"] = page.token
            if not wanted.labels and not wanted.fields:
                metadata["remainingItemCount"] = page.remaining
        return answer(_form(request).many(target.kind, page.entries, metadata))

    def _chosen(self, target: Target, wanted: Listing) -> list[Entry]:
        store, kind = self._objects.store, target.stored
        if wanted.version is not None and wanted.version > store.version:
            raise errors.too_new(wanted.version, store.version)
        if wanted.exact and wanted.version:
            return [
                entry
                for entry in store.at(kind, wanted.version).values()
                if target.namespace in ("", entry.namespace)
                and wanted.labels.fits(entry.labels)
                and wanted.fields.fits(entry.fields)
            ]
        return list(store.list(kind, target.namespace, labels=wanted.labels, fields=wanted.fields))

    async def _get(self, request: web.Request, target: Target) -> web.StreamResponse:
        entry = self._objects.get(target.stored, target.namespace, target.name)
        if target.part == "log":
            return await read_log(self._objects, entry, request)
        if target.part == SCALE:
            return answer(orjson.dumps(scale.scale_of(entry, target.kind)))
        if target.part not in ("", STATUS):
            raise errors.not_allowed()
        return answer(_form(request).one(target.kind, entry))

    def _create(
        self, request: web.Request, target: Target, body: Body, user: User
    ) -> web.StreamResponse:
        if target.part in ("eviction", "binding"):
            pod = self._objects.get(target.kind, target.namespace, target.name)
            if target.part == "binding":
                node = str((body.get("target") or {}).get("name", ""))
                pods.bind(self._objects, target.kind, pod, node)
            else:
                how = deletion_of(request.query, body.get("deleteOptions") or {})
                pods.evict(self._objects, target.kind, pod, how)
            return answer(orjson.dumps(success(code=201)), code=201)
        if target.name or target.part:
            raise errors.not_allowed()
        read, warnings = _read(request, target.kind, body)
        check_grant(self._access, user, target.kind, target.namespace, read)
        entry = self._objects.create(target.stored, target.namespace, read, _writer(request))
        return answer(shown(target.kind, entry), code=201, warnings=warnings)

    def _update(
        self, request: web.Request, target: Target, body: Body, user: User
    ) -> web.StreamResponse:
        kind, writer = target.stored, _writer(request)
        place = (kind, target.namespace, target.name)
        if target.part == SCALE:
            entry = self._objects.patch(
                *place, lambda old: scale.scaled(old, body, kind), writer, part=SCALE
            )
            return answer(orjson.dumps(scale.scale_of(entry, kind)))
        if target.part not in ("", STATUS):
            raise errors.not_allowed()
        read, warnings = _read(request, target.kind, body)
        check_grant(self._access, user, kind, target.namespace, read)
        entry, new = self._objects.replace(*place, read, writer, part=target.part)
        return answer(shown(target.kind, entry), code=201 if new else 200, warnings=warnings)

    def _patch(
        self, request: web.Request, target: Target, raw: bytes, user: User
    ) -> web.StreamResponse:
        kind, part, writer = target.stored, target.part, _writer(request)
        if part not in ("", STATUS, SCALE):
            raise errors.not_allowed()
        content = request.content_type
        if content == APPLY:
            return self._apply(request, target, whole(wire.parsed(raw, content)), user)
        change = _change(target.kind, content, type_of(target.kind))
        if "force" in request.query:
            said = ("force", "Forbidden: may not be specified for non-apply patch")
            raise errors.invalid_options(OPTIONS, said)
        patch = wire.parsed(raw, content)
        place = (kind, target.namespace, target.name)
        if part == SCALE:

            def rescaled(old: Body) -> Body:
                seen = scale.scale_of(self._objects.get(*place), kind)
                return scale.scaled(old, whole(change(seen, patch)), kind)

            entry = self._objects.patch(*place, rescaled, writer, part=SCALE)
            return answer(orjson.dumps(scale.scale_of(entry, kind)))
        warnings: list[str] = []

        def changed(old: Body) -> Body:
            seen = events.as_new(old) if events.is_viewed(target.kind) else old
            fresh = whole(change(seen, patch))
            try:
                read, told = _read(request, target.kind, fresh)
            except ApiError as error:
                shown_as = patch if content == STRATEGIC_PATCH else fresh
                raise _unfit(error, shown_as, content) from error
            warnings.extend(told)
            check_grant(self._access, user, kind, target.namespace, read)
            return read

        entry = self._objects.patch(*place, changed, writer, part=part)
        return answer(shown(target.kind, entry), warnings=warnings)

    def _apply(
        self, request: web.Request, target: Target, config: Body, user: User
    ) -> web.StreamResponse:
        if not request.query.get("fieldManager"):
            said = ("fieldManager", "Required value: is required for apply patch")
            raise errors.invalid_options(OPTIONS, said)
        if not config.get("kind") or not config.get("apiVersion"):
            message = f"invalid object type: /, Kind={config.get('kind', '')}"
            raise errors.bad_request(message)
        read, warnings = _read(request, target.kind, config)
        check_grant(self._access, user, target.kind, target.namespace, read)
        force, writer = is_true(request.query.get("force")), _writer(request)
        place = (target.stored, target.namespace, target.name)
        entry, new = self._objects.apply(*place, read, writer, force=force, part=target.part)
        return answer(shown(target.kind, entry), code=201 if new else 200, warnings=warnings)

    def _delete(self, request: web.Request, target: Target, body: Body) -> web.StreamResponse:
        if target.part:
            raise errors.not_allowed()
        how = deletion_of(request.query, body)
        entry, gone = self._objects.delete(target.stored, target.namespace, target.name, how)
        if not gone or target.kind.returns_deleted:
            return answer(shown(target.kind, entry))
        return answer(orjson.dumps(success(target.kind, entry)))

    def _delete_all(self, request: web.Request, target: Target, body: Body) -> web.StreamResponse:
        wanted, how = listing_of(request.query, target.kind), deletion_of(request.query, body)
        found = self._chosen(target, wanted)
        for entry in found:
            self._objects.delete(target.stored, entry.namespace, entry.name, how)
        metadata = {"resourceVersion": str(self._objects.store.version)}
        return answer(wire.listed(target.kind, found, metadata))


def _is_of_objects(path: str) -> bool:
    """Return whether a path leads to objects, rather than to what is told about them."""
    depth = path.rstrip("/").count("/")
    return (path.startswith("/api/") and depth > 2) or (path.startswith("/apis/") and depth > 3)


async def _object(request: web.Request, target: Target) -> Body:
    return await whole_body(request, required=target.kind.name)


def _form(request: web.Request) -> Form:
    return form_of(request.headers.getall("Accept", ()), request.query.get("includeObject", ""))


def _writer(request: web.Request) -> Writer:
    return writer_of(request.query, request.headers.get("User-Agent", ""))


def _read(request: web.Request, kind: Kind, body: Body) -> tuple[Body, list[str]]:
    """Return a body as it is stored, and what the client is to be warned of."""
    check_kind(kind, body)
    warnings = decode(kind, body, validation=request.query.get("fieldValidation") or WARN)
    return (events.as_core(body) if events.is_viewed(kind) else body), warnings


def _unfit(error: ApiError, value: Any, content: str) -> ApiError:
    """Return the refusal of a patch that makes something of which no object can be read."""
    said = patches.go_text(value) if content == STRATEGIC_PATCH else orjson.dumps(value).decode()
    why = error.message.partition(": ")[2]
    return errors.invalid("", "", "", [wrong("patch", said, why)])


def _change(kind: Kind, content: str, of: Type) -> Callable[[Any, Any], Any]:
    if content == JSON_PATCH:
        return patches.json_patch
    if content == MERGE_PATCH:
        return patches.merge_patch
    if content == STRATEGIC_PATCH and not kind.custom:
        return lambda old, patch: patches.strategic_patch(old, patch, of)
    if kind.custom and content == STRATEGIC_PATCH:
        raise wire.unsupported((JSON_PATCH, MERGE_PATCH, APPLY))
    message = "415: Unsupported Media Type"
    raise ApiError(415, "UnsupportedMediaType", message)


def _verb(request: web.Request, target: Target) -> str:
    verb = VERBS.get(request.method)
    if verb is None:
        raise errors.not_allowed()
    if target.name:
        return verb
    match verb:
        case "get":
            return "watch" if is_watch(request.query) else "list"
        case "delete" if target.kind.name != "Namespace":
            return "deletecollection"
        case "create":
            return "create"
    raise errors.not_allowed()
