"""What was spent, as Cost Explorer tells it. Every request, and every page, costs USD 0.01."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

import pandas as pd

from tasks.adapters.pages import items
from tasks.domain.errors import PermanentError

OPERATIONS = ("ce:GetCostAndUsage",)

USD_PER_REQUEST = 0.01
REGION = "us-east-1"
"""Where Cost Explorer is, whatever region the costs are of."""

UNTAGGED = "untagged"
"""Name of the group of what does not carry the tag."""

SETTLING_DAYS = 2
MOST_GROUPS = 2
_COLUMNS = ("group", "part")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostGroup:
    """What costs are told apart by.

    Attributes:
        kind: "DIMENSION" or "TAG".
        key: For example "SERVICE", or the tag's name.
    """

    kind: str
    key: str

    @classmethod
    def dimension(cls, key: str) -> Self:
        """Return a group by a dimension: SERVICE, USAGE_TYPE, LINKED_ACCOUNT or another."""
        return cls(kind="DIMENSION", key=key)

    @classmethod
    def tag(cls, key: str) -> Self:
        """Return a group by a cost allocation tag, which has to be activated for billing."""
        return cls(kind="TAG", key=key)

    def value_of(self, text: str) -> str:
        """Return the value in a group key: Cost Explorer writes "team$web" for a tag."""
        if self.kind != "TAG":
            return text
        return text.removeprefix(f"{self.key}$") or UNTAGGED


BY_SERVICE = (CostGroup.dimension("SERVICE"),)
BY_SERVICE_AND_USAGE = (CostGroup.dimension("SERVICE"), CostGroup.dimension("USAGE_TYPE"))


def daily_costs(
    client: Any, *, start: date, end: date, group_by: Sequence[CostGroup] = BY_SERVICE
) -> pd.DataFrame:
    """Return unblended cost by day and group, in one request as long as a page holds it.

    Args:
        client: A boto3 client of `ce`.
        start: First day; Cost Explorer keeps 14 months.
        end: Day after the last one. Today, so that no unfinished day is among them.
        group_by: One or two groups.

    Returns:
        `day` (naive midnight), `group`, with two groups `part`, `usd` and `is_estimated`; by
        day. Days without cost in a group have no row. Cost Explorer calls every day estimated
        until the month's invoice; here those are that may still rise: of those it calls so, the
        last `SETTLING_DAYS` before the end.

    Raises:
        TransientError: Cost Explorer did not answer.
        PermanentError: It refused, there are no groups or more than two, or the start is not
            before the end.
    """
    if not 1 <= len(group_by) <= MOST_GROUPS:
        message = f"{len(group_by)} groups; Cost Explorer takes 1 to {MOST_GROUPS}"
        raise PermanentError(message)
    if start >= end:
        message = f"start {start} has to be before end {end}; give the day after the last one"
        raise PermanentError(message)
    rows = [
        row
        for result in _results(client, _arguments(start, end, group_by))
        for row in _rows(result, group_by, open_from=end - timedelta(days=SETTLING_DAYS))
    ]
    columns = ["day", *_COLUMNS[: len(group_by)], "usd", "is_estimated"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"day": "datetime64[s]", "usd": "float64", "is_estimated": "bool"})


def _arguments(start: date, end: date, group_by: Sequence[CostGroup]) -> dict[str, Any]:
    return {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": one.kind, "Key": one.key} for one in group_by],
    }


def _results(client: Any, arguments: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    return items(
        client.get_cost_and_usage,
        "ResultsByTime",
        operation="ce:GetCostAndUsage",
        region=REGION,
        arguments=arguments,
        token=("NextPageToken", "NextPageToken"),
    )


def _rows(
    result: Mapping[str, Any], group_by: Sequence[CostGroup], *, open_from: date
) -> Iterator[tuple[Any, ...]]:
    day = date.fromisoformat(result["TimePeriod"]["Start"])
    is_estimated = bool(result["Estimated"]) and day >= open_from
    for group in result["Groups"]:
        names = [by.value_of(key) for by, key in zip(group_by, group["Keys"], strict=True)]
        yield day, *names, float(group["Metrics"]["UnblendedCost"]["Amount"]), is_estimated
