"""Small panels, forecasts and offers for tests."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from tasks.domain.instances import Architecture, InstanceShape, Offer
from tasks.domain.spot.forecasts import PoolForecasts, Source
from tasks.domain.spot.pools import Pool, PricePanel

CUTOFF = datetime(2026, 3, 1, 12, tzinfo=UTC)
POOLS = (
    Pool(availability_zone="us-east-1a", instance_type="c5.xlarge"),
    Pool(availability_zone="us-east-1a", instance_type="m5.xlarge"),
    Pool(availability_zone="us-east-1b", instance_type="m5.xlarge"),
)
PRICES = (0.08, 0.07, 0.09)


def small_panel(hours: int = 73) -> PricePanel:
    """Three pools: the first is still, the others step up a tenth halfway."""
    prices = np.repeat(np.array(PRICES)[:, None], hours, axis=1)
    prices[1:, : hours // 2] *= 0.9
    return PricePanel(
        pools=POOLS,
        cutoff=CUTOFF,
        prices=prices,
        last_change_at=np.array(["NaT", "2026-02-28T00", "2026-02-28T00"], "datetime64[s]"),
    )


def small_forecasts(horizon_hours: int = 24) -> PoolForecasts:
    """The last value, with an interval that widens by a thousandth an hour."""
    last = np.array(PRICES)
    spread = 0.001 * np.arange(1, horizon_hours + 1)
    quantiles = last[:, None, None] * np.stack(
        [1.0 - spread, np.ones(horizon_hours), 1.0 + spread], axis=-1
    )
    return PoolForecasts(
        pools=POOLS,
        cutoff=CUTOFF,
        quantiles=quantiles,
        mean=quantiles[:, :, 1],
        last_value=last,
        naive_quantiles=quantiles,
        source=np.array([Source.STILL, Source.MODEL, Source.LAST_VALUE]),
        moved=np.array([False, True, True]),
    )


def small_offers() -> dict[Pool, Offer]:
    """On-demand prices and shapes of the three pools."""
    shapes = {
        "c5.xlarge": InstanceShape(
            instance_type="c5.xlarge", vcpu=4, memory_gib=8, architecture=Architecture.X86_64
        ),
        "m5.xlarge": InstanceShape(
            instance_type="m5.xlarge", vcpu=4, memory_gib=16, architecture=Architecture.X86_64
        ),
    }
    prices = {"c5.xlarge": 0.17, "m5.xlarge": 0.192}
    return {
        pool: Offer(shape=shapes[pool.instance_type], price_usd_per_hour=prices[pool.instance_type])
        for pool in POOLS
    }
