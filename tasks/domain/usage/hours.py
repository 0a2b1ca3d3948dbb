"""Rows of hours with holes: counts, sums and quantiles that leave the unknown out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.usage.clock import HOURS_PER_WEEK
from tasks.domain.usage.panel import Float32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Values of some resources with what is often asked of them.

    Attributes:
        values: (n, hours); NaN where unknown.
        ordered: (n, hours) ascending in each row, unknown last.
        count: (n,) known hours.
        mean: (n,); NaN where no hour is known.
        variance: (n,) around the mean, of the known hours; NaN where none is.
    """

    values: Float32Array
    ordered: Float32Array
    count: IntArray
    mean: FloatArray
    variance: FloatArray

    def quantile(self, share: float) -> FloatArray:
        """Return (n,) the value that a share of the known hours is at or below; NaN if none."""
        if not self.ordered.shape[1]:
            return np.full(len(self.ordered), np.nan)
        at = np.maximum(np.ceil(share * self.count).astype(np.int64) - 1, 0)
        found = np.take_along_axis(self.ordered, at[:, None], axis=1)[:, 0]
        return found.astype(np.float64)

    def share_below(self, limit: float) -> FloatArray:
        """Return (n,) the share of known hours below a limit; NaN if none is known."""
        with np.errstate(invalid="ignore"):
            below = (self.values < limit).sum(axis=1)
        found: FloatArray = below / np.where(self.count > 0, self.count, np.nan)
        return found

    def local_week(self, *, begin: int, offsets: IntArray) -> tuple[FloatArray, IntArray]:
        """Return the mean and the count of each local hour of the week, both (n, 168).

        Args:
            begin: UTC hour of the week of the first column; columns are whole weeks.
            offsets: (n,) hours to add to UTC.
        """
        count, hours = self.values.shape
        weeks = self.values.reshape(count, hours // HOURS_PER_WEEK, HOURS_PER_WEEK)
        known = ~np.isnan(weeks)
        number = known.sum(axis=1)
        total = np.where(known, weeks, np.float32(0.0)).sum(axis=1, dtype=np.float64)
        at = (np.arange(HOURS_PER_WEEK) - begin - offsets[:, None]) % HOURS_PER_WEEK
        mean = total / np.where(number > 0, number, np.nan)
        return np.take_along_axis(mean, at, axis=1), np.take_along_axis(number, at, axis=1)


def hours_of(values: Float32Array) -> Hours:
    """Return rows with their counts, means and order."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    some = np.where(count > 0, count, np.nan)
    mean = np.where(known, values, np.float32(0.0)).sum(axis=1, dtype=np.float64) / some
    apart = np.where(known, values - mean[:, None].astype(np.float32), np.float32(0.0))
    variance = np.einsum("ij,ij->i", apart, apart, dtype=np.float64) / some
    return Hours(
        values=values,
        ordered=np.sort(values, axis=1),
        count=count,
        mean=mean,
        variance=variance,
    )
