"""What the clock explains of a resource, and the shape of its mean day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.usage.clock import HOURS_PER_DAY
from tasks.domain.usage.hours import Hours

WORKING_DAYS = 5
NIGHT = (20, 8)
"""Local hours that count as night: from 20 to 8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Per resource, each (n,); NaN where too few hours are known.

    Attributes:
        daily_variance: Explained by the hour of the day.
        weekly_variance: Explained in addition by telling working days from weekends.
        irregular_variance: The rest.
        peak_hour: 0 to 24, see Feature.PEAK_HOUR; so are the others.
        weekend_drop: -1 to 1.
        night_share: 0 to 1.
        busy_share: 0 to 1.
    """

    daily_variance: FloatArray
    weekly_variance: FloatArray
    irregular_variance: FloatArray
    peak_hour: FloatArray
    weekend_drop: FloatArray
    night_share: FloatArray
    busy_share: FloatArray


def shape_of(profile: FloatArray, count: IntArray, hours: Hours) -> Shape:
    """Return the shapes.

    Args:
        profile: (n, 168) mean by local hour of the week, Monday first.
        count: (n, 168) known hours behind each mean.
        hours: The rows themselves.
    """
    total = np.nan_to_num(profile) * count
    sums = total.reshape(-1, 7, HOURS_PER_DAY)
    counts = count.reshape(-1, 7, HOURS_PER_DAY)
    day, _ = _means(sums, counts)
    working, working_count = _means(sums[:, :WORKING_DAYS], counts[:, :WORKING_DAYS])
    weekend, weekend_count = _means(sums[:, WORKING_DAYS:], counts[:, WORKING_DAYS:])
    both = np.concatenate([working, weekend], axis=1)
    both_count = np.concatenate([working_count, weekend_count], axis=1)
    daily = _explained(day, counts.sum(axis=1), hours)
    regular = np.maximum(_explained(both, both_count, hours), daily)
    return Shape(
        daily_variance=daily,
        weekly_variance=regular - daily,
        irregular_variance=np.maximum(hours.variance - regular, 0.0),
        weekend_drop=_weekend_drop(working, weekend),
        **_day_shape(working),
    )


def _means(sums: FloatArray, counts: IntArray) -> tuple[FloatArray, IntArray]:
    """Return the mean of each hour of the day over some days, and the hours behind it."""
    number = counts.sum(axis=1)
    return sums.sum(axis=1) / np.where(number > 0, number, np.nan), number


def _explained(means: FloatArray, counts: IntArray, hours: Hours) -> FloatArray:
    """Return (n,) the variance that group means explain, less what they would explain of noise."""
    apart = np.nan_to_num(means - hours.mean[:, None])
    known = np.where(hours.count > 0, hours.count, np.nan)
    between = (counts * apart**2).sum(axis=1) / known
    groups = (counts > 0).sum(axis=1)
    spare = np.maximum(hours.count - groups, 1)
    by_chance = (groups - 1) / spare * np.maximum(hours.variance - between, 0.0)
    found: FloatArray = np.clip(between - by_chance, 0.0, hours.variance)
    return found


def _weekend_drop(working: FloatArray, weekend: FloatArray) -> FloatArray:
    floor = np.fmin(_lowest(working), _lowest(weekend))
    week, rest = (_mean_known(part - floor[:, None]) for part in (working, weekend))
    whole = week + rest
    found: FloatArray = (week - rest) / np.where(whole > 0.0, whole, np.nan)
    return found


def _day_shape(working: FloatArray) -> dict[str, FloatArray]:
    """Return where the load above the quietest hour lies on a working day."""
    load = np.nan_to_num(working - _lowest(working)[:, None])
    total = load.sum(axis=1)
    some = np.where(total > 0.0, total, np.nan)
    hour = np.arange(HOURS_PER_DAY)
    angle = (hour + 0.5) * (2.0 * np.pi / HOURS_PER_DAY)
    towards = np.arctan2(load @ np.sin(angle), load @ np.cos(angle))
    night = (hour >= NIGHT[0]) | (hour < NIGHT[1])
    return {
        "peak_hour": np.where(
            np.isnan(some), np.nan, towards * HOURS_PER_DAY / (2.0 * np.pi) % HOURS_PER_DAY
        ),
        "night_share": load[:, night].sum(axis=1) / some,
        "busy_share": some**2 / (HOURS_PER_DAY * (load**2).sum(axis=1)),
    }


def _lowest(means: FloatArray) -> FloatArray:
    """Return (n,) the mean of the four quietest hours of the day; NaN where fewer are known."""
    found: FloatArray = np.sort(means, axis=1)[:, :4].mean(axis=1)
    return found


def _mean_known(values: FloatArray) -> FloatArray:
    known = ~np.isnan(values)
    number = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    found: FloatArray = total / np.where(number > 0, number, np.nan)
    return found
