"""Which pools serve a stated need at the lowest effective cost, and how many instances in each.

The ranking is by the cost of covering the whole need from one pool. The allocation is the cheapest
one in whole instances, found as a mixed-integer program (HiGHS; Huangfu and Hall, 2018) over the
best candidates, to within a hundredth of a percent; of equally cheap pools the first by name is
taken, so that a rerun agrees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.errors import PermanentError
from tasks.domain.spot.allocation import PoolHolding
from tasks.domain.spot.capacity import (
    Candidate,
    CapacityNeed,
    effective_cost_usd_per_hour,
)

SHORTLIST = 40
"""Candidates kept by each of four orders; the program sees at most four times as many."""
TIE_BREAK = 1e-5
"""Relative cost added per place among pools of equal size and cost."""
OPTIMALITY_GAP = 1e-6


class NoFeasibleAllocationError(PermanentError):
    """No allocation of the candidates covers the need within its limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPool:
    """A candidate in its place.

    Attributes:
        rank: From 1.
        candidate: The pool.
        effective_usd_per_hour: Of one instance, interruptions included.
        cover_usd_per_hour: Of the whole need, if covered by fractions of instances of this pool.
        instances_alone: That cover the whole need from this pool.
    """

    rank: int
    candidate: Candidate
    effective_usd_per_hour: float
    cover_usd_per_hour: float
    instances_alone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatedPool:
    """Instances to run in one pool.

    Attributes:
        candidate: The pool.
        instances: At least 1.
        share: Of the allocated vCPUs or of the memory, whichever is larger.
        cost_usd: Effective cost over the horizon.
        interruption_cost_usd: The part of it that interruptions are expected to cost.
    """

    candidate: Candidate
    instances: int
    share: float
    cost_usd: float
    interruption_cost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Saving against on-demand, as a fraction of it; below 0 where spot is dearer.

    The interval joins the prices' and the interruption rates' 80 % intervals at their ends, as if
    all pools erred together: it is wide rather than narrow.
    """

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedAllocation:
    """The answer to a need.

    Attributes:
        pools: Where to run, in the order of the ranking.
        ranking: All eligible candidates, best first.
        vcpu: Allocated, at least the need's.
        memory_gib: Allocated, at least the need's.
        cost_usd: Effective cost over the horizon.
        on_demand_cost_usd: Of the same instances; None when any price is unknown.
        saving: None when the on-demand cost is unknown.
    """

    pools: tuple[AllocatedPool, ...]
    ranking: tuple[RankedPool, ...]
    vcpu: float
    memory_gib: float
    cost_usd: float
    on_demand_cost_usd: float | None
    saving: Saving | None


def rank_pools(candidates: Sequence[Candidate], need: CapacityNeed) -> RankedAllocation:
    """Return the cheapest allocation that covers the need, and the ranking behind it.

    Raises:
        NoFeasibleAllocationError: When nothing covers the need; says what was asked for, what
            there is, and what to change.
    """
    ranking = pool_ranking(candidates, need)
    _check_feasible(ranking, candidates, need)
    shortlist = _shortlist(ranking)
    counts = _cheapest_counts(shortlist, need)
    chosen = [(pool.candidate, int(n)) for pool, n in zip(shortlist, counts, strict=True) if n > 0]
    vcpu = sum(count * candidate.shape.vcpu for candidate, count in chosen)
    memory_gib = sum(count * candidate.shape.memory_gib for candidate, count in chosen)
    on_demand = _on_demand_cost(chosen, need)
    return RankedAllocation(
        pools=tuple(
            _allocated(candidate, count, need, vcpu=vcpu, memory_gib=memory_gib)
            for candidate, count in chosen
        ),
        ranking=ranking,
        vcpu=vcpu,
        memory_gib=memory_gib,
        cost_usd=_total_cost(chosen, need, _expected),
        on_demand_cost_usd=on_demand,
        saving=None if on_demand is None else _saving(chosen, need, on_demand),
    )


def holdings(found: RankedAllocation, *, horizon: timedelta) -> tuple[PoolHolding, ...]:
    """Return the allocation as holdings whose joint losses within a horizon can be told."""
    return tuple(
        PoolHolding(
            pool=pool.candidate.pool,
            instances=pool.instances,
            loss_probability=pool.candidate.risk.probability(horizon),
        )
        for pool in found.pools
    )


def pool_ranking(candidates: Sequence[Candidate], need: CapacityNeed) -> tuple[RankedPool, ...]:
    """Return the candidates of the right architecture, cheapest cover first, ties by pool."""
    rows = []
    for candidate in candidates:
        if need.accepts(candidate.shape):
            cost = _expected(candidate, need)
            rows.append((cost / need.share(candidate.shape), candidate.pool, cost, candidate))
    rows.sort(key=lambda row: row[:2])
    return tuple(
        RankedPool(
            rank=place,
            candidate=candidate,
            effective_usd_per_hour=cost,
            cover_usd_per_hour=cover,
            instances_alone=need.instances_alone(candidate.shape),
        )
        for place, (cover, _, cost, candidate) in enumerate(rows, start=1)
    )


Cost = Callable[[Candidate, CapacityNeed], float]


def _expected(candidate: Candidate, need: CapacityNeed) -> float:
    return _cost(candidate, need, candidate.price_usd_per_hour, candidate.risk.rate_per_hour)


def _favourable(candidate: Candidate, need: CapacityNeed) -> float:
    return _cost(candidate, need, candidate.low_usd_per_hour, candidate.risk.low_per_hour)


def _adverse(candidate: Candidate, need: CapacityNeed) -> float:
    return _cost(candidate, need, candidate.high_usd_per_hour, candidate.risk.high_per_hour)


def _cost(candidate: Candidate, need: CapacityNeed, price: float, rate: float) -> float:
    return effective_cost_usd_per_hour(
        price,
        interruptions_per_hour=rate,
        on_demand_usd_per_hour=candidate.on_demand_usd_per_hour,
        need=need,
    )


def _check_feasible(
    ranking: Sequence[RankedPool], candidates: Sequence[Candidate], need: CapacityNeed
) -> None:
    there = f"{len(candidates)} pools offered, {len(ranking)} of that architecture"
    if len(ranking) < need.min_pools:
        msg = f"{_asked(need)}: {there}; add pools, lower min_pools or allow another architecture"
        raise NoFeasibleAllocationError(msg)
    most = min(need.max_pools, len(ranking))
    if need.max_share * most < 1.0 - 1e-9:
        msg = (
            f"{_asked(need)}: {there}; {most} pools may hold {need.max_share * most:.0%} together; "
            "raise max_share, allow more pools or add some"
        )
        raise NoFeasibleAllocationError(msg)


def _asked(need: CapacityNeed) -> str:
    return (
        f"asked for {need.vcpu:g} vCPU and {need.memory_gib:g} GiB ({need.architecture}) in "
        f"{need.min_pools} to {need.max_pools} pools with at most {need.max_share:.0%} in one"
    )


def _shortlist(ranking: Sequence[RankedPool]) -> list[RankedPool]:
    """Return the candidates worth solving for, in the order of the ranking."""
    orders: list[Callable[[RankedPool], tuple[float, int]]] = [
        lambda pool: (pool.cover_usd_per_hour, pool.rank),
        lambda pool: (pool.effective_usd_per_hour / pool.candidate.shape.vcpu, pool.rank),
        lambda pool: (pool.effective_usd_per_hour / pool.candidate.shape.memory_gib, pool.rank),
        # Small instances: without them a share cap may not come out even.
        lambda pool: (pool.candidate.shape.vcpu, pool.rank),
    ]
    kept = {pool.rank: pool for order in orders for pool in sorted(ranking, key=order)[:SHORTLIST]}
    return [kept[rank] for rank in sorted(kept)]


def _cheapest_counts(pools: Sequence[RankedPool], need: CapacityNeed) -> IntArray:
    """Return the instances of each pool that cover the need at the lowest cost."""
    n = len(pools)
    cost: FloatArray = np.array([pool.effective_usd_per_hour for pool in pools])
    cost = cost / cost.max() * (1.0 + TIE_BREAK * _places_among_equals(pools))
    alone = np.array([pool.instances_alone for pool in pools], dtype=np.float64)
    found = milp(
        np.concatenate([cost, np.zeros(n)]),
        integrality=np.ones(2 * n),
        bounds=Bounds(0.0, np.concatenate([alone, np.ones(n)])),
        constraints=_constraints(pools, need, alone),
        options={"mip_rel_gap": OPTIMALITY_GAP, "node_limit": 20_000},
    )
    if found.x is None:
        msg = (
            f"{_asked(need)}: no whole number of instances in {n} pools fits; "
            "allow more pools, a larger share, or smaller instance types"
        )
        raise NoFeasibleAllocationError(msg)
    return np.asarray(np.round(found.x[:n]), dtype=np.int64)


def _places_among_equals(pools: Sequence[RankedPool]) -> FloatArray:
    """Return how many pools of the same size and cost stand before each."""
    seen: Counter[tuple[float, float, float]] = Counter()
    places = []
    for pool in pools:
        shape = pool.candidate.shape
        key = (pool.effective_usd_per_hour, shape.vcpu, shape.memory_gib)
        places.append(float(seen[key]))
        seen[key] += 1
    return np.array(places)


def _constraints(
    pools: Sequence[RankedPool], need: CapacityNeed, alone: FloatArray
) -> list[LinearConstraint]:
    """Return them over 2 n variables: instances per pool, then whether the pool is used."""
    n = len(pools)
    none, one = np.zeros((n, n)), np.eye(n)
    vcpu = np.array([pool.candidate.shape.vcpu for pool in pools]) / need.vcpu
    memory = np.array([pool.candidate.shape.memory_gib for pool in pools]) / need.memory_gib
    found = [
        LinearConstraint(np.hstack([[vcpu, memory], np.zeros((2, n))]), lb=1.0),
        LinearConstraint(
            np.hstack([np.zeros((1, n)), np.ones((1, n))]), need.min_pools, need.max_pools
        ),
        LinearConstraint(np.hstack([one, -np.diag(alone)]), ub=0.0),
        LinearConstraint(np.hstack([one, -one]), lb=0.0),
    ]
    if need.max_share < 1.0:
        for size in (vcpu, memory):
            beyond = np.diag(size) - need.max_share * size  # a row per pool: its own less the cap
            found.append(LinearConstraint(np.hstack([beyond, none]), ub=1e-9))
    return found


def _allocated(
    candidate: Candidate, count: int, need: CapacityNeed, *, vcpu: float, memory_gib: float
) -> AllocatedPool:
    hours = need.horizon / timedelta(hours=1)
    effective = _expected(candidate, need)
    shape = candidate.shape
    return AllocatedPool(
        candidate=candidate,
        instances=count,
        share=count * max(shape.vcpu / vcpu, shape.memory_gib / memory_gib),
        cost_usd=count * hours * effective,
        interruption_cost_usd=count * hours * (effective - candidate.price_usd_per_hour),
    )


def _total_cost(chosen: Sequence[tuple[Candidate, int]], need: CapacityNeed, cost: Cost) -> float:
    hours = need.horizon / timedelta(hours=1)
    return sum(count * hours * cost(candidate, need) for candidate, count in chosen)


def _on_demand_cost(chosen: Sequence[tuple[Candidate, int]], need: CapacityNeed) -> float | None:
    hours = need.horizon / timedelta(hours=1)
    total = 0.0
    for candidate, count in chosen:
        price = candidate.on_demand_usd_per_hour
        if price is None:
            return None
        total += count * hours * price
    return total


def _saving(
    chosen: Sequence[tuple[Candidate, int]], need: CapacityNeed, on_demand: float
) -> Saving:
    # A dearer pool may need less of a premium when replaced: take the ends as they come out.
    expected, *ends = (
        1.0 - _total_cost(chosen, need, cost) / on_demand
        for cost in (_expected, _adverse, _favourable)
    )
    return Saving(expected=expected, low=min(expected, *ends), high=max(expected, *ends))
