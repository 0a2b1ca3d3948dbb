"""How instances, services and groups were used, hour by hour, as CloudWatch knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tasks.adapters.metrics import (
    Dimensions,
    MetricQuery,
    Window,
    hourly_metrics,
    listed_metrics,
)
from tasks.adapters.pace import Pace
from tasks.domain.inventory import ScalingGroup, Service
from tasks.domain.usage.panel import Float32Array, Metric, UsagePanel

EC2, AGENT, BALANCER, SCALING = "AWS/EC2", "CWAgent", "AWS/ApplicationELB", "AWS/AutoScaling"
CPU = (EC2, "CPUUtilization")
MEMORY = (AGENT, "mem_used_percent")
NETWORK = ((EC2, "NetworkIn"), (EC2, "NetworkOut"))
DISK = (
    (EC2, "EBSReadBytes"),
    (EC2, "EBSWriteBytes"),
    (EC2, "DiskReadBytes"),
    (EC2, "DiskWriteBytes"),
)
"""Volumes report the first two on Nitro; instance storage the others."""
_HOUR_SECONDS = np.float32(3600.0)

Name = tuple[str, str]
"""Namespace and name of a metric."""

K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How to read one region's metrics.

    Attributes:
        client: A boto3 client of CloudWatch.
        window: Which hours.
        pace: Shared by everybody who reads from this region.
        workers: Requests at a time.
    """

    client: Any
    region: str
    window: Window
    pace: Pace | None = None
    workers: int = 4

    def read(self, queries: Sequence[MetricQuery]) -> Float32Array:
        """Return (n, hours); NaN in hours without a data point."""
        return hourly_metrics(
            self.client,
            queries,
            region=self.region,
            window=self.window,
            pace=self.pace,
            workers=self.workers,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Which metrics instances report: listed once, so that nothing else is asked and paid for.

    Attributes:
        series: By metric, then by instance id. An instance whose type was changed has several
            series of the agent's, one a type.
    """

    series: Mapping[Name, Mapping[str, tuple[Dimensions, ...]]]

    def queries(self, metric: Name, instance_id: str, statistic: str) -> list[MetricQuery]:
        """Return what to ask for an instance; nothing where it does not report the metric."""
        namespace, name = metric
        return [
            MetricQuery(namespace=namespace, name=name, dimensions=each, statistic=statistic)
            for each in self.series.get(metric, {}).get(instance_id, ())
        ]


def reported_metrics(client: Any, *, region: str) -> Reported:
    """Return which of our metrics the instances of a region report.

    Metrics of EC2 count only as it reports them of single instances: by InstanceId and nothing
    else.

    Args:
        client: A boto3 client of CloudWatch.
        region: The client's.
    """
    return Reported(
        series={
            metric: _listed(client, metric, region=region)
            for metric in (CPU, MEMORY, *NETWORK, *DISK)
        }
    )


def _listed(client: Any, metric: Name, *, region: str) -> dict[str, tuple[Dimensions, ...]]:
    namespace, name = metric
    found = listed_metrics(
        client, region=region, namespace=namespace, name=name, dimension="InstanceId"
    )
    if namespace == AGENT:
        return found
    alone = {key: tuple(one for one in each if len(one) == 1) for key, each in found.items()}
    return {key: each for key, each in alone.items() if each}


def instance_panel(reader: Reader, instance_ids: Sequence[str], reported: Reported) -> UsagePanel:
    """Return processor, memory, network and disk of some instances: one chunk of a fleet.

    A stopped instance reports nothing, and its hours are unknown. Hours without the agent's
    metric are unknown too.

    Args:
        reader: Of the instances' region.
        instance_ids: Unique.
        reported: What they report.
    """
    ids = tuple(instance_ids)
    asked = [(CPU, "Average"), (CPU, "Maximum"), (MEMORY, "Average"), (MEMORY, "Maximum")]
    asked += [(name, "Sum") for name in (*NETWORK, *DISK)]
    read = _read_all(
        reader,
        {
            (metric, statistic): [
                (row, query)
                for row, one in enumerate(ids)
                for query in reported.queries(metric, one, statistic)
            ]
            for metric, statistic in asked
        },
        rows=len(ids),
    )

    def rate(names: Sequence[Name]) -> Float32Array | None:
        return _per_second([read[name, "Sum"] for name in names])

    parts = {
        Metric.CPU_MEAN: read[CPU, "Average"],
        Metric.CPU_MAX: read[CPU, "Maximum"],
        Metric.MEMORY_MEAN: read[MEMORY, "Average"],
        Metric.MEMORY_MAX: read[MEMORY, "Maximum"],
        Metric.NETWORK: rate(NETWORK),
        Metric.DISK: _either(rate(DISK[:2]), rate(DISK[2:])),
    }
    return _panel(reader, ids, parts)


def service_panel(reader: Reader, services: Sequence[Service]) -> UsagePanel:
    """Return requests an hour, and seconds to answer, of services.

    A load balancer reports nothing while no requests come, so hours without a report after the
    first one are hours without requests. Before it, and for a service that never reported,
    requests are unknown. Seconds to answer are unknown wherever there were no requests.

    Args:
        reader: Of the services' region.
        services: Those that nobody counts requests of are left unknown, and are not asked for.
    """
    read = _read_all(
        reader,
        {
            (name, statistic): [
                (row, _service_query(one, name, statistic))
                for row, one in enumerate(services)
                if one.counts_requests
            ]
            for name, statistic in (("RequestCount", "Sum"), ("TargetResponseTime", "Average"))
        },
        rows=len(services),
    )
    requests = read["RequestCount", "Sum"]
    parts = {
        Metric.REQUESTS: None if requests is None else _silence_is_zero(requests),
        Metric.RESPONSE: read["TargetResponseTime", "Average"],
    }
    return _panel(reader, tuple(one.service_id for one in services), parts)


def _service_query(service: Service, name: str, statistic: str) -> MetricQuery:
    dimensions = (
        ("LoadBalancer", service.load_balancer or ""),
        ("TargetGroup", service.service_id),
    )
    return MetricQuery(namespace=BALANCER, name=name, dimensions=dimensions, statistic=statistic)


def _silence_is_zero(requests: Float32Array) -> Float32Array:
    begun = np.maximum.accumulate(~np.isnan(requests), axis=1)
    return np.where(begun & np.isnan(requests), np.float32(0.0), requests)


def group_panel(reader: Reader, groups: Sequence[ScalingGroup]) -> UsagePanel:
    """Return instances in service and processor use of auto scaling groups.

    Groups report their sizes only where group metrics are switched on; unknown otherwise.

    Args:
        reader: Of the groups' region.
        groups: In any order.
    """
    size = (SCALING, "GroupInServiceInstances")
    read = _read_all(
        reader,
        {
            (metric, statistic): [
                (row, _group_query(one, metric, statistic)) for row, one in enumerate(groups)
            ]
            for metric, statistic in ((size, "Average"), (CPU, "Average"), (CPU, "Maximum"))
        },
        rows=len(groups),
    )
    parts = {
        Metric.INSTANCES: read[size, "Average"],
        Metric.CPU_MEAN: read[CPU, "Average"],
        Metric.CPU_MAX: read[CPU, "Maximum"],
    }
    return _panel(reader, tuple(one.series for one in groups), parts)


def _group_query(group: ScalingGroup, metric: Name, statistic: str) -> MetricQuery:
    namespace, name = metric
    dimensions = (("AutoScalingGroupName", group.name),)
    return MetricQuery(namespace=namespace, name=name, dimensions=dimensions, statistic=statistic)


def joined_panel(panels: Sequence[UsagePanel]) -> UsagePanel:
    """Return several panels on the same hours as one; metrics that one lacks are unknown there.

    Args:
        panels: At least one; no resource twice.
    """
    metrics = [one for one in Metric if any(one in panel.values for panel in panels)]
    hours = max(panel.hours for panel in panels)

    def part(panel: UsagePanel, metric: Metric) -> Float32Array:
        unknown = np.full((len(panel), hours), np.nan, dtype=np.float32)
        return panel.values.get(metric, unknown)

    return UsagePanel(
        resources=tuple(name for panel in panels for name in panel.resources),
        start=panels[0].start,
        values={one: np.concatenate([part(panel, one) for panel in panels]) for one in metrics},
    )


def _read_all(
    reader: Reader, wanted: Mapping[K, Sequence[tuple[int, MetricQuery]]], *, rows: int
) -> dict[K, Float32Array | None]:
    """Return (rows, hours) by key, everything read at once so that requests are full.

    Statistics of one metric stand side by side, so that they are asked for in one request.

    Args:
        reader: Where to read.
        wanted: Queries, each with the row that it is for.
        rows: Of each array.

    Returns:
        The larger value where a row has several series; None for a key without queries.
    """
    entries = [(row, query, key) for key, each in wanted.items() for row, query in each]
    entries.sort(key=lambda one: (one[0], one[1].namespace, one[1].name, one[1].dimensions))
    values = reader.read([query for _, query, _ in entries])
    shape = (rows, reader.window.hours)
    found: dict[K, Float32Array | None] = {
        key: np.full(shape, np.nan, dtype=np.float32) if each else None
        for key, each in wanted.items()
    }
    for (row, _, key), each in zip(entries, values, strict=True):
        into = found[key]
        if into is not None:
            into[row] = np.fmax(into[row], each)
    return found


def _per_second(sums: Sequence[Float32Array | None]) -> Float32Array | None:
    """Return the total of sums an hour, by second; unknown where one of them is."""
    known = [one for one in sums if one is not None]
    if len(known) < len(sums):
        return None
    total = known[0]
    for one in known[1:]:
        total = total + one
    return total / _HOUR_SECONDS


def _either(one: Float32Array | None, other: Float32Array | None) -> Float32Array | None:
    """Return the sum where both are known, and what is known elsewhere."""
    if one is None or other is None:
        return other if one is None else one
    both = one + other
    return np.where(np.isnan(both), np.fmax(one, other), both)


def _panel(
    reader: Reader, resources: tuple[str, ...], parts: Mapping[Metric, Float32Array | None]
) -> UsagePanel:
    known = {metric: values for metric, values in parts.items() if values is not None}
    return UsagePanel(resources=resources, start=reader.window.start, values=known)
