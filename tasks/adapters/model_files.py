"""A model's state as bytes and back: skops files that hold plain values and nothing else.

skops trusts a few hundred types by itself, among them random generators and estimators, whose state
a file can bend. A model's state needs strings, numbers, lists, tuples, dicts and arrays; a file is
held against these, and against what it would unpack to, before skops builds anything from it.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import skops.io

from tasks.domain.errors import PermanentError

SCHEMA = "schema.json"
ARRAY_KINDS = "biufUMm"
"""Booleans, numbers, text, instants and durations, as numpy's `dtype.kind` has them."""

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first instant a zip file can name."""

HEAD = {"__class__", "__module__", "__loader__"}
PLAIN_NODES = {
    ("DictNode", "builtins.dict"): HEAD | {"content", "key_types"},
    ("ListNode", "builtins.list"): HEAD | {"content"},
    ("TupleNode", "builtins.tuple"): HEAD | {"content"},
    ("JsonNode", "builtins.str"): HEAD | {"content", "is_json"},
    ("TypeNode", "builtins.str"): HEAD,
    ("NdArrayNode", "numpy.ndarray"): HEAD | {"type", "file"},
}
"""What a file may hold: loader and type of each node, with the fields that it has."""

NEXT_STEP = "`homeostat rollback NAME` brings the earlier model back, `retrain-models` a new one"


class UnstorableStateError(PermanentError):
    """A model's state holds something that a file of plain values cannot."""

    def __init__(self, at: str, *, found: str) -> None:
        super().__init__(
            f"{at} of a model is {found}; a stored state holds None, booleans, numbers, strings, "
            "lists, tuples, dicts with string keys, and arrays of numbers, text or instants"
        )


class RefusedModelError(PermanentError):
    """The bytes of a stored model are not used.

    Attributes:
        key: Where they lie.
    """

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        super().__init__(f"model {key!r} {reason}; {NEXT_STEP}")


class UntrustedModelError(RefusedModelError):
    """A stored model names types that no model of ours has: somebody else wrote it.

    Attributes:
        types: Their names, in order.
    """

    def __init__(self, key: str, *, types: list[str]) -> None:
        self.types = types
        super().__init__(
            key,
            f"holds {', '.join(types)}, and a model is made of plain values only: it was not "
            "written by Homeostat, so find out who can write to the storage",
        )


class OversizedModelError(RefusedModelError):
    """A stored model would take more memory than a model may."""

    def __init__(self, key: str, *, found_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            key, f"unpacks to at least {found_bytes:,} bytes, allowed are {limit_bytes:,}"
        )


class UnreadableModelError(RefusedModelError):
    """A stored model has the bytes its entry names, and these are not a model's."""

    def __init__(self, key: str, *, reason: str) -> None:
        super().__init__(key, f"cannot be read: {reason}")


def model_file(state: Mapping[str, Any], *, kind: str) -> bytes:
    """Return a state as a skops file; equal states in equal order give equal bytes.

    Raises:
        UnstorableStateError: It holds something else than plain values.
    """
    return _repeatable(skops.io.dumps({"kind": kind, "state": plain(state)}))


def plain(value: object, *, at: str = "the state") -> Any:
    """Return a value without numpy's scalars and with arrays in C order.

    Raises:
        UnstorableStateError: It is, or holds, something that cannot be stored.
    """
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        value = value.item()
    if value is None or type(value) in {bool, int, float, str}:
        return value
    if type(value) is np.ndarray and value.dtype.kind in ARRAY_KINDS:
        return np.asarray(value, order="C")
    if isinstance(value, list | tuple) and type(value) in {list, tuple}:
        items = [plain(one, at=f"{at}[{i}]") for i, one in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, Mapping) and all(type(key) is str for key in value):
        return {key: plain(one, at=f"{at}[{key!r}]") for key, one in value.items()}
    found = f"{type(value).__module__}.{type(value).__qualname__}"
    raise UnstorableStateError(at, found=found)


def read_model_file(content: bytes, *, key: str, limit_bytes: int) -> tuple[str, dict[str, Any]]:
    """Return the kind and the state that a file holds.

    Args:
        content: The file.
        key: Where it lies, for errors.
        limit_bytes: Largest sum of what it unpacks to.

    Raises:
        UntrustedModelError: It names types that a model does not have.
        OversizedModelError: It would unpack to more than is allowed.
        UnreadableModelError: It is no such file, or a damaged one.
    """
    try:
        _refuse_unless_plain(content, key=key, limit_bytes=limit_bytes)
        found = skops.io.loads(content, trusted=[])
        kind, state = found["kind"], found["state"]
    except PermanentError:
        raise
    except Exception as error:
        # The readers of zip, JSON, npy and skops raise whatever they stumble over in such bytes.
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise UnreadableModelError(key, reason=reason) from error
    if not isinstance(kind, str) or not isinstance(state, dict):
        raise UnreadableModelError(key, reason="it holds no kind and state")
    return kind, state


def _repeatable(content: bytes) -> bytes:
    """Return a file without memory addresses, random names and the time of day.

    Uncompressed: what a compressor makes of the same bytes differs between its versions, and a
    member that is compressed can be refused on sight when the file is read.
    """
    members: dict[str, bytes] = {}
    with ZipFile(io.BytesIO(content)) as raw:
        schema = _without_addresses(json.loads(raw.read(SCHEMA)), raw, members)
    members[SCHEMA] = json.dumps(schema, separators=(",", ":")).encode()
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as made:
        for name, member in members.items():
            entry = ZipInfo(name, date_time=EARLIEST)
            entry.create_system = 3  # whatever the system is
            made.writestr(entry, member)
    return buffer.getvalue()


def _without_addresses(node: dict[str, Any], raw: ZipFile, members: dict[str, bytes]) -> Any:
    node = {name: value for name, value in node.items() if name != "__id__"}
    content = node.get("content")
    if isinstance(content, dict):
        node["content"] = {k: _without_addresses(v, raw, members) for k, v in content.items()}
    elif isinstance(content, list):
        node["content"] = [_without_addresses(one, raw, members) for one in content]
    if "key_types" in node:
        node["key_types"] = _without_addresses(node["key_types"], raw, members)
    if "file" in node:
        array = raw.read(node["file"])
        node["file"] = f"{hashlib.sha256(array).hexdigest()[:32]}.npy"
        members[node["file"]] = array
    return node


@dataclass(slots=True)
class _Audit:
    """What a walk over a file's schema found."""

    archive: ZipFile
    key: str
    limit_bytes: int
    unpacked_bytes: int = 0
    foreign: set[str] = field(default_factory=set)
    misshapen: list[str] = field(default_factory=list)

    def unpack(self, size_bytes: int) -> None:
        """Count what would be unpacked; one member may be named many times."""
        self.unpacked_bytes += size_bytes
        if self.unpacked_bytes > self.limit_bytes:
            raise OversizedModelError(
                self.key, found_bytes=self.unpacked_bytes, limit_bytes=self.limit_bytes
            )


def _refuse_unless_plain(content: bytes, *, key: str, limit_bytes: int) -> None:
    with ZipFile(io.BytesIO(content)) as archive:
        _refuse_bomb(archive, key=key, limit_bytes=limit_bytes)
        audit = _Audit(archive, key, limit_bytes)
        audit.unpack(archive.getinfo(SCHEMA).file_size)
        schema = json.loads(archive.read(SCHEMA))
        _ = schema.pop("protocol"), schema.pop("_skops_version")
        _walk(schema, audit)
    if not audit.foreign and audit.misshapen:
        raise UnreadableModelError(key, reason=audit.misshapen[0])
    # Asked last: to answer, skops reads every member as often as it is named.
    foreign = audit.foreign or set(skops.io.get_untrusted_types(data=content))
    if foreign:
        raise UntrustedModelError(key, types=sorted(foreign))


def _refuse_bomb(archive: ZipFile, *, key: str, limit_bytes: int) -> None:
    members = archive.infolist()
    declared = sum(one.file_size for one in members)
    if declared > limit_bytes:
        raise OversizedModelError(key, found_bytes=declared, limit_bytes=limit_bytes)
    for one in members:
        if one.compress_type != ZIP_STORED or one.file_size != one.compress_size:
            raise UnreadableModelError(
                key, reason=f"its part {one.filename!r} is compressed, and ours never are"
            )


def _walk(node: dict[str, Any], audit: _Audit) -> None:
    name = f"{node['__module__']}.{node['__class__']}"
    fields = PLAIN_NODES.get((node["__loader__"], name))
    if fields is None:
        audit.foreign |= _types_below(node)
        return
    if set(node) != fields:
        # For example an "__id__", with which a node could be its own child.
        wrong = ", ".join(sorted(set(node) ^ fields))
        audit.misshapen.append(
            f"a {name} in it has fields that ours have not, or lacks some: {wrong}"
        )
    if name == "builtins.dict":
        for one in (node["key_types"], *node["content"].values()):
            _walk(one, audit)
    elif name in {"builtins.list", "builtins.tuple"}:
        for one in node["content"]:
            _walk(one, audit)
    elif name == "numpy.ndarray":
        _check_array(node, audit)


def _types_below(node: object) -> set[str]:
    """Return the types that a node and what is below it name, but for plain ones."""
    if isinstance(node, list):
        return set().union(*map(_types_below, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(_types_below, node.values()))
    if {"__class__", "__module__", "__loader__"} <= set(node):
        name = f"{node['__module__']}.{node['__class__']}"
        found |= set() if (node["__loader__"], name) in PLAIN_NODES else {name}
    return found


def _check_array(node: dict[str, Any], audit: _Audit) -> None:
    """Refuse arrays of objects, and headers that ask for more memory than the member has bytes."""
    audit.unpack(audit.archive.getinfo(node["file"]).file_size)
    content = audit.archive.read(node["file"])
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if node["type"] != "numpy" or version != (1, 0):
        audit.misshapen.append(f"array {node['file']!r} in it has another form than ours")
        return
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject or dtype.kind not in ARRAY_KINDS:
        audit.foreign.add(f"numpy.ndarray of {dtype}")
        return
    claimed, held = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
    if claimed != held or dtype.itemsize == 0:
        reason = f"array {node['file']!r} in it claims {claimed:,} bytes and holds {held:,}"
        audit.misshapen.append(reason)
