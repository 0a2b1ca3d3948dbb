"""Load that is stable by construction, and known shifts laid over it.

Stable means that nothing changes but what always changed: days of a recording are drawn in blocks
(stationary bootstrap, Politis and Romano, 1994), the same days for all series, weekdays at their
place. Within a block hours, days and machines depend on each other as recorded; a level that
wandered off for a week in the recording does so for a week here, and comes back.

Constants are chosen on development series and seeds; figures are reported on the others:

- Bitbrains (with clock): development is machines of even ids, reported of odd ids.
- Azure (no clock, so days are drawn without weekdays): every other column by name.
- Seeded: development seeds are below 100, reported seeds are 100 and above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.domain.arrays import BoolArray, FloatArray

BITBRAINS = Path("load") / "vms_hourly_2013.parquet"
AZURE = Path("load") / "azure_vms_5min_cpu_avg.parquet"
HOURS = 24
WEEK = 7
BLOCK_DAYS = 7.0
"""Mean length of a block."""
MIN_KNOWN = 0.9
AFFECTED = 0.6
"""Share of the series that a shift happens to."""
LARGEST_PERCENT = 100.0


class Kind(StrEnum):
    """What changes."""

    MEAN = "mean"
    SCALE = "scale"
    SHAPE = "shape"
    SEASON = "season"
    RESIDUAL_BIAS = "residual_bias"
    LATER = "hours_later"
    ORDER = "order_of_days"
    RESIDUAL_SCALE = "residual_scale"


class Size(StrEnum):
    """How much, by what is usual for each series."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


AMOUNTS: dict[Kind, tuple[float, float, float]] = {
    Kind.MEAN: (0.5, 1.0, 2.0),
    Kind.SCALE: (1.5, 2.0, 3.0),
    Kind.SHAPE: (0.4, 0.7, 1.0),
    Kind.SEASON: (0.5, 1.0, 2.0),
    Kind.RESIDUAL_BIAS: (0.5, 1.0, 2.0),
    Kind.LATER: (3.0, 6.0, 12.0),
    Kind.ORDER: (0.4, 0.7, 1.0),
    Kind.RESIDUAL_SCALE: (1.5, 2.0, 3.0),
}
"""Standard deviations of hours or of errors; for scales a factor, for shape a share, for later hours.

For the order it is the share of the days that change places: every day stays what it was, so that
level, spread, shape and rhythm of days are distributed as before, and the weekly pattern is gone.
What a forecast goes by is gone with it, and only its errors can tell; the simple one errs a tenth to
a fifth more for it, within what its errors vary from week to week.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPath:
    """Load and the errors of forecasts of it.

    Attributes:
        values: (series, days, 24), NaN where unknown.
        residuals: Truth minus forecast, the same shape.
    """

    values: FloatArray
    residuals: FloatArray

    @property
    def days(self) -> int:
        """Days of the path."""
        return int(self.values.shape[1])

    def between(self, first: int, last: int) -> LoadPath:
        """Return the days from first up to but without last."""
        return LoadPath(
            values=self.values[:, first:last],
            residuals=self.residuals[:, first:last],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Days that may be drawn.

    Attributes:
        name: For tables.
        values: (series, days, 24), NaN where unknown.
        good: (days,) recorded as a whole; the others are never drawn.
        clock: Whether a day's place in the week is known.
    """

    name: str
    values: FloatArray
    good: BoolArray
    clock: bool


def sources(data: Path | None, *, reported: bool) -> list[Source]:
    """Return what paths are drawn from: recordings where there are some, and a seeded one."""
    found = []
    if data is not None and (data / BITBRAINS).exists():
        found.append(_bitbrains(data, remainder=int(reported)))
    if data is not None and (data / AZURE).exists():
        found.append(_azure(data, remainder=int(reported)))
    return [*found, seeded_source(100 if reported else 0)]


def stable_paths(
    source: Source, *, days: int, count: int, series: int, seed: int
) -> Iterator[LoadPath]:
    """Yield paths of so many days without any drift, each of other series and other days."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        rows = rng.permutation(len(source.values))[:series]
        # A week more: the errors of its forecasts are not known.
        drawn = drawn_days(source.good, days=days + WEEK, clock=source.clock, rng=rng)
        values = source.values[np.sort(rows)][:, drawn]
        yield LoadPath(values=values, residuals=residuals_of(values)).between(WEEK, days + WEEK)


def drawn_days(good: BoolArray, *, days: int, clock: bool, rng: np.random.Generator) -> list[int]:
    """Return days of a recording in blocks of random length, weekdays at their place."""
    drawn: list[int] = []
    while len(drawn) < days:
        last = drawn[-1] + 1 if drawn else len(good)
        if last < len(good) and good[last] and rng.random() > 1.0 / BLOCK_DAYS:
            drawn.append(last)
            continue
        fits = good & (~np.bool_(clock) | (np.arange(len(good)) % WEEK == len(drawn) % WEEK))
        drawn.append(int(rng.choice(np.flatnonzero(fits))))
    return drawn


def residuals_of(values: FloatArray) -> FloatArray:
    """Return the errors of a simple forecast, half the day before and half the week's usual hour.

    Args:
        values: (series, days, 24).

    Returns:
        The same shape; unknown in the first week.
    """
    lagged = np.stack([_lagged(values, days) for days in range(1, WEEK + 1)])
    usual = lagged.mean(axis=0)
    return np.asarray(values - 0.5 * lagged[0] - 0.5 * usual)


def _lagged(values: FloatArray, days: int) -> FloatArray:
    moved = np.full_like(values, np.nan)
    moved[:, days:] = values[:, :-days]
    return moved


def shifted(path: LoadPath, *, kind: Kind, size: Size, day: int, seed: int) -> LoadPath:
    """Return the path with a change from the day on in some of its series.

    The amount is in units of what each series did before: its hours' standard deviation around the
    mean, or that of its residuals. Forecasts adapt as they do to a real change, except for bias and
    scale of the residuals, which are laid over the errors alone.
    """
    rng = np.random.default_rng([seed, list(Kind).index(kind)])
    rows = np.sort(rng.permutation(len(path.values))[: round(AFFECTED * len(path.values))])
    amount = AMOUNTS[kind][list(Size).index(size)]
    before = path.values[rows, :day]
    centre = np.nanmean(before, axis=(1, 2), keepdims=True)
    spread = np.nanstd(before, axis=(1, 2), keepdims=True)
    signs = rng.choice([-1.0, 1.0], size=(len(rows), 1, 1))
    if kind in {Kind.RESIDUAL_BIAS, Kind.RESIDUAL_SCALE}:
        residuals = path.residuals.copy()
        usual = np.nanstd(residuals[rows, :day], axis=(1, 2), keepdims=True)
        if kind is Kind.RESIDUAL_BIAS:
            residuals[rows, day:] += signs * amount * usual
        else:
            residuals[rows, day:] *= amount
        return replace(path, residuals=residuals)
    after = path.values[rows, day:]
    if kind is Kind.LATER:
        changed = _later(path.values[rows], hours=int(amount))[:, day:]
    elif kind is Kind.ORDER:
        changed = _in_another_order(after, share=amount, rng=rng)
    elif kind is Kind.MEAN:
        # Up, for load cannot fall below nothing: most machines have no room for two deviations.
        changed = after + amount * spread
    elif kind is Kind.SCALE:
        changed = centre + amount * (after - centre)
    elif kind is Kind.SHAPE:
        changed = _two_levels(after, spread=spread, share=amount)
    else:
        phase = rng.uniform(0.0, 2.0 * np.pi, size=(len(rows), 1, 1))
        changed = after + amount * spread * np.sin(2.0 * np.pi * np.arange(HOURS) / HOURS + phase)
    values = path.values.copy()
    values[rows, day:] = np.maximum(changed, 0.0)
    effect = residuals_of(values) - residuals_of(path.values)
    return LoadPath(values=values, residuals=path.residuals + np.nan_to_num(effect))


def _two_levels(after: FloatArray, *, spread: FloatArray, share: float) -> FloatArray:
    """Return values drawn toward two levels, with the mean and the spread that they had."""
    daily = np.nanmedian(after, axis=2, keepdims=True)
    drawn = (1.0 - share) * after + share * (daily + spread * np.sign(after - daily))
    mean, deviation = (f(after, axis=(1, 2), keepdims=True) for f in (np.nanmean, np.nanstd))
    drawn_mean = np.nanmean(drawn, axis=(1, 2), keepdims=True)
    drawn_deviation = np.nanstd(drawn, axis=(1, 2), keepdims=True)
    factor = deviation / np.where(drawn_deviation > 0.0, drawn_deviation, 1.0)
    return np.asarray(mean + factor * (drawn - drawn_mean))


def _later(values: FloatArray, *, hours: int) -> FloatArray:
    """Return (series, days, 24) values that come so many hours later, unknown before the first."""
    flat = values.reshape(len(values), -1)
    moved = np.full_like(flat, np.nan)
    moved[:, hours:] = flat[:, :-hours]
    return moved.reshape(values.shape)


def _in_another_order(after: FloatArray, *, share: float, rng: np.random.Generator) -> FloatArray:
    """Return (series, days, 24) with a share of each series' days in each other's places."""
    changed = after.copy()
    days = after.shape[1]
    for row in range(len(after)):
        places = rng.permutation(days)[: round(share * days)]
        changed[row, places] = after[row, rng.permutation(places)]
    return changed


def seeded_source(seed: int, *, series: int = 120, days: int = 119) -> Source:
    """Return load with daily and weekly seasons, wandering levels and common events."""
    rng = np.random.default_rng([seed, 7])
    hours = np.arange(days * HOURS)
    level = rng.uniform(5.0, 40.0, size=(series, 1))
    daily = rng.uniform(0.0, 0.5, size=(series, 1))
    weekend = rng.uniform(0.4, 1.0, size=(series, 1))
    phase = rng.uniform(0.0, 2.0 * np.pi, size=(series, 1))
    season = 1.0 + daily * np.sin(2.0 * np.pi * hours / HOURS + phase)
    season = season * np.where(hours // HOURS % WEEK >= 5, weekend, 1.0)
    noise = 0.10 * _wandering(rng, (series, days * HOURS), memory=0.98)
    noise += 0.07 * _wandering(rng, (1, days * HOURS), memory=0.95)
    noise += 0.05 * rng.standard_t(4.0, size=(series, days * HOURS))
    values = np.clip(level * season * np.exp(noise), 0.0, LARGEST_PERCENT)
    return Source(
        name="seeded",
        values=values.reshape(series, days, HOURS),
        good=np.ones(days, dtype=np.bool_),
        clock=True,
    )


def _wandering(rng: np.random.Generator, shape: tuple[int, int], *, memory: float) -> FloatArray:
    steps = rng.standard_normal(shape) * np.sqrt(1.0 - memory**2)
    steps[:, 0] = rng.standard_normal(shape[0])
    for at in range(1, shape[1]):
        steps[:, at] += memory * steps[:, at - 1]
    return np.asarray(steps)


def _bitbrains(data: Path, *, remainder: int) -> Source:
    columns = ["timestamp", "resource_id", "cpu_percent"]
    frame = pd.read_parquet(data / BITBRAINS, columns=columns)
    frame = frame[frame["resource_id"] % 2 == remainder]
    wide = frame.pivot(index="timestamp", columns="resource_id", values="cpu_percent")
    # Hours of a missing day are hours of the grid.
    first, last = wide.index[0].ceil("D"), wide.index[-1].floor("D")
    grid = pd.date_range(first, last, freq="h", inclusive="left")
    return _source("bitbrains", wide.reindex(grid).clip(0.0, LARGEST_PERCENT), clock=True)


def _azure(data: Path, *, remainder: int) -> Source:
    frame = pd.read_parquet(data / AZURE)
    ours = frame[sorted(frame.columns)[remainder::2]].to_numpy()
    hourly = ours[: len(ours) // 288 * 288].reshape(-1, 12, ours.shape[1]).mean(axis=1)
    return _source("azure", pd.DataFrame(hourly), clock=False)


def _source(name: str, wide: pd.DataFrame, *, clock: bool) -> Source:
    values = wide.to_numpy(dtype=np.float64).T.reshape(wide.shape[1], -1, HOURS)
    values = values[np.isfinite(values).mean(axis=(1, 2)) >= MIN_KNOWN]
    good = np.isfinite(values).mean(axis=(0, 2)) >= MIN_KNOWN
    return Source(name=name, values=values, good=good, clock=clock)
