"""What people are told outside the UI: something waits for them, or something needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tasks.domain.savings.report import usd
from tasks.domain.stacks.lines import by_danger, is_dangerous, word
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.shown import plain

MOST_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to people, as plain text.

    Attributes:
        subject: One line.
        body: Lines, without markup.
    """

    subject: str
    body: str


def approval_message(
    preview: Preview,
    *,
    approval_hash: str,
    demand: str,
    expires_at: datetime,
    address: str | None = None,
) -> Message:
    """Return the request to approve a preview.

    Args:
        preview: What would be done.
        approval_hash: Of exactly that.
        demand: Who has to approve, in a few words.
        expires_at: Aware; afterwards the approval counts for nothing.
        address: Of the page where it is approved; None where there is none.
    """
    worst = sorted(filter(is_dangerous, preview.acting), key=by_danger)
    lines = [
        f"{_money(preview)} {len(preview.acting)} resources of {len(preview.changes)} are acted on.",
        *(
            f"WARNING: {word(one)} of {plain(one.name)} ({plain(one.token)})"
            for one in worst[:MOST_LINES]
        ),
        *([f"and {len(worst) - MOST_LINES} more"] if len(worst) > MOST_LINES else []),
        f"Needed: {plain(demand)}, before {expires_at.astimezone(UTC):%d %b %Y %H:%M} UTC.",
        f"Hash: {plain(approval_hash, most=128)}",
        *([f"Look at it and decide: {address}"] if address else []),
    ]
    warned = "WARNING, " if worst else ""
    subject = f"Approval wanted: {warned}stack {plain(preview.stack)}, {preview.phase}"
    return Message(subject=subject, body="\n".join(lines))


def _money(preview: Preview) -> str:
    delta = preview.delta_usd
    does = "saves" if delta < 0.0 else "costs"
    said = f"It {does} {usd(abs(delta))} a month"
    if preview.unpriced:
        said += f", {len(preview.unpriced)} resources of unknown cost not counted"
    return f"{said}."


def escalation_message(
    *,
    stack: str,
    happened: str,
    why: str,
    next_steps: Sequence[str],
    address: str | None = None,
) -> Message:
    """Return the call for a person where the machinery has come to its end.

    Args:
        stack: Its name.
        happened: In a few words, for example "the undo failed".
        why: As far as it is known.
        next_steps: What to do, in order.
        address: Of the run; None where there is none.
    """
    lines = [
        f"Stack {plain(stack)}: {plain(happened)}.",
        f"Why: {plain(why) or 'not known'}",
        *(f"{number}. {plain(step)}" for number, step in enumerate(next_steps[:MOST_LINES], 1)),
        *([f"The run: {address}"] if address else []),
    ]
    subject = f"Homeostat needs you: stack {plain(stack)}, {plain(happened, most=100)}"
    return Message(subject=subject, body="\n".join(lines))


def failed_undo_message(
    *, stack: str, why: str, left: Sequence[str], address: str | None = None
) -> Message:
    """Return the call for a person after an undo that failed: the worst that can happen.

    Args:
        stack: Its name.
        why: As far as it is known.
        left: Names of resources that are not as they were.
        address: Of the run; None where there is none.
    """
    named = ", ".join(plain(name) for name in left[:MOST_LINES])
    more = f" and {len(left) - MOST_LINES} more" if len(left) > MOST_LINES else ""
    return escalation_message(
        stack=stack,
        happened="an undo failed, and some resources are not as they were",
        why=why,
        next_steps=[
            f"Look at {named}{more}." if left else "Compare the stack with the account.",
            "Nothing more is changed in this stack until a person has said so.",
            "The undo program is in the stack's folder: preview it, then apply it by hand.",
        ],
        address=address,
    )
