"""When instances run, by the hour of the week."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.inventory import Instance, InstanceState, ScalingGroup
from tasks.domain.savings.money import HOURS_PER_WEEK
from tasks.domain.usage.panel import Metric, UsagePanel

BILLED = frozenset({InstanceState.RUNNING, InstanceState.PENDING, InstanceState.STOPPING})
AS_BEFORE_WEEKS = 2
"""Weeks in which something has to happen to be a habit."""
LONGEST_REST = 1.5
"""How long a rest may be over the longest before it: a weekend with a holiday."""
ENDED = frozenset({InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED})


def mean_by_hour_of_week(values: FloatArray, hours: NDArray[np.int64]) -> FloatArray:
    """Return (168,) means; an hour of the week without any value has the mean of the others.

    Args:
        values: (n,), NaN where unknown; not all of them.
        hours: (n,) hour of the week of each.
    """
    known = np.isfinite(values)
    counts = np.bincount(hours[known], minlength=HOURS_PER_WEEK)
    sums = np.bincount(hours[known], weights=values[known], minlength=HOURS_PER_WEEK)
    mean = float(values[known].mean())
    found: FloatArray = np.where(counts > 0, sums / np.maximum(counts, 1), mean)
    return found


def quantile_by_hour_of_week(
    values: FloatArray, hours: NDArray[np.int64], *, quantile: float
) -> FloatArray:
    """Return (168,) quantiles, NaN for an hour of the week without any value.

    Args:
        values: (n,) of consecutive hours, at least one, NaN where unknown.
        hours: (n,) hour of the week of each.
        quantile: 0 to 1; between two values the higher one.
    """
    begin = int(hours[0])
    weeks = -(-(begin + len(values)) // HOURS_PER_WEEK)
    laid_out = np.full(weeks * HOURS_PER_WEEK, np.nan)
    laid_out[begin : begin + len(values)] = values
    ordered = np.sort(laid_out.reshape(weeks, HOURS_PER_WEEK), axis=0)  # NaN last
    counts = np.isfinite(ordered).sum(axis=0)
    at = np.ceil(quantile * (counts - 1) - 1e-9).astype(np.int64).clip(min=0)
    found: FloatArray = np.take_along_axis(ordered, at[None, :], axis=0)[0]
    return found


def running_of(instance: Instance, panel: UsagePanel, *, reported: BoolArray) -> FloatArray:
    """Return (168,) share of each hour of the week in which an instance runs.

    Args:
        instance: Any. One that is stopped costs nothing any more, unless it comes and goes by the
            week: `comes_back`.
        panel: Use by the hour.
        reported: (hours,) whether anything was reported at all: `hours_reported`.
    """
    ran = hours_run(instance, panel, reported=reported)
    billed = instance.state in BILLED
    known = np.isfinite(ran)
    if not known.any():
        return np.full(HOURS_PER_WEEK, float(billed))
    hours = panel.hour_of_week()
    if not billed and not comes_back(ran, hours):
        return np.zeros(HOURS_PER_WEEK)
    return mean_by_hour_of_week(ran, hours)


def comes_back(ran: FloatArray, hours: NDArray[np.int64]) -> bool:
    """Return whether what is stopped now will start again, as it did before.

    It will if it ran at the same hours of the week, and rested at the same, in at least two weeks;
    started in at least two weeks; and rests now no longer than half as long again as it ever did
    before a start.

    Args:
        ran: (n,) of consecutive hours: 1 where it ran, 0 where not, NaN where that is not known.
        hours: (n,) hour of the week of each.
    """
    known = np.flatnonzero(np.isfinite(ran))
    on = known[ran[known] > 0.5]
    if len(on) == 0:
        return False
    rests = np.diff(on)
    starts = on[1:][rests > 1]
    began = int(hours[0])
    weeks_started = np.unique((began + starts) // HOURS_PER_WEEK)
    if len(weeks_started) < AS_BEFORE_WEEKS or not (
        _in_weeks(on, began) and _in_weeks(known[ran[known] <= 0.5], began)
    ):
        return False
    return bool(len(ran) - on[-1] <= LONGEST_REST * rests.max())


def _in_weeks(at: NDArray[np.int64], began: int) -> bool:
    """Return whether one hour of the week is there in at least two weeks."""
    counts = np.bincount((began + at) % HOURS_PER_WEEK, minlength=HOURS_PER_WEEK)
    return bool(counts.max() >= AS_BEFORE_WEEKS)


def hours_run(instance: Instance, panel: UsagePanel, *, reported: BoolArray) -> FloatArray:
    """Return (hours,) 1 where an instance ran, 0 where it did not, NaN where that is not known.

    A running instance has run since its last start. Before that, an hour with processor use is one
    in which it ran; hours before the first such hour, and hours in which nothing at all was
    reported, say nothing.
    """
    found = np.full(panel.hours, np.nan)
    row = panel.row(Metric.CPU_MEAN, instance.instance_id)
    if row is not None:
        seen = np.isfinite(row)
        first = int(np.argmax(seen))
        found[first:] = np.where(reported[first:], seen[first:].astype(np.float64), np.nan)
    if instance.state in BILLED:
        since = -(-(instance.launched_at - panel.start) // timedelta(hours=1))
        found[max(since, 0) :] = 1.0
    return found


def days_observed(instance: Instance, panel: UsagePanel, *, reported: BoolArray) -> float:
    """Return days of which it is known whether an instance ran: since it was first seen.

    That EC2 says it has run since its last start is no observation.
    """
    row = panel.row(Metric.CPU_MEAN, instance.instance_id)
    if row is None:
        return 0.0
    known = np.isfinite(row)
    first, last = int(np.argmax(known)), panel.hours
    if instance.state in BILLED:
        last = max(-(-(instance.launched_at - panel.start) // timedelta(hours=1)), 0)
    known[first:last] |= reported[first:last]
    return float(known.sum()) / 24.0


def group_running(group: ScalingGroup, panel: UsagePanel) -> FloatArray | None:
    """Return (168,) mean number of instances of a group; None where it is not reported."""
    row = panel.row(Metric.INSTANCES, group.series)
    if row is None:
        return None
    return mean_by_hour_of_week(row.astype(np.float64), panel.hour_of_week())


def hours_reported(panel: UsagePanel) -> BoolArray:
    """Return (hours,) whether any resource reported processor use."""
    return np.asarray(np.isfinite(panel.of(Metric.CPU_MEAN)).any(axis=0), dtype=np.bool_)


def days_known(panel: UsagePanel, resource: str, metric: Metric) -> float:
    """Return days of which a metric is known."""
    row = panel.row(metric, resource)
    return 0.0 if row is None else float(np.isfinite(row).sum()) / 24.0
