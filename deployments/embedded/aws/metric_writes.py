"""CloudWatch PutMetricData, and metrics from recorded files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.metric_store import MetricKey, MetricStore, Point
from deployments.embedded.aws.tables import instants, read_table, refuse_first

MOST_METRICS = 1000
"""Data of one PutMetricData."""

CPU_METRIC = ("AWS/EC2", "CPUUtilization", "InstanceId")


def dimensions_of(items: list[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return a request's dimensions, sorted."""
    return tuple(sorted((item["Name"], item["Value"]) for item in items))


def put_metric_data(
    call: Call, parameters: Mapping[str, Any], *, store: MetricStore, clock: Callable[[], datetime]
) -> dict[str, Any]:
    """Answer PutMetricData.

    Raises:
        AwsError: A datum is not valid; nothing was stored then.
    """
    data = parameters.get("MetricData", ())
    namespace = parameters.get("Namespace", "")
    if not namespace or len(data) > MOST_METRICS:
        message = f"Namespace is required, and at most {MOST_METRICS} data; found {len(data)}."
        raise _invalid(message)
    now = int(clock().timestamp())
    points: list[tuple[MetricKey, Point]] = []
    for datum in data:
        if not datum.get("MetricName"):
            message = "The parameter MetricData.member.N.MetricName is required."
            raise _invalid(message)
        key = MetricKey(
            region=call.region,
            namespace=namespace,
            name=datum["MetricName"],
            dimensions=dimensions_of(datum.get("Dimensions", [])),
        )
        seconds = int(datum["Timestamp"].timestamp()) if "Timestamp" in datum else now
        points.extend((key, point) for point in _points(datum, seconds))
    store.put(points)
    return {}


def _points(datum: Mapping[str, Any], seconds: int) -> Iterator[Point]:
    if "StatisticValues" in datum:
        found = datum["StatisticValues"]
        numbers = tuple(float(found[k]) for k in ("Sum", "SampleCount", "Minimum", "Maximum"))
        yield seconds, *_finite(numbers)  # type: ignore[misc]
        return
    values = datum.get("Values", [datum["Value"]] if "Value" in datum else [])
    counts = datum.get("Counts", [1.0] * len(values))
    if not values or len(values) != len(counts):
        message = "A datum needs Value, StatisticValues, or Values with as many Counts."
        raise _invalid(message)
    for pair in zip(values, counts, strict=True):
        value, count = _finite(tuple(map(float, pair)))
        yield seconds, value * count, count, value, value


def _finite(numbers: tuple[float, ...]) -> tuple[float, ...]:
    if not all(math.isfinite(number) for number in numbers):
        message = f"The values {numbers} are not all finite numbers."
        raise _invalid(message)
    return numbers


def _invalid(message: str) -> AwsError:
    return AwsError(code="InvalidParameterValue", message=message)


def read_cpu_metrics(path: Path) -> pd.DataFrame:
    """Return recorded CPU utilisation: timestamp, resource_id, cpu_percent.

    Args:
        path: Parquet or CSV with these columns; others are ignored.

    Raises:
        InvalidFileError: A row is not valid; names it.
    """
    frame = read_table(path, columns=("timestamp", "resource_id", "cpu_percent"))
    percent = pd.to_numeric(frame["cpu_percent"], errors="coerce").astype(np.float64)
    bad = ~(np.isfinite(percent) & (percent >= 0))
    refuse_first(bad, frame["cpu_percent"], path, "cpu_percent {!r} is not a number of at least 0")
    refuse_first(frame["resource_id"].isna(), frame["resource_id"], path, "resource_id is missing")
    return pd.DataFrame(
        {
            "timestamp": instants(frame["timestamp"], path),
            "resource_id": frame["resource_id"].astype(str),
            "cpu_percent": percent,
        }
    )


def load_cpu_metrics(store: MetricStore, frame: pd.DataFrame, *, region: str) -> None:
    """Put recorded utilisation where EC2 puts it: AWS/EC2 CPUUtilization by InstanceId."""
    namespace, name, dimension = CPU_METRIC
    for resource, rows in frame.groupby("resource_id", sort=True):
        key = MetricKey(
            region=region,
            namespace=namespace,
            name=name,
            dimensions=((dimension, instance_id(str(resource))),),
        )
        seconds = rows["timestamp"].dt.as_unit("s").astype("int64").to_numpy()
        store.load(key, seconds=seconds, values=rows["cpu_percent"].to_numpy(np.float64))


def instance_id(resource: str) -> str:
    """Return an instance id for a recorded resource: numbers get the shape of AWS's ids."""
    return f"i-{int(resource):017d}" if resource.isdigit() else resource
