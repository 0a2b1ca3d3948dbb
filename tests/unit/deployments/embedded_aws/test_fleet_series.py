"""Series of a fleet in the store of the embedded CloudWatch."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deployments.embedded.aws.fleet.description import FleetInstance, FleetService, InstanceUsage
from deployments.embedded.aws.fleet.series import SeriesWriter, write_instance, write_service
from deployments.embedded.aws.metric_statistics import statistic_by_period
from deployments.embedded.aws.metric_store import Columns, MetricKey, MetricStore
from tasks.domain.usage.panel import Float32Array

START = datetime(2026, 3, 4, tzinfo=UTC)
NAN = np.nan


def key(namespace: str, name: str, *dimensions: tuple[str, str]) -> MetricKey:
    return MetricKey(
        region="us-east-1", namespace=namespace, name=name, dimensions=tuple(sorted(dimensions))
    )


def writer(store: MetricStore, hours: int) -> SeriesWriter:
    return SeriesWriter.on_grid(store, region="us-east-1", start=START, hours=hours)


def floats(*values: float) -> Float32Array:
    return np.array(values, dtype=np.float32)


def read(store: MetricStore, at: MetricKey, statistic: str) -> tuple[list[float], list[float]]:
    seconds, values = statistic_by_period(store.read(at), name=statistic, period=3600)
    return ((seconds - int(START.timestamp())) / 3600).tolist(), values.tolist()


def instance(kind: str, usage: InstanceUsage) -> FleetInstance:
    return FleetInstance(
        name="one",
        instance_type=kind,
        availability_zone="us-east-1a",
        launched_at=START,
        usage=usage,
    )


def test_mean_and_maximum_come_back_and_unknown_hours_have_no_point() -> None:
    store = MetricStore()
    usage = InstanceUsage(cpu_mean=floats(10, NAN, 30), cpu_max=floats(15, NAN, 90))
    write_instance(
        writer(store, 3), instance("m5.large", usage), instance_id="i-1", image_id="ami-1"
    )
    cpu = key("AWS/EC2", "CPUUtilization", ("InstanceId", "i-1"))

    assert read(store, cpu, "Average") == ([0, 2], [10, 30])
    assert read(store, cpu, "Maximum") == ([0, 2], [15, 90])
    assert read(store, cpu, "SampleCount") == ([0, 2], [12, 12])
    assert len(store) == 1  # nothing else was reported


@pytest.mark.parametrize(("kind", "disk"), [("m5.large", "EBS"), ("m4.large", "Disk")])
def test_bytes_are_summed_by_hour_and_disks_named_by_generation(kind: str, disk: str) -> None:
    store = MetricStore()
    rate = floats(2.0)
    usage = InstanceUsage(
        cpu_mean=floats(1),
        cpu_max=floats(1),
        network_in=rate,
        network_out=rate,
        disk_read=rate,
        disk_write=rate,
        memory_mean=floats(40),
        memory_max=floats(50),
    )
    write_instance(writer(store, 1), instance(kind, usage), instance_id="i-1", image_id="ami-1")
    agent = (("InstanceId", "i-1"), ("ImageId", "ami-1"), ("InstanceType", kind))

    for name in ("NetworkIn", "NetworkOut", f"{disk}ReadBytes", f"{disk}WriteBytes"):
        found = read(store, key("AWS/EC2", name, ("InstanceId", "i-1")), "Sum")
        assert found == ([0], [7200])
    assert read(store, key("CWAgent", "mem_used_percent", *agent), "Maximum") == ([0], [50])


def test_hours_without_requests_are_not_reported() -> None:
    store = MetricStore()
    service = FleetService(
        name="s",
        load_balancer="b",
        instances=(),
        requests=floats(0, 24, 0),
        response_seconds=floats(1, 2, 3),
    )
    write_service(
        writer(store, 3), service, target_group="targetgroup/s/1", load_balancer="app/b/2"
    )
    dimensions = (("TargetGroup", "targetgroup/s/1"), ("LoadBalancer", "app/b/2"))

    assert read(store, key("AWS/ApplicationELB", "RequestCount", *dimensions), "Sum") == ([1], [24])
    assert read(store, key("AWS/ApplicationELB", "TargetResponseTime", *dimensions), "Average") == (
        [1],
        [2],
    )


percent = st.floats(0, 100, width=32)


@given(mean=arrays(np.float32, 5, elements=percent), high=arrays(np.float32, 5, elements=percent))
def test_no_statistic_is_outside_of_the_others(mean: Float32Array, high: Float32Array) -> None:
    store = MetricStore()
    usage = InstanceUsage(cpu_mean=mean, cpu_max=high)
    write_instance(
        writer(store, 5), instance("m5.large", usage), instance_id="i-1", image_id="ami-1"
    )
    cpu = key("AWS/EC2", "CPUUtilization", ("InstanceId", "i-1"))
    low, middle, top = (
        np.array(read(store, cpu, name)[1]) for name in ("Minimum", "Average", "Maximum")
    )

    np.testing.assert_allclose(middle, mean, rtol=1e-5, atol=1e-5)
    assert (low <= middle + 1e-4).all()
    assert (middle <= top + 1e-4).all()


def test_points_that_come_later_stand_beside_columns() -> None:
    store = MetricStore()
    at = key("N", "m")
    ones = np.ones(2)
    for first in (0, 1):
        seconds = np.array([first, first + 2], dtype=np.int64)
        store.load_columns(
            at, Columns(seconds=seconds, total=ones, count=ones, low=ones, high=ones)
        )
    store.put([(at, (4, 9.0, 1.0, 9.0, 9.0))])

    assert store.read(at).seconds.tolist() == [0, 1, 2, 3, 4]
    assert store.read(at).total.tolist() == [1, 1, 1, 1, 9]
