"""What people read of realised savings: a summary, a table, and the document that is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tasks.domain.savings.realised.values import Interval, Method, Realised, Verdict
from tasks.domain.savings.report import usd

MOST_ROWS = 200
MOST_NAMED_CONTROLS = 5
COUNTED = frozenset({Verdict.REALISED, Verdict.PARTLY, Verdict.NOT})
HEAD = (
    "| resource | change | expected a month | realised a month at list prices, 9 times of 10 "
    "| verdict | days | compared with |\n| :-- | :-- | --: | --: | :-- | --: | :-- |"
)
FOOT = (
    "*Realised is what a resource would have cost less what it cost, both at list prices: its own "
    "cost before, moved by what untouched resources like it did since. What was expected is net of "
    "commitments. In an account with savings plans or reservations the bill moves by less than is "
    "said here: what they already pay for, nobody saves. Intervals hold the truth nine times out of "
    "ten; how that was checked is under Benchmarks.*"
)
HOW = {
    Method.DIFFERENCE_IN_DIFFERENCES: "untouched",
    Method.INTERRUPTED_SERIES: "its own past",
    Method.EXACT: "prices",
    Method.NONE: "-",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RealisedDocument:
    """What a run found of every applied change, as it is stored.

    Attributes:
        observed_at: End of the last hour that it rests on, aware UTC.
        changes: In the order in which they were applied.
        names: Name tags by resource id.
    """

    observed_at: datetime
    changes: tuple[Realised, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    def called(self, resource: str) -> str:
        """Return a resource's name, else its id."""
        return self.names.get(resource) or resource

    def of(self, *verdicts: Verdict) -> tuple[Realised, ...]:
        """Return the changes with one of some verdicts."""
        return tuple(one for one in self.changes if one.verdict in verdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Changes with a verdict, added up, USD a month.

    Attributes:
        count: Of changes.
        expected_usd: What was promised of them.
        realised: Lows with lows and highs with highs, as if all were wrong the same way: never too
            narrow.
    """

    count: int
    expected_usd: float
    realised: Interval


def realised_document(
    found: Iterable[Realised], *, observed_at: datetime, names: Mapping[str, str]
) -> RealisedDocument:
    """Return what was found as it is stored and shown."""
    ordered = sorted(found, key=lambda one: (one.change.applied_at, one.change.change_id))
    return RealisedDocument(observed_at=observed_at, changes=tuple(ordered), names=dict(names))


def total_of(found: Iterable[Realised]) -> Total:
    """Return the sum over changes that have a verdict; those of which it is too early do not count.

    Two changes of one resource are each measured up to the next, so that nothing counts twice.
    """
    counted = [(one, one.saving) for one in found if one.verdict in COUNTED and one.saving]
    return Total(
        count=len(counted),
        expected_usd=sum(one.change.expected.expected for one, _ in counted),
        realised=Interval(
            low=sum(saving.low for _, saving in counted),
            expected=sum(saving.expected for _, saving in counted),
            high=sum(saving.high for _, saving in counted),
        ),
    )


def realised_markdown(found: RealisedDocument) -> str:
    """Return the summary of a run."""
    if not found.changes:
        return "# Realised savings\n\nNothing has been applied yet."
    parts = [
        "# Realised savings",
        _headline(found),
        _table(found),
        _waiting(found),
        _unmeasured(found),
        FOOT,
    ]
    return "\n\n".join(part for part in parts if part)


def realised_rows(found: RealisedDocument) -> list[dict[str, object]]:
    """Return the table of changes, in the order in which they were applied; the last counts more."""
    rows = [_row(found, one) for one in found.changes[:MOST_ROWS]]
    left = len(found.changes) - len(rows)
    if left > 0:
        rows.append({**dict.fromkeys(rows[0]), "resource": f"{left} more are in the document"})
    return rows


def _row(found: RealisedDocument, one: Realised) -> dict[str, object]:
    saving = one.saving
    return {
        "resource": found.called(one.change.resource),
        "kind": str(one.change.kind),
        "applied": f"{one.change.applied_at:%Y-%m-%d %H:%M}",
        "expected USD/month": round(one.change.expected.expected, 2),
        "realised USD/month": None if saving is None else round(saving.expected, 2),
        "low USD": None if saving is None else round(saving.low, 2),
        "high USD": None if saving is None else round(saving.high, 2),
        "by price USD/month": None if one.by_price_usd is None else round(one.by_price_usd, 2),
        "verdict": str(one.verdict),
        "days before": one.days_before,
        "days after": one.days_after,
        "method": str(one.method),
        "controls": len(one.controls),
        "compared with": ", ".join(one.controls[:MOST_NAMED_CONTROLS]),
        "known at": "" if one.known_at is None else f"{one.known_at:%Y-%m-%d}",
        "notes": "; ".join(one.notes),
        "change id": one.change.change_id,
        "id": one.change.resource,
    }


def _headline(found: RealisedDocument) -> str:
    total = total_of(found.changes)
    early = found.of(Verdict.TOO_EARLY)
    lines = []
    if total.count:
        realised = total.realised
        lines.append(
            f"**{usd(realised.expected)} a month at list prices** came true of "
            f"{usd(total.expected_usd)} that {_changes(total.count)} with a verdict promised: "
            f"{usd(realised.low)} to {usd(realised.high)}."
        )
    else:
        lines.append("No change has a verdict yet.")
    if early:
        waiting = sum(one.change.expected.expected for one in early)
        lines.append(f"Too early for {_changes(len(early))}, of which {usd(waiting)} is expected.")
    lines.append(f"Observed until {found.observed_at:%d %b %Y %H:%M} UTC.")
    return " ".join(lines)


def _changes(count: int) -> str:
    return "1 change" if count == 1 else f"{count} changes"


def _table(found: RealisedDocument) -> str:
    shown = [one for one in found.changes if one.verdict is not Verdict.NOT_MEASURED][:MOST_ROWS]
    return "\n".join([HEAD, *(_line(found, one) for one in shown)]) if shown else ""


def _line(found: RealisedDocument, one: Realised) -> str:
    saving, controls = one.saving, len(one.controls)
    amount = (
        "-"
        if saving is None
        else f"{usd(saving.expected)} ({usd(saving.low)} to {usd(saving.high)})"
    )
    compared = f"{controls} {HOW[one.method]}" if controls else HOW[one.method]
    cells: Sequence[str] = (
        plain_cell(found.called(one.change.resource)),
        str(one.change.kind),
        usd(one.change.expected.expected),
        amount,
        str(one.verdict),
        str(one.days_after),
        compared,
    )
    return f"| {' | '.join(cells)} |"


def _waiting(found: RealisedDocument) -> str:
    early = found.of(Verdict.TOO_EARLY)
    lines = [f"- {_named(found, one)}: {_why(one)}. {_when(one)}" for one in early[:MOST_ROWS]]
    return "\n".join(["Too early:", "", *lines]) if lines else ""


def _when(one: Realised) -> str:
    if one.known_at is None:
        return "More days would not tell."
    return f"Look again on {one.known_at:%d %b %Y}."


def _unmeasured(found: RealisedDocument) -> str:
    none = found.of(Verdict.NOT_MEASURED)
    lines = [f"- {_named(found, one)}: {_why(one)}." for one in none[:MOST_ROWS]]
    return "\n".join(["Not measured, and in no figure:", "", *lines]) if lines else ""


def _named(found: RealisedDocument, one: Realised) -> str:
    return f"{one.change.kind} of {plain_cell(found.called(one.change.resource))}"


def _why(one: Realised) -> str:
    return "; ".join(one.notes)


def plain_cell(text: str) -> str:
    """Return a name from the cloud so that it is only a name in Markdown: one line, no markup."""
    one_line = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_|[]<>#" else letter for letter in one_line)
