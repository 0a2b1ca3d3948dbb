"""Known savings put into costs that follow recorded load, with what usually disturbs a comparison.

Costs: every resource is made of recorded machines, in one of two ways that move, and one that does
not.

- group: three to twelve machines' load together, served by ceil(load / target) instances, 2 to 12
  of them usually, and between a third and two and a half times as many as usual;
- worked: an instance that runs from the first to the last hour of a day in which its machine was
  busier than it usually is;
- steady: an instance that runs all the time.

Hours that were not recorded stay unknown. What disturbs is drawn for the changed resource and for
the candidates alike, and laid over their load:

- two services in an account, each with weekly growth, a wandering level, and in half of the
  accounts a shift of 10 to 35 % near the change, which members feel by 0.7 to 1.3; in half of the
  accounts it is known who belongs to which;
- growth of its own, up to 5 % a week, in one resource of four;
- an event of 6 to 48 hours that multiplies load by 1.5 to 3, in three resources of ten;
- candidates of which the records end after the change (one account in five), and candidates that
  somebody changed without telling (one in five), or telling it (one in five).

The truth is what the resource would have cost without the change less what it cost, per hour in
which that is known, over all whole days after the day of the change.

Settings of the estimator are chosen on even machines of the Bitbrains recording (`development`).
Reported are its odd machines, and the Azure recording, which nothing is chosen on. Both halves of
Bitbrains share their calendar: from the middle of August the load of a quarter of the machines is
up to four times what it was, which nothing before it announces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import numpy as np

from benchmarks.savings_data import AZURE, BITBRAINS, azure_cpu, bitbrains_cpu, synthetic_cpu
from benchmarks.stacks_realised_account import Account, Shape, made_panel
from tasks.domain.arrays import FloatArray
from tasks.domain.savings.money import HOURS_PER_MONTH, Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.values import AppliedChange, CostPanel

__all__ = [
    "CONTROLS",
    "Case",
    "Onset",
    "Shape",
    "Split",
    "cases",
    "development",
    "reported",
]

START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday, for recordings without a clock."""
APPLIED_DAYS = (28, 46)
CONTROLS = (0, 3, 10, 30)
DAYS_AFTER = (7, 10, 14)
KNOWN_SHARE = 0.6
"""Of the hours before and of those after; a changed resource that has fewer is not drawn."""

LEAST_RUNNING = 0.1
"""Mean cost before over the highest ever: nobody changes a machine that hardly ever runs."""


class Onset(StrEnum):
    """How an effect sets in."""

    STEP = "step"
    RAMP = "ramp"
    """Over the first week."""
    DELAYED = "delayed"
    """After two days."""
    PARTIAL = "partial"
    """Half of what was promised."""


EFFECTS = (-0.6, -0.4, -0.2, -0.1, 0.0, 0.0, 0.2)
"""Change of cost as a share; none twice, for false alarms are counted on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Recorded load to draw from.

    Attributes:
        name: For tables.
        load: (n, hours), NaN where it was not recorded.
        start: First hour.
        applied_days: First and last day on which a change may fall.
        seed: Of everything that is drawn.
    """

    name: str
    load: FloatArray
    start: datetime
    applied_days: tuple[int, int]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One change with its account and the truth.

    Attributes:
        panel: Costs as they were seen, until `applied_at` and the days after it.
        saving_usd: True saving, USD a month; negative for more cost.
        bill_usd: What it cost in the four weeks before, USD a month: errors are shares of it.
        effect: Share by which cost changed once the change had set in.
        controls: Candidates in the account.
    """

    change: AppliedChange
    panel: CostPanel
    saving_usd: float
    bill_usd: float
    effect: float
    onset: Onset
    shape: Shape
    controls: int
    days_after: int


def development(data: Path | None) -> Split:
    """Return what settings are chosen on."""
    if data is None or not (data / BITBRAINS).is_file():
        return _synthetic(seed=1, days=APPLIED_DAYS)
    replay = bitbrains_cpu(data)
    start = replay.start or START
    return Split(
        name="development", load=replay.demand[::2], start=start, applied_days=APPLIED_DAYS, seed=1
    )


def reported(data: Path | None) -> list[Split]:
    """Return what figures are of; made-up load without recordings."""
    found: list[Split] = []
    if data is not None and (data / BITBRAINS).is_file():
        replay = bitbrains_cpu(data)
        found.append(
            Split(
                name="vms",
                load=replay.demand[1::2],
                start=replay.start or START,
                applied_days=APPLIED_DAYS,
                seed=2,
            )
        )
    if data is not None and (data / AZURE).is_file():
        load = azure_cpu(data).demand
        found.append(Split(name="azure", load=load, start=START, applied_days=(14, 14), seed=3))
    return found or [_synthetic(seed=4, days=APPLIED_DAYS)]


def _synthetic(*, seed: int, days: tuple[int, int]) -> Split:
    replay = synthetic_cpu(seed=seed)
    return Split(
        name="synthetic",
        load=replay.demand,
        start=replay.start or START,
        applied_days=days,
        seed=seed,
    )


def cases(split: Split, *, count: int, controls: int) -> Iterator[Case]:
    """Return changes of one split, each in an account of its own.

    Args:
        split: What to draw from.
        count: At least 1.
        controls: Candidates in each account, apart from the changed resource.
    """
    for number in range(count):
        yield _case(split, controls, np.random.default_rng([split.seed, controls, number]))


def _case(split: Split, controls: int, rng: np.random.Generator) -> Case:
    day = int(rng.integers(split.applied_days[0], split.applied_days[1] + 1))
    days_after = int(rng.choice(DAYS_AFTER))
    cut = day * 24 + int(rng.integers(24))
    first = (day + 1) * 24
    end = first + days_after * 24
    account = Account(load=split.load[:, :end], cut=cut, rng=rng)
    shape = Shape(rng.choice(list(Shape), p=[0.55, 0.3, 0.15]))
    untouched = account.drawn(shape)
    while not _usable(untouched, cut, first):
        untouched = account.drawn(shape)
    service = account.last_service
    effect, onset = float(rng.choice(EFFECTS)), Onset(rng.choice(list(Onset)))
    factor, full = _factor(effect, onset, cut=cut, hours=end)
    seen = untouched * factor
    after = np.isfinite(seen) & (np.arange(end) >= first)
    saving = float((untouched - seen)[after].mean()) * HOURS_PER_MONTH
    bill = float(np.nanmean(untouched[max(cut - 28 * 24, 0) : cut])) * HOURS_PER_MONTH
    promised = -full if full < 0.0 else float(rng.uniform(0.1, 0.5))
    panel = made_panel(split.start, seen, account, controls, service)
    change = AppliedChange(
        change_id="hs-000000000000",
        kind=Kind.RIGHT_SIZE,
        resource="changed",
        series="changed",
        applied_at=split.start + timedelta(hours=cut),
        expected=Usd.exactly(promised * bill),
    )
    return Case(
        change=change,
        panel=panel,
        saving_usd=saving,
        bill_usd=bill,
        effect=effect,
        onset=onset,
        shape=shape,
        controls=controls,
        days_after=days_after,
    )


def _usable(cost: FloatArray, cut: int, first: int) -> bool:
    known = np.isfinite(cost)
    before, after = cost[cut - 14 * 24 : cut], cost[first:]
    if min(known[cut - 14 * 24 : cut].mean(), known[first:].mean()) < KNOWN_SHARE:
        return False
    runs = float(np.nanmean(before)) >= LEAST_RUNNING * float(np.nanmax(cost))
    return runs and bool(np.nansum(after) > 0.0)


def _factor(effect: float, onset: Onset, *, cut: int, hours: int) -> tuple[FloatArray, float]:
    """Return (hours,) what cost is multiplied by, and the effect that was promised."""
    since = np.arange(hours) - cut
    share = (since >= 0).astype(float)
    if onset is Onset.RAMP:
        share = np.clip(since / (7 * 24), 0.0, 1.0)
    if onset is Onset.DELAYED:
        share = (since >= 48).astype(float)
    if onset is Onset.PARTIAL:
        return 1.0 + effect / 2.0 * share, effect
    return 1.0 + effect * share, effect
