"""What everything cost by the hour: hours that it ran times what an hour cost then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.inventory import Inventory
from tasks.domain.savings.bill import MONTHS_HOURS
from tasks.domain.savings.machines import Machines, machines_of
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.values import AppliedChange, CostPanel
from tasks.domain.savings.running import hours_reported, hours_run
from tasks.domain.usage.panel import Metric, UsagePanel

REPRICED = frozenset({Kind.RIGHT_SIZE, Kind.SPOT})
"""Kinds after which an hour costs something else: today's price says nothing of the time before."""
NOT_IN_PANEL = frozenset({Kind.SERVERLESS, Kind.COMMITMENT})
"""Kinds of which the hours of a machine do not tell the whole cost afterwards."""


def cost_panel(
    panel: UsagePanel,
    inventory: Inventory,
    prices: PriceBook,
    applied: Sequence[AppliedChange],
    *,
    hourly_prices: Mapping[str, FloatArray] | None = None,
    touched: Mapping[str, tuple[datetime, ...]] | None = None,
    peers: Mapping[str, str] | None = None,
) -> CostPanel:
    """Return the hourly cost of every machine and group with a known price.

    A single instance costs its price in the hours that it ran, a group the price of one times how
    many were reported. Left out are groups of which the number is not reported, what has no known
    price, and what was changed to another price where the price before is not told. Volumes and
    commitments are never in it: there is no use to multiply.

    Args:
        panel: Use by the hour, from weeks before the changes until now.
        inventory: As it is now.
        prices: As they are now, and as they are taken to have been; but see `hourly_prices`.
        applied: Changes; what one hour costs differs before and after each.
        hourly_prices: (hours,) USD of one running hour by series, where they are known to vary:
            spot prices, for example. They are taken for every hour, changes or not.
        touched: When a series was changed by others, by series; applied changes are added.
        peers: What a series is alike with: its cluster of use, for example.

    Returns:
        On the hours of the usage panel. An hour in which something was stopped costs 0; one of
        which that is not known is NaN.
    """
    known = hourly_prices or {}
    by_series = {one.series: [a for a in applied if a.series == one.series] for one in applied}
    machines = {one.series: one for one in machines_of(inventory, panel, prices)[0]}
    reported = hours_reported(panel)
    rows: dict[str, FloatArray] = {}
    for series in sorted(machines.keys() | by_series.keys()):
        changes = sorted(by_series.get(series, []), key=lambda one: one.applied_at)
        one = machines.get(series)
        ran = _ran(series, one, panel, reported)
        price = known.get(series)
        price = _price(one, changes, panel) if price is None else price
        if ran is None or price is None or any(a.kind in NOT_IN_PANEL for a in changes):
            continue
        # What was off cost nothing, also where the price of that hour is not known.
        rows[series] = np.where(ran == 0.0, 0.0, ran * price)
    return CostPanel(
        series=tuple(rows),
        start=panel.start,
        usd=np.array(list(rows.values())).reshape(len(rows), panel.hours),
        touched=_all_touched(applied, touched or {}),
        peers=dict(peers or {}),
    )


def _all_touched(
    applied: Sequence[AppliedChange], others: Mapping[str, tuple[datetime, ...]]
) -> Mapping[str, tuple[datetime, ...]]:
    found = {series: set(times) for series, times in others.items()}
    for one in applied:
        found.setdefault(one.series, set()).add(one.applied_at)
    return {series: tuple(sorted(times)) for series, times in found.items()}


def _ran(
    series: str, one: Machines | None, panel: UsagePanel, reported: BoolArray
) -> FloatArray | None:
    """Return (hours,) how many ran; None where nothing tells."""
    if one is not None and one.is_alone:
        found = hours_run(one.instances[0], panel, reported=reported)
        return found if bool(np.isfinite(found).any()) else None
    count = panel.row(Metric.INSTANCES, series)
    if count is not None:
        return count.astype(np.float64)
    return _ran_when_seen(series, panel, reported) if one is None else None


def _ran_when_seen(series: str, panel: UsagePanel, reported: BoolArray) -> FloatArray | None:
    """Return (hours,) 1 where a machine that is gone was seen, 0 where it could have been."""
    row = panel.row(Metric.CPU_MEAN, series)
    if row is None:
        return None
    seen = np.isfinite(row)
    found = np.where(seen, 1.0, np.where(reported, 0.0, np.nan))
    found[: int(np.argmax(seen))] = np.nan
    return found


def _price(
    one: Machines | None, changes: Sequence[AppliedChange], panel: UsagePanel
) -> FloatArray | None:
    """Return (hours,) USD of one running hour; NaN before a change that does not tell."""
    now = None if one is None else _price_now(one)
    last = now if not changes else _after(changes[-1], now)
    if last is None:
        return None
    found = np.full(panel.hours, last)
    for change in reversed(changes):
        before = _before(change, now)
        if before is None:
            return None
        until = -(-(change.applied_at - panel.start) // timedelta(hours=1))
        found[: max(until, 0)] = before
    return found


def _after(change: AppliedChange, now: float | None) -> float | None:
    told = change.usd_per_hour_after
    if told:
        return told
    # A stopped machine is told to cost 0: its hours say so already, should it run all the same.
    return change.usd_per_hour_before if now is None else now


def _before(change: AppliedChange, now: float | None) -> float | None:
    told = change.usd_per_hour_before
    return told if told is not None or change.kind in REPRICED else now


def _price_now(one: Machines) -> float | None:
    """Return USD of one running hour, of what it runs on average; None where that is not known."""
    hours = float(one.running.sum())
    if hours <= 0.0:
        return one.usd_per_hour
    lines = sum(line.usd_per_hour * float(line.running.sum()) for line in one.spend.lines)
    return (lines + one.spend.other_usd / MONTHS_HOURS) / hours
