"""The spot market as EC2 tells it: announced prices, page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from tasks.adapters.aws import translated
from tasks.domain.spot.pools import PRICE_CHANGE_COLUMNS

OPERATIONS = ("ec2:DescribeSpotPriceHistory",)

PAGE_ROWS = 1000
"""The most rows that DescribeSpotPriceHistory gives in one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """One slice of one region's history.

    Attributes:
        region: For example "us-east-1".
        start: First instant; the price in effect then is included. Aware UTC.
        end: Last instant, included. Aware UTC.
        products: Product descriptions; empty for all.
        instance_types: Empty for all.
    """

    region: str
    start: datetime
    end: datetime
    products: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()


class Ec2SpotMarket:
    """DescribeSpotPriceHistory through boto3.

    Args:
        client_for: Gives the EC2 client of a region.
    """

    def __init__(self, client_for: Callable[[str], Any]) -> None:
        self._client_for = client_for

    def price_changes(self, query: HistoryQuery) -> pd.DataFrame:
        """Return the announced prices of a slice, oldest first.

        Args:
            query: What to read.

        Raises:
            TransientError: A page was throttled or failed more often than the client retries.
            PermanentError: EC2 refused the request.
        """
        client = self._client_for(query.region)
        rows: list[tuple[Any, ...]] = []
        arguments = _arguments(query)
        while True:
            with translated("ec2:DescribeSpotPriceHistory", region=query.region):
                page = client.describe_spot_price_history(**arguments)
            rows.extend(map(_row, page["SpotPriceHistory"]))
            if not page.get("NextToken"):
                return _frame(rows)
            arguments["NextToken"] = page["NextToken"]


def _arguments(query: HistoryQuery) -> dict[str, Any]:
    optional: dict[str, Sequence[str]] = {
        "ProductDescriptions": query.products,
        "InstanceTypes": query.instance_types,
    }
    return {
        "StartTime": query.start,
        "EndTime": query.end,
        "MaxResults": PAGE_ROWS,
        **{name: list(values) for name, values in optional.items() if values},
    }


def _row(item: dict[str, Any]) -> tuple[Any, ...]:
    return (
        item["Timestamp"],
        item["InstanceType"],
        item["AvailabilityZone"],
        item["ProductDescription"],
        float(item["SpotPrice"]),  # EC2 sends decimal text
    )


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(PRICE_CHANGE_COLUMNS))
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True).astype("datetime64[s, UTC]")
    return frame.iloc[::-1].reset_index(drop=True)
