"""What choices are worth, by the ledger rather than by the solver."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.bill import Bill, Spend
from tasks.domain.savings.kinds.commitments import PlanOutcome, best_plan
from tasks.domain.savings.selection.alternatives import Alternative
from tasks.domain.savings.selection.attribution import Attributed
from tasks.domain.savings.selection.choice import Choice

TOLERANCE = 1e-9
"""Share of the bill below which two bills are the same."""


@dataclass(kw_only=True)
class _Amounts:
    """Hourly amounts of a fleet, changed in place."""

    eligible: FloatArray
    other_usd: float


@dataclass(frozen=True)
class Valuation:
    """Bills of choices among the same alternatives.

    Attributes:
        before: The bill as it is.
    """

    choice: Choice
    before: Bill = field(init=False)
    _now: _Amounts = field(init=False)
    _singles: Mapping[str, Alternative] = field(init=False)

    def __post_init__(self) -> None:
        spends = [unit.spend for unit in self.choice.units]
        now = _Amounts(
            eligible=self.choice.ledger.eligible(spends),
            other_usd=math.fsum(spend.other_usd for spend in spends),
        )
        before = self.choice.ledger.bill(now.eligible, other_usd=now.other_usd)
        singles = {one.name: one for one in self.choice.alternatives if len(one.stages) == 1}
        object.__setattr__(self, "_now", now)
        object.__setattr__(self, "before", before)
        object.__setattr__(self, "_singles", singles)

    def plan(self, taken: Sequence[int]) -> PlanOutcome:
        """Return the best new commitment on top of what is taken, with the bills."""
        return self._plan(self._after(taken))

    def alone_usd(self, one: Alternative) -> float:
        """Return what an alternative saves if nothing else is done, USD a month."""
        amounts = self._changed(self._now, one)
        after = self.choice.ledger.bill(amounts.eligible, other_usd=amounts.other_usd)
        return self.before.usd - after.usd

    def by_itself(self, step: Attributed) -> Alternative:
        """Return the alternative that makes one change only; the step's own where none does."""
        return self._singles.get(step.stage.opportunity.identity, step.alternative)

    def worth_usd(self, amounts: _Amounts, taken: Sequence[int]) -> float:
        """Return the bill plus hurdles, USD a month: smaller is better."""
        plan = self._plan(amounts)
        hurdle = self.choice.commitment_hurdle_usd if plan.usd_per_hour > 0.0 else 0.0
        return plan.with_it.usd + hurdle + math.fsum(self.choice.hurdles_usd[at] for at in taken)

    def without_useless(self, taken: Sequence[int]) -> tuple[int, ...]:
        """Return what is taken less changes that are not missed: the fewer the better."""
        kept = list(taken)
        amounts = self._after(kept)
        worth = self.worth_usd(amounts, kept)
        slack = TOLERANCE * max(abs(worth), 1e-12)
        for at in sorted(taken, reverse=True):
            rest = [one for one in kept if one != at]
            without = self._changed(amounts, self.choice.alternatives[at], back=True)
            found = self.worth_usd(without, rest)
            if found <= worth + slack:
                kept, amounts, worth = rest, without, found
        return tuple(kept)

    def gap_usd(self, taken: Sequence[int], bound_usd: float | None) -> float:
        """Return how much better another choice could be at most, USD a month."""
        if not self.choice.alternatives:
            return 0.0
        paid = self.before.existing_usd
        found = self.worth_usd(self._after(taken), taken)
        least = paid if bound_usd is None else bound_usd + paid
        gap = found - least
        return gap if gap > TOLERANCE * max(self.before.usd, 1e-12) else 0.0

    def _plan(self, amounts: _Amounts) -> PlanOutcome:
        return best_plan(
            self.choice.ledger,
            amounts.eligible,
            other_usd=amounts.other_usd,
            floor_share=self.choice.floor_share,
            hurdle_usd=self.choice.commitment_hurdle_usd,
        )

    def _after(self, taken: Sequence[int]) -> _Amounts:
        amounts = self._now
        for at in taken:
            amounts = self._changed(amounts, self.choice.alternatives[at])
        return amounts

    def _changed(self, amounts: _Amounts, one: Alternative, *, back: bool = False) -> _Amounts:
        before, after = self.choice.before_of(one.resources), one.spend
        if back:
            before, after = after, before
        return _Amounts(
            eligible=self._moved(amounts.eligible, before, after),
            other_usd=amounts.other_usd + after.other_usd - before.other_usd,
        )

    def _moved(self, eligible: FloatArray, before: Spend, after: Spend) -> FloatArray:
        ledger = self.choice.ledger
        moved = eligible + ledger.eligible([after]) - ledger.eligible([before])
        clipped: FloatArray = moved.clip(min=0.0)
        return clipped
