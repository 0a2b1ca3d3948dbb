"""The verdict on a forecast before it may scale, and on scaling afterwards: the tables of `limits`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tasks.domain.stacks.health import Alarm
from tasks.domain.stacks.predictive.hours import GroupHours
from tasks.domain.stacks.predictive.limits import Limits
from tasks.domain.stacks.predictive.scores import (
    DAY_HOURS,
    ForecastScores,
    Rival,
    forecast_scores,
    limit_of,
)


class Verdict(StrEnum):
    """What is said of a forecast, or of scaling by it."""

    GOOD = "good"
    NOT_YET = "not-yet"
    BAD = "bad"
    HARMFUL = "harmful"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its reason.

    Attributes:
        why: One sentence with the numbers that decided.
        scores: Of a forecast; None of scaling.
    """

    verdict: Verdict
    why: str
    scores: ForecastScores | None = None


def judge_forecast(group: GroupHours, *, limits: Limits) -> Judgement:
    """Return whether a forecast is good enough to scale by."""
    scores = forecast_scores(group, limits)
    days = scores.hours / DAY_HOURS
    if days < limits.least_days:
        why = f"{days:.1f} days of its forecasts can be compared, {limits.least_days:g} are needed"
        return Judgement(verdict=Verdict.NOT_YET, why=why, scores=scores)
    if group.min_size == group.max_size:
        why = f"its size is {group.min_size} at any time: there is nothing to scale"
        return Judgement(verdict=Verdict.NOT_YET, why=why, scores=scores)
    bad = next(_bad(scores, limits), None)
    if bad is not None:
        return Judgement(verdict=Verdict.BAD, why=bad, scores=scores)
    lacking = next(_lacking(scores, limits), None)
    if lacking is None:
        why = (
            f"it covers {scores.coverage:.1%} of {scores.hours} hours, no baseline is better, and "
            f"{_helped(scores)}"
        )
        return Judgement(verdict=Verdict.GOOD, why=why, scores=scores)
    if days >= limits.most_days:
        why = f"{lacking}, after {days:.0f} days"
        return Judgement(verdict=Verdict.BAD, why=why, scores=scores)
    return Judgement(verdict=Verdict.NOT_YET, why=lacking, scores=scores)


def _bad(scores: ForecastScores, limits: Limits) -> Iterator[str]:
    coverage, spare = scores.coverage, scores.spare
    if coverage is not None and coverage < limits.bad_coverage:
        yield f"it covers {coverage:.1%} of the hours, below {limits.bad_coverage:.0%}"
    if spare is not None and spare > limits.bad_spare:
        yield f"{spare:.0%} of what is needed would be idle, above {limits.bad_spare:.0%}"
    for name, rival in _rivals(scores):
        if not rival.at_most(limits.bad_error, tolerance=limits.no_error):
            yield _worse(name, rival)


def _lacking(scores: ForecastScores, limits: Limits) -> Iterator[str]:
    """Yield what keeps a forecast from being good; what is unknown does too."""
    yield from _below("it covers", scores.coverage, limits.good_coverage, of="the hours")
    yield from _below(
        "it covers", scores.worst_week, limits.good_week_coverage, of="its worst week's hours"
    )
    if scores.spare is None or scores.spare > limits.good_spare:
        found = "an unknown share" if scores.spare is None else f"{scores.spare:.0%}"
        yield f"{found} of what is needed would be idle, at most {limits.good_spare:.0%} may be"
    rivals = list(_rivals(scores))
    if not rivals:
        yield "no baseline can be compared yet"
    for name, rival in rivals:
        if not rival.at_most(1.0, tolerance=limits.no_error):
            yield _worse(name, rival)
    helped, added = scores.helped, scores.added
    if helped is None or added is None:
        yield "how many instances served is not known; switch the group's metrics on"
    elif helped < limits.useful_share and added > limits.harmless_share:
        yield (
            f"it helps in {helped:.1%} of the hours and adds {added:.1%} to the instance hours: "
            "dynamic scaling does as well alone"
        )


def _below(what: str, found: float | None, least: float, *, of: str) -> Iterator[str]:
    if found is None or found < least:
        share = "an unknown share" if found is None else f"{found:.1%}"
        yield f"{what} {share} of {of}, {least:.0%} are needed"


def _rivals(scores: ForecastScores) -> Iterator[tuple[str, Rival]]:
    for name, rival in (
        ("the same hour of the day before", scores.yesterday),
        ("the same hour of the week before", scores.last_week),
    ):
        if rival is not None:
            yield name, rival


def _worse(name: str, rival: Rival) -> str:
    return (
        f"its mean error is {rival.error:.2f} instances, that of {name} {rival.baseline:.2f}: "
        "the forecast is worse than none"
    )


def _helped(scores: ForecastScores) -> str:
    if scores.helped is None or not scores.short_now:
        return "no hour is short today"
    return f"it covers {scores.helped / scores.short_now:.0%} of the hours that are short today"


def judge_scaling(
    before: GroupHours, since: GroupHours, alarms: Sequence[Alarm], *, limits: Limits
) -> Judgement:
    """Return whether scaling by the forecast does harm.

    Args:
        before: Hours before the switch.
        since: Hours after it.
        alarms: Of the group, those that ring since the switch.
        limits: What counts as harm.
    """
    ringing = sorted(one.name for one in alarms if one.ringing)
    if ringing:
        why = f"alarm {ringing[0]} rings since it scales"
        return Judgement(verdict=Verdict.HARMFUL, why=why)
    was, now = _short(before, limits), _short(since, limits)
    if was and now and now.share > was.share + limits.worse_share:
        why = (
            f"{now.hours} hours ({now.share:.1%}) are above the limit, {was.share:.1%} were before"
        )
        if now.hours >= limits.worse_hours:
            return Judgement(verdict=Verdict.HARMFUL, why=why)
    dear, cheap = _cost(since), _cost(before)
    known = 0 if now is None else now.known
    if dear and cheap and known >= DAY_HOURS and dear > cheap * (1.0 + limits.dearer_share):
        why = f"{dear:.2f} instance hours serve each busy one, {cheap:.2f} did before"
        return Judgement(verdict=Verdict.HARMFUL, why=why)
    if known / DAY_HOURS < limits.watch_days or now is None:
        why = f"{known / DAY_HOURS:.1f} days are known since it scales, {limits.watch_days:g} are needed"
        return Judgement(verdict=Verdict.NOT_YET, why=why)
    share = "unknown" if was is None else f"{was.share:.1%}"
    why = f"{now.share:.1%} of the hours are above the limit, {share} were before"
    return Judgement(verdict=Verdict.HARMLESS, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Short:
    """Hours that had too little capacity."""

    known: int
    hours: int

    @property
    def share(self) -> float:
        return self.hours / self.known


def _short(group: GroupHours, limits: Limits) -> _Short | None:
    known = np.isfinite(group.busy) & np.isfinite(group.serving)
    if not known.any():
        return None
    over = group.busy > group.serving * limit_of(group, limits) + 1e-9
    return _Short(known=int(known.sum()), hours=int(over[known].sum()))


def _cost(group: GroupHours) -> float | None:
    known = np.isfinite(group.busy) & np.isfinite(group.serving)
    busy = float(group.busy[known].sum())
    return float(group.serving[known].sum()) / busy if busy > 0.0 else None
