"""What people read of live scores: how good forecasts were, whether that is enough, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from tasks.domain.models.intervals import FEWEST_BLOCKS, Interval
from tasks.domain.models.live import Role
from tasks.domain.models.live_scores import FEWEST, LiveScore, Promise, Worth, live_scores
from tasks.domain.models.scorecard import EXPIRE_AFTER, HORIZONS_HOURS, recent

HEAD = (
    "| model | ahead | judged | error vs naive | 80 % interval holds | bias | verdict |\n"
    "| :-- | :-- | --: | :-- | :-- | --: | :-- |"
)
GROUP_HEAD = HEAD.replace("ahead", "group")
WAITING_HEAD = "| model | values waiting | first due | last due | expire from |\n| :-- | --: | :-- | :-- | :-- |"
FOOT = (
    "*Every forecast was stored when it was made, and judged once by what was observed later. The "
    "error is the mean absolute one in units of what each series usually moves in a day; the naive "
    "forecast is the same hour a day before for loads, and the last price, held, for prices. Bias is "
    "forecast less truth in these units. Ranges hold the truth nine times out of ten: days, and for "
    "longer horizons as many days as they reach, count as one observation, because the values of a "
    "day go wrong together.*"
)
NOTHING = "No forecast has been stored yet, so there is nothing to judge."
ANY_GROUP = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Forecast values that wait for their truth.

    Attributes:
        model: For example "load-cpu".
        role: Champion or challenger.
        count: Above 0.
        first_target_at: Aware UTC.
        last_target_at: Aware UTC.
    """

    model: str
    role: str
    count: int
    first_target_at: datetime
    last_target_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """How good forecasts were, as it is shown.

    Attributes:
        observed_at: When the run looked.
        window_days: Days whose targets count.
        models: One score a model and role.
        horizons: One a model, role and range of horizons.
        groups: One a model, role and group; none of models without groups.
        waiting: What waits, by model and role.
        judged: Values judged by this run.
        expired: Values that were never judged, since the first forecast.
        notes: What was not known this time, as whole sentences.
        begun: Whether any forecast was ever stored.
    """

    observed_at: datetime
    window_days: int
    models: tuple[LiveScore, ...]
    horizons: tuple[LiveScore, ...]
    groups: tuple[LiveScore, ...]
    waiting: tuple[Waiting, ...]
    judged: int = 0
    expired: int = 0
    notes: tuple[str, ...] = ()
    begun: bool = True


def scorecard(
    daily: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    now: datetime,
    window_days: int,
    judged: int = 0,
    expired: int = 0,
    notes: Sequence[str] = (),
) -> Scorecard:
    """Return the scorecard of daily sums and of the rows that wait.

    Args:
        daily: Frame with DAILY_COLUMNS.
        rows: Frame with ROW_COLUMNS.
        now: Aware UTC.
        window_days: Days whose targets count, at least 1.
        judged: Values judged by this run.
        expired: Values that were never judged.
        notes: What was not known this time, as whole sentences.
    """
    counted = recent(daily, now=now, days=window_days)
    grouped = counted[counted["group"] != ANY_GROUP]
    return Scorecard(
        observed_at=now,
        window_days=window_days,
        models=live_scores(counted),
        horizons=live_scores(counted, by=["up_to_hours"]),
        groups=live_scores(grouped, by=["group"]),
        waiting=waiting_of(rows),
        judged=judged,
        expired=expired,
        notes=tuple(notes),
        begun=bool(len(daily) or len(rows)),
    )


def waiting_of(rows: pd.DataFrame) -> tuple[Waiting, ...]:
    """Return what waits, by model and role."""
    return tuple(
        Waiting(
            model=str(model),
            role=str(role),
            count=len(targets),
            first_target_at=targets.min().to_pydatetime(),
            last_target_at=targets.max().to_pydatetime(),
        )
        for (model, role), targets in rows.groupby(["model", "role"], sort=True)["target_at"]
    )


def scorecard_markdown(card: Scorecard) -> str:
    """Return the summary of a run."""
    if not card.models and not card.waiting:
        why = NOTHING
        if card.begun:
            why = f"No forecast of the last {card.window_days} days waits or was judged."
        parts = ["# Forecast scorecard", why, _expired(card), _notes(card)]
        return "\n\n".join(part for part in parts if part) + "\n"
    parts = [
        f"# Forecast scorecard, {card.observed_at:%d %b %Y %H:%M} UTC",
        _headline(card),
        _notes(card),
        "## By horizon" if card.horizons else "",
        _table(HEAD, [(_horizon(one.up_to_hours), one) for one in card.horizons]),
        "## By group" if card.groups else "",
        _table(GROUP_HEAD, [(str(one.group), one) for one in card.groups]),
        "## Waiting" if card.waiting else "",
        _waiting(card),
        _expired(card),
        FOOT,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def verdict(score: LiveScore) -> str:
    """Return what can be said of a score, in words."""
    if not score.enough:
        return f"not enough yet: {_missing(score)}"
    worth = {
        Worth.BETTER: "beats the naive forecast",
        Worth.SAME: "not told apart from the naive forecast",
        Worth.WORSE: "**worse than the naive forecast**",
        Worth.UNKNOWN: "no comparison, the naive forecast made no error",
    }
    promise = {
        Promise.KEPT: "interval as promised",
        Promise.NARROW: "**interval too narrow**",
        Promise.WIDE: "interval wider than needed",
        Promise.UNKNOWN: "interval unknown",
    }
    return f"{worth[score.worth]}; {promise[score.promise]}"


def _missing(score: LiveScore) -> str:
    if score.blocks < FEWEST_BLOCKS:
        unit = "days" if score.blocks == score.days else "spans of the horizon's length"
        return f"{score.blocks} of {FEWEST_BLOCKS} {unit}"
    return f"{score.count} of {FEWEST} values"


def headline(score: LiveScore) -> str:
    """Return one sentence on a model."""
    return f"`{called(score)}`: {verdict(score)}."


def called(score: LiveScore | Waiting) -> str:
    """Return what a model is called, with its role where nobody acts on it."""
    return score.model if score.role == Role.CHAMPION else f"{score.model} ({score.role})"


def _headline(card: Scorecard) -> str:
    judged = sum(one.count for one in card.models)
    if not judged:
        due = min(one.first_target_at for one in card.waiting)
        return (
            "**Not enough yet:** no forecast has met its truth so far; "
            f"the first value is due {due:%d %b %Y %H:%M} UTC."
        )
    lines = [f"{judged:,} values judged in the last {card.window_days} days, {card.judged:,} new."]
    lines += [f"- {headline(one)}" for one in card.models]
    return "\n".join([lines[0], "", *lines[1:]])


def _table(head: str, rows: Sequence[tuple[str, LiveScore]]) -> str:
    return "\n".join([head, *(_line(what, one) for what, one in rows)]) if rows else ""


def _line(what: str, one: LiveScore) -> str:
    cells = (
        called(one),
        what,
        f"{one.count:,} on {_days(one.days)}",
        _skill(one),
        f"{one.coverage:.1%}{_range(one.coverage_interval)}",
        "-" if one.bias is None else f"{one.bias:+.2f}",
        verdict(one),
    )
    return f"| {' | '.join(cells)} |"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _skill(one: LiveScore) -> str:
    if one.skill is None:
        return "-"
    words = f"{one.skill:.0%} less" if one.skill >= 0 else f"{-one.skill:.0%} more"
    if one.skill_interval is None:
        return words
    low, high = one.skill_interval
    return f"{words} (skill {low:+.2f} to {high:+.2f})"


def _range(interval: Interval | None) -> str:
    return "" if interval is None else f" ({interval[0]:.0%} to {interval[1]:.0%})"


def _horizon(upper: float | None) -> str:
    """Return a range of horizons in words."""
    if upper is None:
        return "all"
    at = HORIZONS_HOURS.index(upper)
    if at == 0:
        return f"up to {upper:g} h"
    lower = HORIZONS_HOURS[at - 1]
    return f"over {lower:g} h" if upper == np.inf else f"{lower:g} to {upper:g} h"


def _waiting(card: Scorecard) -> str:
    rows = [
        f"| {called(one)} | {one.count:,} | {one.first_target_at:%d %b %H:%M} "
        f"| {one.last_target_at:%d %b %H:%M} | {one.first_target_at + EXPIRE_AFTER:%d %b %Y} |"
        for one in card.waiting
    ]
    return "\n".join([WAITING_HEAD, *rows]) if rows else ""


def _expired(card: Scorecard) -> str:
    if not card.expired:
        return ""
    return (
        f"{card.expired:,} values expired unjudged so far: nothing was known of them "
        f"{EXPIRE_AFTER.days} days after their hour."
    )


def _notes(card: Scorecard) -> str:
    return "\n".join(f"- {note}" for note in card.notes)
