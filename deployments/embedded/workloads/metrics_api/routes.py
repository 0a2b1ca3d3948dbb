"""Requests for usage, and their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from aiohttp import web

from deployments.embedded.workloads.metrics_api import bodies
from deployments.embedded.workloads.metrics_api.bodies import ROOT
from deployments.embedded.workloads.metrics_api.selectors import (
    SelectorError,
    field_selector,
    label_selector,
)

Body = dict[str, Any]
Measured = tuple[Body, Body | None]
"""An object as the API has it, and its metrics; None where there are none."""


def metrics_routes(
    *, pods: Callable[[], Sequence[Measured]], nodes: Callable[[], Sequence[Measured]]
) -> web.Application:
    """Return the application that serves the group.

    Args:
        pods: All that there are now.
        nodes: The same of nodes.
    """
    application = web.Application(middlewares=[_told_as_status])
    for path, told in (
        ("/apis", bodies.groups()),
        (f"/apis/{bodies.GROUP}", bodies.group()),
        (ROOT, bodies.resources()),
    ):
        application.router.add_get(path, _document(told))
    for path in ("/healthz", "/livez", "/readyz"):
        application.router.add_get(path, _well)
    application.router.add_get(f"{ROOT}/pods", _list("PodMetrics", pods))
    application.router.add_get(f"{ROOT}/namespaces/{{namespace}}/pods", _list("PodMetrics", pods))
    one = f"{ROOT}/namespaces/{{namespace}}/pods/{{name}}"
    application.router.add_get(one, _get("pods", "PodMetrics", pods))
    application.router.add_get(f"{ROOT}/nodes", _list("NodeMetrics", nodes))
    application.router.add_get(f"{ROOT}/nodes/{{name}}", _get("nodes", "NodeMetrics", nodes))
    return application


Handler = Callable[[web.Request], Any]


def _document(told: Body) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return _json(told)

    return answer


async def _well(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def _list(kind: str, all_of: Callable[[], Sequence[Measured]]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        labels = label_selector(request.query.get("labelSelector", ""))
        fields = field_selector(request.query.get("fieldSelector", ""))
        namespace = request.match_info.get("namespace", "")
        found = []
        for thing, metrics in all_of():
            place = _place(thing)
            wanted = not namespace or place["metadata.namespace"] == namespace
            if metrics is None or not wanted or not fields(place):
                continue
            if labels(thing["metadata"].get("labels") or {}):
                found.append(metrics)
        found.sort(key=lambda one: (one["metadata"].get("namespace"), one["metadata"]["name"]))
        return _json(_form(request)(kind, found))

    return answer


def _get(plural: str, kind: str, all_of: Callable[[], Sequence[Measured]]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        name, namespace = request.match_info["name"], request.match_info.get("namespace", "")
        wanted = {"metadata.name": name, "metadata.namespace": namespace}
        found = next((one for one in all_of() if _place(one[0]) == wanted), None)
        if found is None:
            return _missing(plural, "", name)
        if found[1] is None:
            return _missing(plural, bodies.GROUP, f"{namespace}/{name}" if namespace else name)
        as_table = _form(request) is bodies.table
        return _json(bodies.table(kind, [found[1]]) if as_table else bodies.whole(kind, found[1]))

    return answer


def _place(thing: Body) -> dict[str, str]:
    metadata = thing["metadata"]
    return {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata.get("namespace", ""),
    }


def _form(request: web.Request) -> Callable[[str, Sequence[Body]], Body]:
    """Return how the client wants objects: the first that it takes of those that are offered."""
    for one in request.headers.get("Accept", "").split(","):
        if "as=Table" in one and "v=v1;" in f"{one.replace(' ', '')};":
            return bodies.table
        if one.strip() in ("application/json", "*/*"):
            break
    return bodies.listed


def _missing(plural: str, group: str, name: str) -> web.Response:
    called = f"{plural}.{group}" if group else plural
    details = {"name": name, "kind": plural} | ({"group": group} if group else {})
    told = bodies.failure(404, "NotFound", f'{called} "{name}" not found', **details)
    return _json(told, code=404)


@web.middleware
async def _told_as_status(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        found: web.StreamResponse = await handler(request)
    except SelectorError as error:
        return _json(bodies.failure(400, "BadRequest", str(error)), code=400)
    except web.HTTPNotFound:
        message = "the server could not find the requested resource"
        return _json(bodies.failure(404, "NotFound", message), code=404)
    except web.HTTPMethodNotAllowed:
        message = "the server does not allow this method on the requested resource"
        return _json(bodies.failure(405, "MethodNotAllowed", message), code=405)
    return found


def _json(told: Body, *, code: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(told), status=code, content_type="application/json")
