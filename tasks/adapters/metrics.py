"""Hourly metrics through CloudWatch GetMetricData, into arrays that are there beforehand.

Every metric that is asked for costs money, whether it exists or not (0.01 USD for 1,000 metrics
at the time of writing), so ask only for what ListMetrics knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tasks.adapters.aws import translated
from tasks.adapters.pace import Pace
from tasks.adapters.pages import items
from tasks.domain.errors import PermanentError
from tasks.domain.usage.panel import Float32Array

OPERATIONS = ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics")

MOST_QUERIES = 500
"""Of one GetMetricData request."""
MOST_DATAPOINTS = 100_800
"""In one answer."""
_HOUR = timedelta(hours=1)
_HOUR_SECONDS = 3600

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """One statistic of one metric.

    Attributes:
        namespace: For example "AWS/EC2".
        name: For example "CPUUtilization".
        dimensions: (name, value) pairs; all that the metric was reported with.
        statistic: Average, Maximum, Minimum, Sum or SampleCount.
    """

    namespace: str
    name: str
    dimensions: Dimensions
    statistic: str = "Average"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Whole hours.

    Attributes:
        start: Aware, on the hour.
        end: Aware, on the hour, after the start; the hour that begins then is left out.

    Raises:
        PermanentError: One is not on the hour, or there is no hour between them.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        ragged = [one for one in (self.start, self.end) if one.timestamp() % _HOUR_SECONDS]
        if ragged:
            message = f"{ragged[0].isoformat()} is not on the hour; hourly metrics begin there"
            raise PermanentError(message)
        if self.start >= self.end:
            message = (
                f"no hour between {self.start.isoformat()} and {self.end.isoformat()}; "
                "choose an end after the start"
            )
            raise PermanentError(message)

    @property
    def hours(self) -> int:
        """At least 1."""
        return (self.end - self.start) // _HOUR


def hourly_metrics(
    client: Any,
    queries: Sequence[MetricQuery],
    *,
    region: str,
    window: Window,
    pace: Pace | None = None,
    workers: int = 4,
) -> Float32Array:
    """Return (n, hours): a row a query; NaN in hours without a data point.

    Queries are sent in requests whose answer fits into one page, as many as 500 or 100,800 data
    points make; what comes in several pages all the same is read to the end.

    Args:
        client: A boto3 client of CloudWatch.
        queries: In any number, also twice the same.
        region: The client's.
        window: Which hours.
        pace: Shared by everybody who reads from this region; None asks as fast as answers come.
        workers: Requests at a time, at least 1.

    Raises:
        TransientError: A request was throttled or failed more often than the client retries.
        PermanentError: CloudWatch refused.
    """
    found = np.full((len(queries), window.hours), np.nan, dtype=np.float32)
    size = max(1, min(MOST_QUERIES, MOST_DATAPOINTS // window.hours))

    def read(first: int) -> None:
        rows = slice(first, first + size)
        _read(client, queries[rows], found[rows], region=region, window=window, pace=pace)

    # Each writes rows of its own into one array; an error in any is raised here.
    with ThreadPoolExecutor(workers, thread_name_prefix="metrics") as pool:
        list(pool.map(read, range(0, len(queries), size)))
    return found


def _read(
    client: Any,
    queries: Sequence[MetricQuery],
    into: Float32Array,
    *,
    region: str,
    window: Window,
    pace: Pace | None,
) -> None:
    arguments: dict[str, Any] = {
        "MetricDataQueries": [_query(number, one) for number, one in enumerate(queries)],
        "StartTime": window.start,
        "EndTime": window.end,
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": MOST_DATAPOINTS,
    }
    while True:
        if pace is not None:
            pace.wait(min(MOST_DATAPOINTS, len(queries) * window.hours))
        with translated("cloudwatch:GetMetricData", region=region):
            page = client.get_metric_data(**arguments)
        for result in page["MetricDataResults"]:
            _fill(into[int(result["Id"][1:])], result, start=window.start)
        if not page.get("NextToken"):
            return
        arguments["NextToken"] = page["NextToken"]


def _query(number: int, one: MetricQuery) -> dict[str, Any]:
    metric = {
        "Namespace": one.namespace,
        "MetricName": one.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in one.dimensions],
    }
    return {
        "Id": f"q{number}",
        "MetricStat": {"Metric": metric, "Period": _HOUR_SECONDS, "Stat": one.statistic},
    }


def _fill(row: Float32Array, result: Mapping[str, Any], *, start: datetime) -> None:
    begin = int(start.timestamp())
    hours = [(int(at.timestamp()) - begin) // _HOUR_SECONDS for at in result["Timestamps"]]
    row[hours] = result["Values"]


def listed_metrics(
    client: Any, *, region: str, namespace: str, name: str, dimension: str
) -> dict[str, tuple[Dimensions, ...]]:
    """Return the series of one metric that had data in the last two weeks, by a dimension's value.

    Args:
        client: A boto3 client of CloudWatch.
        region: The client's.
        namespace: For example "CWAgent".
        name: For example "mem_used_percent".
        dimension: For example "InstanceId"; series without it are left out.
    """
    rows = items(
        client.list_metrics,
        "Metrics",
        operation="cloudwatch:ListMetrics",
        region=region,
        arguments={
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": dimension}],
        },
    )
    found: dict[str, list[Dimensions]] = {}
    for row in rows:
        pairs = {pair["Name"]: pair["Value"] for pair in row["Dimensions"]}
        if dimension in pairs:
            found.setdefault(pairs[dimension], []).append(tuple(sorted(pairs.items())))
    return {value: tuple(sorted(series)) for value, series in found.items()}
