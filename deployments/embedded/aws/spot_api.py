"""EC2 DescribeSpotPriceHistory."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError, invalid_value
from deployments.embedded.aws.spot_filters import (
    VPC_SUFFIX,
    checked_filters,
    row_filter,
    row_instants,
    wanted_pools,
)
from deployments.embedded.aws.spot_history import region_of
from deployments.embedded.aws.spot_index import Position, RegionHistory, Window
from deployments.embedded.aws.wire import Reply, request_id
from tasks.domain.arrays import BoolArray, IntArray

RETENTION = timedelta(days=90)
"""EC2 keeps no older prices, except those still in effect at the start of that time."""

MOST_RESULTS = 1000
_MOST_MASKS = 64
PRODUCTS = ("Linux/UNIX", "Red Hat Enterprise Linux", "SUSE Linux", "Windows")
_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


class SpotPriceHistory:
    """Answers DescribeSpotPriceHistory from indexed histories.

    Args:
        regions: History per region; other regions have none.
        clock: Now, aware. Prices announced later are not told yet.
    """

    def __init__(
        self, regions: Mapping[str, RegionHistory], *, clock: Callable[[], datetime]
    ) -> None:
        self._regions = regions
        self._clock = clock
        self._pieces = {name: _pool_pieces(history) for name, history in regions.items()}
        self._masks: dict[tuple[str, int], BoolArray] = {}

    def describe(self, call: Call, parameters: Mapping[str, Any]) -> Reply:
        """Return a page, written out: the generic serialiser is some 20 times slower.

        Raises:
            AwsError: A parameter is not what EC2 allows.
        """
        limit = _limit(parameters)
        _check_names(call.region, parameters)
        history = self._regions.get(call.region)
        if history is None:
            checked_filters(parameters)
            return _written(b"", next_token="")
        window, query = self._window(call.region, parameters)
        rows, below = history.rows_between(window, limit=limit)
        token = Position(query=query, start=window.start, below=below).token() if below else ""
        return _written(self._items(call.region, history, rows), next_token=token)

    def _window(self, region: str, parameters: Mapping[str, Any]) -> tuple[Window, int]:
        history = self._regions[region]
        now = self._clock()
        oldest = now - RETENTION
        start = max(parameters.get("StartTime") or oldest, oldest)
        end = min(parameters.get("EndTime") or now, now)
        query = _digest(parameters)
        filters = checked_filters(parameters)
        window = Window(
            pools=self._mask(region, query, parameters),
            start=int(np.ceil(start.timestamp())),
            below=history.revealed(int(end.timestamp())),
            accepts=row_filter(history, filters),
        )
        token = parameters.get("NextToken")
        if not token:
            return window, query
        position = _position(token, query)
        below = min(position.below, window.below)
        return replace(window, start=position.start, below=below), query

    def _mask(self, region: str, query: int, parameters: Mapping[str, Any]) -> BoolArray:
        # One query asks for many pages; looking at 35,000 pools takes longer than a page.
        mask = self._masks.get((region, query))
        if mask is None:
            mask = wanted_pools(self._regions[region], parameters, checked_filters(parameters))
            if len(self._masks) >= _MOST_MASKS:
                self._masks.clear()
            self._masks[region, query] = mask
        return mask

    def _items(self, region: str, history: RegionHistory, rows: IntArray) -> bytes:
        heads, tails = self._pieces[region]
        pools = history.pool[rows].tolist()
        prices = history.price[rows].tolist()
        instants = row_instants(history, rows)
        return "".join(
            f"{heads[pool]}{price:.6f}</spotPrice><timestamp>{instant}{tails[pool]}"
            for pool, price, instant in zip(pools, prices, instants, strict=True)
        ).encode()


def _pool_pieces(history: RegionHistory) -> tuple[list[str], list[str]]:
    heads = [
        f"<item><instanceType>{pool.instance_type}</instanceType><productDescription>"
        f"{pool.product_description}</productDescription><spotPrice>"
        for pool in history.pools
    ]
    tails = [
        f".000Z</timestamp><availabilityZone>{pool.availability_zone}</availabilityZone></item>"
        for pool in history.pools
    ]
    return heads, tails


def _written(items: bytes, *, next_token: str) -> Reply:
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<DescribeSpotPriceHistoryResponse xmlns="{_NAMESPACE}">'
        f"<requestId>{request_id()}</requestId><spotPriceHistorySet>"
    )
    # EC2 sends an empty token, not none, with the last page.
    tail = (
        f"</spotPriceHistorySet><nextToken>{next_token}</nextToken>"
        "</DescribeSpotPriceHistoryResponse>"
    )
    return Reply(body=b"".join((head.encode(), items, tail.encode())))


def _limit(parameters: Mapping[str, Any]) -> int:
    limit = parameters.get("MaxResults", 0)
    if limit < 0 or limit > MOST_RESULTS:
        expected = f"Expecting a value between 1 and {MOST_RESULTS}."
        raise invalid_value(limit, parameter="maxResults", expected=expected)
    return int(limit) or MOST_RESULTS


def _check_names(region: str, parameters: Mapping[str, Any]) -> None:
    zone = parameters.get("AvailabilityZone")
    if zone is not None and region_of(zone) != region:
        raise AwsError(code="InvalidParameterValue", message=f"Invalid availability zone: [{zone}]")
    for kind in parameters.get("InstanceTypes", ()):
        if not re.fullmatch(r"[\w-]+\.[\w-]+", kind):
            raise AwsError(code="InvalidParameterValue", message=f"Invalid instance type: {kind}")
    for product in parameters.get("ProductDescriptions", ()):
        if product.removesuffix(VPC_SUFFIX) not in PRODUCTS:
            raise AwsError(
                code="InvalidParameterValue", message=f"Invalid product description: {product}"
            )
    start, end = parameters.get("StartTime"), parameters.get("EndTime")
    if start is not None and end is not None and end < start:
        message = "The end time must not be before the start time."
        raise AwsError(code="InvalidParameterCombination", message=message)


def _digest(parameters: Mapping[str, Any]) -> int:
    kept = {k: v for k, v in parameters.items() if k not in {"NextToken", "MaxResults", "DryRun"}}
    return zlib.crc32(json.dumps(kept, sort_keys=True, default=str).encode())


def _position(token: str, query: int) -> Position:
    try:
        position = Position.from_token(token)
    except ValueError as error:
        message = "Unable to parse pagination token"
        raise AwsError(code="InvalidParameterValue", message=message) from error
    if position.query != query:
        message = "The pagination token belongs to a request with other parameters"
        raise AwsError(code="InvalidParameterValue", message=message)
    return position
