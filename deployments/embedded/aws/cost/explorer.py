"""Cost Explorer: ce:GetCostAndUsage."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.cost.lines import CostTable, LineKey
from deployments.embedded.aws.cost.query import group_reader, lines_wanted, refused
from deployments.embedded.aws.cost.snapshot import AccountSnapshot
from deployments.embedded.aws.cost.table import MONTHS, cost_table, first_day_of
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.policy import ACCOUNT
from tasks.domain.arrays import FloatArray

METRICS = ("UnblendedCost", "UsageQuantity")
GROUPS_PER_PAGE = 1000
_SECONDS_CACHED = 60
_LEAST = 1e-10
"""Smaller amounts are not listed: a covered line leaves rounding errors behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked for, checked.

    Attributes:
        start, end: The end is not included.
        monthly: Instead of daily.
        metrics: Names.
    """

    start: date
    end: date
    monthly: bool
    metrics: tuple[str, ...]

    def periods(self) -> list[tuple[date, date]]:
        """Return the days or months in it; the first and the last month may be a part of one."""
        if not self.monthly:
            days = pd.date_range(self.start, self.end, freq="D")
            cuts = [day.date() for day in days]
        else:
            inner = pd.date_range(self.start, self.end, freq="MS")
            cuts = sorted({self.start, self.end, *(day.date() for day in inner)})
        return list(itertools.pairwise(cuts))


class CostExplorer:
    """Answers GetCostAndUsage from the account as it is.

    Args:
        snapshot: Reads the account.
        clock: Now, aware. A bill is kept for a minute of it.
        seed: Of the invented past.
    """

    def __init__(
        self,
        snapshot: Callable[[], AccountSnapshot],
        *,
        clock: Callable[[], datetime],
        seed: int,
    ) -> None:
        self._snapshot = snapshot
        self._clock = clock
        self._seed = seed
        self._kept: tuple[int, CostTable] | None = None

    def get_cost_and_usage(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of days or months with their groups.

        Raises:
            AwsError: A parameter is not what the service allows, or is not embedded.
        """
        del call
        now = self._clock()
        query = _query(parameters, now=now)
        definitions = parameters.get("GroupBy", [])
        read = group_reader(definitions)
        table = self._table(now)
        wanted = np.flatnonzero(lines_wanted(table.keys, parameters.get("Filter")))
        groups = _grouped([table.keys[row] for row in wanted], read)
        results = [
            _result(table, wanted, groups, query, period, now=now, grouped=bool(definitions))
            for period in query.periods()
        ]
        asked = {name: value for name, value in parameters.items() if name != "NextPageToken"}
        page, token = page_of(
            _pages(results),
            query=asked,
            token=parameters.get("NextPageToken"),
            limit=1,
            code="InvalidNextTokenException",
        )
        return {
            "GroupDefinitions": list(definitions),
            "ResultsByTime": [result for results in page for result in results],
            "DimensionValueAttributes": _attributes(definitions),
            **({"NextPageToken": token} if token else {}),
        }

    def _table(self, now: datetime) -> CostTable:
        minute = int(now.timestamp()) // _SECONDS_CACHED
        if self._kept is None or self._kept[0] != minute:
            self._kept = minute, cost_table(self._snapshot(), now=now, seed=self._seed)
        return self._kept[1]


def _query(parameters: Mapping[str, Any], *, now: datetime) -> Query:
    period, granularity = parameters.get("TimePeriod", {}), parameters.get("Granularity")
    if granularity not in {"DAILY", "MONTHLY"}:
        msg = f"Granularity {granularity!r} is not embedded; use DAILY or MONTHLY."
        raise refused(msg)
    metrics = tuple(parameters.get("Metrics", ()))
    if not metrics or not set(metrics) <= set(METRICS):
        msg = f"Metrics {list(metrics)} are not embedded; use {', '.join(METRICS)}."
        raise refused(msg)
    start, end = (_day(period.get(name), name) for name in ("Start", "End"))
    if start >= end:
        msg = f"Start date {start} should be before end date {end}."
        raise refused(msg)
    if start < (first := first_day_of(now)):
        message = f"{start} is beyond the {MONTHS} months of data, which begin on {first}."
        raise refused(message)
    return Query(start=start, end=end, monthly=granularity == "MONTHLY", metrics=metrics)


def _day(text: str | None, name: str) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError as error:
        msg = f"{name} {text!r} is no day such as 2026-03-01."
        raise refused(msg) from error


def _grouped(
    keys: Sequence[LineKey], read: Callable[[LineKey], tuple[str, ...]]
) -> list[tuple[tuple[str, ...], list[int], str]]:
    """Return groups by name: keys, positions of their lines and unit."""
    rows: dict[tuple[str, ...], list[int]] = {}
    for position, key in enumerate(keys):
        rows.setdefault(read(key), []).append(position)
    found = []
    for names, positions in sorted(rows.items()):
        units = {keys[position].unit for position in positions}
        found.append((names, positions, units.pop() if len(units) == 1 else "N/A"))
    return found


def _result(
    table: CostTable,
    wanted: Any,
    groups: Sequence[tuple[tuple[str, ...], list[int], str]],
    query: Query,
    period: tuple[date, date],
    *,
    now: datetime,
    grouped: bool,
) -> dict[str, Any]:
    first, end = (max(0, (day - table.first_day).days) for day in period)
    usd = table.usd[wanted, first:end].sum(axis=1)
    quantity = table.quantity[wanted, first:end].sum(axis=1)
    rows = [
        {"Keys": list(names), "Metrics": _amounts(query, usd[each], quantity[each], unit)}
        for names, each, unit in groups
        if abs(usd[each]).sum() > _LEAST or abs(quantity[each]).sum() > _LEAST
    ]
    units = {unit for _, _, unit in groups}
    total = _amounts(query, usd, quantity, units.pop() if len(units) == 1 else "N/A")
    return {
        "TimePeriod": {"Start": period[0].isoformat(), "End": period[1].isoformat()},
        "Total": {} if grouped else total,
        "Groups": rows if grouped else [],
        # AWS settles a month with its invoice, some days after it.
        "Estimated": (period[1].year, period[1].month, period[1].day) > (now.year, now.month, 1),
    }


def _amounts(query: Query, usd: FloatArray, quantity: FloatArray, unit: str) -> dict[str, Any]:
    amounts = {
        "UnblendedCost": {"Amount": f"{usd.sum():.10f}", "Unit": "USD"},
        "UsageQuantity": {"Amount": f"{quantity.sum():.10f}", "Unit": unit},
    }
    return {name: amounts[name] for name in query.metrics}


def _pages(results: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return list(_split(results))


def _split(results: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield results in pages: whole days or months, one at least."""
    page: list[dict[str, Any]] = []
    groups = 0
    for result in results:
        more = max(1, len(result["Groups"]))
        if page and groups + more > GROUPS_PER_PAGE:
            yield page
            page, groups = [], 0
        page.append(result)
        groups += more
    yield page


def _attributes(definitions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_account = any(one.get("Key") == "LINKED_ACCOUNT" for one in definitions)
    described = {"Value": ACCOUNT, "Attributes": {"description": "embedded"}}
    return [described] if by_account else []
