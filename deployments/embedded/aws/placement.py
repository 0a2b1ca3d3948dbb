"""EC2 GetSpotPlacementScores from recorded prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.price_list import on_demand_usd_per_hour
from deployments.embedded.aws.spot_index import RegionHistory
from tasks.domain.arrays import BoolArray

RECENT = timedelta(days=7)
MOST_SCORES = 10
CHEAPEST_SHARE = 0.3
"""Spot prices of 2021 did not fall below 30 % of on-demand."""

UNKNOWN_SHARE = 0.6
"""Assumed share of on-demand where the price list does not know the type."""


def pool_chance(*, price_share: float, relative_range: float, capacity: int) -> float:
    """Return how likely a pool delivers, from 0 to 1: a stated rule, not AWS's model.

    The product of three shares: the headroom (1 when the price is at 30 % of on-demand, 0 at
    on-demand), calm (1 / (1 + 10 x the relative price range of the last week)) and room
    (1 / (1 + capacity / 1000)).

    Args:
        price_share: Spot over on-demand price.
        relative_range: Highest less lowest price of the last week, over the price now; 0 or more.
        capacity: Units wanted, at least 1.
    """
    headroom = min(1.0, max(0.0, (1.0 - price_share) / (1.0 - CHEAPEST_SHARE)))
    return headroom / (1.0 + 10.0 * relative_range) / (1.0 + capacity / 1000.0)


def placement_score(chances: Iterable[float]) -> int:
    """Return 1 to 10: 1 + 9 x the chance that at least one pool delivers, rounded down."""
    missed = float(np.prod([1.0 - chance for chance in chances]))
    return 1 + int(9.0 * (1.0 - missed))


class PlacementScores:
    """Answers GetSpotPlacementScores.

    Args:
        regions: Price history per region; regions without one are not scored.
        clock: Now, aware.
    """

    def __init__(
        self, regions: Mapping[str, RegionHistory], *, clock: Callable[[], datetime]
    ) -> None:
        self._regions = regions
        self._clock = clock

    def describe(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return up to ten scores, best first.

        Raises:
            AwsError: A parameter is missing or not what EC2 allows.
        """
        del call
        kinds, capacity = _need(parameters)
        single_zone = bool(parameters.get("SingleAvailabilityZone"))
        wanted = parameters.get("RegionNames") or sorted(self._regions)
        scores: list[dict[str, Any]] = []
        for region in wanted:
            if region in self._regions:
                chances = self._chances(region, kinds, capacity)
                scores.extend(_scores(region, chances, single_zone=single_zone))
        scores.sort(key=lambda row: (-row["Score"], row["Region"], row.get("AvailabilityZoneId")))
        return {"SpotPlacementScores": scores[: parameters.get("MaxResults") or MOST_SCORES]}

    def _chances(self, region: str, kinds: set[str], capacity: int) -> dict[str, list[float]]:
        history = self._regions[region]
        now = int(self._clock().timestamp())
        of_kind = np.array([pool.instance_type in kinds for pool in history.pools], dtype=bool)
        found: dict[str, list[float]] = defaultdict(list)
        for row, low, high in _recent_prices(history, of_kind, now):
            pool, price = history.pools[history.pool[row]], float(history.price[row])
            on_demand = on_demand_usd_per_hour(pool.instance_type, region=region)
            chance = pool_chance(
                price_share=UNKNOWN_SHARE if on_demand is None else price / on_demand,
                relative_range=(high - low) / price,
                capacity=capacity,
            )
            found[pool.availability_zone].append(chance)
        return found


def _need(parameters: Mapping[str, Any]) -> tuple[set[str], int]:
    kinds = set(parameters.get("InstanceTypes", ()))
    if not kinds:
        missing = "InstanceTypes (InstanceRequirementsWithMetadata is not embedded)"
        message = f"The request must contain the parameter {missing}"
        raise AwsError(code="MissingParameter", message=message)
    capacity = parameters.get("TargetCapacity")
    if capacity is None or capacity < 1:
        message = f"TargetCapacity {capacity} is invalid; expecting at least 1"
        raise AwsError(code="InvalidParameterValue", message=message)
    return kinds, int(capacity)


def _recent_prices(
    history: RegionHistory, wanted: BoolArray, now: int
) -> Iterable[tuple[int, float, float]]:
    """Yield the row in effect now and the lowest and highest price of the last week, by pool."""
    below = history.revealed(now)
    first = history.revealed(now - int(RECENT.total_seconds()))
    recent = np.arange(first, below)
    recent = recent[wanted[history.pool[recent]]]
    before = history.in_effect_before(first)
    rows = np.concatenate([before[wanted[history.pool[before]]][::-1], recent])
    for pool in np.unique(history.pool[rows]):
        own = rows[history.pool[rows] == pool]
        prices = history.price[own]
        yield int(own[-1]), float(prices.min()), float(prices.max())


def _scores(
    region: str, chances: Mapping[str, list[float]], *, single_zone: bool
) -> Iterable[dict[str, Any]]:
    if not single_zone:
        every = [chance for zone in chances.values() for chance in zone]
        return [{"Region": region, "Score": placement_score(every)}] if every else []
    # Reads its catalogues for over a second: not at start.
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

    ids = {zone.name: zone.zone_id for zone in RegionsAndZonesBackend.zones.get(region, ())}
    return [
        {
            "Region": region,
            "AvailabilityZoneId": ids.get(zone, zone),
            "Score": placement_score(each),
        }
        for zone, each in chances.items()
    ]
