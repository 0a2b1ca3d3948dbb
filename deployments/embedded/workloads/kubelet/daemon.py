"""The daemon of the nodes: what containers wrote, for the API server to fetch."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deployments.embedded.workloads.containers.status import timestamp
from deployments.embedded.workloads.kubelet.logbook import ContainerLog, Line, Logbook

_DAYS = 365


def log_routes(
    logbook: Logbook, *, answers: Callable[[int], bool], now: Callable[[], float]
) -> web.Application:
    """Return the application that serves logs.

    Args:
        logbook: Where they are.
        answers: Whether the node of an index can be reached; of one that cannot, nothing is heard.
        now: On the wall.
    """

    async def read(request: web.Request) -> web.Response:
        names = request.match_info
        if logbook.of(names["namespace"], names["pod"]) is None:
            text = f'pods "{names["pod"]}" not found'
            raise web.HTTPNotFound(text=text)
        log = logbook.of(names["namespace"], names["pod"], names["container"])
        if log is None:
            text = f'container "{names["container"]}" not found in pod "{names["pod"]}"'
            raise web.HTTPNotFound(text=text)
        if not answers(log.node) and request.transport is not None:
            request.transport.abort()
        lines = _wanted(log, request)
        return web.Response(text=_shown(lines, request, now()), content_type="text/plain")

    async def well(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", read)
    application.router.add_get("/healthz", well)
    return application


def _wanted(log: ContainerLog, request: web.Request) -> Iterable[Line]:
    pod, name = request.match_info["pod"], request.match_info["container"]
    if request.query.get("previous") in ("true", "1"):
        found = log.previous()
        if found is None:
            text = f'previous terminated container "{name}" in pod "{pod}" not found'
            raise web.HTTPBadRequest(text=text)
        return found
    if not log.begun:
        text = f'container "{name}" in pod "{pod}" is waiting to start: ContainerCreating'
        raise web.HTTPBadRequest(text=text)
    return log.lines


def _shown(lines: Iterable[Line], request: web.Request, now: float) -> str:
    query = request.query
    found = list(lines)
    if "sinceSeconds" in query:
        since = now - _whole(request, "sinceSeconds")
        found = [one for one in found if one[0] >= since]
    if "tailLines" in query:
        count = _whole(request, "tailLines")
        found = found[len(found) - count :] if count < len(found) else found
    dated = query.get("timestamps") in ("true", "1")
    text = "".join(f"{timestamp(at)} {line}\n" if dated else f"{line}\n" for at, line in found)
    return text[: _whole(request, "limitBytes")] if "limitBytes" in query else text


def _whole(request: web.Request, name: str) -> int:
    given = request.query[name]
    if not given.isascii() or not given.isdigit():
        raise web.HTTPBadRequest(text=f"{name} is {given!r}; give a whole number, 0 or more")
    return int(given)


def own_certificate(address: str) -> ssl.SSLContext:
    """Return what a kubelet serves with that was given no certificate: it makes one itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{address}@kubelet")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The standard library reads keys from files only.
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "kubelet.pem"
        both.touch(mode=0o600)
        both.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(both)
    return context
