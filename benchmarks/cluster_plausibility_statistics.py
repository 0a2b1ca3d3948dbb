"""Plain statistics of a week of a metric, by which simulated and recorded series are compared.

Each takes one week as a vector with the number of steps a day, NaN where nothing is known, and returns
None where it is undefined, such as the shape of something that never changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tasks.domain.arrays import FloatArray

Measure = Callable[[FloatArray, int], float | None]

DAYS = 7
KNOWN = 0.9
"""Of a week's steps, how many have to be known."""
_FLAT = 1e-9
_SLOWEST_HOURS, _FASTEST_MINUTES = 12.0, 10.0  # between which the slope of a spectrum is fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One way to look at a week.

    Attributes:
        key: Part of the names of its figures.
        says: For the table.
        measure: Of a week.
        clock: It needs to know which day of the week it is.
    """

    key: str
    says: str
    measure: Measure
    clock: bool = False


def of_weeks(statistic: Statistic, weeks: FloatArray, per_day: int) -> float | None:
    """Return the median of a statistic over the weeks of one series.

    Args:
        statistic: What to measure.
        weeks: (w, 7 * per_day), NaN where unknown.
        per_day: Steps a day.

    Returns:
        None when no week is known enough or the statistic is defined in none.
    """
    known = [week for week in weeks if np.isfinite(week).mean() >= KNOWN]
    found = [statistic.measure(week, per_day) for week in known]
    defined = [one for one in found if one is not None and np.isfinite(one)]
    return float(np.median(defined)) if defined else None


def quantile(level: float) -> Measure:
    """Return the measure of a quantile over time."""
    return lambda week, _: float(np.nanquantile(week, level))


def ratio(high: float, low: float) -> Measure:
    """Return the measure of one quantile over time as a multiple of another."""
    return lambda week, _: _over(*np.nanquantile(week, [high, low]))


def mean(week: FloatArray, _: int) -> float | None:
    """Return the mean over time."""
    return float(np.nanmean(week))


def peak_to_mean(week: FloatArray, _: int) -> float | None:
    """Return the highest step as a multiple of the mean."""
    return _over(np.nanmax(week), np.nanmean(week))


def variation_within(hours: float) -> Measure:
    """Return the measure of the median coefficient of variation within so many hours."""

    def measured(week: FloatArray, per_day: int) -> float | None:
        rows = week.reshape(-1, max(round(per_day * hours / 24.0), 2))
        rows = rows[np.isfinite(rows).mean(axis=1) >= KNOWN]
        means = np.nanmean(rows, axis=1) if len(rows) else np.zeros(0)
        kept = means > _FLAT
        return float(np.median(np.nanstd(rows[kept], axis=1) / means[kept])) if kept.any() else None

    return measured


def variation_of_days(week: FloatArray, _: int) -> float | None:
    """Return the coefficient of variation of the means of days."""
    days = np.nanmean(week.reshape(DAYS, -1), axis=1)
    return _over(np.std(days), np.mean(days))


def hour_of_day_share(week: FloatArray, per_day: int) -> float | None:
    """Return the share of the variance that the time of day explains (eta squared, Fisher 1925)."""
    days = week.reshape(DAYS, per_day)
    profile = np.broadcast_to(_profile(days), days.shape)
    known = np.isfinite(days)
    return _over(np.var(profile[known]), np.var(days[known]))


def next_day_correlation(week: FloatArray, per_day: int) -> float | None:
    """Return the median correlation of a day with the next, step by step."""
    days = week.reshape(DAYS, per_day)
    found = [correlation(one, other) for one, other in pairwise(days)]
    defined = [one for one in found if one is not None]
    return float(np.median(defined)) if defined else None


def night_to_peak(week: FloatArray, per_day: int) -> float | None:
    """Return the lowest hour of the mean day as a fraction of its highest."""
    profile = _profile(week.reshape(DAYS, per_day))
    return _over(np.min(profile), np.max(profile))


def hours_above_mean(week: FloatArray, per_day: int) -> float | None:
    """Return the share of the mean day that is above its mean: short peaks or long plateaus."""
    profile = _profile(week.reshape(DAYS, per_day))
    return float(np.mean(profile > np.mean(profile))) if np.ptp(profile) > _FLAT else None


def weekend_level(week: FloatArray, _: int) -> float | None:
    """Return the mean of Saturday and Sunday as a multiple of that of Monday to Friday."""
    days = np.nanmean(week.reshape(DAYS, -1), axis=1)
    return _over(np.mean(days[5:]), np.mean(days[:5]))


def daily_energy(week: FloatArray, _: int) -> float | None:
    """Return the share of the periodogram at the period of 24 hours."""
    power = _periodogram(week)
    return _over(power[DAYS], power[1:].sum())


def memory_of(steps: int) -> Measure:
    """Return the measure of the autocorrelation at so many steps."""
    return lambda week, _: correlation(week[:-steps], week[steps:])


def typical_change(week: FloatArray, _: int) -> float | None:
    """Return the median change from one step to the next, as a fraction of the mean."""
    return _over(np.nanmedian(np.abs(np.diff(week))), np.nanmean(week))


def change_tail(week: FloatArray, _: int) -> float | None:
    """Return the 99th percentile of changes as a multiple of the median one; 3.8 if normal."""
    return _over(*np.nanquantile(np.abs(np.diff(week)), [0.99, 0.5]))


def spectral_slope(week: FloatArray, per_day: int) -> float | None:
    """Return the slope of log power over log frequency, from 12 hours to 10 minutes.

    White noise has 0, noise with a long memory -1, a random walk -2.
    """
    power = np.stack([_periodogram(day) for day in week.reshape(DAYS, per_day)]).mean(axis=0)
    per_hour = np.arange(len(power)) / 24.0
    inside = (per_hour >= 1.0 / _SLOWEST_HOURS) & (per_hour <= 60.0 / _FASTEST_MINUTES)
    if power[inside].min() <= 0.0:
        return None
    # In equal steps of log frequency, or the many fast ones would decide alone.
    edges = np.geomspace(per_hour[inside][0], per_hour[inside][-1] * 1.001, 13)
    place = np.digitize(per_hour, edges)
    groups = [(place == at) & inside for at in range(1, 13)]
    points = [(per_hour[g].mean(), power[g].mean()) for g in groups if g.any()]
    x, y = np.log(np.array(points)).T
    return float(np.polyfit(x, y, 1)[0])


def _profile(days: FloatArray) -> FloatArray:
    known = np.isfinite(days).any(axis=0)
    found = np.full(days.shape[1], np.nan)
    found[known] = np.nanmean(days[:, known], axis=0)
    return np.where(known, found, np.nanmean(days))


def correlation(one: FloatArray, other: FloatArray) -> float | None:
    """Return the correlation of what is known of both; None when one never changes."""
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    if len(one) < 3 or np.std(one) <= _FLAT or np.std(other) <= _FLAT:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _periodogram(values: FloatArray) -> FloatArray:
    at, known = np.arange(len(values)), np.isfinite(values)
    if not known.any():
        return np.zeros(len(values) // 2 + 1)
    filled = np.interp(at, at[known], values[known])
    found: FloatArray = np.abs(np.fft.rfft(filled - filled.mean())) ** 2
    return found


def _over(part: float | np.floating, whole: float | np.floating) -> float | None:
    return float(part / whole) if whole > _FLAT else None


LEVELS = (
    Statistic(key="mean", says="mean, % of what it may use", measure=mean),
    Statistic(key="p50", says="median over time, %", measure=quantile(0.5)),
    Statistic(key="p95", says="95th percentile over time, %", measure=quantile(0.95)),
)
"""What of a limit is used; only where the metric has one."""
FAST = (
    Statistic(key="p99_to_p50", says="burst: p99 / p50", measure=ratio(0.99, 0.5)),
    Statistic(key="cv_hour", says="variation within an hour", measure=variation_within(1.0)),
    Statistic(key="cv_day", says="variation within a day", measure=variation_within(24.0)),
    Statistic(key="change", says="typical change / mean", measure=typical_change),
    Statistic(key="change_tail", says="changes: p99 / p50", measure=change_tail),
    Statistic(key="lag1", says="autocorrelation, 5 minutes", measure=memory_of(1)),
    Statistic(key="lag12", says="autocorrelation, 1 hour", measure=memory_of(12)),
    Statistic(key="slope", says="slope of the spectrum", measure=spectral_slope),
)
"""Of steps of five minutes."""
SLOW = (
    Statistic(key="peak_to_mean", says="peak / mean", measure=peak_to_mean),
    Statistic(key="cv_day", says="variation within a day", measure=variation_within(24.0)),
    Statistic(key="cv_days", says="variation of days' means", measure=variation_of_days),
    Statistic(key="hour_share", says="variance by hour of day", measure=hour_of_day_share),
    Statistic(key="next_day", says="correlation with next day", measure=next_day_correlation),
    Statistic(key="energy_24h", says="energy at 24 h", measure=daily_energy),
    Statistic(key="night_to_peak", says="lowest / highest hour of the day", measure=night_to_peak),
    Statistic(key="above_mean", says="share of the day above mean", measure=hours_above_mean),
    Statistic(key="lag1", says="autocorrelation, 1 hour", measure=memory_of(1)),
    Statistic(key="weekend", says="weekend / weekdays", measure=weekend_level, clock=True),
)
"""Of hours."""
