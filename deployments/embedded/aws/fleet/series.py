"""Hourly series of a fleet where CloudWatch has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from deployments.embedded.aws.fleet.description import (
    FleetFunction,
    FleetGroup,
    FleetInstance,
    FleetService,
)
from deployments.embedded.aws.metric_store import Columns, Dimensions, MetricKey, MetricStore
from tasks.domain.arrays import IntArray
from tasks.domain.usage.panel import Float32Array

SAMPLES_PER_HOUR = 12
"""Basic monitoring reports every five minutes."""
_HOUR_SECONDS = 3600

XEN_FAMILIES = frozenset(
    {"c3", "c4", "g3", "i2", "i3", "m1", "m3", "m4", "p2", "p3", "r4", "t2", "x1", "x1e", "f1"}
)
"""Families before Nitro, whose volumes report no metrics to AWS/EC2."""


@dataclass(frozen=True, slots=True)
class SeriesWriter:
    """Puts series on one grid of hours into a store.

    Attributes:
        seconds: (hours,) starts of the hours; shared by all series.
    """

    store: MetricStore
    region: str
    seconds: IntArray

    @classmethod
    def on_grid(
        cls, store: MetricStore, *, region: str, start: datetime, hours: int
    ) -> SeriesWriter:
        """Return a writer for hours from an aware instant on the hour."""
        first = int(start.timestamp())
        seconds = first + _HOUR_SECONDS * np.arange(hours, dtype=np.int64)
        return cls(store, region, seconds)

    def levels(
        self,
        metric: tuple[str, str],
        dimensions: Dimensions,
        *,
        mean: Float32Array,
        high: Float32Array | None = None,
    ) -> None:
        """Write a level, such as utilisation: its mean and, where known, its maximum."""
        known = ~np.isnan(mean)
        mean = mean[known]
        if not len(mean):
            return
        high = mean if high is None else np.fmax(high[known], mean)
        low = np.maximum(2.0 * mean - high, 0.0).astype(np.float32)
        count = np.broadcast_to(np.float32(SAMPLES_PER_HOUR), mean.shape)
        total = mean * np.float32(SAMPLES_PER_HOUR)
        self._write(metric, dimensions, known, (total, count, low, high))

    def sums(self, metric: tuple[str, str], dimensions: Dimensions, per_hour: Float32Array) -> None:
        """Write what is counted, such as bytes: the sum of each hour."""
        known = ~np.isnan(per_hour)
        total = per_hour[known]
        if not len(total):
            return
        count = np.broadcast_to(np.float32(SAMPLES_PER_HOUR), total.shape)
        each = total / np.float32(SAMPLES_PER_HOUR)
        self._write(metric, dimensions, known, (total, count, each, each))

    def _write(
        self,
        metric: tuple[str, str],
        dimensions: Dimensions,
        known: np.ndarray[tuple[int], np.dtype[np.bool_]],
        columns: tuple[Float32Array, Float32Array, Float32Array, Float32Array],
    ) -> None:
        namespace, name = metric
        key = MetricKey(
            region=self.region,
            namespace=namespace,
            name=name,
            dimensions=tuple(sorted(dimensions)),
        )
        seconds = self.seconds if bool(known.all()) else self.seconds[known]
        total, count, low, high = columns
        self.store.load_columns(
            key, Columns(seconds=seconds, total=total, count=count, low=low, high=high)
        )


def write_instance(
    writer: SeriesWriter, instance: FleetInstance, *, instance_id: str, image_id: str
) -> None:
    """Write what EC2 and the agent report of an instance."""
    usage, of_instance = instance.usage, (("InstanceId", instance_id),)
    writer.levels(
        ("AWS/EC2", "CPUUtilization"), of_instance, mean=usage.cpu_mean, high=usage.cpu_max
    )
    if usage.memory_mean is not None:
        kind = instance.instance_type
        agent = (*of_instance, ("ImageId", image_id), ("InstanceType", kind))
        writer.levels(
            ("CWAgent", "mem_used_percent"), agent, mean=usage.memory_mean, high=usage.memory_max
        )
    nitro = instance.instance_type.partition(".")[0] not in XEN_FAMILIES
    disk = "EBS" if nitro else "Disk"
    for name, rate in (
        ("NetworkIn", usage.network_in),
        ("NetworkOut", usage.network_out),
        (f"{disk}ReadBytes", usage.disk_read),
        (f"{disk}WriteBytes", usage.disk_write),
    ):
        if rate is not None:
            writer.sums(("AWS/EC2", name), of_instance, rate * np.float32(_HOUR_SECONDS))


def write_group(writer: SeriesWriter, group: FleetGroup) -> None:
    """Write what EC2 and Auto Scaling report of a group."""
    dimensions = (("AutoScalingGroupName", group.name),)
    for name in ("GroupInServiceInstances", "GroupTotalInstances", "GroupDesiredCapacity"):
        writer.levels(("AWS/AutoScaling", name), dimensions, mean=group.in_service)
    writer.levels(
        ("AWS/EC2", "CPUUtilization"), dimensions, mean=group.cpu_mean, high=group.cpu_max
    )


def write_service(
    writer: SeriesWriter, service: FleetService, *, target_group: str, load_balancer: str
) -> None:
    """Write what a load balancer reports of a target group.

    Args:
        writer: Where to.
        service: Whose requests.
        target_group: As CloudWatch has it, "targetgroup/name/id".
        load_balancer: As CloudWatch has it, "app/name/id".
    """
    dimensions = (("LoadBalancer", load_balancer), ("TargetGroup", target_group))
    # The load balancer reports an hour without requests as nothing at all.
    requests = np.where(service.requests > 0, service.requests, np.nan).astype(np.float32)
    writer.sums(("AWS/ApplicationELB", "RequestCount"), dimensions, requests)
    seconds = np.where(service.requests > 0, service.response_seconds, np.nan).astype(np.float32)
    high = seconds * np.float32(4.0)
    writer.levels(("AWS/ApplicationELB", "TargetResponseTime"), dimensions, mean=seconds, high=high)


def write_function(writer: SeriesWriter, function: FleetFunction) -> None:
    """Write what Lambda reports of a function."""
    dimensions = (("FunctionName", function.name),)
    writer.sums(("AWS/Lambda", "Invocations"), dimensions, function.invocations)
    used = function.invocations > 0
    duration = np.where(used, function.duration_ms, np.nan).astype(np.float32)
    writer.levels(("AWS/Lambda", "Duration"), dimensions, mean=duration)
