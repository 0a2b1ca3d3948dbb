"""The daily bill of an account: a pure function of what is in it, the time and a seed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import numpy as np
import pandas as pd

from deployments.embedded.aws.cost.cover import add_plans
from deployments.embedded.aws.cost.history import (
    began_at,
    extended,
    passing_hours,
    spike_of,
    use_per_day,
)
from deployments.embedded.aws.cost.lines import COMPUTE, EC2_OTHER, Bill, CostTable, LineKey
from deployments.embedded.aws.cost.rates import on_demand_rate, volume_amounts
from deployments.embedded.aws.cost.snapshot import AccountSnapshot, BilledInstance, BilledVolume
from deployments.embedded.aws.price_list import USAGE_PREFIX
from tasks.domain.arrays import FloatArray

MONTHS = 14
"""Calendar months that Cost Explorer goes back, this one included."""

LAG = timedelta(hours=24)
"""What was used later is not in the bill yet."""

TRANSFER = "DataTransfer-Out-Bytes"
SPOT_SHARE = 0.35
"""Of on demand, where no spot price is recorded."""

_SECONDS_PER_DAY = 86_400.0


def first_day_of(now: datetime) -> date:
    """Return the first day that can be asked for."""
    month = pd.Period(now.date(), freq="M") - (MONTHS - 1)
    return month.start_time.date()


def cost_table(snapshot: AccountSnapshot, *, now: datetime, seed: int) -> CostTable:
    """Return what every day cost, from the first that can be asked for to the last that is known.

    An instance costs its price while it runs; one in a group cost, on the days before the account was
    opened, its part of as many as were in service then. Types and regions without a price are left
    out. A volume costs from its creation until it is deleted, by its size and what was provisioned.

    Args:
        snapshot: The account.
        now: Aware; the bill ends `LAG` before it.
        seed: Of the invented past (see history.py).
    """
    first_day = first_day_of(now)
    known_until = now - LAG
    days = max(0, (known_until.date() - first_day).days + 1)
    bill = Bill(first_day=first_day, days=days)
    writer = _Writer(snapshot, bill, first_day=first_day, until=known_until, days=days, seed=seed)
    writer.add_all()
    add_plans(bill, snapshot.plans, hours=writer.hours)
    return bill.table()


class _Writer:
    """Writes one account's usage into a bill."""

    def __init__(
        self,
        snapshot: AccountSnapshot,
        bill: Bill,
        *,
        first_day: date,
        until: datetime,
        days: int,
        seed: int,
    ) -> None:
        self._snapshot = snapshot
        self._bill = bill
        self._first = first_day.toordinal()
        self._days = days
        self._until = until
        self._start = start = datetime.combine(first_day, time(), tzinfo=UTC)
        self._edges = start.timestamp() + _SECONDS_PER_DAY * np.arange(days + 1)
        self._began = partial(began_at, first=start, opened_at=snapshot.opened_at, seed=seed)
        calendar = pd.date_range(first_day, periods=days, freq="D")
        self._hours_of_month = 24.0 * calendar.days_in_month.to_numpy(np.float64)
        self._seed = seed
        self._shares = self._group_shares()

    def hours(self, start: datetime, end: datetime | None) -> FloatArray:
        """Return the hours of each day between two instants, as far as they are known."""
        last = min(self._until, end or self._until).timestamp()
        lived = np.minimum(last, self._edges[1:]) - np.maximum(start.timestamp(), self._edges[:-1])
        found: FloatArray = np.clip(lived, 0.0, None) / 3600.0
        return found

    def add_all(self) -> None:
        """Add everything that is billed by itself."""
        for instance in self._snapshot.instances:
            self._add_instance(instance)
        for volume in self._snapshot.volumes:
            self._add_volume(volume)
        self._add_hourly()
        self._add_uses()

    def _add_hourly(self) -> None:
        for one in self._snapshot.hourly:
            hours = self.hours(self._began(one.identity, one.created_at), None)
            key = LineKey(
                service=one.service,
                usage_type=one.usage_type,
                region=one.region,
                unit="Hrs",
                tags=one.tags,
            )
            self._bill.add(key, usd=hours * one.usd_per_hour, quantity=hours)

    def _add_uses(self) -> None:
        # Of the last day only a part is known yet.
        part = self.hours(self._start, None) / 24.0
        spike = spike_of(self._snapshot, usage_type=TRANSFER)
        for use in self._snapshot.uses:
            quantity = use_per_day(use, first=self._first, days=self._days, seed=self._seed)
            if spike is not None and spike.is_of(use):
                quantity += self._on_day(spike.day, spike.quantity)
            quantity *= part
            key = LineKey(
                service=use.service,
                usage_type=use.usage_type,
                region=use.region,
                unit=use.unit,
                tags=use.tags,
            )
            self._bill.add(key, usd=quantity * use.usd_per_unit, quantity=quantity)

    def _on_day(self, day: int, quantity: float) -> FloatArray:
        return np.where(np.arange(self._days) == day - self._first, quantity, 0.0)

    def _add_instance(self, one: BilledInstance) -> None:
        price = self._usd_per_hour(one)
        if price is None:
            return
        hours = self._hours_billed(one)
        kind = "SpotUsage" if one.spot else "BoxUsage"
        key = LineKey(
            service=COMPUTE,
            usage_type=f"{USAGE_PREFIX[one.region]}{kind}:{one.instance_type}",
            region=one.region,
            unit="Hrs",
            tags=one.tags,
        )
        self._bill.add(key, usd=hours * price, quantity=hours)

    def _hours_billed(self, one: BilledInstance) -> FloatArray:
        """Return the hours of an instance and of what ran beside or before it, by day."""
        first = one.first_launched_at
        was_there = (first or one.launched_at) < self._snapshot.opened_at
        share = self._shares.get((one.region, one.group or ""))
        if share is not None and was_there:
            began = one.launched_at if first else self._start
            return self.hours(began, one.ended_at) * share
        began = one.launched_at if first else self._began(one.identity, one.launched_at)
        hours = self.hours(began, one.ended_at)
        if one.group is None and not one.spot and was_there:
            hours = hours + passing_hours(one.identity, hours, first=self._first, seed=self._seed)
        return hours

    def _usd_per_hour(self, one: BilledInstance) -> FloatArray | float | None:
        price = on_demand_rate(one)
        if price is None or not one.spot:
            return price
        series = self._snapshot.spot_usd.get((one.zone, one.instance_type, one.product))
        if series is None:
            return price * SPOT_SHARE
        recorded = series.on(self._first, self._days)
        return np.where(np.isnan(recorded), price * SPOT_SHARE, recorded)

    def _group_shares(self) -> dict[tuple[str, str], FloatArray]:
        """Return how many instances each one in a group stands for; 1 since the opening."""
        members = Counter(
            (one.region, one.group)
            for one in self._snapshot.instances
            if one.group is not None and one.launched_at < self._snapshot.opened_at
        )
        since = self._edges[:-1] > self._snapshot.opened_at.timestamp() - _SECONDS_PER_DAY
        found = {}
        for (region, group), count in members.items():
            series = self._snapshot.in_service.get((region, group))
            if series is not None:
                level = extended(series, first=self._first, days=self._days)
                found[region, group] = np.where(since | np.isnan(level), 1.0, level / count)
        return found

    def _add_volume(self, one: BilledVolume) -> None:
        began = one.created_at if one.follows else self._began(one.identity, one.created_at)
        months = self.hours(began, one.ended_at) / self._hours_of_month
        for amount in volume_amounts(one):
            key = LineKey(
                service=EC2_OTHER,
                usage_type=f"{USAGE_PREFIX[one.region]}{amount.usage_type}",
                region=one.region,
                unit=amount.unit,
                tags=one.tags,
            )
            quantity = months * amount.quantity
            self._bill.add(key, usd=quantity * amount.usd, quantity=quantity)
