"""Which pools and rows of a spot price history a request selects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.spot_index import RegionHistory
from tasks.domain.arrays import BoolArray, IntArray

VPC_SUFFIX = " (Amazon VPC)"
_POOL_FILTERS = {
    "availability-zone": "availability_zone",
    "instance-type": "instance_type",
    "product-description": "product_description",
}
_ROW_FILTERS = ("spot-price", "timestamp")

Filters = Mapping[str, Sequence[re.Pattern[str]]]


def row_instants(history: RegionHistory, rows: IntArray) -> list[str]:
    """Return the instants of some rows as ISO 8601 without offset, UTC."""
    seconds = history.seconds[rows].astype("datetime64[s]")
    return np.datetime_as_string(seconds).tolist()  # type: ignore[no-any-return]


def checked_filters(parameters: Mapping[str, Any]) -> Filters:
    """Return patterns by filter name; * and ? are wildcards.

    Raises:
        AwsError: EC2 has no such filter.
    """
    found: dict[str, list[re.Pattern[str]]] = {}
    for item in parameters.get("Filters", ()):
        name = item.get("Name", "")
        if name not in {*_POOL_FILTERS, *_ROW_FILTERS}:
            raise AwsError(code="InvalidParameterValue", message=f"The filter '{name}' is invalid")
        found[name] = [wildcard(value) for value in item.get("Values", ())]
    return found


def wildcard(text: str) -> re.Pattern[str]:
    """Return a pattern where * is any text, ? any character, and a backslash takes both back."""
    parts = re.findall(r"\\.|.", text, flags=re.DOTALL)
    special = {"*": ".*", "?": "."}
    return re.compile("".join(special.get(part) or re.escape(part[-1]) for part in parts))


def wanted_pools(
    history: RegionHistory, parameters: Mapping[str, Any], filters: Filters
) -> BoolArray:
    """Return a mask over the history's pools."""
    kinds = set(parameters.get("InstanceTypes", ()))
    products = {name.removesuffix(VPC_SUFFIX) for name in parameters.get("ProductDescriptions", ())}
    zone = parameters.get("AvailabilityZone")
    wanted = [
        (not kinds or pool.instance_type in kinds)
        and (not products or pool.product_description.removesuffix(VPC_SUFFIX) in products)
        and (zone is None or pool.availability_zone == zone)
        and all(
            matches(getattr(pool, field), filters[name])
            for name, field in _POOL_FILTERS.items()
            if name in filters
        )
        for pool in history.pools
    ]
    return np.array(wanted, dtype=bool)


def matches(text: str, patterns: Sequence[re.Pattern[str]]) -> bool:
    """Return whether any of some patterns covers a text."""
    return any(pattern.fullmatch(text) for pattern in patterns)


def row_filter(history: RegionHistory, filters: Filters) -> Callable[[IntArray], BoolArray] | None:
    """Return what tells wanted rows by price or instant, as written; None where all are."""
    if not any(name in filters for name in _ROW_FILTERS):
        return None

    def accepts(rows: IntArray) -> BoolArray:
        texts = {
            "spot-price": [f"{price:.6f}" for price in history.price[rows].tolist()],
            "timestamp": [f"{instant}.000Z" for instant in row_instants(history, rows)],
        }
        passed = np.ones(len(rows), dtype=bool)
        for name in _ROW_FILTERS:
            if name in filters:
                passed &= np.array([matches(text, filters[name]) for text in texts[name]], bool)
        return passed

    return accepts
