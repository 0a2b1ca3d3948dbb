"""The simulator's own server: faults in and out, and what the world looks like. Not the cluster's."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from deployments.embedded.workloads.kubelet.fault_book import FaultBook, described, kinds
from deployments.embedded.workloads.physics.arrays import InvalidValueError

MOST_BYTES = 65_536

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def control_routes(
    faults: FaultBook,
    *,
    token: str,
    now: Callable[[], float],
    state: Callable[[], Json],
) -> web.Application:
    """Return the application of GET /faults, PUT and DELETE /faults/<name>, GET /kinds and GET /state.

    Args:
        faults: That are put in and taken out.
        token: That every request has to bear.
        now: Of the world.
        state: What /state answers.
    """

    async def listed(_: web.Request) -> web.Response:
        return _json({"faults": [described(one) for one in faults.active]})

    async def put(request: web.Request) -> web.Response:
        try:
            found = faults.put(request.match_info["name"], await request.read(), now=now())
        except InvalidValueError as error:
            return _error(400, str(error), owner=error.owner, field=error.field)
        return _json(described(found))

    async def drop(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not faults.drop(name):
            known = ", ".join(one.name for one in faults.active) or "none"
            return _error(404, f"no fault {name!r} is in force; in force are: {known}")
        return _json({"withdrawn": name})

    async def all_kinds(_: web.Request) -> web.Response:
        return _json({"kinds": kinds()})

    async def summary(_: web.Request) -> web.Response:
        return _json(state())

    application = web.Application(middlewares=[_guard(token)], client_max_size=MOST_BYTES)
    application.router.add_get("/faults", listed)
    application.router.add_put("/faults/{name}", put)
    application.router.add_delete("/faults/{name}", drop)
    application.router.add_get("/kinds", all_kinds)
    application.router.add_get("/state", summary)
    return application


def _guard(token: str) -> Any:
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if not secrets.compare_digest(given, expected):
            return _error(
                401, "the token is missing or wrong; it is in the file beside the kubeconfig"
            )
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status in (404, 405):
                return _error(error.status, f"{request.method} {request.path} does not exist")
            return _error(error.status, error.reason)

    return guard


def _error(code: int, message: str, **details: str) -> web.Response:
    return _json({"error": message, **details}, code=code)


def _json(content: Json, *, code: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=code, content_type="application/json")
