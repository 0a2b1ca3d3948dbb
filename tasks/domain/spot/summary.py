"""What a forecast means for someone who picks a pool: cheapest hour, range, saving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.forecasts import PoolForecasts, Source
from tasks.domain.spot.pools import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSummary:
    """A pool's forecast over its horizon; prices in USD per hour.

    Attributes:
        pool: Which pool.
        cheapest_at: Hour mark with the lowest expected price; the first of equals.
        cheapest_usd_per_hour: Expected price at that hour.
        low_usd_per_hour: Lowest 10 % quantile of any hour.
        high_usd_per_hour: Highest 90 % quantile of any hour.
        mean_usd_per_hour: Expected price over the horizon.
        on_demand_usd_per_hour: None when unknown.
        saving_fraction: Of the on-demand price, by the mean; below 0 where spot is dearer, None
            when the on-demand price is unknown.
        source: Where the forecast comes from.
    """

    pool: Pool
    cheapest_at: datetime
    cheapest_usd_per_hour: float
    low_usd_per_hour: float
    high_usd_per_hour: float
    mean_usd_per_hour: float
    on_demand_usd_per_hour: float | None
    saving_fraction: float | None
    source: Source


def pool_summaries(
    forecasts: PoolForecasts, *, on_demand_prices: Mapping[Pool, float]
) -> tuple[PoolSummary, ...]:
    """Return a summary of every pool, in the forecasts' order.

    Args:
        forecasts: At least one hour ahead.
        on_demand_prices: USD per hour, above 0; pools left out have an unknown price.
    """
    hour = forecasts.mean.argmin(axis=1)  # argmin takes the first of equals
    cheapest = forecasts.mean[np.arange(len(hour)), hour].tolist()
    low = forecasts.quantiles[:, :, 0].min(axis=1).tolist()
    high = forecasts.quantiles[:, :, -1].max(axis=1).tolist()
    mean = forecasts.mean.mean(axis=1)
    on_demand = np.array([on_demand_prices.get(pool, np.nan) for pool in forecasts.pools])
    price, saving = _known(on_demand), _known(1.0 - mean / on_demand)
    return tuple(
        PoolSummary(
            pool=pool,
            cheapest_at=forecasts.cutoff + timedelta(hours=int(hour[row]) + 1),
            cheapest_usd_per_hour=cheapest[row],
            low_usd_per_hour=low[row],
            high_usd_per_hour=high[row],
            mean_usd_per_hour=float(mean[row]),
            on_demand_usd_per_hour=price[row],
            saving_fraction=saving[row],
            source=Source(forecasts.source[row]),
        )
        for row, pool in enumerate(forecasts.pools)
    )


def _known(values: FloatArray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
