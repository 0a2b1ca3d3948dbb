"""Our right-sizing as a policy that the replay can judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.savings_data import Replay
from tasks.domain.arrays import FloatArray
from tasks.domain.savings.sizing.capacity_choice import (
    capacities_between,
    capacities_on_sale,
    least_capacities,
)
from tasks.domain.savings.sizing.exceedance import (
    RECORDED_CPU,
    RECORDED_MEMORY,
    expected_exceedance,
    fleet_use,
)

DEFAULT_RISK = 0.005
RISKS = (
    0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, DEFAULT_RISK, 0.007, 0.01, 0.015, 0.02, 0.03, 0.04,
    0.05, 0.06, 0.08, 0.1,
)  # fmt: skip
"""Settings of the curve, from cautious to daring."""
WORST_SHARE = 0.05
"""Limit of one machine that the default setting has; the daring half of the curve loosens it."""
WORST_PER_RISK = 10.0
LOOSEST_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class OurPolicy:
    """Capacities by expected exceedance.

    Attributes:
        exceed_share: Budget of the fleet.
        worst_share: Budget of one machine.
        on_sale: Choose among the sizes on sale; otherwise among all.
    """

    exceed_share: float
    worst_share: float
    on_sale: bool = False

    def capacities(self, replay: Replay) -> FloatArray:
        """Return (n,) units needed."""
        used, size = replay.history, replay.provisioned
        prior = RECORDED_MEMORY if replay.unit == "GiB" else RECORDED_CPU
        if self.on_sale:
            offered = capacities_on_sale(np.asarray(replay.sizes), size=size)
        else:
            offered = capacities_between(used, size=size)
        fleet = fleet_use(used, size=size, prior=prior)
        expected = expected_exceedance(used, size=size, capacities=offered, fleet=fleet)
        columns = least_capacities(
            offered, expected, exceed_share=self.exceed_share, worst_share=self.worst_share
        )
        found: FloatArray = np.take_along_axis(offered, columns[:, None], axis=1)[:, 0]
        return found


def curve(*, on_sale: bool = False) -> tuple[OurPolicy, ...]:
    """Return our policy at every risk setting; one machine's limit grows with the fleet's budget."""
    return tuple(
        OurPolicy(
            exceed_share=risk,
            worst_share=min(max(WORST_SHARE, WORST_PER_RISK * risk), LOOSEST_SHARE),
            on_sale=on_sale,
        )
        for risk in RISKS
    )


def curve_with_fixed_limit(*, on_sale: bool = False) -> tuple[OurPolicy, ...]:
    """Return our policy at every risk setting; no machine is ever planned above the default limit."""
    return tuple(
        OurPolicy(exceed_share=risk, worst_share=WORST_SHARE, on_sale=on_sale) for risk in RISKS
    )
