"""A name for the state of a stack: the same exactly as long as nothing in it changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

EMPTY = "empty"
"""Serial of a stack that does not exist yet, or has nothing in it."""
VOLATILE = frozenset({"created", "modified", "sourcePosition", "stackTrace"})
"""When something was written and by which line of which machine: not what is there."""


def state_serial(deployment: Mapping[str, Any] | None) -> str:
    """Return 64 hexadecimal digits for a state, or EMPTY.

    The order of resources is no part of it: the engine writes them as their calls end. Give secrets
    in the clear where they can be had: encrypted ones differ each time they are written.

    Args:
        deployment: As the engine exports it; None for a stack that does not exist.
    """
    if deployment is None:
        return EMPTY
    resources = _lasting(deployment.get("resources"))
    pending = _lasting(deployment.get("pending_operations"))
    if not resources and not pending:
        return EMPTY
    text = json.dumps([resources, pending], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _lasting(entries: Any) -> list[str]:
    return sorted(json.dumps(_stripped(one), sort_keys=True) for one in entries or ())


def _stripped(entry: Any) -> Any:
    kept = {key: value for key, value in entry.items() if key not in VOLATILE}
    if isinstance(kept.get("resource"), Mapping):
        kept["resource"] = _stripped(kept["resource"])
    return kept
