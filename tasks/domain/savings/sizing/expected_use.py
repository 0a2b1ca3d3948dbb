"""Needs that also hold for what a load forecast expects, not only for what was seen.

A month that is over says little of a load that has just moved up. Where the upper quantile of the
next day is above the capacity that the month asks for, the next size that holds it is taken; a
forecast never makes a need smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.instances import TypeFacts
from tasks.domain.inventory import Inventory
from tasks.domain.savings.sizing.needs import CapacityNeed, CapacityNeeds


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedUse:
    """What a forecast says of one instance.

    Attributes:
        peak_percent: Highest hour of the 90 % quantile, per cent of its present processors.
        horizon_hours: Hours ahead.
        confidence: Share of values that such intervals covered, 0 to 1; None where nothing was measured.
        model: Name and version of the model, for people.
    """

    peak_percent: float
    horizon_hours: int
    confidence: float | None
    model: str


def with_expected(
    needs: CapacityNeeds,
    expected: Mapping[str, ExpectedUse],
    inventory: Inventory,
    types: Mapping[str, TypeFacts],
) -> CapacityNeeds:
    """Return needs that hold for the next day too.

    Args:
        needs: By what was seen.
        expected: By instance id; what is not forecast keeps its need. A group is as busy as the
            busiest of its members.
        inventory: Members of the groups.
        types: Facts of the types in use and on sale.
    """
    sizes = np.unique([facts.shape.vcpu for facts in types.values()])
    groups = {(one.region, one.name): one.instance_ids for one in inventory.groups}
    return CapacityNeeds(
        instances={
            one: _raised(need, expected.get(one), sizes=sizes, types=types)
            for one, need in needs.instances.items()
        },
        groups={
            key: _raised(need, _busiest(groups[key], expected), sizes=sizes, types=types)
            for key, need in needs.groups.items()
        },
    )


def _busiest(members: tuple[str, ...], expected: Mapping[str, ExpectedUse]) -> ExpectedUse | None:
    known = [expected[one] for one in members if one in expected]
    return max(known, key=lambda one: one.peak_percent, default=None)


def _raised(
    need: CapacityNeed,
    expected: ExpectedUse | None,
    *,
    sizes: FloatArray,
    types: Mapping[str, TypeFacts],
) -> CapacityNeed:
    if expected is None:
        return need
    size = types[need.instance_type].shape.vcpu
    wanted = min(expected.peak_percent, 100.0) / 100.0 * size
    if wanted <= need.vcpu:
        return need
    larger = sizes[(sizes >= wanted) & (sizes <= size)]
    vcpu = float(larger[0]) if larger.size else size
    sure = (
        "" if expected.confidence is None else f" (such intervals held {expected.confidence:.0%})"
    )
    basis = (
        f"{expected.model} expects up to {expected.peak_percent:.1f} % of {size:g} vCPU within "
        f"{expected.horizon_hours} h{sure}: next size {vcpu:g}; by what was seen, {need.vcpu:g} would do"
    )
    return replace(need, vcpu=vcpu, vcpu_basis=basis)
