"""How a forecast of capacity did against what was needed, two baselines and dynamic scaling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.stacks.predictive.hours import GroupHours
from tasks.domain.stacks.predictive.limits import Limits

DAY_HOURS, WEEK_HOURS = 24, 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A forecast beside a baseline, on the hours that both have.

    Attributes:
        error: Of the forecast, mean absolute, instances.
        baseline: Of the baseline, the same.
    """

    error: float
    baseline: float

    def at_most(self, factor: float, *, tolerance: float) -> bool:
        """Return whether the error is at most a factor times the baseline's, or as good as none."""
        return self.error <= max(factor * self.baseline, tolerance)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastScores:
    """What the compared hours say. Shares run from 0 to 1; None where nothing can be compared.

    Attributes:
        hours: Compared: forecast beforehand, and known afterwards.
        coverage: Share in which the forecast's capacity keeps use within the limit.
        coverage_at_target: The same within the target, which half of all fair forecasts miss.
        worst_week: Least coverage of a week of at least a day of compared hours.
        spare: Idle capacity over needed capacity.
        yesterday: Against the same hour a day before.
        last_week: Against the same hour a week before.
        short_now: Share of hours in which what served was too little.
        helped: Share of hours that were short and that the forecast covers.
        added: Instance hours that the forecast adds to what served, over what served.
    """

    hours: int
    coverage: float | None = None
    coverage_at_target: float | None = None
    worst_week: float | None = None
    spare: float | None = None
    yesterday: Rival | None = None
    last_week: Rival | None = None
    short_now: float | None = None
    helped: float | None = None
    added: float | None = None


def forecast_scores(group: GroupHours, limits: Limits) -> ForecastScores:
    """Return how a forecast did in the hours for which it was made and that are known now."""
    known = np.isfinite(group.forecast) & np.isfinite(group.busy)
    if not known.any():
        return ForecastScores(hours=0)
    limit = limit_of(group, limits)
    covered = group.busy <= group.planned * limit + 1e-9
    needed, planned = group.needed[known], group.planned[known]
    # What stands idle because the group may not get smaller is not the forecast's doing.
    least = np.maximum(needed, group.min_size)
    total = float(least.sum())
    served = known & np.isfinite(group.serving)
    short = group.busy > group.serving * limit + 1e-9
    added = np.maximum(group.planned - group.serving, 0.0)[served].sum()
    return ForecastScores(
        hours=int(known.sum()),
        coverage=float(covered[known].mean()),
        coverage_at_target=float((planned >= needed).mean()),
        worst_week=_worst_week(covered, known),
        spare=_ratio(float(np.maximum(planned - least, 0.0).sum()), total),
        yesterday=_rival(group, DAY_HOURS),
        last_week=_rival(group, WEEK_HOURS),
        short_now=_share(short, served),
        helped=_share(short & covered, served),
        added=_ratio(float(added), float(group.serving[served].sum())),
    )


def limit_of(group: GroupHours, limits: Limits) -> float:
    """Return the use above which an hour is short: the target and some headroom, at most 1."""
    return min(group.target * (1.0 + limits.headroom_share), 1.0)


def _worst_week(covered: BoolArray, known: BoolArray) -> float | None:
    weeks = [
        covered[first : first + WEEK_HOURS][part].mean()
        for first in range(0, len(covered), WEEK_HOURS)
        if (part := known[first : first + WEEK_HOURS]).sum() >= DAY_HOURS
    ]
    return float(min(weeks)) if weeks else None


def _rival(group: GroupHours, lag: int) -> Rival | None:
    # Both in whole instances and within the group's sizes: nobody gets more or less than that.
    needed = np.clip(group.needed, group.min_size, group.max_size)
    foretold: FloatArray = group.planned
    before = np.full(len(needed), np.nan)
    before[lag:] = needed[:-lag]
    both = np.isfinite(foretold) & np.isfinite(needed) & np.isfinite(before)
    if both.sum() < DAY_HOURS:
        return None
    return Rival(
        error=float(np.abs(foretold - needed)[both].mean()),
        baseline=float(np.abs(before - needed)[both].mean()),
    )


def _share(what: BoolArray, among: BoolArray) -> float | None:
    return float(what[among].mean()) if among.any() else None


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0.0 else None
