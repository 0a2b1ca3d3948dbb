"""Signals of strain, from what the price panel and recorded traces show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.availability import AvailabilityPanel
from tasks.domain.spot.interruption import AdvisorBand, PoolSignals
from tasks.domain.spot.pools import Pool, PricePanel

DAY_HOURS = 24


def pool_signals(
    panel: PricePanel,
    *,
    on_demand_prices: Mapping[Pool, float],
    placement_scores: Mapping[Pool, int] | None = None,
    advisor_bands: Mapping[Pool, AdvisorBand] | None = None,
    observed: Mapping[Pool, tuple[int, float]] | None = None,
) -> dict[Pool, PoolSignals]:
    """Return what is known of each pool of the panel; what is missing in a mapping is unknown.

    Args:
        panel: Hourly prices.
        on_demand_prices: USD per hour, above 0.
        placement_scores: 1 to 10.
        advisor_bands: As published, per type and region.
        observed: Interruptions and instance hours.
    """
    volatility = daily_volatility(panel)
    scores, bands, seen = placement_scores or {}, advisor_bands or {}, observed or {}
    found = {}
    for row, pool in enumerate(panel.pools):
        cap = on_demand_prices.get(pool)
        interruptions, hours = seen.get(pool, (0, 0.0))
        found[pool] = PoolSignals(
            price_to_on_demand=None if cap is None else float(panel.prices[row, -1] / cap),
            daily_volatility=None if np.isnan(volatility[row]) else float(volatility[row]),
            placement_score=scores.get(pool),
            advisor_band=bands.get(pool),
            interruptions=interruptions,
            instance_hours=hours,
        )
    return found


def daily_volatility(panel: PricePanel) -> FloatArray:
    """Return the mean absolute change over a day, relative, (n,); NaN with less than a day known."""
    prices = panel.prices
    if panel.hours <= DAY_HOURS:
        return np.full(len(panel), np.nan)
    before = prices[:, :-DAY_HOURS]
    change = np.abs(prices[:, DAY_HOURS:] / before - 1.0)
    known = ~np.isnan(change)
    count = known.sum(axis=1)
    total = np.where(known, change, 0.0).sum(axis=1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float64)


def observed_losses(panel: AvailabilityPanel) -> dict[Pool, tuple[int, float]]:
    """Return per pool how often capacity went away, and the hours it was there.

    Reads a trace as one instance that runs whenever capacity can be had.
    """
    lost = (panel.up[:, :-1] & ~panel.up[:, 1:]).sum(axis=1)
    hours = panel.up.sum(axis=1) * (panel.tick / timedelta(hours=1))
    return {
        pool: (int(lost[row]), float(hours[row]))
        for row, pool in enumerate(panel.pools)
        if hours[row] > 0.0
    }
