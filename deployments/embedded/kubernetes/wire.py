"""Requests and answers as bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import orjson
import yaml
from aiohttp import payload, web
from aiohttp.abc import AbstractStreamWriter

from deployments.embedded.kubernetes import events_of_both_groups as events
from deployments.embedded.kubernetes import protobuf
from deployments.embedded.kubernetes.errors import ApiError, bad_request
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.store import Body, Entry

JSON = "application/json"
YAML = "application/yaml"
TAKEN = (JSON, YAML, protobuf.CONTENT)
SLICE_BYTES = 128 * 1024


class _Slices(payload.Payload):
    """A body that is sent in slices, and let go of once it is sent.

    A connection keeps its last response while it waits for a request, and TLS as much memory as it was
    given at once: a list of 10,000 pods cost 54 MiB for each client that stayed connected.

    Args:
        content: Of the body.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(None, content_type=JSON)
        self._content = content
        self._length = len(content)

    @property
    def size(self) -> int:
        """Bytes that are sent."""
        return self._length

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text."""
        return self._content.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send the body."""
        whole = memoryview(self._content)
        for begin in range(0, self._length, SLICE_BYTES):
            await writer.write(whole[begin : begin + SLICE_BYTES])

    async def close(self) -> None:
        """Let go of the body."""
        self._content = b""


def answer(
    content: bytes, *, code: int = 200, headers: Mapping[str, str] | None = None,
    warnings: Iterable[str] = (),
) -> web.Response:  # fmt: skip
    """Return a response of JSON."""
    body = _Slices(content) if len(content) > SLICE_BYTES else content
    found = web.Response(body=body, status=code, content_type=JSON, headers=headers)
    for one in warnings:
        escaped = one.replace("\\", "\\\\").replace('"', '\\"')
        found.headers.add("Warning", f'299 - "{escaped}"')
    return found


def refusal(error: ApiError) -> web.Response:
    """Return the response that tells an error; a path that leads nowhere has no object for it."""
    if error.plain:
        return web.Response(text=f"{error.message}\n", status=error.code)
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return answer(orjson.dumps(error.status()), code=error.code, headers=headers)


def unsupported(taken: Iterable[str]) -> ApiError:
    """Return the refusal of a body in another format."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        f"{', '.join(taken)}"
    )
    return ApiError(415, "UnsupportedMediaType", message)


async def whole_body(request: web.Request, *, required: str = "") -> Body:
    """Return the object that a request holds; an empty one for none.

    Args:
        request: That holds it.
        required: Kind of the object that has to be there; empty where none has to be.

    Raises:
        ApiError: 400 where it cannot be read, 415 where it is something else.
    """
    raw = await request.read()
    if not raw and not required:
        return {}
    kind = request.content_type
    if "Content-Type" in request.headers and kind not in TAKEN and "yaml" not in kind:
        raise unsupported(TAKEN)
    if not raw:
        message = (
            f"the object provided is unrecognized (must be of type {required}): couldn't get version/kind; "
            "json parse error: unexpected end of JSON input (<empty>)"
        )
        raise bad_request(message)
    return whole(parsed(raw, kind))


def parsed(raw: bytes, content_type: str) -> Any:
    """Return the value that bytes stand for.

    Raises:
        ApiError: 400 where they stand for none.
    """
    if content_type == protobuf.CONTENT:
        return protobuf.parse(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if "yaml" not in content_type:
            message = f"couldn't get version/kind; json parse error: {error}"
            raise bad_request(message) from error
    try:
        return yaml.safe_load(raw)
    except yaml.YAMLError as error:
        message = f"error converting YAML to JSON: {error}"
        raise bad_request(message) from error


def whole(value: Any) -> Body:
    """Return a value that has to be an object.

    Raises:
        ApiError: 400 where it is none.
    """
    if not isinstance(value, dict):
        said = "array" if isinstance(value, list) else type(value).__name__
        message = f"couldn't get version/kind; json parse error: json: cannot unmarshal {said} into Go value of type struct"
        raise bad_request(message)
    return value


def shown(kind: Kind, entry: Entry) -> bytes:
    """Return an object as a kind shows it, which may not be the one that it was written as."""
    if entry.data.startswith(kind.head):
        return entry.data
    if events.is_viewed(kind):
        return orjson.dumps(events.as_new(entry.body()))
    return orjson.dumps(entry.body() | {"kind": kind.name, "apiVersion": kind.api_version})


def listed(kind: Kind, entries: Iterable[Entry], metadata: Body) -> bytes:
    """Return a list of objects; the items of built-in kinds do not say again what they are."""
    head = {"kind": kind.list_name, "apiVersion": kind.api_version, "metadata": metadata}
    if kind.custom:
        items = b",".join([shown(kind, entry) for entry in entries])
    elif events.is_viewed(kind):
        cut = len(kind.head)
        items = b",".join([b"{" + _headed(kind, entry)[cut:] for entry in entries])
    else:
        cut = len(kind.head)
        items = b",".join([b"{" + entry.data[cut:] for entry in entries])
    return orjson.dumps(head)[:-1] + b',"items":[' + items + b"]}"


def _headed(kind: Kind, entry: Entry) -> bytes:
    body = events.as_new(entry.body())
    return orjson.dumps({"kind": kind.name, "apiVersion": kind.api_version} | body)


def success(kind: Kind | None = None, entry: Entry | None = None, *, code: int = 200) -> Body:
    """Return the object that tells that something was done."""
    found: Body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if kind is not None and entry is not None:
        group = {"group": kind.group} if kind.group else {}
        details = {"name": entry.name, **group, "kind": kind.plural, "uid": entry.uid}
        return found | {"details": details}
    return found | {"code": code}


async def streamed(request: web.Request, told: AsyncIterator[bytes]) -> web.StreamResponse:
    """Answer with lines as they come, until they end or nobody reads them any more."""
    response = web.StreamResponse(headers={"Content-Type": JSON})
    response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        async for line in told:
            if line:
                await response.write(line)
    except ConnectionResetError:
        return response
    await response.write_eof()
    return response
