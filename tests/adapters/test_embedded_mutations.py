"""What is changed in the embedded account is there for the next reading: inventory, metrics and bill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws.plan_offerings import sold_offerings
from deployments.embedded.aws.policy import APPLYING_KEY
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.inventory import region_inventory
from tasks.adapters.savings_plans import active_commitments
from tasks.domain.inventory import Instance, Inventory, Lifecycle
from tests.support.embedded_aws import Clock, aws_client, seeding_client

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
REGION = "us-east-1"
pytestmark = pytest.mark.embedded("aws")


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def server(clock: Clock) -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=clock, fleet="shipped", replay_ends="+7d")) as running:
        yield running


def changing(server: EmbeddedAws, service: str) -> Any:
    return aws_client(server, service, key=APPLYING_KEY)


def listed(server: EmbeddedAws) -> Inventory:
    return region_inventory(
        lambda service: aws_client(server, service), region=REGION, observed_at=NOW
    )


def members(server: EmbeddedAws, group: str) -> list[Instance]:
    return [one for one in listed(server).instances if one.group == group]


def cpu(server: EmbeddedAws, instance: str, *, at: datetime) -> float | None:
    """Mean use in one hour, percent; None where nothing was reported."""
    found = seeding_client(server, "cloudwatch").get_metric_statistics(
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "InstanceId", "Value": instance}],
        StartTime=at,
        EndTime=at + timedelta(hours=1),
        Period=3600,
        Statistics=["Average"],
    )["Datapoints"]
    return found[0]["Average"] if found else None


def busy(server: EmbeddedAws, kind: str) -> Instance:
    """A machine on its own of a type, with little to do."""
    hour = NOW.replace(minute=0) + timedelta(hours=2)
    server_hour = hour - timedelta(hours=24)
    return next(
        one
        for one in listed(server).instances
        if one.instance_type == kind
        and one.group is None
        and one.lifecycle is Lifecycle.ON_DEMAND
        and 1.0 < (cpu(server, one.instance_id, at=server_hour) or 0.0) < 40.0
    )


def change_type(server: EmbeddedAws, instance: str, kind: str) -> None:
    client = changing(server, "ec2")
    client.stop_instances(InstanceIds=[instance])
    client.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": kind})
    client.start_instances(InstanceIds=[instance])


def test_a_smaller_machine_is_listed_and_as_busy_as_its_work_makes_it(
    server: EmbeddedAws, clock: Clock
) -> None:
    one = busy(server, "m5.xlarge")
    later = NOW.replace(minute=0) + timedelta(hours=26)
    (key,) = server.metrics.keys(
        region=REGION, name="CPUUtilization", dimensions={"InstanceId": one.instance_id}
    )
    hour = int(later.timestamp())
    before = server.metrics.read(key).between(hour, hour + 3600)
    change_type(server, one.instance_id, "m5.large")
    clock.now = later + timedelta(hours=2)
    after = cpu(server, one.instance_id, at=later)

    assert listed(server).instance[one.instance_id].instance_type == "m5.large"
    assert after == pytest.approx(min(100.0, 2.0 * before.total[0] / before.count[0]), rel=1e-3)


def test_the_past_of_a_machine_stays_as_it_was_measured(server: EmbeddedAws, clock: Clock) -> None:
    one = busy(server, "m5.xlarge")
    hour = NOW.replace(minute=0) - timedelta(hours=24)
    before = cpu(server, one.instance_id, at=hour)
    change_type(server, one.instance_id, "m5.large")

    assert cpu(server, one.instance_id, at=hour) == before


def test_a_running_machine_keeps_its_type(server: EmbeddedAws) -> None:
    one = busy(server, "m5.xlarge")
    client = changing(server, "ec2")
    with pytest.raises(ClientError, match="IncorrectInstanceState"):
        client.modify_instance_attribute(
            InstanceId=one.instance_id, InstanceType={"Value": "m5.large"}
        )

    assert listed(server).instance[one.instance_id].instance_type == "m5.xlarge"


@pytest.mark.parametrize("kind", ["m6g.large", "m5.enormous"])
def test_a_type_that_does_not_fit_is_refused(server: EmbeddedAws, kind: str) -> None:
    one = busy(server, "m5.xlarge")
    client = changing(server, "ec2")
    client.stop_instances(InstanceIds=[one.instance_id])

    with pytest.raises(ClientError, match="InvalidParameterValue"):
        client.modify_instance_attribute(InstanceId=one.instance_id, InstanceType={"Value": kind})


def test_the_bill_follows_a_change_of_type() -> None:
    hours = []
    for changed in (False, True):
        clock = Clock(NOW)
        config = EmbeddedAwsConfig(clock=clock, fleet="shipped", replay_ends="+7d")
        with serve_aws(config) as server:
            if changed:
                change_type(server, busy(server, "m5.xlarge").instance_id, "m5.large")
            clock.now = NOW + timedelta(days=5)
            hours.append(box_hours(server, "BoxUsage:m5.xlarge", day=NOW + timedelta(days=2)))

    assert hours[0] - hours[1] == pytest.approx(24.0, abs=1.0)  # days are billed with some noise


def box_hours(server: EmbeddedAws, usage: str, *, day: datetime) -> float:
    """Hours of a type on one day of the bill, covered by a plan or not."""
    records = ["Usage", "SavingsPlanCoveredUsage"]
    (found,) = seeding_client(server, "ce").get_cost_and_usage(
        TimePeriod={"Start": str(day.date()), "End": str(day.date() + timedelta(days=1))},
        Granularity="DAILY",
        Metrics=["UsageQuantity"],
        GroupBy=[{"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
        Filter={"Dimensions": {"Key": "RECORD_TYPE", "Values": records}},
    )["ResultsByTime"]
    return sum(
        float(group["Metrics"]["UsageQuantity"]["Amount"])
        for group in found["Groups"]
        if group["Keys"] == [usage]
    )


def mix(server: EmbeddedAws, group: str, *, base: int) -> None:
    client = changing(server, "autoscaling")
    (found,) = client.describe_auto_scaling_groups(AutoScalingGroupNames=[group])[
        "AutoScalingGroups"
    ]
    template = {key: found["LaunchTemplate"][key] for key in ("LaunchTemplateId", "Version")}
    client.update_auto_scaling_group(
        AutoScalingGroupName=group,
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": template,
                "Overrides": [{"InstanceType": kind} for kind in ("c5.2xlarge", "c5a.2xlarge")],
            },
            "InstancesDistribution": {
                "OnDemandBaseCapacity": base,
                "OnDemandPercentageAboveBaseCapacity": 0,
                "SpotAllocationStrategy": "price-capacity-optimized",
            },
        },
    )


def test_a_policy_leaves_members_alone_and_a_refresh_makes_them_spot(server: EmbeddedAws) -> None:
    before = members(server, "transcoder")
    mix(server, "transcoder", base=1)
    same = members(server, "transcoder")
    changing(server, "autoscaling").start_instance_refresh(AutoScalingGroupName="transcoder")
    after = members(server, "transcoder")

    assert same == before
    assert sorted(one.lifecycle for one in after) == [Lifecycle.ON_DEMAND, *[Lifecycle.SPOT] * 3]
    assert {one.availability_zone for one in after} == {one.availability_zone for one in before}
    assert {one.instance_type for one in after} == {"c5.2xlarge", "c5a.2xlarge"}
    assert {one.tags["team"] for one in after} == {"mobile"}


def test_a_group_that_is_mixed_shows_no_template_beside_its_policy(server: EmbeddedAws) -> None:
    mix(server, "transcoder", base=1)
    (found,) = changing(server, "autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=["transcoder"]
    )["AutoScalingGroups"]

    assert "LaunchTemplate" not in found
    assert found["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"] == 1


def test_a_member_that_replaces_another_goes_on_reporting(
    server: EmbeddedAws, clock: Clock
) -> None:
    old = members(server, "transcoder")
    changing(server, "autoscaling").start_instance_refresh(AutoScalingGroupName="transcoder")
    new = members(server, "transcoder")
    hour = NOW.replace(minute=0) + timedelta(hours=5)
    clock.now = hour + timedelta(hours=2)

    assert all((cpu(server, one.instance_id, at=hour) or 0.0) > 0.0 for one in new)
    assert all(cpu(server, one.instance_id, at=hour) is None for one in old)


def test_a_new_version_of_a_template_reaches_the_members_by_a_refresh(server: EmbeddedAws) -> None:
    ec2, scaling = changing(server, "ec2"), changing(server, "autoscaling")
    name = "transcoder-template"
    ec2.create_launch_template_version(
        LaunchTemplateName=name, SourceVersion="1", LaunchTemplateData={"InstanceType": "c5.xlarge"}
    )
    scaling.update_auto_scaling_group(
        AutoScalingGroupName="transcoder",
        LaunchTemplate={"LaunchTemplateName": name, "Version": "2"},
    )
    started = scaling.start_instance_refresh(AutoScalingGroupName="transcoder")
    refreshes = scaling.describe_instance_refreshes(AutoScalingGroupName="transcoder")

    assert {one.instance_type for one in members(server, "transcoder")} == {"c5.xlarge"}
    assert refreshes["InstanceRefreshes"][0]["Status"] == "Successful"
    assert refreshes["InstanceRefreshes"][0]["InstanceRefreshId"] == started["InstanceRefreshId"]


def test_a_refresh_that_is_under_way_keeps_another_from_being_started(clock: Clock) -> None:
    config = EmbeddedAwsConfig(clock=clock, fleet="shipped", refresh_takes=timedelta(minutes=10))
    with serve_aws(config) as server:
        scaling = seeding_client(server, "autoscaling")

        def told() -> list[tuple[str, int | None]]:
            found = scaling.describe_instance_refreshes(AutoScalingGroupName="transcoder")
            rows = found["InstanceRefreshes"]
            return [(one["Status"], one.get("PercentageComplete")) for one in rows]

        with pytest.raises(ClientError) as none:
            scaling.cancel_instance_refresh(AutoScalingGroupName="transcoder")
        scaling.start_instance_refresh(AutoScalingGroupName="transcoder")
        clock.now = NOW + timedelta(minutes=5)
        with pytest.raises(ClientError) as busy:
            scaling.start_instance_refresh(AutoScalingGroupName="transcoder")
        half = told()
        scaling.cancel_instance_refresh(AutoScalingGroupName="transcoder")
        scaling.start_instance_refresh(AutoScalingGroupName="transcoder")
        clock.now = NOW + timedelta(minutes=15)

        assert none.value.response["Error"]["Code"] == "ActiveInstanceRefreshNotFound"
        assert busy.value.response["Error"]["Code"] == "InstanceRefreshInProgress"
        assert half == [("InProgress", 50)]
        assert told() == [("Successful", 100), ("Cancelled", None)]


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"MinSize": 5, "MaxSize": 4}, "Max bound, 4"),
        ({"DesiredCapacity": 40}, "Desired capacity:40"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    server: EmbeddedAws, sizes: dict[str, int], said: str
) -> None:
    with pytest.raises(ClientError, match=said):
        changing(server, "autoscaling").update_auto_scaling_group(
            AutoScalingGroupName="transcoder", **sizes
        )


def test_a_plan_that_is_bought_is_held_and_charged(server: EmbeddedAws, clock: Clock) -> None:
    plans = changing(server, "savingsplans")
    offering = compute_offering(server)
    held = len(commitments(server))
    bought = plans.create_savings_plan(savingsPlanOfferingId=offering, commitment="2.5")
    clock.now = NOW + timedelta(days=4)  # the bill is late by a day

    assert len(commitments(server)) == held + 1
    (row,) = plans.describe_savings_plans(savingsPlanIds=[bought["savingsPlanId"]])["savingsPlans"]
    assert (row["state"], row["commitment"]) == ("active", "2.50000000")
    assert plan_fee(server, day=NOW + timedelta(days=1)) == pytest.approx(24.0 * 3.5)


def commitments(server: EmbeddedAws) -> tuple[object, ...]:
    return active_commitments(
        aws_client(server, "savingsplans"), ec2={REGION: aws_client(server, "ec2")}
    )


def compute_offering(server: EmbeddedAws) -> str:
    (found,) = changing(server, "savingsplans").describe_savings_plans_offerings(
        planTypes=["Compute"], paymentOptions=["No Upfront"], durations=[365 * 24 * 3600]
    )["searchResults"]
    return str(found["offeringId"])


def plan_fee(server: EmbeddedAws, *, day: datetime) -> float:
    (found,) = seeding_client(server, "ce").get_cost_and_usage(
        TimePeriod={"Start": str(day.date()), "End": str(day.date() + timedelta(days=1))},
        Granularity="DAILY",
        Metrics=["UnblendedCost"],
        Filter={"Dimensions": {"Key": "RECORD_TYPE", "Values": ["SavingsPlanRecurringFee"]}},
    )["ResultsByTime"]
    return float(found["Total"]["UnblendedCost"]["Amount"])


def test_a_queued_plan_costs_nothing_until_its_time_and_can_be_taken_back(
    server: EmbeddedAws, clock: Clock
) -> None:
    # By hand: no program takes a purchase back.
    plans, offering = seeding_client(server, "savingsplans"), compute_offering(server)
    held = len(commitments(server))
    kept, gone = (
        plans.create_savings_plan(
            savingsPlanOfferingId=offering,
            commitment="1.0",
            purchaseTime=NOW + timedelta(days=3),
        )["savingsPlanId"]
        for _ in range(2)
    )
    plans.delete_queued_savings_plan(savingsPlanId=gone)

    assert len(commitments(server)) == held
    clock.now = NOW + timedelta(days=4)
    assert len(commitments(server)) == held + 1
    with pytest.raises(ClientError, match="is not queued"):
        plans.delete_queued_savings_plan(savingsPlanId=kept)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"commitment": "0"}, "not within"),
        ({"commitment": "1000000"}, "not within"),
        ({"commitment": "nan"}, "not within"),
        ({"commitment": "much"}, "not a number"),
        ({"savingsPlanOfferingId": "none"}, "unknown"),
        ({"purchaseTime": NOW - timedelta(days=1)}, "must be in the future"),
    ],
)
def test_a_purchase_that_makes_no_sense_is_refused(
    server: EmbeddedAws, change: dict[str, Any], said: str
) -> None:
    arguments = {"savingsPlanOfferingId": next(iter(sold_offerings())), "commitment": "1.0"}

    with pytest.raises(ClientError, match=said):
        changing(server, "savingsplans").create_savings_plan(**{**arguments, **change})


def test_the_same_purchase_sent_twice_buys_once(server: EmbeddedAws) -> None:
    plans = changing(server, "savingsplans")
    arguments = {
        "savingsPlanOfferingId": compute_offering(server),
        "commitment": "1.0",
        "clientToken": "once",
    }
    first, second = (plans.create_savings_plan(**arguments)["savingsPlanId"] for _ in range(2))

    assert first == second
    assert len(commitments(server)) == 2


def test_a_database_is_reserved_once_under_a_name(server: EmbeddedAws) -> None:
    rds = changing(server, "rds")
    offering = seeding_client(server, "rds").describe_reserved_db_instances_offerings(
        DBInstanceClass="db.m6g.large", ProductDescription="mysql", Duration="1", MultiAZ=False
    )["ReservedDBInstancesOfferings"]
    cheapest = min(offering, key=lambda one: one["FixedPrice"])
    arguments = {
        "ReservedDBInstancesOfferingId": cheapest["ReservedDBInstancesOfferingId"],
        "ReservedDBInstanceId": "homeostat-a",
    }
    rds.purchase_reserved_db_instances_offering(**arguments, DBInstanceCount=3)
    (held,) = rds.describe_reserved_db_instances()["ReservedDBInstances"]

    assert (held["DBInstanceCount"], held["State"]) == (3, "active")
    assert held["RecurringCharges"][0]["RecurringChargeAmount"] == pytest.approx(
        0.159 * 0.69, abs=1e-4
    )
    with pytest.raises(ClientError, match="AlreadyExists"):
        rds.purchase_reserved_db_instances_offering(**arguments)


def test_what_carries_a_change_is_found_by_its_tag(server: EmbeddedAws) -> None:
    tag = {"Key": "homeostat/change-id", "Value": "hs-000000000001"}
    ec2 = seeding_client(server, "ec2")
    made = ec2.create_volume(
        AvailabilityZone="us-east-1a",
        Size=8,
        TagSpecifications=[{"ResourceType": "volume", "Tags": [tag]}],
    )
    filters = [{"Name": "tag:homeostat/change-id", "Values": [tag["Value"]]}]
    tagged = seeding_client(server, "resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": tag["Key"], "Values": [tag["Value"]]}]
    )["ResourceTagMappingList"]

    assert [one["VolumeId"] for one in ec2.describe_volumes(Filters=filters)["Volumes"]] == [
        made["VolumeId"]
    ]
    assert [one["ResourceARN"].rpartition("/")[2] for one in tagged] == [made["VolumeId"]]


def test_shipped_groups_launch_from_templates_that_hold_an_image(server: EmbeddedAws) -> None:
    versions = changing(server, "ec2").describe_launch_template_versions(Versions=["$Default"])

    assert len(versions["LaunchTemplateVersions"]) == 3
    assert all(
        one["LaunchTemplateData"]["ImageId"].startswith("ami-")
        for one in versions["LaunchTemplateVersions"]
    )
