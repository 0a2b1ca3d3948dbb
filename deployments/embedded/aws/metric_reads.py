"""CloudWatch GetMetricData, GetMetricStatistics and ListMetrics."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from deployments.embedded.aws.calls import Call, Protocol
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.metric_statistics import (
    STATISTICS,
    is_statistic,
    statistic_by_period,
)
from deployments.embedded.aws.metric_store import Columns, MetricKey, MetricStore
from deployments.embedded.aws.metric_writes import dimensions_of
from tasks.domain.arrays import FloatArray, IntArray

MOST_QUERIES = 500
MOST_DATAPOINTS = 100_800
MOST_STATISTICS = 1440
PAGE_METRICS = 500
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_SHORT_PERIODS = {1, 5, 10, 20, 30}
_SINGLE_PRECISION_DECIMALS = 5


class MetricReads:
    """Answers from a store.

    Args:
        store: Where the data is.
        clock: Now, aware. Later data is not told yet.
        reported: Which points of a series there can be; None for all.
    """

    def __init__(
        self,
        store: MetricStore,
        *,
        clock: Callable[[], datetime],
        reported: Callable[[MetricKey, Columns], Columns] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._reported = reported

    def get_metric_data(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return series, newest first unless asked otherwise, up to MaxDatapoints a page.

        Raises:
            AwsError: A parameter is not what CloudWatch allows, or a query is an expression.
        """
        queries = _queries(parameters)
        start, end = self._window(parameters)
        room = parameters.get("MaxDatapoints", MOST_DATAPOINTS)
        if not 1 <= room <= MOST_DATAPOINTS:
            message = f"MaxDatapoints {room} is not between 1 and {MOST_DATAPOINTS}."
            raise _validation(message)
        digest = _digest(parameters)
        first, offset = _place(parameters.get("NextToken"), digest)
        newest_first = parameters.get("ScanBy", "TimestampDescending") != "TimestampAscending"
        results: list[dict[str, Any]] = []
        for number in range(first, len(queries)):
            seconds, values = self._series(call.region, queries[number], start, end)
            if newest_first:
                seconds, values = seconds[::-1], values[::-1]
            part = slice(offset, offset + room)
            partial = len(seconds) > part.stop
            points = _written(seconds[part], values[part], call.protocol)
            results.append(_result(queries[number], *points, partial=partial))
            room -= len(seconds[part])
            if partial:
                token = _token(digest, number, part.stop)
                return {"MetricDataResults": results, "Messages": [], "NextToken": token}
            offset = 0
            if room == 0 and number + 1 < len(queries):
                token = _token(digest, number + 1, 0)
                return {"MetricDataResults": results, "Messages": [], "NextToken": token}
        return {"MetricDataResults": results, "Messages": []}

    def get_metric_statistics(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the statistics of one series, oldest first.

        Raises:
            AwsError: A parameter is not what CloudWatch allows.
        """
        start, end = self._window(parameters)
        period = _period(parameters.get("Period"))
        wanted = [*parameters.get("Statistics", ()), *parameters.get("ExtendedStatistics", ())]
        if not wanted or not all(is_statistic(name) for name in wanted):
            message = f"Statistics {wanted} must be some of {', '.join(STATISTICS)} or pNN."
            raise AwsError(code="InvalidParameterValue", message=message)
        asked = -(-(end - start) // period)
        if asked > MOST_STATISTICS:
            message = (
                f"You have requested up to {asked:,} datapoints, which exceeds the limit of "
                f"{MOST_STATISTICS:,}. You may reduce the datapoints requested by increasing "
                "Period, or decreasing the time range."
            )
            raise AwsError(code="InvalidParameterCombination", message=message)
        key = _key(call.region, parameters)
        points = self._points(key, start, end, period)
        rows: dict[int, dict[str, Any]] = {}
        for name in wanted:
            seconds, values = statistic_by_period(points, name=name, period=period)
            for second, value in zip(seconds.tolist(), values.tolist(), strict=True):
                row = rows.setdefault(second, {"Timestamp": _instant(second), "Unit": "None"})
                if name in STATISTICS:
                    row[name] = value
                else:
                    row.setdefault("ExtendedStatistics", {})[name] = value
        return {"Label": key.name, "Datapoints": [rows[second] for second in sorted(rows)]}

    def list_metrics(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the metrics that have data, 500 a page.

        Raises:
            AwsError: The page token is not ours.
        """
        dimensions = {d["Name"]: d.get("Value") for d in parameters.get("Dimensions", ())}
        keys = self._store.keys(
            region=call.region,
            namespace=parameters.get("Namespace"),
            name=parameters.get("MetricName"),
            dimensions=dimensions,
        )
        digest = _digest(parameters)
        first, _ = _place(parameters.get("NextToken"), digest)
        page = keys[first : first + PAGE_METRICS]
        answer: dict[str, Any] = {"Metrics": [_metric(key) for key in page], "OwningAccounts": []}
        if first + PAGE_METRICS < len(keys):
            answer["NextToken"] = _token(digest, first + PAGE_METRICS, 0)
        return answer

    def _window(self, parameters: Mapping[str, Any]) -> tuple[int, int]:
        if not {"StartTime", "EndTime"} <= set(parameters):
            message = "The parameters StartTime and EndTime are required."
            raise AwsError(code="MissingParameter", message=message)
        start, end = parameters["StartTime"], parameters["EndTime"]
        if start >= end:
            message = "The parameter StartTime must be less than the parameter EndTime."
            raise _validation(message)
        return int(start.timestamp()), int(end.timestamp())

    def _series(
        self, region: str, query: Mapping[str, Any], start: int, end: int
    ) -> tuple[IntArray, FloatArray]:
        stat = query["MetricStat"]
        period = _period(stat.get("Period"))
        points = self._points(_key(region, stat["Metric"]), start, end, period)
        return statistic_by_period(points, name=stat["Stat"], period=period)

    def _points(self, key: MetricKey, start: int, end: int, period: int) -> Columns:
        revealed = int(self._clock().timestamp()) + 1
        # CloudWatch rounds the start down, so that the first period is whole.
        points = self._store.read(key).between(start // period * period, min(end, revealed))
        return points if self._reported is None else self._reported(key, points)


def _queries(parameters: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    queries: Sequence[Mapping[str, Any]] = parameters.get("MetricDataQueries", ())
    if not 1 <= len(queries) <= MOST_QUERIES:
        message = (
            f"The collection MetricDataQueries must have a size between 1 and {MOST_QUERIES}; "
            f"found {len(queries)}."
        )
        raise _validation(message)
    for query in queries:
        problem = _problem(query)
        if problem is not None:
            raise _validation(problem)
    if len({query["Id"] for query in queries}) < len(queries):
        message = "The values for parameter id in MetricDataQueries are not unique."
        raise _validation(message)
    return [query for query in queries if query.get("ReturnData", True)]


def _problem(query: Mapping[str, Any]) -> str | None:
    identity = query.get("Id", "")
    if not _ID.fullmatch(identity):
        return (
            f"The value '{identity}' for parameter MetricDataQueries.Id must match {_ID.pattern}."
        )
    if "MetricStat" not in query:
        return (
            f"Query {identity} is an expression; the embedded CloudWatch answers MetricStat only."
        )
    if not is_statistic(query["MetricStat"].get("Stat", "")):
        stat = query["MetricStat"].get("Stat")
        return f"Stat '{stat}' of {identity} must be one of {', '.join(STATISTICS)} or pNN."
    return None


def _period(value: int | None) -> int:
    if value is None or value < 1 or (value % 60 and value not in _SHORT_PERIODS):
        message = f"Period {value} must be 1, 5, 10, 20, 30 or a multiple of 60 seconds."
        raise _validation(message)
    return value


def _key(region: str, metric: Mapping[str, Any]) -> MetricKey:
    if not metric.get("Namespace") or not metric.get("MetricName"):
        message = "The parameters Namespace and MetricName are required."
        raise AwsError(code="MissingParameter", message=message)
    return MetricKey(
        region=region,
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions=dimensions_of(metric.get("Dimensions", [])),
    )


def _written(
    seconds: IntArray, values: FloatArray, protocol: Protocol
) -> tuple[list[Any], list[float]]:
    """Return points as they go on the wire: a fleet's month has millions of them."""
    if values.dtype.itemsize < 8:
        # Digits beyond single precision are noise, and longer to write and to read.
        values = values.astype(np.float64).round(_SINGLE_PRECISION_DECIMALS)
    # JSON has seconds; making an instant of each first takes longer than all the rest.
    instants = seconds.tolist()
    if protocol is not Protocol.JSON:
        instants = [_instant(second) for second in instants]
    return instants, values.tolist()


def _result(
    query: Mapping[str, Any], instants: list[Any], values: list[float], *, partial: bool
) -> dict[str, Any]:
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
        "Timestamps": instants,
        "Values": values,
        "StatusCode": "PartialData" if partial else "Complete",
    }


def _metric(key: MetricKey) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in key.dimensions]
    return {"Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions}


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _digest(parameters: Mapping[str, Any]) -> int:
    kept = {k: v for k, v in parameters.items() if k not in {"NextToken", "MaxDatapoints"}}
    return zlib.crc32(json.dumps(kept, sort_keys=True, default=str).encode())


def _token(digest: int, number: int, offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([digest, number, offset]).encode()).decode()


def _place(token: str | None, digest: int) -> tuple[int, int]:
    if not token:
        return 0, 0
    try:
        found, number, offset = map(int, json.loads(base64.urlsafe_b64decode(token.encode())))
    except (binascii.Error, ValueError, TypeError) as error:
        raise _invalid_token() from error
    if found != digest:
        raise _invalid_token()
    return number, offset


def _invalid_token() -> AwsError:
    message = "The NextToken is invalid, or belongs to a request with other parameters."
    return AwsError(code="InvalidNextToken", message=message)


def _validation(message: str) -> AwsError:
    return AwsError(code="ValidationError", message=message)
