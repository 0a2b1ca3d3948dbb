"""One text for each value, so that equal previews have equal hashes and others have not.

What is deliberate:

- JSON has one kind of number, and so have Pulumi's property values: 1.0 and 1 are the same text.
  True and 1 are not, and NaN and infinity are no values at all.
- A tuple and a list are the same, and a mapping's order of keys means nothing. A list's order does.
- Text is taken code point by code point. Unicode normalisation would let one name stand for another
  that only looks the same, and the account tells the two apart. Half of a surrogate pair is refused:
  JSON writes two halves as it writes the character that they make, and two texts would be one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from tasks.domain.errors import PermanentError

Canonical: TypeAlias = "str | int | float | bool | list[Canonical] | dict[str, Canonical] | None"
MAX_DEPTH = 64
"""Pulumi's deepest inputs have about ten levels."""
HALF_PAIR = re.compile("[\ud800-\udfff]")
MAX_BITS = 1024
"""Of a whole number: as large as the largest that a float can be."""


class NotCanonicalError(PermanentError):
    """A value that no text stands for: nobody can say what was approved with it in."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        super().__init__(f"{where or 'value'}: {problem}; correct it and preview again")


def canonical_json(value: object) -> str:
    """Return the one text of a value: ASCII, keys in order, no spaces.

    Raises:
        NotCanonicalError: NaN, infinity, half of a surrogate pair, a key that is no text, a
            value that JSON does not have, more than MAX_DEPTH levels or MAX_BITS bits.
    """
    return json.dumps(
        canonical(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False
    )


def canonical(value: object, *, where: str = "", depth: int = 0) -> Canonical:
    """Return a value as JSON has it; `where` is said when it has no such form."""
    if depth > MAX_DEPTH:
        raise NotCanonicalError(where[:200], f"nested more than {MAX_DEPTH} levels deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, int | float):
        return _number(value, where)
    if isinstance(value, Mapping):
        return {
            _key(key, where): canonical(one, where=f"{where}.{key}", depth=depth + 1)
            for key, one in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [
            canonical(one, where=f"{where}[{position}]", depth=depth + 1)
            for position, one in enumerate(value)
        ]
    raise NotCanonicalError(where, f"{type(value).__name__} is not a value of JSON")


def _text(value: str, where: str) -> str:
    if not value.isascii() and HALF_PAIR.search(value):
        raise NotCanonicalError(where, "text with half of a surrogate pair, which is no character")
    return str(value)


def _number(value: float, where: str) -> int | float:
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise NotCanonicalError(where, f"a whole number of {value.bit_length()} bits")
        return int(value)
    if not math.isfinite(value):
        raise NotCanonicalError(where, f"{value} is not a number")
    return int(value) if value == int(value) else float(value)


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise NotCanonicalError(where, f"key {key!r} is not text")
    return _text(key, where)
