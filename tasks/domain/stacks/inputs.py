"""Reading what a preview says of a resource's inputs: nothing there is trusted to have a shape."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tasks.domain.stacks.preview import UNKNOWN, Value

Inputs = Mapping[str, Value]
NOTHING: Inputs = {}


def part(value: Value, *path: str) -> Value:
    """Return a nested value; None where something on the way is missing or not a mapping.

    A list of one element is looked into: providers write single blocks in either way.
    """
    for key in path:
        if isinstance(value, tuple | list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def number(value: Value) -> float | None:
    """Return a finite number of at least 0, also from text such as "2"; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0.0 else None


def text(value: Value) -> str | None:
    """Return a text that is known and not empty; else None."""
    return value if isinstance(value, str) and value not in {"", UNKNOWN} else None


def blocks(value: Value) -> Sequence[Inputs]:
    """Return the mappings of a list of blocks, or a single block."""
    if isinstance(value, Mapping):
        return (value,)
    if isinstance(value, tuple | list):
        return tuple(one for one in value if isinstance(one, Mapping))
    return ()


def tag(inputs: Inputs, key: str) -> str | None:
    """Return a tag, from a mapping of tags or from a group's list of them; None without it."""
    found = text(part(inputs.get("tags"), key)) if isinstance(inputs.get("tags"), Mapping) else None
    if found is not None:
        return found
    return next(
        (text(one.get("value")) for one in blocks(inputs.get("tags")) if one.get("key") == key),
        None,
    )
