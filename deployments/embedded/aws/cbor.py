"""The part of CBOR (RFC 8949) that AWS's RPC protocol uses."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

_EPOCH_TAG = 1
_BREAK = object()
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}


def encode(value: Any) -> bytes:
    """Return CBOR of None, bool, int, float, str, bytes, datetime, list and dict."""
    out = bytearray()
    _write(value, out)
    return bytes(out)


def _write(value: Any, out: bytearray) -> None:
    if value is None or isinstance(value, bool):
        out += {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    elif isinstance(value, int):
        _head(0, value, out) if value >= 0 else _head(1, -1 - value, out)
    elif isinstance(value, float):
        out += b"\xfb" + struct.pack(">d", value)
    elif isinstance(value, str):
        data = value.encode()
        _head(3, len(data), out)
        out += data
    elif isinstance(value, bytes):
        _head(2, len(value), out)
        out += value
    elif isinstance(value, datetime):
        _head(6, _EPOCH_TAG, out)
        _write(value.timestamp(), out)
    else:
        _write_collection(value, out)


def _write_collection(value: Any, out: bytearray) -> None:
    if isinstance(value, dict):
        _head(5, len(value), out)
        for key, item in value.items():
            _write(key, out)
            _write(item, out)
        return
    _head(4, len(value), out)
    for item in value:
        _write(item, out)


def _head(major: int, count: int, out: bytearray) -> None:
    if count < 24:
        out.append(major << 5 | count)
        return
    for code, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if count < 1 << 8 * width:
            out.append(major << 5 | code)
            out += count.to_bytes(width, "big")
            return
    message = f"{count} does not fit into 64 bits"
    raise ValueError(message)


def decode(data: bytes) -> Any:
    """Return the value that some CBOR holds.

    Raises:
        ValueError: The data is cut off, goes on after its end, or uses what AWS does not.
    """
    try:
        value, end = _read(data, 0)
    except (IndexError, struct.error, RecursionError) as error:
        message = "CBOR ends too early"
        raise ValueError(message) from error
    if end != len(data):
        message = f"CBOR ends at byte {end} of {len(data)}"
        raise ValueError(message)
    return value


def _read(data: bytes, at: int) -> tuple[Any, int]:
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return _read_simple(data, at, info)
    count: int | None = info
    if 24 <= info <= 27:
        width = 1 << info - 24
        if at + width > len(data):
            raise IndexError
        count = int.from_bytes(data[at : at + width], "big")
        at += width
    elif info == 31:
        count = None
    if major in {0, 1} and count is not None:
        return (count if major == 0 else -1 - count), at
    if major in {2, 3}:
        return _read_text(data, at, count, major)
    if major == 6:
        value, at = _read(data, at)
        return (datetime.fromtimestamp(value, UTC) if count == _EPOCH_TAG else value), at
    return _read_collection(data, at, count, major)


def _read_simple(data: bytes, at: int, info: int) -> tuple[Any, int]:
    if info in _FLOATS:
        form, width = _FLOATS[info]
        return struct.unpack_from(form, data, at)[0], at + width
    if info == 31:
        return _BREAK, at
    if info not in _SIMPLE:
        message = f"CBOR simple value {info} has no meaning here"
        raise ValueError(message)
    return _SIMPLE[info], at


def _read_text(data: bytes, at: int, count: int | None, major: int) -> tuple[Any, int]:
    if count is None:
        parts, at = _read_collection(data, at, None, 4)
        return (b"" if major == 2 else "").join(parts), at
    if at + count > len(data):
        raise IndexError
    raw = data[at : at + count]
    return (raw if major == 2 else raw.decode()), at + count


def _read_collection(data: bytes, at: int, count: int | None, major: int) -> tuple[Any, int]:
    items: list[Any] = []
    wanted = None if count is None else count * (2 if major == 5 else 1)
    while wanted is None or len(items) < wanted:
        value, at = _read(data, at)
        if value is _BREAK:
            break
        items.append(value)
    if major == 4:
        return items, at
    return dict(zip(items[::2], items[1::2], strict=True)), at
