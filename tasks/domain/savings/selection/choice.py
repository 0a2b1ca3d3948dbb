"""What can be chosen among: resources, their alternatives, and what each change has to earn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tasks.domain.savings.bill import Ledger, Spend
from tasks.domain.savings.selection.alternatives import Alternative, ResourceKey, Unit


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """What can be chosen.

    Attributes:
        units: Resources as they are.
        alternatives: In an order that does not depend on how they were found.
        hurdles_usd: Of each alternative, USD a month, at least 0.
        floor_share: Largest share of the floor to commit to, existing plans included; 0 for no
            new commitment.
        commitment_hurdle_usd: What a new commitment has to save at least, USD a month.
    """

    units: tuple[Unit, ...]
    alternatives: tuple[Alternative, ...]
    hurdles_usd: tuple[float, ...]
    ledger: Ledger
    floor_share: float
    commitment_hurdle_usd: float = 0.0

    @cached_property
    def spend_of(self) -> Mapping[ResourceKey, Spend]:
        """What each resource costs as it is."""
        return {unit.key: unit.spend for unit in self.units}

    @cached_property
    def usd_of(self) -> Mapping[ResourceKey, float]:
        """The same as if no commitment existed, USD a month."""
        return {unit.key: unit.spend.usd for unit in self.units}

    def before_of(self, resources: Sequence[ResourceKey]) -> Spend:
        """Return what some resources cost together as they are."""
        total = Spend()
        for key in resources:
            total = total.plus(self.spend_of[key])
        return total

    def listed_saving_usd(self, at: int) -> float:
        """Return what an alternative saves as if no commitment existed, USD a month."""
        one = self.alternatives[at]
        return sum(self.usd_of[key] for key in one.resources) - one.spend.usd
