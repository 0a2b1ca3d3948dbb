"""An extension API server as somebody else would write one; it says what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deployments.local_cluster.certificates import make_certificate

Object = dict[str, Any]
VERSION = "v1beta1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that arrived.

    Attributes:
        method: Of it.
        path: With its query.
        headers: By their names in lower case; of several the last.
        groups: That the one who asks belongs to.
        body: Text.
    """

    method: str
    path: str
    headers: dict[str, str]
    groups: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What an extension has.

    Attributes:
        kind: Of the objects.
        plural: In paths.
        namespaced: Whether they lie in a namespace.
        items: The objects.
    """

    kind: str
    plural: str
    namespaced: bool
    items: Sequence[Object]


@dataclass(slots=True, kw_only=True)
class Extension:
    """A server that runs.

    Attributes:
        group: That it serves.
        resources: Of that group.
        port: On loopback, under TLS with a certificate of its own.
        asked: All requests, the newest last.
    """

    group: str
    resources: Sequence[Resource]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def root(self) -> str:
        return f"/apis/{self.group}/{VERSION}"

    @property
    def service(self) -> str:
        """Return the registration's name."""
        return f"{VERSION}.{self.group}"

    def last(self, path: str) -> Asked:
        """Return the newest request of a path, whatever its query was."""
        return next(it for it in reversed(self.asked) if it.path.partition("?")[0] == path)

    def answer(self, asked: Asked) -> tuple[int, Object]:
        path = asked.path.partition("?")[0]
        if path == self.root:
            return 200, self._discovery()
        place = path.removeprefix(f"{self.root}/").split("/")
        place = place[2:] if place[0] == "namespaces" else place
        found = next((it for it in self.resources if it.plural == place[0]), None)
        if found is None or not path.startswith(f"{self.root}/"):
            # As old ones do, it tells of its resources at the place of their version alone.
            return 404, {}
        if asked.method == "POST":
            return 201, json.loads(asked.body)
        if len(place) == 1:
            return 200, self._list(found)
        one = next((it for it in found.items if it["metadata"]["name"] == place[1]), None)
        if one is None:
            return 404, _status(404, "NotFound", f"{place[1]} is nowhere, says the extension")
        return 200, self._whole(found, one)

    def _discovery(self) -> Object:
        rows = [
            {
                "name": it.plural,
                "singularName": it.plural.removesuffix("s"),
                "namespaced": it.namespaced,
                "kind": it.kind,
                "verbs": ["create", "get", "list"],
            }
            for it in self.resources
        ]
        head = {"kind": "APIResourceList", "apiVersion": "v1"}
        return {**head, "groupVersion": f"{self.group}/{VERSION}", "resources": rows}

    def _list(self, of: Resource) -> Object:
        head = {"kind": f"{of.kind}List", "apiVersion": f"{self.group}/{VERSION}"}
        return {**head, "metadata": {}, "items": [self._whole(of, one) for one in of.items]}

    def _whole(self, of: Resource, one: Object) -> Object:
        return {"kind": of.kind, "apiVersion": f"{self.group}/{VERSION}", **one}


def _status(code: int, reason: str, message: str) -> Object:
    head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {**head, "message": message, "reason": reason, "code": code}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    extension: Extension

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._open: list[socket.socket] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.append(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        """End connections that clients keep for their next request."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that do not like the certificate, or leave."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        assert isinstance(self.server, _Server)
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            groups=tuple(self.headers.get_all("X-Remote-Group") or ()),
            body=self.rfile.read(length).decode(),
        )
        self.server.extension.asked.append(asked)
        code, body = self.server.extension.answer(asked)
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Said-By", "the extension")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _handle  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def extension_server(group: str, *resources: Resource) -> Iterator[Extension]:
    """Run one until the block ends."""
    server = _Server()
    port = server.server_address[1]
    server.extension = Extension(group=group, resources=resources, port=port)
    # The handshake is done by the thread of the connection, not by the one that takes them all.
    server.socket = (
        make_certificate()
        .context()
        .wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.extension
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
        server.hang_up()
