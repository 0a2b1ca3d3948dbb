"""Forecasts, prices and risks brought together: what each pool is worth for a need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from tasks.domain.errors import PermanentError
from tasks.domain.instances import Offer
from tasks.domain.spot.allocation import in_lots, losing_at_least, loss_distribution
from tasks.domain.spot.capacity import Candidate, CapacityNeed, candidate_of
from tasks.domain.spot.forecasts import PoolForecasts
from tasks.domain.spot.interruption import InterruptionRisk, interruption_outlook
from tasks.domain.spot.pools import Pool, PricePanel
from tasks.domain.spot.ranking import (
    NoFeasibleAllocationError,
    RankedAllocation,
    holdings,
    rank_pools,
)
from tasks.domain.spot.signals import pool_signals
from tasks.domain.spot.summary import PoolSummary, pool_summaries

MOST_LOTS = 300
"""Larger fleets are counted in lots of several instances: exact odds would take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossOdds:
    """Chance that an allocation loses at least so many instances while it is needed."""

    at_least: int
    of: int
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Every pool summed up, and the best allocation for a need.

    Attributes:
        need: What was asked for.
        summaries: By pool, over the need's horizon.
        risks: By pool.
        allocation: None when no pools serve the need.
        problem: Why there is no allocation; None otherwise.
        losses: For one instance, half of them and all.
    """

    need: CapacityNeed
    summaries: Mapping[Pool, PoolSummary]
    risks: Mapping[Pool, InterruptionRisk]
    allocation: RankedAllocation | None
    problem: str | None
    losses: tuple[LossOdds, ...]


def forecasts_for(need: CapacityNeed, forecasts: Sequence[PoolForecasts]) -> PoolForecasts:
    """Return the shortest forecast that reaches the need's horizon, cut to it.

    Raises:
        PermanentError: When none reaches that far.
    """
    hours = max(1, round(need.horizon / timedelta(hours=1)))
    reaching = [one for one in forecasts if one.horizon_hours >= hours]
    if not reaching:
        longest = max(one.horizon_hours for one in forecasts)
        message = f"need.horizon is {hours} h, forecasts reach {longest} h; ask for less"
        raise PermanentError(message)
    best = min(reaching, key=lambda one: one.horizon_hours)
    return replace(
        best,
        quantiles=best.quantiles[:, :hours],
        mean=best.mean[:, :hours],
        naive_quantiles=best.naive_quantiles[:, :hours],
    )


def assess_pools(
    panel: PricePanel,
    forecasts: PoolForecasts,
    *,
    offers: Mapping[Pool, Offer],
    need: CapacityNeed,
    product: str,
    placement_scores: Mapping[Pool, int],
    observed: Mapping[Pool, tuple[int, float]],
) -> Assessment:
    """Return what each pool is worth for a need.

    Args:
        panel: Prices up to now.
        forecasts: Of the same pools, over the need's horizon.
        offers: On-demand price and shape; pools left out are forecast but not ranked, since
            their size is unknown.
        need: What is asked for.
        product: Pools of this product description are ranked: two products of one type and zone
            draw on the same capacity, so they do not spread a risk.
        placement_scores: 1 to 10; may be empty.
        observed: Interruptions and instance hours by pool; may be empty.
    """
    on_demand = {pool: offer.price_usd_per_hour for pool, offer in offers.items()}
    summaries = pool_summaries(forecasts, on_demand_prices=on_demand)
    signals = pool_signals(
        panel,
        on_demand_prices=on_demand,
        placement_scores=placement_scores,
        observed=observed,
    )
    risks = interruption_outlook(panel.pools, signals)
    candidates = [
        candidate_of(one, shape=offers[one.pool].shape, risk=risks[one.pool])
        for one in summaries
        if one.pool in offers and one.pool.product_description == product
    ]
    allocation, problem = _allocation(candidates, need)
    return Assessment(
        need=need,
        summaries={one.pool: one for one in summaries},
        risks=risks,
        allocation=allocation,
        problem=problem,
        losses=() if allocation is None else loss_odds(allocation, need),
    )


def _allocation(
    candidates: Sequence[Candidate], need: CapacityNeed
) -> tuple[RankedAllocation | None, str | None]:
    try:
        return rank_pools(candidates, need), None
    except NoFeasibleAllocationError as error:
        return None, str(error)


def loss_odds(allocation: RankedAllocation, need: CapacityNeed) -> tuple[LossOdds, ...]:
    """Return the odds of losing one instance, half of them and all, over the need's horizon."""
    held = holdings(allocation, horizon=need.horizon)
    total = sum(holding.instances for holding in held)
    lots, size = in_lots(held, most=MOST_LOTS)
    odds = losing_at_least(loss_distribution(lots))
    wanted = sorted({1, -(-total // 2), total})
    return tuple(
        LossOdds(at_least=k, of=total, probability=float(odds[min(-(-k // size), len(odds) - 1)]))
        for k in wanted
    )
