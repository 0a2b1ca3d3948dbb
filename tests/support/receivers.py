"""Receivers on loopback that real clients talk to: HTTP and SMTP, and both can be told to fail."""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class HttpReceiver:
    """An HTTP server that keeps what it received."""

    address: str
    received: list[Received]


@contextmanager
def http_receiver(answer: Callable[[Received], Answer] | None = None) -> Iterator[HttpReceiver]:
    """Give a running HTTP server; without an `answer` everything is answered with 200."""
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            length = int(self.headers.get("content-length", 0))
            one = Received(
                method=self.command,
                path=self.path,
                headers={key.lower(): value for key, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            received.append(one)
            said = Answer(body="ok") if answer is None else answer(one)
            content = json.dumps(said.body).encode()
            self.send_response(said.status)
            for key, value in said.headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _take  # noqa: N815 - names that the server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Say nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    with _serving(server):
        yield HttpReceiver(address=f"http://{LOOPBACK}:{server.server_port}", received=received)


@dataclass(kw_only=True)
class SmtpReceiver:
    """A mail server that keeps what it received, and its troubles.

    Attributes:
        login: "user:password" that is asked for; None for nobody.
        refuses: Recipients that it does not take.
        busy: Times that it says to come again.
        certificate: For TLS; None for none.
        at_once: TLS from the first byte instead of STARTTLS.
        mails: Envelopes and texts.
        secure: Whether the last mail came over TLS.
    """

    login: str | None = None
    refuses: frozenset[str] = frozenset()
    busy: int = 0
    certificate: ssl.SSLContext | None = None
    at_once: bool = False
    port: int = 0
    mails: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)
    secure: bool = False


class _SmtpHandler(socketserver.StreamRequestHandler):
    sender: str
    to: list[str]
    tls: bool

    def handle(self) -> None:
        told: SmtpReceiver = self.server.told  # type: ignore[attr-defined]
        self.sender, self.to, self.tls = "", [], told.at_once
        if told.at_once:
            self._secure(told)
        self._say("220 receiver")
        while line := self.rfile.readline():
            words = line.decode().strip()
            verb = words.split(" ")[0].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            self._say(*self._answer(verb, words, told))
            if verb == "STARTTLS":
                self._secure(told)

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def _answer(self, verb: str, words: str, told: SmtpReceiver) -> tuple[str, ...]:
        if verb == "EHLO":
            offers = ["STARTTLS"] if told.certificate and not self.tls else []
            offers += ["AUTH PLAIN"] if told.login else []
            return tuple(
                f"250{'-' if offers[n:] else ' '}{o}" for n, o in enumerate(["me", *offers])
            )
        if verb == "AUTH":
            _, user, password = base64.b64decode(words.split()[2]).decode().split("\0")
            return ("235 in",) if f"{user}:{password}" == told.login else ("535 no: " + password,)
        if verb == "MAIL":
            if told.busy > 0:
                told.busy -= 1
                return ("451 come again",)
            self.sender, self.to = words.partition(":")[2], []
        if verb == "RCPT":
            to = words.partition(":")[2].strip("<> ")
            if to in told.refuses:
                return ("550 nobody of that name",)
            self.to.append(to)
        if verb == "DATA":
            self._say("354 go on")
            lines = iter(self.rfile.readline, b".\r\n")
            told.mails.append((self.sender, tuple(self.to), b"".join(lines)))
            told.secure = self.tls
        return ("220 go",) if verb == "STARTTLS" else ("250 ok",)

    def _secure(self, told: SmtpReceiver) -> None:
        assert told.certificate is not None
        self.request = told.certificate.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb")
        self.tls = True

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
        self.wfile.flush()


@contextmanager
def smtp_receiver(told: SmtpReceiver | None = None) -> Iterator[SmtpReceiver]:
    """Give a running mail server."""
    told = told or SmtpReceiver()
    server = socketserver.ThreadingTCPServer((LOOPBACK, 0), _SmtpHandler)
    server.told = told  # type: ignore[attr-defined]
    told.port = server.server_address[1]
    with _serving(server):
        yield told


@contextmanager
def _serving(server: socketserver.ThreadingTCPServer | ThreadingHTTPServer) -> Iterator[None]:
    # Closing the server waits for whoever is still being answered.
    server.daemon_threads = False
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
