"""Requests of kubelets to an API server, many at a time."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson
from kubernetes import config
from kubernetes.client import Configuration

Body = dict[str, Any]
JSON = "application/json"
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
CALL_SECONDS = 30.0
SILENT_SECONDS = 330.0
AGENT = "kubelet/v1.36.0 (linux/amd64)"
MANAGER = "kubelet"
_UNAVAILABLE, _TOO_MANY = 500, 429


class RefusedError(Exception):
    """A request that the API server refused, or did not answer.

    Attributes:
        code: HTTP status; 0 when there was no answer.
        transient: The same request may succeed later.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.transient = code in (0, _TOO_MANY) or code >= _UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where an API server is, and how to speak to it.

    Attributes:
        url: Without a path.
        headers: Sent with each request.
        tls: For https; None otherwise.
    """

    url: str
    headers: dict[str, str]
    tls: ssl.SSLContext | None

    @classmethod
    def of_kubeconfig(cls, path: Path, *, context: str | None = None) -> Access:
        """Return what a kubeconfig says.

        Args:
            path: Of the file.
            context: In it; None for the current one.

        Raises:
            ConfigException: It cannot be read, or has no such context.
        """
        found: Any = Configuration()
        load: Any = config
        load.load_kube_config(str(path), context=context, client_configuration=found)
        token = next(iter(found.api_key.values()), None)
        return cls(
            url=found.host.rstrip("/"),
            headers={} if token is None else {"Authorization": token},
            tls=_tls(found) if found.host.startswith("https") else None,
        )


def _tls(found: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=found.ssl_ca_cert)
    if not found.verify_ssl:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if found.cert_file:
        context.load_cert_chain(found.cert_file, found.key_file)
    return context


class Client:
    """Sends requests to one API server; open while its context is.

    Args:
        access: Where and how.
        connections: At most, besides those of watches.
    """

    def __init__(self, access: Access, *, connections: int = 64) -> None:
        self._access = access
        self._connections = connections
        self._sessions: list[aiohttp.ClientSession] = []

    async def __aenter__(self) -> Self:
        # Watches never end; they must not hold the connections that writes wait for.
        self._sessions = [self._session(self._connections), self._session(0)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for session in self._sessions:
            await session.close()

    def _session(self, connections: int) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ssl=self._access.tls or True),
            headers=self._access.headers | {"Accept": JSON, "User-Agent": AGENT},
        )

    async def get(self, path: str, query: Mapping[str, str]) -> Body:
        """Return what is at a path; raises as `write`."""
        return await self._send("GET", path, None, content=JSON, query=query)

    async def delete(self, path: str, options: Body) -> Body:
        """Delete an object; raises as `write`."""
        return await self._send("DELETE", path, options, content=JSON, query={})

    async def write(
        self, method: str, path: str, body: Body, *, content: str = JSON, manager: str = MANAGER
    ) -> Body:
        """Send a request that changes something and return the object it is answered with.

        Args:
            method: Of HTTP.
            path: With a leading slash.
            body: To send.
            content: Type of the body.
            manager: Under whose name fields are written.

        Raises:
            RefusedError: It was refused, or not answered.
        """
        query = {"fieldManager": manager}
        return await self._send(method, path, body, content=content, query=query)

    async def _send(
        self, method: str, path: str, body: Body | None, *, content: str, query: Mapping[str, str]
    ) -> Body:
        headers = {} if body is None else {"Content-Type": content}
        try:
            async with self._sessions[0].request(
                method,
                self._access.url + path,
                data=None if body is None else orjson.dumps(body),
                params=query,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
            ) as answer:
                raw = await answer.read()
                if answer.status >= aiohttp.web.HTTPBadRequest.status_code:
                    raise RefusedError(answer.status, f"{method} {path}: {_said(raw)}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RefusedError(0, f"{method} {path}: no answer: {error!r}") from error
        found: Body = orjson.loads(raw) if raw else {}
        return found

    async def watch(self, path: str, **query: str) -> AsyncIterator[Body]:
        """Yield what a watch says until the server ends it.

        Raises:
            RefusedError: It is refused, or broke off.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENT_SECONDS)
        rest = b""
        try:
            async with self._sessions[1].get(
                self._access.url + path, params={"watch": "true", **query}, timeout=timeout
            ) as answer:
                if answer.status >= aiohttp.web.HTTPBadRequest.status_code:
                    said = _said(await answer.read())
                    raise RefusedError(answer.status, f"watch {path}: {said}")
                async for part in answer.content.iter_any():
                    *whole, rest = (rest + part).split(b"\n")
                    for line in whole:
                        if line:
                            yield orjson.loads(line)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise RefusedError(0, f"watch {path}: broke off: {error!r}") from error


def _said(raw: bytes) -> str:
    """Return the message of a refusal."""
    try:
        return str(orjson.loads(raw)["message"])
    except (ValueError, KeyError, TypeError):
        return raw.decode(errors="replace")[:200]
