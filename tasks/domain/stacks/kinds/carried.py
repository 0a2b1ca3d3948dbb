"""One change with a value that no program can carry is refused, and the others are made."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator

from tasks.domain.stacks.changes import Change, Refused
from tasks.domain.stacks.kinds.graph import referred
from tasks.domain.stacks.kinds.made import Made
from tasks.domain.stacks.source.checks import VALUE_LIMIT_BYTES, ValueChecks, check_text
from tasks.domain.stacks.source.errors import ProgramRefusedError

_MOST_SHOWN = 500


def not_carried(change: Change, made: Made, *, known: Container[str]) -> str:
    """Return why a change cannot be written into a program; empty where it can.

    Args:
        change: With its notes.
        made: What it is in a program.
        known: Logical names of what is in the program already.
    """
    names = {edit.name for edit in made.edits} | {one.name for one in made.created}
    try:
        for where, text in _texts(change, made):
            check_text(text, where=where, limit_bytes=VALUE_LIMIT_BYTES)
        for edit in made.edits:
            given = {k: v for k, v in {**edit.live.inputs, **edit.patch}.items() if v is not None}
            there = {name for name in referred(given) if name in known}
            ValueChecks(resource=edit.name, known=names | there).check_inputs(given)
        for one in made.created:
            ValueChecks(resource=one.name, known=names).check_inputs(one.inputs)
    except ProgramRefusedError as error:
        return str(error)
    return ""


def _texts(change: Change, made: Made) -> Iterator[tuple[str, str]]:
    yield "its summary", change.summary
    yield "its owner", change.owner
    yield "its reason", change.reason
    yield "its id", change.resource
    yield from (("a note", note) for note in change.notes)
    yield from (("an import id", edit.live.import_id) for edit in made.edits)


def readable(one: Refused) -> Refused:
    """Return a refusal whose texts can be shown anywhere, whatever was in them."""
    return Refused(
        kind=one.kind,
        resource=_shown(one.resource),
        region=_shown(one.region),
        why=_shown(one.why),
    )


def _shown(text: str) -> str:
    try:
        check_text(text, where="a refusal", limit_bytes=VALUE_LIMIT_BYTES)
    except ProgramRefusedError:
        return json.dumps(text)[1:-1][:_MOST_SHOWN]
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
