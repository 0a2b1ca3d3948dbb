"""What people read of the bill: a short Markdown page, and a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tasks.domain.savings.money import Usd
from tasks.domain.savings.spend.episodes import WARM_UP_DAYS, YOUNG_DAYS, YOUNG_EVIDENCE
from tasks.domain.savings.spend.panel import AnomalyKind, GroupOutlook, SpendAnomaly, SpendOutlook

MOST_GROUPS = 8
MOST_ANOMALIES = 5

SpendRow = dict[str, str | float | None]


def spend_markdown(outlook: SpendOutlook, anomalies: Sequence[SpendAnomaly] = ()) -> str:
    """Return the bill in words and a table.

    Args:
        outlook: From `spend_outlook`.
        anomalies: From `spend_anomalies`, the dearest first.
    """
    total = outlook.total
    parts = [
        f"# Spend, {outlook.today:%d %b %Y}",
        f"**{_usd(total.month_to_date_usd)}** so far in {outlook.today:%B}, settled up to "
        f"{outlook.settled_until:%d %b}. Month end: **{_range(total.month_end)}**"
        f"{_beside(total.naive_month_end_usd, 'at the pace so far')}. "
        f"Next month: **{_range(total.next_month)}**"
        f"{_beside(total.naive_next_month_usd, 'if it repeats the last')}.",
        _table(outlook),
        "Ranges hold four times out of five; the total's is that of the sum. Naive is the mean of the "
        "settled days of this month times its days. Estimated days are not used.",
        *_notes(outlook),
        "## Out of the ordinary",
        _anomalies(anomalies, history_days=outlook.history_days),
    ]
    return "\n\n".join(parts) + "\n"


def spend_rows(outlook: SpendOutlook) -> list[SpendRow]:
    """Return the total and then every group as a row of plain values, for tables and files."""
    return [_row("total", outlook.total), *(_row(one.group, one) for one in outlook.groups)]


def anomaly_sentence(one: SpendAnomaly) -> str:
    """Return what happened in one sentence."""
    cause = ""
    if one.cause is not None and one.cause_share is not None:
        cause = f"; mostly `{_plain(one.cause)}` ({one.cause_share:.0%} of what rose)"
    what = {
        AnomalyKind.SPIKE: "spiked",
        AnomalyKind.STEP: "stepped up",
        AnomalyKind.DRIFT: "crept up",
    }[one.kind]
    still = ", still up" if one.ongoing else ""
    return (
        f"**{_plain(one.group)}** {what} {_span(one.first_day, one.last_day)}{still}: "
        f"{_usd(one.found_usd)} where {_usd(one.expected_usd)} was expected, "
        f"**{_usd(one.excess_usd)}** more{cause}."
    )


def _row(name: str, one: GroupOutlook) -> SpendRow:
    return {
        "group": name,
        "month_to_date_usd": one.month_to_date_usd,
        "month_end_low_usd": one.month_end.low,
        "month_end_usd": one.month_end.expected,
        "month_end_high_usd": one.month_end.high,
        "naive_month_end_usd": one.naive_month_end_usd,
        "next_month_low_usd": one.next_month.low,
        "next_month_usd": one.next_month.expected,
        "next_month_high_usd": one.next_month.high,
        "naive_next_month_usd": one.naive_next_month_usd,
        "model_weight": one.model_weight,
        "note": one.note,
    }


def _table(outlook: SpendOutlook) -> str:
    lines = [
        "| group | so far | month end | naive | next month | last month |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    lines += [_line(_plain(one.group), one) for one in outlook.groups[:MOST_GROUPS]]
    left = outlook.groups[MOST_GROUPS:]
    if left:
        spent = sum(one.month_to_date_usd for one in left)
        ending = sum(one.month_end.expected for one in left)
        after = sum(one.next_month.expected for one in left)
        lines.append(f"| {len(left)} more | {_usd(spent)} | {_usd(ending)} | | {_usd(after)} | |")
    return "\n".join([*lines, _line("**total**", outlook.total)])


def _line(name: str, one: GroupOutlook) -> str:
    cells = (
        name,
        _usd(one.month_to_date_usd),
        _range(one.month_end),
        _usd(one.naive_month_end_usd),
        _range(one.next_month),
        _usd(one.naive_next_month_usd),
    )
    return f"| {' | '.join(cells)} |"


def _notes(outlook: SpendOutlook) -> list[str]:
    """Return what to know of the total, and of groups for which it is something else."""
    own = outlook.total.note
    noted = [f"- total: {own}"] if own else []
    noted += [
        f"- {_plain(one.group)}: {one.note}"
        for one in outlook.groups[:MOST_GROUPS]
        if one.note and one.note != own
    ]
    return ["\n".join(noted)] if noted else []


def _anomalies(anomalies: Sequence[SpendAnomaly], *, history_days: int) -> str:
    nothing = "Nothing: every group kept to its own pattern."
    if history_days < WARM_UP_DAYS:
        return f"Not judged: {history_days} of {WARM_UP_DAYS} days of history needed."
    lines = [f"- {anomaly_sentence(one)}" for one in anomalies[:MOST_ANOMALIES]]
    left = anomalies[MOST_ANOMALIES:]
    if left:
        lines.append(f"- {len(left)} more, {_usd(sum(one.excess_usd for one in left))} together.")
    parts = ["\n".join(lines) or nothing]
    if history_days < YOUNG_DAYS:
        parts.append(
            f"With {history_days} of {YOUNG_DAYS} days of history an alarm takes "
            f"{YOUNG_EVIDENCE:g} times the usual rise, and slow growth is not judged."
        )
    return "\n\n".join(parts)


def _beside(naive_usd: float | None, how: str) -> str:
    return "" if naive_usd is None else f" ({_usd(naive_usd)} {how})"


def _range(amount: Usd) -> str:
    return f"{_usd(amount.expected)} ({_number(amount.low)} to {_number(amount.high)})"


def _usd(amount: float | None) -> str:
    return "unknown" if amount is None else f"${_number(amount)}"


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if abs(amount) >= 100.0 else f"{amount:,.2f}"


def _span(first: date, last: date) -> str:
    return f"on {first:%d %b}" if first == last else f"from {first:%d %b} to {last:%d %b}"


def _plain(name: str) -> str:
    """Return a name, which may be a tag's value, that cannot break a table or a link."""
    return "".join(" " if char in "|`\n\r<>[]*" else char for char in name) or "(none)"
