"""The other servers: who they are, whether they answer, and requests passed on to them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    TCPConnector,
    web,
)
from yarl import URL

from deployments.embedded.kubernetes.access import MASTERS, User
from deployments.embedded.kubernetes.aggregation.discovered import Discovered, resources_of
from deployments.embedded.kubernetes.aggregation.registrations import (
    PLURAL,
    Registration,
    registration_of,
)
from deployments.embedded.kubernetes.aggregation.requests import (
    answered,
    headers_for,
    query_of,
)
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.kinds import REGISTRATION
from deployments.embedded.kubernetes.objects import Objects

Body = dict[str, Any]
CHECK_SECONDS = 5.0
"""Within which a server has to say what it has."""
CONNECT_SECONDS = 10.0
ITSELF = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "X-Remote-User": "system:kube-aggregator",
    "X-Remote-Group": MASTERS,
}
"""Headers with which it asks what servers have."""
AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that the client library would add where somebody sent none."""
UNREACHABLE = (ClientError, OSError, TimeoutError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether another server can be asked.

    Attributes:
        available: It can.
        reason: One word, as conditions have it.
        message: For people.
    """

    available: bool
    reason: str
    message: str


PASSED = Verdict(available=True, reason="Passed", message="all checks passed")
NO_SERVICE, NO_PORT, NO_ENDPOINTS = "ServiceNotFound", "ServicePortError", "EndpointsNotFound"
FAILED = "FailedDiscoveryCheck"
UNAVAILABLE = "service unavailable"


class _NoWayError(Exception):
    """A server cannot be asked; holds why."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.verdict = Verdict(available=False, reason=reason, message=message)


class Aggregator:
    """Knows the other servers of a cluster.

    Args:
        objects: Of the cluster.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._kind = objects.kinds.built_in(REGISTRATION, "v1", PLURAL)
        self._services = objects.kinds.built_in("", "v1", "services")
        self._known: dict[str, tuple[int, Registration | None]] = {}
        self._discovered: dict[str, Discovered] = {}
        self._session: ClientSession | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Aggregator]:
        """Be able to ask until the block ends."""
        # As many as clients watch; what is kept alive is closed at the end.
        connector = TCPConnector(limit=0)
        async with ClientSession(connector=connector, auto_decompress=False) as self._session:
            yield self

    def at(self, path: str) -> Registration | None:
        """Return who answers at a path besides the server itself."""
        parts = path.split("/", 4)
        if len(parts) < 4 or parts[1] != "apis":
            return None
        return self._registration(f"{parts[3]}.{parts[2]}")

    def _registration(self, name: str) -> Registration | None:
        entry = self._objects.store.get(self._kind, "", name)
        if entry is None:
            self._known.pop(name, None)
            return None
        known = self._known.get(name)
        if known is None or known[0] != entry.version:
            known = self._known[name] = (entry.version, registration_of(entry.body()))
        return known[1]

    def told(self) -> list[Discovered]:
        """Return what the other servers have, those of more weight first."""
        names = (entry.name for entry in self._objects.store.list(self._kind))
        known = [one for one in map(self._registration, names) if one is not None]
        known.sort(key=lambda one: (-one.priority, -one.version_priority, one.name))
        return [
            self._discovered.get(one.name)
            or Discovered(group=one.group, version=one.version, priority=one.priority)
            for one in known
        ]

    def forget(self, name: str) -> None:
        """Forget what a registration that is gone had."""
        self._discovered.pop(name, None)

    async def check(self, one: Registration) -> Verdict:
        """Ask a server what it has, keep that, and return whether it answered."""
        before = self._discovered.get(one.name)
        resources = None if before is None else before.resources
        try:
            resources = await self._ask(one)
            verdict = PASSED
        except _NoWayError as error:
            verdict = error.verdict
        self._discovered[one.name] = Discovered(
            group=one.group,
            version=one.version,
            priority=one.priority,
            resources=resources,
            fresh=verdict.available,
        )
        return verdict

    async def _ask(self, one: Registration) -> tuple[Body, ...]:
        url = f"{self._place(one)}{one.root}"
        try:
            async with self._open_session.get(
                url, headers=ITSELF, allow_redirects=False,
                timeout=ClientTimeout(total=CHECK_SECONDS), **_tls(one),
            ) as answer:  # fmt: skip
                content = await answer.read()
        except UNREACHABLE as error:
            why = f'Get "{url}": {_words(error)}'
        else:
            if answer.status < web.HTTPMultipleChoices.status_code:
                with suppress(orjson.JSONDecodeError, KeyError, AttributeError, TypeError):
                    return resources_of(orjson.loads(content))
                return ()
            why = f"bad status from {url}: {answer.status}"
        message = f"failing or missing response from {url}: {why}"
        raise _NoWayError(FAILED, message)

    async def pass_on(
        self, request: web.Request, one: Registration, user: User
    ) -> web.StreamResponse:
        """Return what another server answers to a request, as it comes.

        Raises:
            ApiError: 503 where it is not available or does not answer.
        """
        if not one.available:
            raise _unavailable(UNAVAILABLE)
        try:
            place = self._place(one)
        except _NoWayError as error:
            raise _unavailable(UNAVAILABLE) from error
        path = request.rel_url.raw_path
        url = URL(f"{place}{path}", encoded=True)
        if request.query_string:
            url = URL(f"{url}?{query_of(request.query.items())}", encoded=True)
        is_document = len([part for part in path.split("/") if part]) == len(("apis", "group", "v"))
        wait = ClientTimeout(
            total=CHECK_SECONDS if is_document else None, sock_connect=CONNECT_SECONDS
        )
        try:
            answer = await self._open_session.request(
                request.method, url, headers=headers_for(request.headers, user, path=path),
                data=await request.read() or None, allow_redirects=False, timeout=wait,
                skip_auto_headers=AUTOMATIC, **_tls(one),
            )  # fmt: skip
        except UNREACHABLE as error:
            raise _unavailable(_words(error)) from error
        async with answer:
            found = web.StreamResponse(status=answer.status, headers=answered(answer.headers))
            if "Content-Length" in answer.headers:
                found.content_length = int(answer.headers["Content-Length"])
            await found.prepare(request)
            with suppress(ConnectionResetError):
                await _copy(answer, found, request)
            return found

    @property
    def _open_session(self) -> ClientSession:
        if self._session is None:
            msg = (
                "the aggregator asks nobody before it is opened; use `async with aggregator.open()`"
            )
            raise RuntimeError(msg)
        return self._session

    def _place(self, one: Registration) -> str:
        """Return where a service leads, as a URL without a path."""
        entry = self._objects.store.get(self._services, one.namespace, one.service)
        called = f'service/{one.service} in "{one.namespace}"'
        if entry is None:
            raise _NoWayError(NO_SERVICE, f"{called} is not present")
        spec = entry.body()["spec"]
        if spec.get("type") == "ExternalName":
            return f"https://{spec['externalName']}:{one.port}"
        if all(port.get("port") != one.port for port in spec.get("ports") or ()):
            raise _NoWayError(NO_PORT, f"{called} is not listening on port {one.port}")
        # Nothing of this cluster has an address that leads anywhere.
        message = f"cannot find endpointslices for {called}"
        raise _NoWayError(NO_ENDPOINTS, message)


async def _copy(answer: ClientResponse, found: web.StreamResponse, request: web.Request) -> None:
    try:
        async for chunk in answer.content.iter_any():
            await found.write(chunk)
    except ClientError:
        # Its status was told already: the client learns by a broken connection, as the server did.
        if request.transport is not None:
            request.transport.abort()
        return
    await found.write_eof()


def _unavailable(message: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", message, plain=True)


def _tls(one: Registration) -> dict[str, Any]:
    name = f"{one.service}.{one.namespace}.svc"
    return {"ssl": _context(one.verifies, one.authority), "server_hostname": name}


@lru_cache(maxsize=16)
def _context(verifies: bool, authority: str) -> ssl.SSLContext:
    found = ssl.create_default_context(cadata=authority or None)
    if not verifies:
        found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    return found


def _words(error: BaseException) -> str:
    """Return why a server was not reached, without the addresses of objects that clients put in."""
    if isinstance(error, ClientConnectorError):
        return f"dial tcp {error.host}:{error.port}: connect: {error.os_error}"
    return str(error) or type(error).__name__
