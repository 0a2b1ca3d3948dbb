"""What people read of changes that were undone, or of which nothing is known any more."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.domain.savings.realised.report import MOST_ROWS, RealisedDocument, plain_cell
from tasks.domain.savings.realised.values import Verdict
from tasks.domain.stacks.shown import code, plain


def undone_markdown(found: RealisedDocument) -> str:
    """Return the changes that were taken back, each with its date; empty for none."""
    lines = [
        f"- {one.change.kind} of {plain_cell(found.called(one.change.resource))}: "
        f"{'; '.join(one.notes)}."
        for one in found.of(Verdict.UNDONE)[:MOST_ROWS]
    ]
    return "\n".join(["Undone, and in no figure:", "", *lines]) if lines else ""


def lost_markdown(lost: Mapping[str, str]) -> str:
    """Return the stacks of which nothing can be told.

    Args:
        lost: Why, by name of the stack.
    """
    lines = [f"- {code(name)}: {plain(why, most=300)}" for name, why in sorted(lost.items())]
    return "\n".join(["Applied, but what was done is lost:", "", *lines]) if lines else ""
