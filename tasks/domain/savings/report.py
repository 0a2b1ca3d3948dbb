"""What people read of savings: a summary, a table, the arithmetic, and what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind, Rejection, Step
from tasks.domain.savings.selection.selection import (
    ATTRIBUTION,
    Chosen,
    CommitmentLevel,
    Selection,
    together,
)

MOST_ROWS = 200
MOST_AUDITED = 40
MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsDocument:
    """Everything that a run found, as it is stored and as later steps read it.

    Attributes:
        observed_at: When use was observed.
        evidence_days: Days of use that it rests on.
        before_usd: Bill of the resources with a known price, USD a month.
        after_usd: The same when all chosen are done.
        saving: The difference.
        chosen: Largest net first.
        rejected: Looked at and not chosen.
        unknown: Resources without a price, and why; in no bill.
        commitment: None where none is proposed.
        gap_usd: How much more a better choice could save at most.
        names: Name tags by resource id.
        rules_without_match: Ignore rules that leave nothing alone.
    """

    observed_at: datetime
    evidence_days: int
    before_usd: float
    after_usd: float
    saving: Usd
    chosen: tuple[Chosen, ...]
    rejected: tuple[Rejection, ...]
    unknown: tuple[str, ...]
    commitment: CommitmentLevel | None
    gap_usd: float
    names: Mapping[str, str]
    rules_without_match: tuple[str, ...] = ()

    def called(self, resource: str) -> str:
        """Return a resource's name, else its id."""
        return self.names.get(resource) or resource

    def named(self, resource: str) -> str:
        """Return a resource's name, with its id where they differ."""
        name = self.names.get(resource)
        return resource if not name or name == resource else f"{name} ({resource})"


def savings_document(
    selection: Selection,
    *,
    observed_at: datetime,
    evidence_days: int,
    names: Mapping[str, str],
    rules_without_match: tuple[str, ...] = (),
) -> SavingsDocument:
    """Return a selection as it is stored and shown."""
    return SavingsDocument(
        observed_at=observed_at,
        evidence_days=evidence_days,
        before_usd=selection.before.usd,
        after_usd=selection.after.usd,
        saving=selection.saving,
        chosen=selection.chosen,
        rejected=selection.rejected,
        unknown=selection.unknown,
        commitment=selection.commitment,
        gap_usd=selection.gap_usd,
        names=dict(names),
        rules_without_match=rules_without_match,
    )


def summary_markdown(found: SavingsDocument, *, spend: str, quoted_at: str) -> str:
    """Return the summary of a run.

    Args:
        found: What it found.
        spend: Markdown about cost so far and ahead; empty for none.
        quoted_at: Where prices were read.
    """
    parts = [
        "# Savings",
        _headline(found),
        _by_kind(found.chosen),
        _commitment(found.commitment),
        _left_out(found),
        spend,
        f"*Prices: {quoted_at}. Net savings are {ATTRIBUTION}. Nothing was changed.*",
    ]
    return "\n\n".join(part for part in parts if part)


def _headline(found: SavingsDocument) -> str:
    share = found.saving.expected / found.before_usd if found.before_usd > 0 else 0.0
    lines = [
        f"**{usd(found.saving.expected)} a month** can be saved if all of it comes true as "
        f"reckoned: {share:.0%} of the {usd(found.before_usd)} that the resources looked at cost "
        f"now. With doubts counted it is {usd(found.saving.low)} to {usd(found.saving.high)}, "
        "four times out of five.",
        f"Overlap is taken out: every amount is a difference of two whole bills. Observed for "
        f"{found.evidence_days} days until {found.observed_at:%d %b %Y %H:%M} UTC.",
    ]
    if found.gap_usd >= 0.5:
        lines.append(
            f"The choice was cut short: a better one could save at most {usd(found.gap_usd)} more."
        )
    return " ".join(lines)


def _by_kind(chosen: Sequence[Chosen]) -> str:
    if not chosen:
        return "Nothing worth proposing was found."
    count = Counter(one.opportunity.kind for one in chosen)
    rows = []
    for kind in Kind:
        if kind not in count:
            continue
        of_kind = [one for one in chosen if one.opportunity.kind is kind]
        net = _net_of(of_kind)
        restarts = sum(one.opportunity.restart for one in of_kind)
        rows.append(
            f"| {kind} | {count[kind]} | {usd(net.expected)} | {usd(net.low)} to "
            f"{usd(net.high)} | {restarts or '-'} |"
        )
    head = "| kind | count | net a month | interval | restarts |\n| :-- | --: | --: | --: | --: |"
    return "\n".join([head, *rows])


def _net_of(chosen: Sequence[Chosen]) -> Usd:
    """Return what the chosen of one kind add to the total, with the interval of their sum."""
    nets = Usd.total(one.net for one in chosen)
    if any(one.own is None for one in chosen):
        return nets
    return together(chosen, expected=nets.expected, most=nets.high)


def _commitment(level: CommitmentLevel | None) -> str:
    if level is None:
        return ""
    coverage = "-" if level.coverage is None else f"{level.coverage:.0%}"
    used = "-" if level.utilisation is None else f"{level.utilisation:.0%}"
    return (
        f"**Commitment**: a Savings Plan of {level.usd_per_hour:.3f} USD/h on what is left, beside "
        f"{level.existing_usd_per_hour:.3f} USD/h that there are. It covers {coverage} of "
        f"on-demand compute, {used} of it would be used, and it pays as long as more than "
        f"{level.break_even_use:.0%} is."
    )


def _left_out(found: SavingsDocument) -> str:
    lines = []
    if found.rejected:
        count = Counter(one.kind for one in found.rejected)
        kinds = ", ".join(f"{number} {kind}" for kind, number in count.most_common())
        lines.append(f"Looked at and not proposed: {kinds}; the table `savings-rejected` says why.")
    if found.unknown:
        more = len(found.unknown) - MOST_NAMED
        lines += ["", "Without a known price, and in no figure:", ""]
        lines += [f"- {why}" for why in found.unknown[:MOST_NAMED]]
        lines += [f"- and {more} more"] if more > 0 else []
    if found.rules_without_match:
        rules = ", ".join(f"`{one}`" for one in found.rules_without_match)
        lines += ["", f"Ignored resources that match nothing here: {rules}."]
    return "\n".join(lines).strip()


def opportunity_rows(found: SavingsDocument) -> list[dict[str, object]]:
    """Return the table of opportunities, largest net saving first; the last row counts the rest."""
    rows = [_row(found, one) for one in found.chosen[:MOST_ROWS]]
    return rows + _more(len(found.chosen) - len(rows), rows)


def _more(left: int, rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    if left <= 0:
        return []
    said = f"{left} more: see the document that the Savings Outlook block points to"
    return [{**dict.fromkeys(rows[0]), "resource": said}]


def _row(found: SavingsDocument, one: Chosen) -> dict[str, object]:
    opportunity = one.opportunity
    days = (opportunity.evidence_to - opportunity.evidence_from).days
    return {
        "resource": found.called(opportunity.resource),
        "kind": str(opportunity.kind),
        "net USD/month": round(one.net.expected, 2),
        "change": opportunity.change,
        "low USD": round(one.net.low, 2),
        "high USD": round(one.net.high, 2),
        "alone USD/month": round(one.alone.expected, 2),
        "confidence": f"{opportunity.confidence:.0%}",
        "restart": "yes" if opportunity.restart else "no",
        "undo": "yes" if opportunity.reversible else "no",
        "disruption": round(opportunity.disruption, 2),
        "effort": str(opportunity.effort),
        "observed": f"{days} days",
        "region": opportunity.region or "all",
        "id": opportunity.resource,
    }


def rejection_rows(found: SavingsDocument) -> list[dict[str, object]]:
    """Return the table of what is not proposed: some of every kind, and a count of the rest."""
    shown = _some_of_every_kind(found.rejected)
    rows: list[dict[str, object]] = [
        {
            "resource": found.called(one.resource),
            "kind": str(one.kind),
            "why not": one.why,
            "region": one.region or "all",
            "id": one.resource,
        }
        for one in shown
    ]
    return rows + _more(len(found.rejected) - len(rows), rows)


def _some_of_every_kind(rejected: Sequence[Rejection]) -> list[Rejection]:
    """Return as many as a table takes; no kind pushes out another's."""
    of_kind = [[one for one in rejected if one.kind is kind] for kind in Kind]
    taken, room = dict.fromkeys(range(len(of_kind)), 0), MOST_ROWS
    while room and (
        open_kinds := [at for at, every in enumerate(of_kind) if taken[at] < len(every)]
    ):
        for at in open_kinds[:room]:
            taken[at] += 1
        room -= min(room, len(open_kinds))
    return [one for at, every in enumerate(of_kind) for one in every[: taken[at]]]


def audit_markdown(found: SavingsDocument) -> str:
    """Return the arithmetic of each opportunity, line by line."""
    shown = found.chosen[:MOST_AUDITED]
    left = len(found.chosen) - len(shown)
    parts = ["# The arithmetic", *(_audit(found, one) for one in shown)]
    if left > 0:
        parts.append(f"{left} more are in the stored document of the Savings Outlook block.")
    return "\n\n".join(parts)


def _audit(found: SavingsDocument, one: Chosen) -> str:
    opportunity = one.opportunity
    window = f"{opportunity.evidence_from:%d %b %H:%M} to {opportunity.evidence_to:%d %b %H:%M} UTC"
    lines = [
        f"## {opportunity.kind}: {found.named(opportunity.resource)}",
        f"{opportunity.change} Observed {window}.",
        "| | | |\n| :-- | :-- | --: |\n" + "\n".join(_step(step) for step in opportunity.steps),
        f"By itself {usd(one.alone.expected)} a month; **{usd(one.net.expected)} net** "
        f"beside the others, {usd(one.net.low)} to {usd(one.net.high)} with the doubt of "
        f"{1.0 - opportunity.confidence:.0%} counted that it does not come true in full.",
    ]
    lines += [f"- {note}" for note in opportunity.notes]
    return "\n\n".join(lines[:4]) + ("\n\n" + "\n".join(lines[4:]) if lines[4:] else "")


def _step(step: Step) -> str:
    value = f"{step.value:,.4g}" if abs(step.value) < 1.0 else f"{step.value:,.2f}"
    cells = [text.replace("|", "\\|") for text in (step.what, step.formula)]
    return f"| {cells[0]} | {cells[1]} | {value} {step.unit} |"


def usd(amount: float) -> str:
    """Return an amount for people: cents below ten dollars only."""
    sign = "-" if amount < -0.005 else ""
    size = abs(amount)
    return f"{sign}${size:,.2f}" if size < 10.0 else f"{sign}${size:,.0f}"
