"""What a fleet costs a month, commitments included: every saving is a difference of two such bills.

A month is 730 hours spread over the 168 hours of a week. On-demand compute falls into classes by
the discount that a Compute Savings Plan gives on it, rounded down to whole steps; an unknown rate
counts as no discount at all. In each hour commitments cover spend in the order that AWS documents:
those of one family first, then plans that hold everywhere, on the highest discount first. They are
paid whether they are used or not, so that what they cover cannot be saved a second time.

Two simplifications, both stated where they matter: reserved instances and plans of one family cover
an amount of on-demand spend in their family and region (reserved instances of their product alone),
whatever the size; and of that family the spend with the smallest discount first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.savings.cover import NO_COVER, Cover
from tasks.domain.savings.money import HOURS_PER_MONTH, HOURS_PER_WEEK

RATIO_STEP = 0.02
"""Width of a discount class; the discount is rounded down to it."""
MONTHS_HOURS = HOURS_PER_MONTH / HOURS_PER_WEEK
"""How often each hour of the week comes in a month."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """On-demand compute of one price.

    Attributes:
        usd_per_hour: Of one instance, at least 0.
        running: (168,) mean number of instances in each hour of the week, Monday 00:00 UTC first.
        plan_ratio: Savings Plan rate over on-demand price, 0 to 1; None where it is not known.
        scope: "region/family/product", which narrower commitments hold for; "" where none can.
        in_floor: Whether it was observed for long enough to commit to it for a year.
    """

    usd_per_hour: float
    running: FloatArray
    plan_ratio: float | None = None
    scope: str = ""
    in_floor: bool = True

    def __post_init__(self) -> None:
        if self.running.shape != (HOURS_PER_WEEK,):
            msg = f"running has shape {self.running.shape}, expected ({HOURS_PER_WEEK},)"
            raise PermanentError(msg)
        if not (math.isfinite(self.usd_per_hour) and self.usd_per_hour >= 0.0):
            msg = f"{self.usd_per_hour} USD/h must be at least 0; leave out what has no price"
            raise PermanentError(msg)

    @property
    def usd(self) -> float:
        """At the on-demand price, USD a month."""
        return self.usd_per_hour * float(self.running.sum()) * MONTHS_HOURS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spend:
    """What one resource costs.

    Attributes:
        lines: On-demand compute, which commitments may cover.
        other_usd: Everything else, USD a month: spot, storage, requests.
    """

    lines: tuple[Line, ...] = ()
    other_usd: float = 0.0

    @property
    def usd(self) -> float:
        """As if no commitment existed, USD a month."""
        return self.other_usd + sum(line.usd for line in self.lines)

    def plus(self, other: Spend) -> Spend:
        """Return both together."""
        return Spend(lines=self.lines + other.lines, other_usd=self.other_usd + other.other_usd)

    def outside_floor(self) -> Spend:
        """Return the same, with nothing in it to commit to."""
        return replace(self, lines=tuple(replace(line, in_floor=False) for line in self.lines))

    def during(self, share: FloatArray) -> Spend:
        """Return the on-demand spend of a share of each hour; everything else stays.

        Args:
            share: (168,), 0 to 1.
        """
        return Spend(
            lines=tuple(replace(line, running=line.running * share) for line in self.lines),
            other_usd=self.other_usd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverClass:
    """On-demand spend that commitments treat alike.

    Attributes:
        ratio: Savings Plan rate over on-demand price, rounded up; 1 where it is not known.
        scope: "region/family" or "region/family/product" where a commitment holds for it alone; ""
            otherwise.
        in_floor: Whether a floor counts it.
    """

    ratio: float
    scope: str = ""
    in_floor: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a fleet costs, USD a month.

    Attributes:
        on_demand_usd: Of compute that no commitment covers.
        other_usd: Of everything that no commitment can cover.
        existing_usd: Of the commitments that there are, used or not.
        new_usd: Of the one that is proposed.
        covered_usd: What covered compute would cost on demand; not part of the bill.
        plan_used_usd: Of plans that hold everywhere, existing and new, the part that is used.
        plan_usd: Those plans in full.
    """

    on_demand_usd: float
    other_usd: float
    existing_usd: float
    new_usd: float
    covered_usd: float
    plan_used_usd: float
    plan_usd: float

    @property
    def usd(self) -> float:
        """The whole bill."""
        return self.on_demand_usd + self.other_usd + self.existing_usd + self.new_usd

    @property
    def coverage(self) -> float | None:
        """Share of on-demand compute that commitments cover; None without any compute."""
        all_usd = self.covered_usd + self.on_demand_usd
        return None if all_usd <= 0.0 else self.covered_usd / all_usd

    @property
    def utilisation(self) -> float | None:
        """Share of the plans that is used; None without plans."""
        return None if self.plan_usd <= 0.0 else min(self.plan_used_usd / self.plan_usd, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Turns spend into hourly amounts by class, and those into bills.

    Attributes:
        classes: Highest discount first.
        cover: The commitments that there are.
    """

    classes: tuple[CoverClass, ...]
    cover: Cover

    @classmethod
    def of(cls, spends: Iterable[Spend], *, cover: Cover = NO_COVER) -> Ledger:
        """Return a ledger with a class for every line of what may be put in it."""
        found = {class_of(line, cover) for spend in spends for line in spend.lines}
        return cls(
            classes=tuple(sorted(found, key=lambda c: (c.ratio, c.scope, c.in_floor))), cover=cover
        )

    def eligible(self, spends: Iterable[Spend]) -> FloatArray:
        """Return (classes, 168) on-demand USD in each hour of the week."""
        at = {found: row for row, found in enumerate(self.classes)}
        total = np.zeros((len(self.classes), HOURS_PER_WEEK))
        for spend in spends:
            for line in spend.lines:
                total[at[class_of(line, self.cover)]] += line.usd_per_hour * line.running
        return total

    def bill(
        self, eligible: FloatArray, *, other_usd: float = 0.0, commitment_usd_per_hour: float = 0.0
    ) -> Bill:
        """Return the bill of hourly amounts.

        Args:
            eligible: (classes, 168) on-demand USD in each hour of the week.
            other_usd: Everything else, USD a month.
            commitment_usd_per_hour: A new Compute Savings Plan, paid every hour; at least 0.
        """
        left = self._after_scoped(eligible)
        pool = self.cover.everywhere_usd_per_hour + commitment_usd_per_hour
        used = np.zeros(HOURS_PER_WEEK)
        for row, found in enumerate(self.classes):
            taken = np.minimum(left[row], (pool - used) / found.ratio)
            left[row] -= taken
            used = np.minimum(used + taken * found.ratio, pool)
        on_demand = float(left.sum()) * MONTHS_HOURS
        return Bill(
            on_demand_usd=on_demand,
            other_usd=other_usd,
            existing_usd=self.cover.paid_usd_per_hour * HOURS_PER_MONTH,
            new_usd=commitment_usd_per_hour * HOURS_PER_MONTH,
            covered_usd=max(float(eligible.sum()) * MONTHS_HOURS - on_demand, 0.0),
            plan_used_usd=float(used.sum()) * MONTHS_HOURS,
            plan_usd=pool * HOURS_PER_MONTH,
        )

    def floor_usd_per_hour(self, eligible: FloatArray) -> float:
        """Return what a plan could be used for in every hour of the week, at plan rates, USD/h.

        Classes without a known discount do not count, nor families with commitments of their own,
        nor what was not observed for long enough.
        """
        if not self.classes:
            return 0.0
        return max(float((self.floor_weights() @ eligible).min()), 0.0)

    def floor_weights(self) -> FloatArray:
        """Return (classes,) the plan rate over on-demand, 0 for what does not count in a floor."""
        counted = [c.in_floor and c.ratio < 1.0 and not c.scope for c in self.classes]
        return np.where(counted, [c.ratio for c in self.classes], 0.0)

    def _after_scoped(self, eligible: FloatArray) -> FloatArray:
        """Return what is left when narrower commitments have covered their families."""
        left = eligible.copy()
        for scope, amount in self.cover.scoped_usd_per_hour.items():
            budget = np.full(HOURS_PER_WEEK, amount)
            for row in reversed(range(len(self.classes))):
                if self.classes[row].scope == scope:
                    taken = np.minimum(left[row], budget)
                    left[row] -= taken
                    budget -= taken
        return left


def monthly_bill(
    spends: Sequence[Spend], *, cover: Cover = NO_COVER, commitment_usd_per_hour: float = 0.0
) -> Bill:
    """Return the bill of some resources together.

    Args:
        spends: In any order.
        cover: The commitments that there are.
        commitment_usd_per_hour: A new Compute Savings Plan; at least 0.
    """
    ledger = Ledger.of(spends, cover=cover)
    return ledger.bill(
        ledger.eligible(spends),
        other_usd=math.fsum(spend.other_usd for spend in spends),
        commitment_usd_per_hour=commitment_usd_per_hour,
    )


def class_of(line: Line, cover: Cover) -> CoverClass:
    """Return the class that a line falls into."""
    scope = cover.scope_for(line.scope)
    if line.plan_ratio is None:
        return CoverClass(ratio=1.0, scope=scope, in_floor=line.in_floor)
    # A ratio that is a whole number of steps must not be rounded up for its last binary digit.
    steps = math.ceil(line.plan_ratio / RATIO_STEP - 1e-9)
    ratio = min(max(steps, 1) * RATIO_STEP, 1.0)
    return CoverClass(ratio=ratio, scope=scope, in_floor=line.in_floor)
