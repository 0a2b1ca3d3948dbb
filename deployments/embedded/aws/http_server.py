"""A threaded HTTP/1.1 server for one WSGI application, on loopback, with keep-alive.

Werkzeug's own closes every connection after one answer and waits 10 ms for stragglers first.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from deployments.embedded.aws.faults import ConnectionDroppedError

LOOPBACK = "127.0.0.1"
MOST_BODY_BYTES = 256 * 1024 * 1024

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class LoopbackServer(ThreadingHTTPServer):
    """Serves an application on 127.0.0.1.

    Args:
        port: 0 for any free port.
        application: WSGI.

    Raises:
        OSError: The port is in use.
    """

    daemon_threads = True
    # Clients of a fleet connect at once.
    request_queue_size = 128

    def __init__(self, port: int, application: Application) -> None:
        self.application = application
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((LOOPBACK, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember a connection, so that closing the server closes it."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """End idle keep-alive connections; their threads end with them."""
        with self._open_lock:
            connections = tuple(self._open)
        for connection in connections:
            _shut(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: Nagle's algorithm would hold back the second for 40 ms.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: LoopbackServer

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, ValueError):  # the client left, or we closed the connection
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        carry_on = super().handle_expect_100()
        self.wfile.flush()
        return carry_on

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            self.send_error(413)
            self.close_connection = True
            return
        try:
            parts = self.server.application(self._environ(body), self._start)
        except ConnectionDroppedError:
            self.close_connection = True
            _shut(self.connection)
            return
        if self.command != "HEAD":
            for part in parts:
                self.wfile.write(part)
        self.wfile.flush()

    def __getattr__(self, name: str) -> Any:
        # http.server looks for do_GET, do_PUT and so on; one method serves them all.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _start(self, line: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        code, _, phrase = line.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if 0 <= length <= MOST_BODY_BYTES else None

    def _chunks(self) -> bytes | None:
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            if len(body) + size > MOST_BODY_BYTES:
                return None
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in {b"\r\n", b"\n", b""}:
            pass  # trailers
        return bytes(body)

    def _environ(self, body: bytes) -> dict[str, Any]:
        url = urlsplit(self.path)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            # WSGI's text is bytes in Latin-1.
            "PATH_INFO": unquote(url.path, "latin-1"),
            "QUERY_STRING": url.query,
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": LOOPBACK,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("HTTP_CONTENT_LENGTH", None)
        environ["CONTENT_LENGTH"] = str(len(body))
        return environ

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep quiet: a history of 35,000 pools takes thousands of requests."""

    def version_string(self) -> str:
        return "homeostat-embedded-aws"


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already
