"""How forecasts of load are judged: scaled errors, coverage, and the worst group of workloads.

Errors are divided by a scale s of each series' history: the mean change from a day before, at least
5 % of the mean and a tenth of a point, so that idle machines do not decide (Hyndman and Koehler,
2006, with a floor). Skill is 1 - mean scaled error / mean scaled error of the same hour a day before.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.scores import skill

DAY = 24
WEEK = 168
HORIZONS = (4, 24)
NAIVES = ("last_value", "daily_naive", "weekly_naive")
GROUPS = ("idle", "steady", "periodic", "bursty")
FEWEST = 30
"""Series and origins that a group needs before it is judged."""
LEAST_SCALE = 0.1
IDLE_PERCENT = 2.0
STEADY_SHARE = 0.15
PERIODIC_SHARE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One origin's forecasts of n series against what happened.

    Attributes:
        actual: (n, H) what happened; NaN where it is not judged.
        ours: (n, H, 3) quantiles.
        naive: (n, H) of each of NAIVES.
        scale: (n,) of each series' history.
        group: (n,) of GROUPS.
        unseen: (n,) series that nobody tuned on.
    """

    actual: FloatArray
    ours: FloatArray
    naive: dict[str, FloatArray]
    scale: FloatArray
    group: NDArray[np.str_]
    unseen: BoolArray

    def scaled(self, forecast: FloatArray, horizon: int) -> FloatArray:
        """Return (n, horizon) scaled errors of a point forecast; NaN where not judged."""
        error = np.abs(self.actual - forecast)[:, :horizon]
        return np.asarray(error / self.scale[:, None])


def scales(history: FloatArray) -> FloatArray:
    """Return (n,) scales of (n, steps) hourly histories, in the unit of the values."""
    with warnings.catch_warnings():
        # A history without a pair of days has the floor for its scale.
        warnings.simplefilter("ignore", RuntimeWarning)
        change = np.nanmean(np.abs(history[:, DAY:] - history[:, :-DAY]), axis=1)
        level = np.nanmean(np.abs(history), axis=1)
    scale = np.maximum(np.fmax(change, 0.05 * np.nan_to_num(level)), LEAST_SCALE)
    return np.asarray(scale, dtype=np.float64)


def behaviours(history: FloatArray) -> NDArray[np.str_]:
    """Return (n,) groups by (n, steps) hourly history alone.

    Idle: 95 % of hours below 2 %. Steady: the middle 80 % of hours within 15 % of the median to
    either side. Periodic: the means of the hours of a day explain 30 % of the variance, days
    having their own mean. The others are bursty.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        low, middle, high, top = np.nanquantile(history, [0.1, 0.5, 0.9, 0.95], axis=1)
        steady = (high - low) <= 2.0 * STEADY_SHARE * middle
        explained = _daily_share(history)
    return np.select(
        [top < IDLE_PERCENT, steady, explained >= PERIODIC_SHARE],
        ["idle", "steady", "periodic"],
        default="bursty",
    )


def _daily_share(history: FloatArray) -> FloatArray:
    """Return (n,) the share of variance between hours of the day, days having their own means."""
    days = history.shape[1] // DAY
    grid = history[:, history.shape[1] - days * DAY :].reshape(len(history), days, DAY)
    around = grid - np.nanmean(grid, axis=2, keepdims=True)
    between = np.nanvar(np.nanmean(around, axis=1), axis=1)
    # Means of noise vary too: a day's profile of n days explains 1/n of pure noise.
    noise = np.nanmean(np.nanvar(around, axis=1), axis=1)
    total = between + noise
    return np.where(total > 0.0, between / np.where(total > 0.0, total, 1.0), 0.0)


def naive_forecasts(history: FloatArray, *, horizon: int) -> dict[str, FloatArray]:
    """Return (n, horizon) forecasts of the three naive rules; NaN where they know nothing.

    Where the hour a day (week) before is unknown, the newest day (week) that knows it is taken.
    """
    last = np.repeat(_newest(history)[:, None], horizon, axis=1)
    daily = _same_hour(history, period=DAY, horizon=horizon)
    weekly = _same_hour(history, period=WEEK, horizon=horizon)
    found = dict(zip(NAIVES, (last, daily, weekly), strict=True))
    found["daily_naive"] = np.where(np.isnan(daily), last, daily)
    found["weekly_naive"] = np.where(np.isnan(weekly), found["daily_naive"], weekly)
    return found


def _newest(history: FloatArray) -> FloatArray:
    known = ~np.isnan(history)
    at = history.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    return np.where(known.any(axis=1), history[np.arange(len(history)), at], np.nan)


def _same_hour(history: FloatArray, *, period: int, horizon: int) -> FloatArray:
    n, steps = history.shape
    found = np.full((n, horizon), np.nan)
    for ahead in range(horizon):
        at = steps + ahead - period
        while at >= 0 and np.isnan(found[:, ahead]).any():
            found[:, ahead] = np.where(np.isnan(found[:, ahead]), history[:, at], found[:, ahead])
            at -= period
    return found


def summary(judged: Sequence[Judgement], *, unseen: bool = False) -> dict[str, float | None]:
    """Return skill over the daily naive and coverage at each horizon, over all origins."""
    found: dict[str, float | None] = {}
    for horizon in HORIZONS:
        ours, naive, inside = [], [], []
        for one in judged:
            rows = one.unseen if unseen else np.ones_like(one.unseen)
            ours.append(one.scaled(one.ours[..., 1], horizon)[rows].ravel())
            naive.append(one.scaled(one.naive["daily_naive"], horizon)[rows].ravel())
            inside.append(_inside(one, horizon)[rows].ravel())
        found[f"mase_skill_{horizon}h"] = skill(_mean(ours), reference_error=_mean(naive))
        found[f"coverage_80_{horizon}h"] = _mean(inside)
    return found


def _inside(one: Judgement, horizon: int) -> FloatArray:
    actual = one.actual[:, :horizon]
    held = (one.ours[:, :horizon, 0] <= actual) & (actual <= one.ours[:, :horizon, 2])
    return np.where(np.isnan(actual), np.nan, held.astype(np.float64))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScore:
    """One group at one horizon: mean scaled errors pooled over origins."""

    group: str
    horizon: int
    cases: int
    ours: float
    best_naive: float
    best: str
    coverage: float

    @property
    def ratio(self) -> float:
        """Our error over that of the best naive rule; 1.02 is 2 % worse."""
        return self.ours / self.best_naive if self.best_naive > 0.0 else 1.0


def group_scores(judged: Sequence[Judgement]) -> Iterator[GroupScore]:
    """Yield every group that has enough cases, at each horizon."""
    for group in GROUPS:
        cases = sum(int((one.group == group).sum()) for one in judged)
        if cases < FEWEST:
            continue
        for horizon in HORIZONS:
            yield _group_score(judged, group, horizon, cases)


def _group_score(judged: Sequence[Judgement], group: str, horizon: int, cases: int) -> GroupScore:
    def pooled(whose: str) -> float:
        parts = []
        for one in judged:
            forecast = one.ours[..., 1] if whose == "ours" else one.naive[whose]
            parts.append(one.scaled(forecast, horizon)[one.group == group].ravel())
        return _mean(parts) or 0.0

    naive = {name: pooled(name) for name in NAIVES}
    best = min(naive, key=lambda name: naive[name])
    inside = [_inside(one, horizon)[one.group == group].ravel() for one in judged]
    return GroupScore(
        group=group,
        horizon=horizon,
        cases=cases,
        ours=pooled("ours"),
        best_naive=naive[best],
        best=best,
        coverage=_mean(inside) or 0.0,
    )


def _mean(parts: Sequence[FloatArray]) -> float | None:
    values = np.concatenate(parts)
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else None
