"""How the account came to be what it is: the invented part of the bill, the same for every seed.

What runs in the embedded account was put there a moment ago, and bills have a past. So:

- Of what was there when the account was opened, 70 % had predecessors of the same size for as long as
  the bill goes back; the others began on a day drawn evenly between then and their launch. The bill
  grows by some 40 % in 14 months.
- What is billed by measured use was used, on days before it was measured, as on the same weekday while
  it was, times a growth from 0.75 at the beginning to 1, times noise of 5 % (standard deviation).
- Beside a fifth of the instances that were there at the opening other ones came and went, a third of
  them on working days and a tenth of that at weekends, with noise of 10 %: what is launched and ended
  between two looks, such as builds. They go on as long as the instance does.
- Nine days before the account was opened, the instance that sends most sent eight times as much as all
  together do on such a day, and 1,000 GB at least: something for whoever looks for anomalies.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from deployments.embedded.aws.cost.snapshot import AccountSnapshot, BilledUse, DaySeries
from tasks.domain.arrays import FloatArray

OLD_SHARE = 0.7
FIRST_GROWTH = 0.75
NOISE = 0.05
SPIKE_DAYS_AGO = 9
SPIKE_FACTOR = 8.0
LEAST_SPIKE = 1000.0
PASSING_SHARE = 0.2
PASSING_LEVEL = 0.33
PASSING_NOISE = 0.1
WORKING_DAYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """What was used far too much of, on one day.

    Attributes:
        identity, usage_type: Of the use.
        day: Ordinal.
        quantity: More than usual.
    """

    identity: str
    usage_type: str
    day: int
    quantity: float

    def is_of(self, use: BilledUse) -> bool:
        """Return whether it was this use that rose."""
        return (self.identity, self.usage_type) == (use.identity, use.usage_type)


def _draws(identity: str, *, seed: int, salt: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(f"{salt}/{identity}".encode())])


def began_at(
    identity: str, started_at: datetime, *, first: datetime, opened_at: datetime, seed: int
) -> datetime:
    """Return when something, or what stood in its place before, began to cost.

    Args:
        identity: Of the resource.
        started_at: When it was launched or created.
        first: Beginning of the bill.
        opened_at: What started then or later had no predecessor.
        seed: Of the draw.
    """
    if started_at >= opened_at or started_at <= first:
        return started_at
    rng = _draws(identity, seed=seed, salt="began")
    if rng.random() < OLD_SHARE:
        return first
    return first + (started_at - first) * float(rng.random())


def extended(series: DaySeries, *, first: int, days: int) -> FloatArray:
    """Return a level's daily values; where unknown, the mean of the known ones of the weekday.

    All NaN where nothing is known at all.
    """
    found = series.on(first, days)
    known = np.flatnonzero(~np.isnan(series.values))
    if not len(known):
        return found
    weekdays, values = (series.first + known) % 7, series.values[known]
    means = [
        float(values[weekdays == day].mean()) if (weekdays == day).any() else float(values.mean())
        for day in range(7)
    ]
    usual = np.array(means)[(first + np.arange(days)) % 7]
    return np.where(np.isnan(found), usual, found)


def use_per_day(use: BilledUse, *, first: int, days: int, seed: int) -> FloatArray:
    """Return the quantity of every day, with the invented past before the first measured day.

    Days after the last measured one, and gaps, are like the same weekday.
    """
    found = np.nan_to_num(extended(use.quantity, first=first, days=days))
    measured = np.flatnonzero(~np.isnan(use.quantity.on(first, days)))
    past = int(measured[0]) if len(measured) else days
    noise = _draws(f"{use.identity}/{use.usage_type}", seed=seed, salt="use").normal(size=past)
    growth = np.linspace(FIRST_GROWTH, 1.0, past) if past else np.zeros(0)
    found[:past] *= growth * np.exp(NOISE * noise)
    return found


def spike_of(snapshot: AccountSnapshot, *, usage_type: str) -> Spike | None:
    """Return the one day on which something sent far too much; None where nothing sends.

    Args:
        snapshot: The account.
        usage_type: How usage types end that sending is billed under.
    """
    sends = [use for use in snapshot.uses if use.usage_type.endswith(usage_type)]
    if not sends:
        return None
    largest = max(sends, key=lambda use: (float(np.nansum(use.quantity.values)), use.identity))
    day = (snapshot.opened_at - timedelta(days=SPIKE_DAYS_AGO)).toordinal()
    usual = sum(float(np.nan_to_num(extended(use.quantity, first=day, days=1))[0]) for use in sends)
    return Spike(
        identity=largest.identity,
        usage_type=largest.usage_type,
        day=day,
        quantity=max(SPIKE_FACTOR * usual, LEAST_SPIKE),
    )


def passing_hours(identity: str, hours: FloatArray, *, first: int, seed: int) -> FloatArray:
    """Return the hours of each day of what came and went beside an instance; none for most.

    Args:
        identity: Of the instance.
        hours: Its own, by day.
        first: Ordinal of the first day.
        seed: Of the draws.
    """
    rng = _draws(identity, seed=seed, salt="passing")
    if rng.random() >= PASSING_SHARE:
        return np.zeros_like(hours)
    weekday = (first + np.arange(len(hours)) - 1) % 7  # an ordinal of 1 was a Monday
    level = np.where(weekday < WORKING_DAYS, PASSING_LEVEL, PASSING_LEVEL / 10.0)
    return hours * level * np.exp(PASSING_NOISE * rng.normal(size=len(hours)))
