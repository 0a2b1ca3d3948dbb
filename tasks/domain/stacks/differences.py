"""In which points two approval documents differ, in sentences that name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.domain.stacks.canonical import canonical_json

SCALARS = {
    "format": "the form of approval documents",
    "stack": "the stack",
    "region": "the region",
    "phase": "the phase",
    "source": "who says so",
    "program_sha256": "the program (by its hash)",
    "record_sha256": "what is kept of the stack: undo program, prices, tolerances (by its hash)",
    "state_serial": "the state (by its serial)",
}
SHOWN = 5
"""Most sentences about one part; the rest is counted."""

Entry = Mapping[str, Any]


def differences(approved: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs between the document that was approved and that of now."""
    for key, name in SCALARS.items():
        if approved.get(key) != found.get(key):
            was, now = _short(approved.get(key)), _short(found.get(key))
            yield f"{name} changed: approved was {was}, now it is {now}"
    for key, describe in (
        ("changes", _lines),
        ("costs", _costs),
        ("drift", _drift),
        ("findings", _findings),
    ):
        gone, new = _apart(approved.get(key, ()), found.get(key, ()))
        sentences = list(describe(gone, new))
        yield from sentences[:SHOWN]
        if len(sentences) > SHOWN:
            yield f"and {len(sentences) - SHOWN} more of this kind"


def _apart(before: Sequence[Entry], after: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return the entries that are only in one of two lists; an entry may be there twice."""
    first, second = (Counter(map(canonical_json, side)) for side in (before, after))
    by_text = {canonical_json(one): one for one in (*before, *after)}
    return (
        [by_text[text] for text in (first - second).elements()],
        [by_text[text] for text in (second - first).elements()],
    )


def _lines(gone: list[Entry], new: list[Entry]) -> Iterator[str]:
    before = {str(one.get("urn")): one for one in gone}
    after = {str(one.get("urn")): one for one in new}
    for urn in sorted(before.keys() | after.keys()):
        was, now = before.get(urn), after.get(urn)
        name = _name(was or now or {})
        if was is None or now is None or was.get("operation") != now.get("operation"):
            yield f"{name}: approved was to {_what(was)}, now it is to {_what(now)}"
        else:
            yield f"{name}: not as approved in {', '.join(_parts(was, now))}"


def _parts(was: Entry, now: Entry) -> Iterator[str]:
    """Yield the parts of a line that differ; of its diffs, their paths."""
    for key in sorted(was.keys() | now.keys()):
        if canonical_json(was.get(key)) == canonical_json(now.get(key)):
            continue  # as texts: Python takes True for 1
        if key == "diffs":
            gone, new = _apart(was.get(key, ()), now.get(key, ()))
            paths = sorted({str(one.get("path")) for one in (*gone, *new)})
            yield from (_short(path) for path in paths[:SHOWN])
        else:
            yield key


def _costs(gone: list[Entry], new: list[Entry]) -> Iterator[str]:
    before = {str(one.get("name")): one for one in gone}
    after = {str(one.get("name")): one for one in new}
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        yield f"cost of {_short(name)} changed: approved was {_money(was)}, now it is {_money(now)}"


def _drift(gone: list[Entry], new: list[Entry]) -> Iterator[str]:
    for one in new:
        yield f"drift appeared: somebody changed {_name(one)} in the account"
    for one in gone:
        yield f"drift is gone that was there on approval: {_name(one)}"


def _findings(gone: list[Entry], new: list[Entry]) -> Iterator[str]:
    for one in new:
        yield f"finding that nobody saw: {_short(one.get('rule'))} on {_short(one.get('resource'))}"
    for one in gone:
        yield f"finding is gone: {_short(one.get('rule'))} on {_short(one.get('resource'))}"


def _name(one: Entry) -> str:
    return _short(one.get("name"))


def _what(one: Entry | None) -> str:
    if one is None:
        return "do nothing, or nothing more"
    return f"{one.get('operation')} {_short(one.get('id') or one.get('token'))}"


def _money(one: Entry | None) -> str:
    if one is None:
        return "none"
    before, after = (_usd(one.get(key)) for key in ("before_cents", "after_cents"))
    return f"{before} to {after} USD a month"


def _usd(cents: int | None) -> str:
    return "unknown" if cents is None else f"{cents // 100}.{cents % 100:02d}"


def _short(value: object) -> str:
    """Return a value as one line of plain characters: it comes from outside."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
