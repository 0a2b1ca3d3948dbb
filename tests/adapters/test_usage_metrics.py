"""Hourly metrics read from the embedded CloudWatch through unmodified boto3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.aws.metric_store import MetricKey
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.aws import parse_timestamp
from tasks.adapters.inventory import region_inventory
from tasks.adapters.metrics import MetricQuery, Window, hourly_metrics
from tasks.adapters.pace import Pace
from tasks.adapters.usage_metrics import (
    CPU,
    DISK,
    MEMORY,
    Reader,
    Reported,
    group_panel,
    instance_panel,
    joined_panel,
    reported_metrics,
    service_panel,
)
from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.inventory import Inventory, Service
from tasks.domain.usage.panel import Float32Array, Metric, UsagePanel
from tests.support.embedded_aws import Clock, aws_client

pytestmark = pytest.mark.embedded("aws")

REGION = "us-east-1"
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
END = NOW.replace(minute=0)
WINDOW = Window(start=END - timedelta(days=14), end=END)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as running:
        yield running


@pytest.fixture(scope="module")
def inventory(server: EmbeddedAws) -> Inventory:
    return region_inventory(
        lambda service: aws_client(server, service), region=REGION, observed_at=NOW
    )


@pytest.fixture(scope="module")
def ids(inventory: Inventory) -> dict[str, str]:
    return {one.tags["Name"]: one.instance_id for one in inventory.instances}


@pytest.fixture(scope="module")
def reader(server: EmbeddedAws) -> Reader:
    return Reader(client=aws_client(server, "cloudwatch"), region=REGION, window=WINDOW)


@pytest.fixture(scope="module")
def reported(reader: Reader) -> Reported:
    return reported_metrics(reader.client, region=REGION)


@pytest.fixture(scope="module")
def panel(reader: Reader, inventory: Inventory, reported: Reported) -> UsagePanel:
    return instance_panel(reader, [one.instance_id for one in inventory.instances], reported)


def row(panel: UsagePanel, metric: Metric, name: str) -> Float32Array:
    found: Float32Array = panel.of(metric)[panel.position[name]]
    return found


def test_hours_stand_where_they_belong(server: EmbeddedAws) -> None:
    begin = int((END - timedelta(hours=6)).timestamp())
    hours = np.array([1, 2, 5, 6], dtype=np.int64)
    key = MetricKey(region=REGION, namespace="Test", name="m", dimensions=(("N", "a"),))
    server.metrics.load(key, seconds=begin + 3600 * hours, values=hours.astype(np.float64))

    (found,) = hourly_metrics(
        aws_client(server, "cloudwatch"),
        [MetricQuery(namespace="Test", name="m", dimensions=(("N", "a"),))],
        region=REGION,
        window=Window(start=END - timedelta(hours=6), end=END),
    )

    # The seventh hour begins at the end and is left out.
    np.testing.assert_array_equal(found, np.array([np.nan, 1, 2, np.nan, np.nan, 5], np.float32))


def test_the_mean_is_below_the_maximum(panel: UsagePanel) -> None:
    mean, high = panel.of(Metric.CPU_MEAN), panel.of(Metric.CPU_MAX)
    known = ~np.isnan(mean)

    assert (mean[known] <= high[known] + 1e-3).all()
    assert (high[known] > mean[known] + 1.0).mean() > 0.2


def test_memory_that_nobody_reports_is_unknown(panel: UsagePanel, ids: dict[str, str]) -> None:
    assert np.isnan(row(panel, Metric.MEMORY_MEAN, ids["vm-1061"])).all()
    assert np.isnan(row(panel, Metric.MEMORY_MAX, ids["training-room"])).all()
    assert np.nanmean(row(panel, Metric.MEMORY_MEAN, ids["cache-1"])) > 50.0


def test_a_stopped_instance_has_no_hours_after_it_was_stopped(
    panel: UsagePanel, ids: dict[str, str]
) -> None:
    used = row(panel, Metric.CPU_MEAN, ids["old-build"])

    assert np.isnan(used[-9 * 24 :]).all()
    assert not np.isnan(used[: 4 * 24]).all()


def test_a_young_instance_has_no_hours_before_it_was_launched(
    panel: UsagePanel, ids: dict[str, str]
) -> None:
    used = row(panel, Metric.CPU_MEAN, ids["new-search"])

    assert np.isnan(used[: -5 * 24]).all()
    assert not np.isnan(used[-5 * 24 :]).all()


def test_traffic_is_the_sum_of_both_ways_by_second(
    server: EmbeddedAws, panel: UsagePanel, ids: dict[str, str]
) -> None:
    identity = ids["queue-1"]
    at = WINDOW.start + timedelta(hours=30)
    sums = [
        server.metrics.read(
            MetricKey(
                region=REGION,
                namespace="AWS/EC2",
                name=name,
                dimensions=(("InstanceId", identity),),
            )
        ).between(int(at.timestamp()), int(at.timestamp()) + 1)
        for name in ("NetworkIn", "NetworkOut")
    ]
    expected = sum(float(one.total.sum()) for one in sums) / 3600.0

    assert row(panel, Metric.NETWORK, identity)[30] == pytest.approx(expected, rel=1e-4)


def test_disks_are_read_from_either_kind_of_metric(
    panel: UsagePanel, ids: dict[str, str], reported: Reported
) -> None:
    xen, nitro = ids["crawler-2"], ids["crawler-1"]

    assert [name in reported.series[DISK[2]] for name in (xen, nitro)] == [True, False]
    assert not np.isnan(row(panel, Metric.DISK, xen)).all()
    assert not np.isnan(row(panel, Metric.DISK, nitro)).all()


def test_only_what_is_listed_is_asked_for(reported: Reported, ids: dict[str, str]) -> None:
    assert reported.queries(MEMORY, ids["vm-1061"], "Average") == []
    (query,) = reported.queries(MEMORY, ids["cache-1"], "Average")
    assert [name for name, _ in query.dimensions] == ["ImageId", "InstanceId", "InstanceType"]
    (query,) = reported.queries(CPU, ids["vm-1061"], "Maximum")
    assert query.dimensions == (("InstanceId", ids["vm-1061"]),)


def test_chunks_put_together_are_the_whole(
    reader: Reader, reported: Reported, panel: UsagePanel
) -> None:
    names = panel.resources[-20:]
    chunks = [instance_panel(reader, part, reported) for part in (names[:13], names[13:])]

    assert_same(joined_panel(chunks), panel.take(range(len(panel) - 20, len(panel))))


def assert_same(one: UsagePanel, other: UsagePanel) -> None:
    assert one.resources == other.resources
    assert one.start == other.start
    for metric in Metric:
        np.testing.assert_array_equal(one.of(metric), other.of(metric))


def test_throttled_requests_change_nothing(
    server: EmbeddedAws, reported: Reported, panel: UsagePanel
) -> None:
    server.faults.replace(
        [FaultRule(operation="cloudwatch:GetMetricData", kind=FaultKind.THROTTLE, count=1)]
    )
    try:
        patient = Reader(
            client=aws_client(server, "cloudwatch", attempts=4), region=REGION, window=WINDOW
        )
        found = instance_panel(patient, panel.resources[:9], reported)
        fired = server.faults.describe()["rules"][0]["fired"]
    finally:
        server.faults.replace(())

    assert fired == 1
    assert_same(found, panel.take(slice(9)))


def test_throttling_without_end_is_said_to_pass(
    server: EmbeddedAws, reader: Reader, reported: Reported, ids: dict[str, str]
) -> None:
    server.faults.replace([FaultRule(operation="cloudwatch:*", kind=FaultKind.THROTTLE)])
    try:
        with pytest.raises(TransientError, match="cloudwatch:GetMetricData in us-east-1"):
            instance_panel(reader, [ids["queue-1"]], reported)
    finally:
        server.faults.replace(())


def test_answers_in_several_pages_are_read_to_the_end(
    reader: Reader, reported: Reported, panel: UsagePanel
) -> None:
    cut = _SmallPages(reader.client, points=400)
    small = Reader(client=cut, region=REGION, window=WINDOW)

    names = panel.resources[:6]
    found = instance_panel(small, names, reported)

    assert cut.most_pages > 1
    assert_same(found, instance_panel(reader, names, reported))


class _SmallPages:
    """A client whose service gives less on a page than it is asked for."""

    def __init__(self, client: Any, *, points: int) -> None:
        self._client = client
        self._points = points
        self.most_pages = 0

    def get_metric_data(self, **arguments: Any) -> Any:
        self.most_pages += "NextToken" in arguments
        return self._client.get_metric_data(**{**arguments, "MaxDatapoints": self._points})


def test_requests_keep_the_pace(reader: Reader, reported: Reported, ids: dict[str, str]) -> None:
    waited: list[float] = []
    slow = Reader(
        client=reader.client,
        region=REGION,
        window=WINDOW,
        pace=Pace(datapoints_per_second=100.0, clock=lambda: 0.0, sleep=waited.append),
    )
    instance_panel(slow, [ids["queue-1"]], reported)

    # 336 hours of a metric are asked for in each request, at 100 a second.
    assert waited == pytest.approx([3.36 * step for step in range(1, len(waited) + 1)])


def test_services_have_requests_and_seconds_to_answer(reader: Reader, inventory: Inventory) -> None:
    panel = service_panel(reader, inventory.services)
    names = {one.service_id.split("/")[1]: one.service_id for one in inventory.services}
    rare, busy = (row(panel, Metric.REQUESTS, names[name]) for name in ("reports", "search"))

    assert 0 < rare.mean() < 50 < 50_000 < busy.mean()
    assert (rare == 0).any()
    assert not np.isnan(rare[24:]).any()
    assert np.nanmin(row(panel, Metric.RESPONSE, names["export"])) > 30.0
    assert np.isnan(row(panel, Metric.RESPONSE, names["reports"])[rare == 0]).all()


def test_a_service_without_a_load_balancer_is_unknown_and_not_asked_for() -> None:
    service = Service(
        service_id="targetgroup/alone/1", region=REGION, load_balancer=None, instance_ids=()
    )
    panel = service_panel(Reader(client=None, region=REGION, window=WINDOW), [service])

    assert panel.resources == ("targetgroup/alone/1",)
    assert panel.row(Metric.REQUESTS, "targetgroup/alone/1") is None


def test_groups_have_instances_and_processor_use(reader: Reader, inventory: Inventory) -> None:
    panel = group_panel(reader, inventory.groups)
    sizes = row(panel, Metric.INSTANCES, f"{REGION}/storefront")

    assert set(np.unique(sizes)) <= set(range(2, 11))
    assert sizes.max() > sizes.min()
    assert 20.0 < np.nanmean(row(panel, Metric.CPU_MEAN, f"{REGION}/storefront")) < 70.0


def test_panels_of_different_metrics_are_unknown_where_one_lacks_them(
    reader: Reader, inventory: Inventory, panel: UsagePanel
) -> None:
    found = joined_panel([panel, group_panel(reader, inventory.groups)])

    assert found.row(Metric.INSTANCES, panel.resources[0]) is None
    assert found.row(Metric.NETWORK, f"{REGION}/storefront") is None
    assert found.row(Metric.CPU_MEAN, f"{REGION}/storefront") is not None


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (NOW, END + timedelta(days=1), "is not on the hour"),
        (END, END, "choose an end after the start"),
    ],
)
def test_a_window_is_of_whole_hours(start: datetime, end: datetime, reason: str) -> None:
    with pytest.raises(PermanentError, match=reason):
        Window(start=start, end=end)


def test_instants_are_read_from_numbers_and_text() -> None:
    assert parse_timestamp(END.timestamp()) == END
    assert parse_timestamp("2026-03-04T15:00:00Z") == END
