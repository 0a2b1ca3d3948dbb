"""The choice of alternatives and of a commitment that makes the bill smallest.

A mixed-integer program (HiGHS; Huangfu and Hall, 2018). In each hour commitments cover what saves
most, which is what the ledger's order does as well, so the program's bill is the ledger's. The new
commitment is at most a share of what the least busy hour of the week has left, so it is sized on
the fleet as it will be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, milp

from tasks.domain.savings.selection.alternatives import ResourceKey
from tasks.domain.savings.selection.choice import Choice
from tasks.domain.savings.selection.program import Program

RELATIVE_GAP = 1e-6
TIME_LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """The best choice that was found.

    Attributes:
        taken: Positions of the alternatives, rising.
        bound_usd: No choice has a bill plus hurdles below this, less what is paid for existing
            commitments; None where the time did not suffice to find any.
    """

    taken: tuple[int, ...]
    bound_usd: float | None


def best_choice(choice: Choice, *, time_limit_seconds: float = TIME_LIMIT_SECONDS) -> Optimum:
    """Return the alternatives that make the bill plus hurdles smallest."""
    if not choice.alternatives:
        return Optimum(taken=(), bound_usd=None)
    program = Program(choice)
    found = milp(
        program.costs(),
        constraints=program.constraints(),
        integrality=program.integrality(),
        bounds=Bounds(0.0, program.upper()),
        options={"time_limit": time_limit_seconds, "mip_rel_gap": RELATIVE_GAP},
    )
    if found.x is None:
        return Optimum(taken=cheapest_apart(choice), bound_usd=None)
    taken = np.flatnonzero(found.x[: len(choice.alternatives)] > 0.5)
    bound = found.fun if found.mip_dual_bound is None else found.mip_dual_bound
    return Optimum(
        taken=tuple(int(at) for at in taken),
        bound_usd=(float(bound) + program.constant) * program.scale,
    )


def cheapest_apart(choice: Choice) -> tuple[int, ...]:
    """Return alternatives by saving at list prices, one after the other: no commitment is seen."""
    gains = [choice.listed_saving_usd(at) - hurdle for at, hurdle in enumerate(choice.hurdles_usd)]
    used: set[ResourceKey] = set()
    taken = []
    for at in sorted(range(len(gains)), key=lambda at: (-gains[at], at)):
        resources = choice.alternatives[at].resources
        if gains[at] > 0.0 and used.isdisjoint(resources):
            used.update(resources)
            taken.append(at)
    return tuple(sorted(taken))
