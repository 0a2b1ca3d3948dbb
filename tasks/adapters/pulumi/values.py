"""The engine's JSON as plain values: secrets and unknowns become words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tasks.domain.stacks.preview import SECRET, UNKNOWN, Value

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key of a mapping that stands for something else; sdk/go/common/resource, like the others here."""
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - what the engine marks one with
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWNS = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
LEAST_SECRET = 4
"""Shorter secrets are not looked for in texts: every other word would have one in it."""


def plain_value(raw: Any) -> Value:
    """Return JSON of the engine as a value that can be compared and shown."""
    if isinstance(raw, Mapping):
        signature = raw.get(SIGNATURE)
        if signature is not None:
            return _special(str(signature), raw)
        return {key: plain_value(one) for key, one in raw.items() if not key.startswith("__")}
    if isinstance(raw, list | tuple):
        return tuple(plain_value(one) for one in raw)
    if isinstance(raw, str):
        return UNKNOWN if raw in UNKNOWNS else raw
    if isinstance(raw, float) and raw.is_integer():
        return int(raw)  # The wire has one kind of number.
    return raw if raw is None or isinstance(raw, bool | int | float) else str(raw)


def plain_inputs(raw: Mapping[str, Any] | None) -> dict[str, Value]:
    """Return a resource's properties; None is none."""
    return {} if raw is None else {k: plain_value(v) for k, v in raw.items() if k[:2] != "__"}


def secret_texts(raw: Any) -> frozenset[str]:
    """Return every secret text in a state that was exported in the clear."""
    if isinstance(raw, Mapping):
        if raw.get(SIGNATURE) == SECRET_SIGNATURE:
            found = str(raw.get("plaintext", "")).strip('"')
            return frozenset({found}) if len(found) >= LEAST_SECRET else frozenset()
        return frozenset().union(*map(secret_texts, raw.values()))
    if isinstance(raw, list):
        return frozenset().union(*map(secret_texts, raw))
    return frozenset()


def _special(signature: str, raw: Mapping[str, Any]) -> Value:
    if signature == SECRET_SIGNATURE:
        return SECRET
    if signature == OUTPUT:
        if raw.get("secret"):
            return SECRET
        return plain_value(raw["value"]) if "value" in raw else UNKNOWN
    kind = {ASSET: "asset", ARCHIVE: "archive"}.get(signature)
    if kind is None:
        return str(raw.get("urn", "<reference>"))
    # The engine adds a hash of the content; without an engine, its own text has to do.
    content = (
        raw.get("hash") or hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
    )
    return f"<{kind} sha256:{content}>"
