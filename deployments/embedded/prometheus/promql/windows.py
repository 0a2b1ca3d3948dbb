"""Functions of the samples in a range before each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from deployments.embedded.prometheus.promql.limits import Check, unlimited
from deployments.embedded.prometheus.promql.values import quantiles
from deployments.embedded.prometheus.samples import Selected
from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints

Ranged = tuple[Floats, Bools]
"""(S, K) values, and where there are any."""
_CELLS = 2_000_000
"""Samples of windows that are laid out at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Samples of the series of one metric, and which of them lie in the range before each step.

    Ranges are open on the left, as they are since Prometheus 3.

    Attributes:
        times: (S, n) seconds since `origin`, the samples of each series first.
        values: (S, n)
        low: (S, K) column of the first sample of a range.
        high: (S, K) column after the last one.
        starts: (K,) seconds since `origin`.
        ends: (K,) the same.
        check: Called before each block.
    """

    times: Floats
    values: Floats
    low: Ints
    high: Ints
    starts: Floats
    ends: Floats
    check: Check = unlimited

    @property
    def count(self) -> Ints:
        """Return (S, K) how many samples are in each range."""
        return self.high - self.low

    def at(self, table: Floats, column: Ints) -> Floats:
        """Return (S, K) of an array like `values` at columns; of no meaning where there is no sample."""
        if not table.shape[1]:
            return np.zeros(column.shape)
        inside = np.clip(column, 0, table.shape[1] - 1)
        return np.take_along_axis(table, inside, axis=1)

    def blocks(self) -> Iterator[tuple[slice, Floats, Floats, Bools]]:
        """Yield steps, and (S, k, w) times and values of their ranges and which of them are samples."""
        widest = max(int(self.count.max(initial=0)), 1)
        steps = max(1, _CELLS // (widest * max(len(self.values), 1)))
        across = np.arange(widest)
        for first in range(0, self.low.shape[1], steps):
            self.check()
            part = slice(first, first + steps)
            column = self.low[:, part, None] + across
            inside = across < self.count[:, part, None]
            shape = column.shape
            flat = column.reshape(len(column), -1)
            times = self.at(self.times, flat).reshape(shape)
            yield part, times, self.at(self.values, flat).reshape(shape), inside


def windows_of(found: Selected, ends: Ints, *, range_ms: int, check: Check = unlimited) -> Windows:
    """Return the ranges of so many milliseconds that end at instants."""
    columns = [np.searchsorted(found.times, at, side="right") for at in (ends - range_ms, ends)]
    seen = np.zeros((len(found.labels), len(found.times) + 1), dtype=np.int64)
    np.cumsum(found.present, axis=1, out=seen[:, 1:])
    origin = int(ends[0]) if len(ends) else 0
    times = np.broadcast_to((found.times - origin) / 1000.0, found.values.shape)
    values = found.values
    if not found.present.all():
        order = np.argsort(~found.present, axis=1, kind="stable")
        times, values = (np.take_along_axis(one, order, axis=1) for one in (times, values))
    return Windows(
        times=times,
        values=values,
        low=seen[:, columns[0]],
        high=seen[:, columns[1]],
        starts=(ends - range_ms - origin) / 1000.0,
        ends=(ends - origin) / 1000.0,
        check=check,
    )


def _running(per_pair: Floats) -> Floats:
    """Return (S, n) running sums of what lies between neighbours, 0 first."""
    total = np.zeros((len(per_pair), per_pair.shape[1] + 1))
    np.cumsum(per_pair, axis=1, out=total[:, 1:])
    return total


def _between(windows: Windows, per_pair: Floats) -> Floats:
    total = _running(per_pair)
    return windows.at(total, windows.high - 1) - windows.at(total, windows.low)


def _pairs(windows: Windows) -> tuple[Floats, Floats]:
    return windows.values[:, :-1], windows.values[:, 1:]


def extended(windows: Windows, *, counter: bool, per_second: bool, range_seconds: float) -> Ranged:
    """Return rate, increase or delta, extended to the edges of the range as Prometheus does it.

    To an edge that is within 1.1 mean distances of samples the line goes on, else by half of one; a
    counter's line starts no earlier than it was zero (promql/functions.go, extrapolatedRate).

    Args:
        windows: At least two samples make a result.
        counter: What falls has begun anew.
        per_second: Divide by the range.
        range_seconds: Length of the range.
    """
    enough = windows.count >= 2
    first, last = windows.low, windows.high - 1
    start_value = windows.at(windows.values, first)
    change = windows.at(windows.values, last) - start_value
    if counter:
        before, after = _pairs(windows)
        change = change + _between(windows, np.where(after < before, before, 0.0))
    start_time, end_time = windows.at(windows.times, first), windows.at(windows.times, last)
    with np.errstate(all="ignore"):
        sampled = end_time - start_time
        distance = sampled / (windows.count - 1)
        to_start = start_time - windows.starts
        to_start = np.where(to_start >= 1.1 * distance, distance / 2, to_start)
        if counter:
            zero = sampled * start_value / change
            rises = (change > 0) & (start_value >= 0)
            to_start = np.where(rises & (zero < to_start), zero, to_start)
        to_end = windows.ends - end_time
        to_end = np.where(to_end >= 1.1 * distance, distance / 2, to_end)
        factor = (sampled + to_start + to_end) / sampled
        result = change * (factor / range_seconds if per_second else factor)
    return result, enough


def last_change(windows: Windows, *, counter: bool, per_second: bool) -> Ranged:
    """Return irate or idelta: of the last two samples of a range."""
    last = windows.high - 1
    new, old = windows.at(windows.values, last), windows.at(windows.values, last - 1)
    change = np.where(new < old, new, new - old) if counter else new - old
    with np.errstate(all="ignore"):
        seconds = windows.at(windows.times, last) - windows.at(windows.times, last - 1)
        return (change / seconds if per_second else change), windows.count >= 2


def changes(windows: Windows) -> Ranged:
    """Return how often a value was another than the one before."""
    before, after = _pairs(windows)
    differs = (before != after) & ~(np.isnan(before) & np.isnan(after))
    return _between(windows, differs.astype(float)), windows.count >= 1


def resets(windows: Windows) -> Ranged:
    """Return how often a value was below the one before."""
    before, after = _pairs(windows)
    return _between(windows, (after < before).astype(float)), windows.count >= 1


def last(windows: Windows) -> Ranged:
    """Return the last value."""
    return windows.at(windows.values, windows.high - 1), windows.count >= 1


def counted(windows: Windows) -> Ranged:
    """Return how many samples there are."""
    return windows.count.astype(float), windows.count >= 1


def reduced(windows: Windows, function: Callable[[Floats, Bools], Floats]) -> Ranged:
    """Return a function of the values of each range.

    Args:
        windows: Of some series.
        function: Of (S, k, w) values and which are samples, to (S, k).
    """
    result = np.zeros(windows.low.shape)
    for part, _, values, inside in windows.blocks():
        with np.errstate(all="ignore"):
            result[:, part] = function(values, inside)
    return result, windows.count >= 1


def mean(values: Floats, inside: Bools) -> Floats:
    """Return the mean of samples."""
    found: Floats = total(values, inside) / inside.sum(axis=-1)
    return found


def total(values: Floats, inside: Bools) -> Floats:
    """Return the sum of samples."""
    found: Floats = np.where(inside, values, 0.0).sum(axis=-1)
    return found


def least(values: Floats, inside: Bools) -> Floats:
    """Return the smallest of samples; NaN only when all are."""
    found: Floats = np.fmin.reduce(np.where(inside, values, np.nan), axis=-1)
    return found


def most(values: Floats, inside: Bools) -> Floats:
    """Return the largest of samples; NaN only when all are."""
    found: Floats = np.fmax.reduce(np.where(inside, values, np.nan), axis=-1)
    return found


def deviation(values: Floats, inside: Bools) -> Floats:
    """Return the standard deviation of samples."""
    centre = mean(values, inside)
    found: Floats = np.sqrt(mean((values - centre[..., None]) ** 2, inside))
    return found


def over_quantile(windows: Windows, q: Floats) -> Ranged:
    """Return a quantile of each range; q is (K,)."""
    result = np.zeros(windows.low.shape)
    for part, _, values, inside in windows.blocks():
        result[:, part] = quantiles(values, inside, q[part])
    return result, windows.count >= 1


def line(windows: Windows, ahead_seconds: Floats | None) -> Ranged:
    """Return the slope by least squares, or where the line is so many seconds after each step.

    Args:
        windows: At least two samples make a line.
        ahead_seconds: (K,) None for the slope per second.
    """
    result = np.zeros(windows.low.shape)
    for part, times, values, inside in windows.blocks():
        with np.errstate(all="ignore"):
            origin = times[..., 0] if ahead_seconds is None else windows.ends[None, part]
            x = times - origin[..., None]
            count = inside.sum(axis=-1)
            mean_x, mean_y = mean(x, inside), mean(values, inside)
            away = x - mean_x[..., None]
            slope = total(away * (values - mean_y[..., None]), inside) / total(away**2, inside)
            slope = np.where(count >= 2, slope, 0.0)
            if ahead_seconds is None:
                result[:, part] = slope
            else:
                result[:, part] = mean_y + slope * (ahead_seconds[part] - mean_x)
    return result, windows.count >= 2
