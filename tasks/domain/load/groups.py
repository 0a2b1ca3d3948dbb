"""How a workload behaves, by fixed rules over its own history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.load.panel import DAY, HOUR, Load, LoadPanel
from tasks.domain.usage.features import IDLE_BELOW_PERCENT


class Behaviour(StrEnum):
    """What a workload's hours look like."""

    IDLE = "idle"
    STEADY = "steady"
    PERIODIC = "periodic"
    BURSTY = "bursty"


WINDOW_DAYS = 28
"""Whole weeks, so that working days and weekends weigh what they do in life."""
IDLE_BELOW: Mapping[Load, float] = {
    Load.CPU: IDLE_BELOW_PERCENT,
    Load.MEMORY: IDLE_BELOW_PERCENT,
    Load.REQUESTS: 1.0 / 60.0,
}
"""Per cent, per cent, and one request a minute."""
BUSY_SHARE = 0.95
RARE_SHARE = 0.99
FLAT_BELOW = 0.1
PERIODIC_FROM = 0.4
BURSTY_FROM = 0.49
ROWS_PER_CHUNK = 4096
"""Bounds the memory: the window of a chunk takes 22 MB by the hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hours:
    """Hourly means without rare peaks: values (n, hours), and each (n,) of the known ones."""

    values: FloatArray
    count: IntArray
    mean: FloatArray
    variance: FloatArray
    busy: FloatArray


def behaviour_groups(panel: LoadPanel) -> NDArray[np.str_]:
    """Return (n,) the behaviour of each series, from its own last four weeks alone.

    Hourly means are looked at, whatever the step, so that a workload behaves alike at 5 minutes and
    at an hour; those above the series' own 99 % quantile count as that quantile, for one hour of
    100 % in a month spreads a level of 3 % as much as its mean. The first rule that holds counts:

    - idle: 95 % of the hours are below 5 % (processor, memory) or below a request a minute.
    - steady: the standard deviation is below a tenth of the mean, whatever explains it.
    - periodic: the hour of the day, or of the week, explains at least .4 of the variance, less what
      as many means would explain of noise (the strength of seasonality of Wang, Smith and Hyndman,
      2006, adjusted for degrees of freedom). Two whole cycles must be known.
    - bursty: the squared coefficient of variation of the rest is at least .49, where demand starts
      to be called erratic (Syntetos, Boylan and Croston, 2005).
    - steady: everything else.

    A series of which nothing is known is bursty: the group that promises least.

    Args:
        panel: The history. No clock is read: cycles are counted back from the last step.
    """
    found = np.full(len(panel), Behaviour.BURSTY.value, dtype="<U8")
    for first in range(0, len(panel), ROWS_PER_CHUNK):
        rows = slice(first, first + ROWS_PER_CHUNK)
        found[rows] = _of_chunk(panel.values[rows], panel)
    return found


def _of_chunk(values: FloatArray, panel: LoadPanel) -> NDArray[np.str_]:
    per_bin = _steps_per_bin(panel)
    per_day = panel.steps_per_day // per_bin
    hours = _hours(_binned(values[:, -WINDOW_DAYS * panel.steps_per_day :], per_bin))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = hours.variance / hours.mean**2
        explained = np.maximum(_explained(hours, per_day), _explained(hours, 7 * per_day))
        rules: dict[Behaviour, BoolArray] = {
            Behaviour.IDLE: hours.busy < IDLE_BELOW[panel.load],
            Behaviour.STEADY: spread < FLAT_BELOW**2,
            Behaviour.PERIODIC: explained >= PERIODIC_FROM * hours.variance,
            Behaviour.BURSTY: spread - explained / hours.mean**2 >= BURSTY_FROM,
        }
    rest = np.where(hours.count > 0, Behaviour.STEADY.value, Behaviour.BURSTY.value)
    return np.select(list(rules.values()), [one.value for one in rules], default=rest)


def _steps_per_bin(panel: LoadPanel) -> int:
    """Return the steps of an hour, or of the longest bin below it that divides a day."""
    most = max(HOUR // panel.step, 1)
    return next(count for count in range(most, 0, -1) if not DAY % (count * panel.step))


def _binned(values: FloatArray, per_bin: int) -> FloatArray:
    """Return (n, bins) means of what is known, the last bin ending with the last step."""
    n, steps = values.shape
    bins = values[:, steps % per_bin :].reshape(n, steps // per_bin, per_bin)
    if per_bin == 1:
        return bins[..., 0]
    known = ~np.isnan(bins)
    count = known.sum(axis=2)
    total = np.where(known, bins, 0.0).sum(axis=2)
    return np.asarray(total / np.where(count > 0, count, np.nan))


def _hours(values: FloatArray) -> _Hours:
    ordered = np.sort(values, axis=1)  # unknown last
    count = np.asarray((~np.isnan(values)).sum(axis=1), dtype=np.int64)
    usual = np.minimum(values, _quantile(ordered, count, RARE_SHARE)[:, None])
    some = np.where(count > 0, count, np.nan)
    mean = np.nansum(usual, axis=1) / some
    return _Hours(
        values=usual,
        count=count,
        mean=mean,
        variance=np.nansum((usual - mean[:, None]) ** 2, axis=1) / some,
        busy=_quantile(ordered, count, BUSY_SHARE),
    )


def _quantile(ordered: FloatArray, count: IntArray, share: float) -> FloatArray:
    """Return (n,) the value that a share of the known hours is at or below; NaN without any."""
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    at = np.maximum(np.ceil(share * count).astype(np.int64) - 1, 0)
    return np.asarray(np.take_along_axis(ordered, at[:, None], axis=1)[:, 0])


def _explained(hours: _Hours, season: int) -> FloatArray:
    """Return (n,) the variance between the means of each phase, less what noise would give."""
    n, steps = hours.values.shape
    cycles = -(-steps // season)
    padded = np.full((n, cycles * season), np.nan)
    padded[:, padded.shape[1] - steps :] = hours.values
    phases = padded.reshape(n, cycles, season)
    counts = (~np.isnan(phases)).sum(axis=1)
    means = np.nansum(phases, axis=1) / np.maximum(counts, 1)
    apart = np.where(counts > 0, means - hours.mean[:, None], 0.0)
    between = (counts * apart**2).sum(axis=1) / np.maximum(hours.count, 1)
    groups = (counts > 0).sum(axis=1)
    spare = np.maximum(hours.count - groups, 1)
    by_chance = (groups - 1) / spare * np.maximum(hours.variance - between, 0.0)
    enough = hours.count >= 2 * season
    return np.asarray(np.where(enough, np.maximum(between - by_chance, 0.0), 0.0))
