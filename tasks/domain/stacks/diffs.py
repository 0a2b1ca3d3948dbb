"""Which properties differ between what is and what is wanted."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping

from tasks.domain.stacks.preview import SECRET, UNKNOWN, PropertyDiff, Value

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def property_diffs(
    before: Mapping[str, Value] | None,
    after: Mapping[str, Value] | None,
    *,
    replaces: Collection[str] = (),
) -> tuple[PropertyDiff, ...]:
    """Return what differs, leaf by leaf, ordered by path.

    Args:
        before: None for nothing.
        after: None for nothing.
        replaces: Paths that force a replacement: a property below or above one of them does too.
    """
    found = sorted(_differing("", before or {}, after or {}), key=lambda one: one[0])
    return tuple(
        PropertyDiff(
            path=path, before=old, after=new, replaces=any(related(path, r) for r in replaces)
        )
        for path, old, new in found
    )


def masked(value: Value, like: Value) -> Value:
    """Return a value with SECRET wherever another one of the same shape has it."""
    if like == SECRET:
        return SECRET
    if isinstance(value, Mapping) and isinstance(like, Mapping):
        return {key: masked(one, like.get(key)) for key, one in value.items()}
    if isinstance(value, tuple) and isinstance(like, tuple):
        rest = (None,) * (len(value) - len(like))
        return tuple(masked(one, other) for one, other in zip(value, (*like, *rest), strict=False))
    return value


def fits(approved: Value, value: Value) -> bool:
    """Return whether a value is the one that was shown: what was shown as unknown can be any."""
    if approved == UNKNOWN:
        return True
    if isinstance(approved, Mapping) and isinstance(value, Mapping):
        return approved.keys() == value.keys() and all(
            fits(one, value[key]) for key, one in approved.items()
        )
    if isinstance(approved, tuple) and isinstance(value, tuple):
        return len(approved) == len(value) and all(map(fits, approved, value))
    if isinstance(approved, str) and isinstance(value, str) and UNKNOWN in approved:
        known = map(re.escape, approved.split(UNKNOWN))
        return re.fullmatch(".*".join(known), value, re.DOTALL) is not None
    return same(approved, value)


def same(one: Value, other: Value) -> bool:
    """Return whether two values are equal; True is not 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _differing(path: str, before: Value, after: Value) -> Iterator[tuple[str, Value, Value]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**before, **after}:
            yield from _differing(_joined(path, key), before.get(key), after.get(key))
    elif isinstance(before, tuple) and isinstance(after, tuple):
        for index in range(max(len(before), len(after))):
            old = before[index] if index < len(before) else None
            new = after[index] if index < len(after) else None
            yield from _differing(f"{path}[{index}]", old, new)
    elif not same(before, after):
        yield path, before, after


def _joined(path: str, key: str) -> str:
    if _PLAIN_KEY.fullmatch(key) is None:
        return f"{path}[{json.dumps(key)}]"
    return f"{path}.{key}" if path else key


def first_key(path: str) -> str:
    """Return the name of the input that a path begins with."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def related(path: str, other: str) -> bool:
    """Return whether two paths are the same, or one is in what the other names."""
    return path == other or _below(path, other) or _below(other, path)


def _below(path: str, above: str) -> bool:
    return path.startswith((f"{above}.", f"{above}["))
