"""Names that a provider makes up are other ones in every preview: they are not known before."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from tasks.domain.stacks.preview import UNKNOWN, Operation, ResourceChange, Value

_DIGITS = re.compile(r"-[0-9a-f]{7}")
_MADE = frozenset({Operation.CREATE, Operation.REPLACE})


def without_made_up_names(lines: Iterable[ResourceChange]) -> tuple[ResourceChange, ...]:
    """Return lines in which such names are UNKNOWN, also where another resource refers to one.

    Pulumi's rule is the logical name, a dash and seven hexadecimal digits from a seed that is drawn
    anew in every preview. Left in, no preview would equal the one before it, and nothing that was
    approved could ever be applied.
    """
    kept = tuple(lines)
    names = frozenset(name for one in kept if one.operation in _MADE for name in _made_up(one))
    return tuple(_hidden(one, names) for one in kept) if names else kept


def _made_up(line: ResourceChange) -> Iterator[str]:
    before = set(map(str, (line.inputs_before or {}).values()))
    for value in (line.inputs_after or {}).values():
        if (
            isinstance(value, str)
            and value.startswith(line.name)
            and _DIGITS.fullmatch(value, len(line.name))
            and value not in before
        ):
            yield value


def _hidden(line: ResourceChange, names: Collection[str]) -> ResourceChange:
    if line.inputs_after is None:
        return line
    diffs = tuple(replace(one, after=_value(one.after, names)) for one in line.diffs)
    inputs = {key: _value(one, names) for key, one in line.inputs_after.items()}
    return replace(line, diffs=diffs, inputs_after=inputs)


def _value(value: Value, names: Collection[str]) -> Value:
    if isinstance(value, Mapping):
        return {key: _value(one, names) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_value(one, names) for one in value)
    if isinstance(value, str):
        for name in names:
            value = value.replace(name, UNKNOWN)
    return value
