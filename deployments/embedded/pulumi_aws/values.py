"""Properties as they travel: unknown values, secrets and assets in a protobuf Struct."""

from __future__ import annotations

import base64
import hashlib
import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

Properties: TypeAlias = dict[str, Any]
"""By Pulumi's names in camelCase; without envelopes unless said otherwise."""

# Pulumi's marks, https://pulumi-developer-docs.readthedocs.io, "property values".
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for an output that is not known yet."""
MARK = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark, and no secret
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
# The same archive is the same bytes, whenever it is made.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def from_struct(struct: Struct) -> Properties:
    """Return properties with their envelopes; whole numbers as int, which a Struct has not."""
    found: Properties = _whole(MessageToDict(struct))
    return found


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


def to_struct(properties: Mapping[str, Any]) -> Struct:
    """Return properties as they travel; None is left out."""
    struct = Struct()
    struct.update({key: value for key, value in properties.items() if value is not None})
    return struct


def plain(value: Any) -> Any:
    """Return a value without the envelopes of secrets; None in a mapping is left out."""
    if isinstance(value, Mapping):
        mark = value.get(MARK)
        if mark == SECRET:
            return plain(value["value"])
        if mark == OUTPUT:
            return plain(value.get("value", UNKNOWN))
        return {key: plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def has_secret(value: Any) -> bool:
    """Return whether there is a secret anywhere in a value."""
    if isinstance(value, Mapping):
        if value.get(MARK) == SECRET or (value.get(MARK) == OUTPUT and value.get("secret")):
            return True
        return any(has_secret(each) for each in value.values())
    return isinstance(value, list | tuple) and any(has_secret(each) for each in value)


def kept_secret(state: Mapping[str, Any], inputs: Mapping[str, Any]) -> Properties:
    """Return a state in which everything is secret that was one among the inputs.

    Args:
        state: Without envelopes.
        inputs: With them.
    """
    return {
        key: {MARK: SECRET, "value": value} if has_secret(inputs.get(key)) else value
        for key, value in state.items()
    }


def has_unknown(value: Any) -> bool:
    """Return whether anything in a value is not known yet."""
    if isinstance(value, Mapping):
        return any(has_unknown(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(has_unknown(each) for each in value)
    return bool(value == UNKNOWN)


def zip_of(archive: Mapping[str, Any]) -> bytes:
    """Return an archive as a zip file, the same bytes for the same content.

    Args:
        archive: As it travels: of assets by name, or of a file or folder.

    Raises:
        ValueError: It is on the web, which the stand-in does not fetch.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in sorted(_files(archive).items()):
            made.writestr(zipfile.ZipInfo(name, _ZIP_DATE), content)
    return out.getvalue()


def _files(archive: Mapping[str, Any], prefix: str = "") -> dict[str, bytes]:
    if "path" in archive:
        return _at(Path(archive["path"]), prefix)
    if "assets" not in archive:
        message = "the stand-in packs assets and paths, and fetches no archive from the web"
        raise ValueError(message)
    found: dict[str, bytes] = {}
    for name, one in archive["assets"].items():
        inner = f"{prefix}{name}"
        if one.get(MARK) == ARCHIVE:
            found |= _files(one, f"{inner}/")
        else:
            found[inner] = one["text"].encode() if "text" in one else Path(one["path"]).read_bytes()
    return found


def _at(path: Path, prefix: str) -> dict[str, bytes]:
    if path.is_dir():
        files = (one for one in path.rglob("*") if one.is_file())
        return {f"{prefix}{one.relative_to(path).as_posix()}": one.read_bytes() for one in files}
    with zipfile.ZipFile(path) as packed:
        return {f"{prefix}{name}": packed.read(name) for name in packed.namelist()}


def sha256_base64(content: bytes) -> str:
    """Return the hash of code as Lambda tells it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
