"""What somebody else changed since a change was approved: an undo must not overwrite it unasked.

After an update that was cut off, the account is partly as before and partly as after: both are our
own doing. A value that is neither is somebody else's, whether the engine still tells it as drift or
a refresh took it into the state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tasks.domain.stacks.diffs import fits
from tasks.domain.stacks.preview import Operation, Preview, ResourceChange, Value

TAGS = frozenset({"tags", "tagsAll"})


def foreign_changes(undo: Preview, approved: Preview) -> tuple[str, ...]:
    """Return what somebody else changed, each as "resource: property is value".

    Args:
        undo: Preview of the undo program, after recovery.
        approved: Preview of the change, as it was applied.
    """
    planned = {one.urn: one for one in approved.changes}
    told = [*_in_state(undo.doing(Operation.UPDATE), planned), *_in_account(undo.drift, planned)]
    return tuple(dict.fromkeys(told))


def _in_state(lines: Iterable[ResourceChange], planned: Mapping[str, ResourceChange]) -> list[str]:
    """Return properties that the undo would set back and that are neither as before nor as after."""
    return [
        _said(line, key, live)
        for line in lines
        for key in _keys(line)
        if line.urn in planned
        and not _known(planned[line.urn], key, live := (line.inputs_before or {}).get(key))
    ]


def _in_account(
    drift: Iterable[ResourceChange], planned: Mapping[str, ResourceChange]
) -> list[str]:
    found: list[str] = []
    for line in drift:
        if line.operation is Operation.DELETE:
            found.append(f"{line.name}: it is no longer there")
            continue
        change = planned.get(line.urn)
        for key in _keys(line):
            live = (line.inputs_after or {}).get(key)
            if change is None or not _known(change, key, live):
                found.append(_said(line, key, live))
    return found


def _keys(line: ResourceChange) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.split(r"[.\[]", one.path)[0] for one in line.diffs))


def _known(change: ResourceChange, key: str, live: Value) -> bool:
    # What an account adds to a group of settings is no news; a tag that was added is.
    alike = _same_tags if key in TAGS else _holds
    sides = (change.inputs_before, change.inputs_after)
    return any(alike((side or {}).get(key), live) for side in sides)


def _holds(ours: Value, live: Value) -> bool:
    """Return whether a live value has everything of ours."""
    if isinstance(ours, Mapping) and isinstance(live, Mapping):
        return all(key in live and _holds(one, live[key]) for key, one in ours.items())
    if isinstance(ours, tuple) and isinstance(live, tuple):
        return len(ours) == len(live) and all(map(_holds, ours, live))
    # What was not known when it was previewed was made by the change.
    return fits(ours, live)


def _same_tags(ours: Value, live: Value) -> bool:
    """Return whether tags are the same, in any order: a group's are a list."""
    if isinstance(ours, tuple) and isinstance(live, tuple):
        rest = list(live)
        for one in ours:
            found = next((other for other in rest if _holds(one, other)), None)
            if found is None:
                return False
            rest.remove(found)
        return not rest
    return fits(ours, live)


def _said(line: ResourceChange, key: str, live: Value) -> str:
    shown = repr(live)
    return f"{line.name}: {key} is {shown if len(shown) <= 80 else shown[:77] + '...'}"
