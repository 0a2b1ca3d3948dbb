"""What people read of a preview: a page, the rows of a table, JSON, and a pull request's comment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tasks.domain.stacks.changes import Change
from tasks.domain.stacks.headline import CENT, blocked, headline, net_savings, warning, worded
from tasks.domain.stacks.lines import (
    by_danger,
    kind,
    money,
    what_changes,
)
from tasks.domain.stacks.messages import (
    Message,
    approval_message,
    escalation_message,
    failed_undo_message,
)
from tasks.domain.stacks.preview import (
    CostDelta,
    Finding,
    Preview,
    ResourceChange,
    Source,
)
from tasks.domain.stacks.report_data import preview_json, preview_rows
from tasks.domain.stacks.shown import code, prose, shorten

__all__ = [
    "Message",
    "approval_message",
    "comment_markdown",
    "comment_marker",
    "escalation_message",
    "failed_undo_message",
    "preview_json",
    "preview_markdown",
    "preview_rows",
]

T = TypeVar("T")
MOST_ROWS = 200
COMMENT_LIMIT = 65_536
"""Characters that GitHub takes in a comment."""
COMMENT_ROOM = 64_000
"""Of them, as UTF-16 counts: what a server counts a little differently still fits."""
ESTIMATE_LABEL = (
    "> **ESTIMATE: nobody can approve it.** It is reckoned from the program alone, without the "
    "state and the account. A preview by the engine needs the `pulumi` command: "
    "`homeostat doctor` says how to get it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much of a preview is shown.

    Attributes:
        rows: Of each table.
        folded: Tables that can be folded are, as GitHub shows them.
    """

    rows: int = MOST_ROWS
    folded: bool = False


def preview_markdown(
    preview: Preview, *, changes: Sequence[Change] = (), room: Room | None = None
) -> str:
    """Return the page that a reviewer reads before approving.

    Args:
        preview: By the engine, or an estimate.
        changes: Of the stack: why each is made.
        room: How much is shown; all that a page takes where it is not given.
    """
    room = room or Room()
    parts = [
        f"# Preview of {code(preview.stack)}: {preview.phase}",
        ESTIMATE_LABEL if preview.source is Source.ESTIMATE else "",
        warning(preview),
        headline(preview),
        net_savings(preview, changes),
        blocked(preview),
        _folded("Resources", _resources(preview, room), room),
        _folded("Why", _reasons(changes, room), room),
        _folded("Drift", _drift(preview, room), room),
        _folded("Policy", _policy(preview, room), room),
        _folded("Notes", _list(preview.notes, prose, room), room),
        _origin(preview),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def comment_markdown(preview: Preview, *, changes: Sequence[Change] = ()) -> str:
    """Return a pull request's comment: its marker lets the next preview of the stack replace it.

    It always fits: the longest tables are cut first, and say so.
    """
    for rows in (MOST_ROWS, 100, 50, 20, 5, 0):
        page = preview_markdown(preview, changes=changes, room=Room(rows=rows, folded=True))
        text = f"{comment_marker(preview.stack)}\n{page}"
        if len(text.encode("utf-16-le")) // 2 <= COMMENT_ROOM:
            return text
    return f"{comment_marker(preview.stack)}\n{headline(preview)}\n"


def comment_marker(stack: str) -> str:
    """Return what a comment on a stack begins with; GitHub does not show it."""
    safe = "".join(one if one.isalnum() and one.isascii() else "-" for one in stack)[:100]
    return f"<!-- homeostat-preview {safe} -->"


def _folded(title: str, text: str, room: Room) -> str:
    if not text:
        return ""
    if room.folded:
        opened = " open" if title == "Resources" else ""
        return f"<details{opened}><summary>{title}</summary>\n\n{text}\n\n</details>"
    return f"## {title}\n\n{text}"


def _resources(preview: Preview, room: Room) -> str:
    acting = sorted(preview.acting, key=by_danger)
    if not acting:
        return "Nothing would be done."
    costs = {one.name: one for one in preview.costs}
    head = (
        "| resource | operation | what changes | before USD/month | after | difference |\n"
        "| :-- | :-- | :-- | --: | --: | --: |"
    )
    return _table(head, acting, lambda one: _row(one, costs.get(one.name)), room)


def _row(one: ResourceChange, cost: CostDelta | None) -> str:
    cells = [
        f"{code(one.name)}<br>{kind(one.token)}",
        worded(one),
        what_changes(one),
        *_amounts(cost),
    ]
    return f"| {' | '.join(cells)} |"


def _amounts(cost: CostDelta | None) -> tuple[str, str, str]:
    if cost is None:
        return "", "", ""
    amounts = (cost.before_usd, cost.after_usd, cost.delta_usd)
    before, after, delta = ("unknown" if one is None else money(one) for one in amounts)
    if cost.delta_usd is not None and cost.delta_usd >= CENT / 2:
        delta = f"+{delta}"
    return before, after, delta


def _reasons(changes: Sequence[Change], room: Room) -> str:
    head = (
        "| change | resource | why | saving USD/month | restart | undo |\n"
        "| :-- | :-- | :-- | --: | :-- | :-- |"
    )
    return _table(head, changes, _reason, room) if changes else ""


def _reason(one: Change) -> str:
    saving = one.saving
    cells = [
        f"{code(one.change_id)} {one.kind}",
        code(one.resource) + (f"<br>of {code(one.owner)}" if one.owner else ""),
        f"{prose(one.summary)} {prose(one.reason)}",
        f"{money(saving.expected)} ({money(saving.low)} to {money(saving.high)})",
        "yes" if one.restart else "no",
        "yes" if one.reversible else "**no**",
    ]
    return f"| {' | '.join(cells)} |"


def _drift(preview: Preview, room: Room) -> str:
    if not preview.drift:
        return ""
    head = "| resource | the account has otherwise than the state |\n| :-- | :-- |"
    said = "Somebody changed it beside the stack: it is not applied before that is settled."
    return f"{said}\n\n{_table(head, sorted(preview.drift, key=by_danger), _drifted, room)}"


def _drifted(one: ResourceChange) -> str:
    return f"| {code(one.name)}<br>{kind(one.token)} | {what_changes(one) or one.operation} |"


def _policy(preview: Preview, room: Room) -> str:
    if not preview.findings:
        return "No rule of the policy pack is broken."
    worst_first = sorted(preview.findings, key=lambda one: not one.mandatory)
    return _list(worst_first, _finding, room)


def _finding(one: Finding) -> str:
    word = "**stops**" if one.mandatory else "advice"
    return f"{word} {code(one.rule)} {code(one.resource)}: {prose(one.message)}"


def _list(every: Sequence[T], line: Callable[[T], str], room: Room) -> str:
    shown = [f"- {line(one)}" for one in every[: room.rows]]
    more = len(every) - len(shown)
    return "\n".join([*shown, f"- and {more} more"] if more else shown)


def _table(head: str, every: Sequence[T], row: Callable[[T], str], room: Room) -> str:
    shown = [row(one) for one in every[: room.rows]]
    text = "\n".join([head, *shown])
    more = len(every) - len(shown)
    return f"{text}\n\n{more} more: the JSON has all." if more else text


def _origin(preview: Preview) -> str:
    by = f"Pulumi {preview.engine}" if preview.source is Source.ENGINE else "an estimate"
    return (
        f"*{code(preview.region)}, by {prose(by)}, at list prices; program "
        f"{code(preview.program_sha256[:12])}, state "
        f"{code(shorten(preview.state_serial, most=24))}. Nothing was changed.*"
    )
