"""What runs in a region, read through unmodified boto3 from the embedded account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.inventory import (
    architecture,
    instances,
    merged_inventory,
    region_inventory,
    scaling_groups,
    services,
)
from tasks.adapters.pages import items
from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.instances import Architecture
from tasks.domain.inventory import Instance, InstanceState, Inventory, Lifecycle
from tests.support.embedded_aws import Clock, aws_client, seeding_client

pytestmark = pytest.mark.embedded("aws")

REGION = "us-east-1"
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as running:
        yield running


def listed(server: EmbeddedAws, *, attempts: int = 1) -> Inventory:
    return region_inventory(
        lambda service: aws_client(server, service, attempts=attempts),
        region=REGION,
        observed_at=NOW,
    )


@pytest.fixture(scope="module")
def inventory(server: EmbeddedAws) -> Inventory:
    return listed(server)


def named(inventory: Inventory, name: str) -> Instance:
    (found,) = (one for one in inventory.instances if one.tags.get("Name") == name)
    return found


def test_an_instance_that_runs_for_long_tells_when_it_was_launched(inventory: Inventory) -> None:
    found = named(inventory, "queue-1")

    # 45 days before history begins, which is at midnight 28 days ago.
    assert found.launched_at == datetime(2026, 3, 4, tzinfo=UTC) - timedelta(days=28 + 45)
    assert (found.instance_type, found.product) == ("m5.xlarge", "Linux/UNIX")
    assert (found.state, found.lifecycle) == (InstanceState.RUNNING, Lifecycle.ON_DEMAND)
    assert found.tags["team"] == "platform"


def test_spot_stopped_windows_and_arm64_show(inventory: Inventory) -> None:
    assert named(inventory, "indexer-1").lifecycle is Lifecycle.SPOT
    assert named(inventory, "old-build").state is InstanceState.STOPPED
    assert named(inventory, "training-room").product == "Windows"
    assert named(inventory, "on-graviton-2").architecture is Architecture.ARM64


def test_everything_is_listed_once(inventory: Inventory) -> None:
    ids = [one.instance_id for one in inventory.instances]

    assert ids == sorted(set(ids))
    assert 70 <= len(ids) <= 100
    assert len({one.volume_id for one in inventory.volumes}) == len(inventory.volumes) >= len(ids)


def test_volumes_tell_kind_speed_and_where_they_are(inventory: Inventory) -> None:
    disks = inventory.volumes_of[named(inventory, "database").instance_id]
    by_kind = {one.kind: one for one in disks}
    loose = [one for one in inventory.volumes if one.attached_to is None]

    assert by_kind["gp3"].throughput_mib_per_second == 125.0
    assert (by_kind["gp2"].iops, by_kind["gp2"].throughput_mib_per_second) == (1500, None)
    assert by_kind["io1"].iops == 3000
    assert [(one.kind, one.size_gib) for one in loose if one.tags.get("Name") == "forgotten"] == [
        ("gp2", 250.0)
    ]


def test_groups_name_their_instances_and_scaling_policies(inventory: Inventory) -> None:
    storefront = inventory.group[REGION, "storefront"]
    members = [one for one in inventory.instances if one.group == "storefront"]

    assert storefront.instance_ids == tuple(one.instance_id for one in members)
    assert storefront.desired == len(members) >= 2
    assert (storefront.min_size, storefront.max_size) == (2, 10)
    assert storefront.predictive_policies == ()
    assert storefront.dynamic_policies == ("storefront-tracking",)
    assert inventory.group[REGION, "thumbnails"].predictive_policies == ("thumbnails-predictive",)
    assert inventory.group[REGION, "thumbnails"].dynamic_policies == ("thumbnails-tracking",)
    transcoder = inventory.group[REGION, "transcoder"]
    assert (transcoder.dynamic_policies, transcoder.tags["homeostat/spot"]) == ((), "allowed")


def test_roots_and_shared_volumes_are_told(inventory: Inventory) -> None:
    assert {one.root_device for one in inventory.instances} == {"ebs"}
    assert not any(one.multi_attach for one in inventory.volumes)


def test_services_are_named_as_cloudwatch_names_them(inventory: Inventory) -> None:
    instance = named(inventory, "reports").instance_id
    (service,) = inventory.services_of[instance]

    assert service.service_id.startswith("targetgroup/reports/")
    assert service.load_balancer is not None
    assert service.load_balancer.startswith("app/reports-lb/")
    assert service.instance_ids == (instance,)
    assert (service.protocol, service.counts_requests) == ("HTTP", True)


def test_functions_tell_memory_and_architecture(inventory: Inventory) -> None:
    found = [(one.name, one.memory_mib, one.architecture) for one in inventory.functions]

    assert found == [
        ("payment-webhook", 1024, Architecture.X86_64),
        ("rotate-logs", 256, Architecture.ARM64),
    ]


def test_throttled_calls_change_nothing(server: EmbeddedAws, inventory: Inventory) -> None:
    server.faults.replace(
        [
            FaultRule(operation="ec2:DescribeVolumes", kind=FaultKind.THROTTLE, count=1),
            FaultRule(operation="elasticloadbalancing:*", kind=FaultKind.ERROR, count=1),
        ]
    )
    try:
        found = listed(server, attempts=3)
        fired = [rule["fired"] for rule in server.faults.describe()["rules"]]
    finally:
        server.faults.replace(())

    assert fired == [1, 1]
    assert found == inventory


def test_throttling_without_end_is_said_to_pass(server: EmbeddedAws) -> None:
    server.faults.replace([FaultRule(operation="ec2:*", kind=FaultKind.THROTTLE)])
    try:
        with pytest.raises(TransientError, match="ec2:DescribeInstances in us-east-1"):
            instances(aws_client(server, "ec2"), region=REGION)
    finally:
        server.faults.replace(())


def test_what_the_policy_forbids_is_said_to_stay(server: EmbeddedAws) -> None:
    forbidden = aws_client(server, "ec2")
    with pytest.raises(PermanentError, match="ec2:RunInstances in us-east-1 was refused"):
        list(
            items(
                lambda: forbidden.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1),
                "Instances",
                operation="ec2:RunInstances",
                region=REGION,
            )
        )


def test_inventories_of_regions_become_one(inventory: Inventory) -> None:
    later = Inventory(observed_at=NOW + timedelta(minutes=1), regions=("eu-west-1",))

    found = merged_inventory([later, inventory])

    assert found.regions == ("eu-west-1", REGION)
    assert found.observed_at == NOW
    assert found.instances == inventory.instances


@pytest.mark.parametrize("name", ["i386", "x86_64_mac", None])
def test_an_architecture_that_nothing_is_sold_for_is_any(name: str | None) -> None:
    assert architecture(name) is Architecture.ANY


def test_a_service_that_speaks_tcp_is_listed_and_its_requests_are_never_counted() -> None:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as running:
        seeding = seeding_client(running, "elbv2")
        (vpc,) = {one["VpcId"] for one in seeding.describe_target_groups()["TargetGroups"]}
        seeding.create_target_group(
            Name="ledger", Protocol="TCP", Port=5432, VpcId=vpc, TargetType="instance"
        )
        found = services(aws_client(running, "elbv2"), region=REGION)

    ledger = next(one for one in found if "ledger" in one.service_id)
    assert (ledger.protocol, ledger.counts_requests) == ("TCP", False)


def test_every_policy_that_is_not_predictive_is_a_dynamic_one() -> None:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as running:
        seeding = seeding_client(running, "autoscaling")
        seeding.put_scaling_policy(
            AutoScalingGroupName="transcoder",
            PolicyName="by-hand",
            PolicyType="SimpleScaling",
            AdjustmentType="ChangeInCapacity",
            ScalingAdjustment=1,
        )
        groups = scaling_groups(aws_client(running, "autoscaling"), region=REGION)

    (transcoder,) = (one for one in groups if one.name == "transcoder")
    assert transcoder.dynamic_policies == ("by-hand",)
    assert transcoder.predictive_policies == ()
