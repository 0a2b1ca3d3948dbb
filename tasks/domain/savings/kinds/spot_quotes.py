"""Spot quotes from the stored outlook: the longest forecast, averaged over its hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pandas as pd

from tasks.domain.savings.money import HOURS_PER_MONTH, SpotQuote
from tasks.domain.spot.interruption import EvidenceKind
from tasks.domain.spot.pools import Pool

PRODUCT = "Linux/UNIX"


def spot_quotes(forecast: pd.DataFrame) -> Mapping[tuple[str, str], tuple[SpotQuote, ...]]:
    """Return quotes by (region, instance type), zones in order.

    Args:
        forecast: As `forecast-spot-prices` stores it: a row a pool and horizon, hourly values as
            lists. A pool whose interruption risk is unknown gives no quote: a price
            without its risk is half the cost.
    """
    if "interruptions_per_hour" not in forecast.columns or forecast.empty:
        return {}
    longest = forecast["horizon_hours"].max()
    known = forecast[
        (forecast["horizon_hours"] == longest)
        & (forecast["product_description"] == PRODUCT)
        & forecast["interruptions_per_hour"].notna()
    ]
    found: dict[tuple[str, str], list[SpotQuote]] = defaultdict(list)
    for row in known.sort_values(["instance_type", "availability_zone"]).itertuples():
        pool = Pool(
            availability_zone=str(row.availability_zone), instance_type=str(row.instance_type)
        )
        quote = SpotQuote(
            region=pool.region,
            availability_zone=pool.availability_zone,
            instance_type=pool.instance_type,
            usd_per_hour=float(np.mean(np.asarray(row.mean))),
            high_usd_per_hour=float(np.max(np.asarray(row.q90))),
            interruptions_per_month=float(str(row.interruptions_per_hour)) * HOURS_PER_MONTH,
            risk_is_prior=row.risk_evidence != EvidenceKind.FITTED,
        )
        found[pool.region, pool.instance_type].append(quote)
    return {key: tuple(quotes) for key, quotes in found.items()}
