"""Attempts by editing what is stored, what the ledger lists, and by waiting for other spot prices."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from benchmarks.stacks_bypass_cases import Attempt, Case
from benchmarks.stacks_bypass_previews import STRAY
from benchmarks.stacks_bypass_stored import (
    BURST,
    CHANGE_PROGRAM,
    SPOT_USD,
    Json,
    StoppedError,
    edited,
    kept,
    through_the_door,
)
from tasks.adapters.documents import from_json, to_json
from tasks.adapters.objects import load_object
from tasks.domain.stacks.approval import is_what_was_asked, sha256
from tasks.domain.stacks.preview import Operation, Preview, PropertyDiff, ResourceChange
from tasks.domain.stacks.record import UNDO_PROGRAM
from tasks.domain.stacks.recovery import remaining


def stored(which: str, edit: Callable[[Json], Any], *, follows: bool) -> Callable[..., Case | None]:
    """Return an attempt with an edited document in storage."""
    return lambda case, _: through_the_door(edited(kept(case), which, edit, follows=follows))


def setting(**changes: Any) -> Callable[[Json], None]:
    """Return an edit of top-level fields."""
    return lambda document: document.update(changes)


def program(path: str, text: str | None) -> Callable[[Json], None]:
    """Return an edit of a stored program: more at its end, or none of it."""

    def edit(document: Json) -> None:
        if text is None:
            del document["files"][path]
        else:
            document["files"][path] += text

    return edit


def asked(rehash: bool, **changes: Any) -> Callable[[Json], None]:
    """Return an edit of the document inside a stored request, hashed anew or not."""

    def edit(request: Json) -> None:
        inner = json.loads(request["document"])
        inner.update(changes)
        request["document"] = json.dumps(inner, sort_keys=True, separators=(",", ":"))
        if rehash:
            request["hash"] = sha256(request["document"])

    return edit


def swap_programs(record: Json) -> None:
    """Put the undo program in the place of the change and the other way round."""
    files = record["files"]
    files[CHANGE_PROGRAM], files[UNDO_PROGRAM] = files[UNDO_PROGRAM], files[CHANGE_PROGRAM]


def at_spot_price(factor: float | None) -> Callable[[Case, Random], Case]:
    """Return a case in which the spot price has moved since it was asked; None: no quote any more."""
    return lambda case, _: through_the_door(
        replace(kept(case), spot_usd=None if factor is None else SPOT_USD * factor)
    )


def _used(case: Case, at: int) -> Case:
    state = through_the_door(kept(case))
    ids = [f"request-{number}" for number in range(2000)]
    ids[at] = state.request.request_id
    return replace(state, used=frozenset(ids))


def _applied_before(case: Case, _: Random) -> Case:
    """Carried out, and then taken off the ledger's list: the state has moved on."""
    state = kept(case)
    return through_the_door(
        replace(
            state, case=replace(state.case, preview=replace(state.case.preview, state_serial="43"))
        )
    )


def _finished_by(*, follows: bool) -> Callable[[Case, Random], Case]:
    """Return an attempt in which one more resource is put into the stored preview of a cut-off update.

    The next run finishes what is left of it without asking, so it has to be what was approved.
    """

    def more(document: Json) -> None:
        stray = replace(STRAY, inputs_after=dict(STRAY.inputs_after or {}))
        document["changes"].append(json.loads(to_json(ResourceChange, stray)))

    def changed(case: Case, _: Random) -> Case:
        state = edited(kept(case), "preview", more, follows=follows)
        case = through_the_door(state)
        approved = from_json(Preview, load_object(state.storage, state.pointers["preview"]))
        now = replace(case.preview, changes=(*case.preview.changes, STRAY))
        asked = is_what_was_asked(case.request, approved, record_sha256=case.record_sha256)
        if remaining(approved, now) is None or not asked:
            message = "what is left is not what was approved"
            raise StoppedError(message)
        return case

    return changed


def _hidden_price(*, follows: bool) -> Callable[[Case, Random], Case]:
    """Return an attempt in which the record says a price that has risen five-fold since."""

    def changed(case: Case, _: Random) -> Case:
        state = replace(kept(case), spot_usd=5.0 * SPOT_USD)
        was = next(one for one in state.case.preview.costs if one.name == BURST.name)
        prices = {was.name: [was.before_usd, was.after_usd]}
        return through_the_door(edited(state, "plan", setting(prices=prices), follows=follows))

    return changed


def _hidden_drift(*, follows: bool) -> Callable[[Case, Random], Case]:
    """Return an attempt in which the record says that others may change what has drifted."""
    path = PropertyDiff(path="userData", before="a", after="b")
    drift = replace(STRAY, operation=Operation.UPDATE, diffs=(path,))
    member = {"name": STRAY.name, "token": STRAY.token, "import_id": None, "change_id": "hs-1"}

    def changed(case: Case, _: Random) -> Case:
        state = kept(case)
        told = replace(state.case.preview, drift=(*state.case.preview.drift, drift))
        state = replace(state, case=replace(state.case, preview=told))
        ignoring = setting(members=[{**member, "ignores": ["user_data"]}])
        return through_the_door(edited(state, "plan", ignoring, follows=follows))

    return changed


EDITS: tuple[tuple[str, str, str, Callable[[Json], Any]], ...] = (
    ("stored program", "a line more", "plan", program(CHANGE_PROGRAM, "\nimport os\n")),
    ("stored program", "a space more", "plan", program(CHANGE_PROGRAM, " ")),
    ("stored program", "gone", "plan", program(CHANGE_PROGRAM, None)),
    ("stored program", "another undo", "plan", program(UNDO_PROGRAM, "\ndestroy()\n")),
    ("stored program", "no undo", "plan", program(UNDO_PROGRAM, None)),
    ("stored program", "undo for change", "plan", swap_programs),
    ("stored program", "no files", "plan", setting(files={})),
    ("stored program", "no record", "plan", lambda _: {}),
    ("stored request", "another hash", "approval", setting(hash=sha256("other"))),
    ("stored request", "another id", "approval", setting(request_id="request-new")),
    ("stored request", "another stack", "approval", setting(stack="production")),
    ("stored request", "a year more", "approval", setting(expires_at="2027-03-02T11:00:00Z")),
    ("stored request", "no time zone", "approval", setting(expires_at="2026-03-02T11:00:00")),
    ("stored request", "no document", "approval", setting(document="")),
    ("stored request", "no request", "approval", lambda _: []),
    *(
        (
            "stored request",
            f"{name}{', hashed anew' if rehash else ''}",
            "approval",
            asked(rehash, **changes),
        )
        for rehash in (False, True)
        for name, changes in (
            ("another program inside", {"program_sha256": sha256("other")}),
            ("another undo inside", {"record_sha256": sha256("destroy")}),
            ("no money inside", {"costs": []}),
            ("another state inside", {"state_serial": "43"}),
            ("nothing done inside", {"changes": []}),
        )
    ),
)
"""Group, name, which document, and the edit."""

STORED: tuple[Attempt, ...] = (
    *(
        Attempt(
            group=group,
            name=f"{name}, {'pointer follows' if follows else 'pointer as it was'}",
            change=stored(which, edit, follows=follows),
        )
        for group, name, which, edit in EDITS
        for follows in (False, True)
    ),
    *(
        Attempt(
            group="stored preview",
            name=name,
            change=stored("preview", edit, follows=False),
        )
        for name, edit in (
            ("another state", setting(state_serial="43")),
            ("nothing done", setting(changes=[])),
            ("no money", setting(costs=[])),
            ("no preview", lambda _: []),
        )
    ),
    Attempt(
        group="stored preview",
        name="more is finished than was begun",
        change=_finished_by(follows=False),
    ),
    Attempt(group="stored record", name="a price", change=_hidden_price(follows=False)),
    Attempt(
        group="stored record", name="what others may change", change=_hidden_drift(follows=False)
    ),
    *(
        Attempt(
            group="ledger's list of used requests",
            name=f"the request is its number {at + 1}",
            change=lambda case, _, at=at: _used(case, at),  # type: ignore[misc]
        )
        for at in (0, 999, 1999)
    ),
    Attempt(
        group="ledger's list of used requests",
        name="carried out, and taken off the list",
        change=_applied_before,
    ),
    *(
        Attempt(group="spot price", name=name, change=at_spot_price(factor))
        for name, factor in (
            ("11 % more", 1.11),
            ("9 % more, twice", 1.09 * 1.09),
            ("ten times", 10.0),
            ("no quote any more", None),
        )
    ),
)

STORED_HONEST: tuple[Attempt, ...] = (
    Attempt(group="honest", name="as it was stored", change=at_spot_price(1.0)),
)
TOLERATED: tuple[Attempt, ...] = (
    Attempt(group="spot price, tolerated", name="9 % more", change=at_spot_price(1.09)),
    Attempt(group="spot price, tolerated", name="half", change=at_spot_price(0.5)),
)
"""The one movement that an approval outlives: a spot price that rose by no more than a tenth."""

BEYOND: tuple[Attempt, ...] = tuple(
    Attempt(group="by who writes the ledger as well", name=name, change=change)
    for name, change in (
        ("a price of the record", _hidden_price(follows=True)),
        ("what others may change, in the record", _hidden_drift(follows=True)),
        ("more is finished than was begun", _finished_by(follows=True)),
    )
)
"""What is edited together with the ledger's pointer to it.

Whoever can write the ledger's block can write the guardrails' as well, with the allowed signers: that
much an approval cannot hold against. What is edited still has another hash than what was approved.
"""
