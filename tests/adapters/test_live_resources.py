"""What exists of what would be changed, read through unmodified boto3 under the shipped policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.inventory import region_inventory
from tasks.adapters.keys import own_keys_of_aws
from tasks.adapters.live_inputs import group_resource, instance_resource, policy_resource
from tasks.adapters.live_resources import live_account
from tasks.adapters.live_templates import template_resource
from tasks.domain.errors import TransientError
from tasks.domain.instances import Architecture
from tasks.domain.inventory import Instance, InstanceState, Inventory
from tasks.domain.savings.opportunity import Kind, Opportunity
from tasks.domain.stacks.live import LiveAccount, LiveRegion
from tasks.domain.stacks.program import Args
from tests.support import stack_fleet as fleet
from tests.support.embedded_aws import Clock, aws_client, seeding_client

REGION = "us-east-1"
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
embedded = pytest.mark.embedded("aws")


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as running:
        yield running


@pytest.fixture(scope="module")
def inventory(server: EmbeddedAws) -> Inventory:
    return region_inventory(
        lambda service: aws_client(server, service), region=REGION, observed_at=NOW
    )


@dataclass
class Clients:
    """Real clients of an embedded account that count their calls."""

    server: EmbeddedAws
    calls: list[str] = field(default_factory=list)

    def __call__(self, service: str, region: str) -> Any:
        client = aws_client(self.server, service, region=region)
        client.meta.events.register("before-call", self._count)
        return client

    def _count(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)


def wanted(kind: Kind, resource: str, region: str = REGION, **target: str) -> Opportunity:
    return fleet.chosen(kind, resource, target, region=region).opportunity


def read(server: EmbeddedAws, *opportunities: Opportunity) -> LiveAccount:
    return live_account(Clients(server), opportunities)


def region_of(server: EmbeddedAws, *opportunities: Opportunity) -> LiveRegion:
    return read(server, *opportunities).regions[REGION]


def called(inventory: Inventory, name: str) -> Instance:
    (found,) = (one for one in inventory.instances if one.tags.get("Name") == name)
    return found


@embedded
def test_an_instance_tells_the_inputs_that_adopt_it(
    server: EmbeddedAws, inventory: Inventory
) -> None:
    listed = called(inventory, "workstation-2")
    one = region_of(server, wanted(Kind.STOP, listed.instance_id)).instances[listed.instance_id]

    assert one.resource.token == "aws:ec2/instance:Instance"
    assert one.resource.import_id == listed.instance_id
    assert one.resource.inputs["instance_type"] == "m5.2xlarge"
    assert one.resource.inputs["availability_zone"] == listed.availability_zone
    assert one.resource.inputs["tags"] == listed.tags == one.resource.tags
    assert {"ami", "subnet_id"} <= set(one.resource.inputs)
    assert (one.state, one.stop_protected) == (InstanceState.RUNNING, False)


@embedded
def test_volumes_beside_the_root_and_services_are_told(
    server: EmbeddedAws, inventory: Inventory
) -> None:
    database, reports = called(inventory, "database"), called(inventory, "reports")
    region = region_of(
        server, wanted(Kind.SPOT, database.instance_id), wanted(Kind.SPOT, reports.instance_id)
    )
    disks = {one.volume_id for one in inventory.volumes_of[database.instance_id]}
    found = set(region.instances[database.instance_id].data_volumes)

    assert found < disks
    assert len(found) == len(disks) - 1
    (service,) = region.instances[reports.instance_id].services or ()
    assert service.startswith("targetgroup/reports/")
    root = region.instances[database.instance_id].root_volume
    assert root in region.volumes
    assert root not in found


@embedded
def test_a_group_comes_with_its_template_and_policies(server: EmbeddedAws) -> None:
    region = region_of(server, wanted(Kind.RIGHT_SIZE, "storefront"))
    group = region.groups["storefront"]
    assert group.template_id is not None
    template = region.templates[group.template_id]

    assert (group.min_size, group.max_size, group.desired) == (2, 10, 4)
    assert [one.resource.import_id for one in group.policies] == ["storefront/storefront-tracking"]
    assert template.resource.inputs["instance_type"] == "m5.large"
    assert (template.latest, template.used) == (1, {"storefront": 1})
    assert region.template_users[group.template_id] == {"storefront": "1"}


@embedded
def test_the_types_that_are_used_and_wanted_are_known_and_no_others(server: EmbeddedAws) -> None:
    region = region_of(
        server,
        wanted(Kind.RIGHT_SIZE, "storefront", instance_type="m6g.large"),
        wanted(Kind.SPOT, "transcoder", pools="c5.4xlarge in us-east-1a, no.such in us-east-1b"),
    )

    assert set(region.types) == {"m5.large", "m6g.large", "c5.2xlarge", "c5.4xlarge"}
    assert region.types["m6g.large"].shape.architecture is Architecture.ARM64


@embedded
def test_a_volume_tells_speed_only_where_it_may_be_given(
    server: EmbeddedAws, inventory: Inventory
) -> None:
    disks = {one.kind: one.volume_id for one in inventory.volumes}
    region = region_of(server, *(wanted(Kind.VOLUME_TYPE, disks[k]) for k in ("gp2", "gp3", "io1")))

    assert {"iops", "throughput"} & set(region.volumes[disks["gp2"]].resource.inputs) == set()
    assert {"iops", "throughput"} <= set(region.volumes[disks["gp3"]].resource.inputs)
    assert "throughput" not in region.volumes[disks["io1"]].resource.inputs


@embedded
def test_what_is_gone_is_left_out(server: EmbeddedAws) -> None:
    region = region_of(
        server,
        wanted(Kind.STOP, "i-0ffffffffffffffff"),
        wanted(Kind.VOLUME_TYPE, "vol-0ffffffffffffffff"),
        wanted(Kind.RIGHT_SIZE, "nobody"),
    )

    assert (region.instances, region.volumes, region.groups, region.templates) == ({}, {}, {}, {})


@embedded
def test_only_what_is_needed_is_asked_for_and_many_at_once(
    server: EmbeddedAws, inventory: Inventory
) -> None:
    clients = Clients(server)
    volumes = [one.volume_id for one in inventory.volumes]
    live_account(clients, [wanted(Kind.VOLUME_TYPE, one) for one in volumes])

    assert clients.calls == ["GetCallerIdentity", "DescribeVolumes"]


@embedded
def test_the_account_is_told_and_a_region_is_read_by_itself(server: EmbeddedAws) -> None:
    found = read(server, wanted(Kind.RIGHT_SIZE, "storefront", region="eu-west-1"))

    assert (found.account_id, found.partition) == ("123456789012", "aws")
    assert found.regions["eu-west-1"].groups == {}


@embedded
def test_plans_are_listed_as_they_are_sold(server: EmbeddedAws) -> None:
    found = read(server, wanted(Kind.COMMITMENT, "account", region=""))
    assert found.plan_offerings is not None
    terms = {(one.plan_type, one.payment, one.years) for one in found.plan_offerings}

    assert ("Compute", "No Upfront", 1) in terms
    assert found.plans_unread == ""


def test_plans_that_cannot_be_listed_are_a_reason_and_no_failure() -> None:
    found = live_account(Unlisted(), [wanted(Kind.COMMITMENT, "account", region="")])

    assert found.plan_offerings is None
    assert "savingsplans:DescribeSavingsPlansOfferings" in found.plans_unread


class Unlisted:
    """An account whose credentials may not list what plans are sold."""

    def __call__(self, service: str, region: str) -> Unlisted:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/us"}

    def describe_savings_plans_offerings(self, **_: object) -> None:
        answer = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
        raise ClientError(answer, "DescribeSavingsPlansOfferings")  # type: ignore[arg-type]


@embedded
def test_a_service_that_does_not_answer_is_worth_another_try() -> None:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW))) as server:
        rule = FaultRule(operation="ec2:DescribeVolumes", kind=FaultKind.THROTTLE)
        server.faults.replace([rule])
        with pytest.raises(TransientError):
            read(server, wanted(Kind.VOLUME_TYPE, "vol-0123456789abcdef0"))


@embedded
def test_the_keys_of_its_volumes_are_told_with_an_instance() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as server:
        inventory = region_inventory(
            lambda service: aws_client(server, service), region=REGION, observed_at=NOW
        )
        open_, closed = called(inventory, "queue-1"), called(inventory, "workstation-2")
        ec2 = seeding_client(server, "ec2")
        volume = ec2.create_volume(
            AvailabilityZone=closed.availability_zone, Size=8, Encrypted=True, KmsKeyId=key
        )
        ec2.attach_volume(
            VolumeId=volume["VolumeId"], InstanceId=closed.instance_id, Device="/dev/sdz"
        )
        instances = region_of(
            server,
            *(wanted(Kind.SCHEDULE, one.instance_id) for one in (open_, closed)),
        ).instances

    assert instances[closed.instance_id].keys == (key,)
    assert instances[open_.instance_id].keys == ()


@embedded
def test_a_template_behind_its_latest_version_is_told() -> None:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as server:
        ec2 = seeding_client(server, "ec2")
        for image in ("ami-0123456789abcdef0", "ami-0123456789abcdef1"):
            ec2.create_launch_template_version(
                LaunchTemplateName="storefront-template",
                LaunchTemplateData={"InstanceType": "m5.large", "ImageId": image},
            )
        region = region_of(server, wanted(Kind.RIGHT_SIZE, "storefront"))
        (template,) = region.templates.values()

    assert (template.latest, template.used) == (3, {"storefront": 1})
    assert template.same_as_latest == {1: False, 3: True}
    assert template.resource.inputs["image_id"] == "ami-0123456789abcdef1"


# Payloads as the services of AWS document them; the embedded account tells less.


def test_a_template_with_all_that_is_known_is_taken_over_whole() -> None:
    data = {
        "ImageId": "ami-1",
        "InstanceType": "m5.large",
        "EbsOptimized": True,
        "UserData": "IyEvYmluL3No",
        "SecurityGroupIds": ["sg-2", "sg-1"],
        "IamInstanceProfile": {"Arn": "arn:aws:iam::123456789012:instance-profile/web"},
        "Monitoring": {"Enabled": True},
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {"VolumeSize": 20, "VolumeType": "gp3", "Encrypted": True},
            }
        ],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "shop"}]}
        ],
    }
    found = template_resource(
        {"LaunchTemplateName": "web", "LaunchTemplateId": "lt-1", "Tags": []},
        {"VersionNumber": 3, "LaunchTemplateData": data},
    )

    assert found.unknown == ()
    assert found.inputs["vpc_security_group_ids"] == ("sg-1", "sg-2")
    assert found.inputs["ebs_optimized"] == "true"
    assert found.inputs["block_device_mappings"] == (
        Args(
            of="LaunchTemplateBlockDeviceMappingArgs",
            fields={
                "device_name": "/dev/xvda",
                "ebs": Args(
                    of="LaunchTemplateBlockDeviceMappingEbsArgs",
                    fields={"volume_size": 20, "volume_type": "gp3", "encrypted": "true"},
                ),
            },
        ),
    )


@pytest.mark.parametrize(
    ("data", "unknown"),
    [
        ({"CpuOptions": {"CoreCount": 2}}, ("CpuOptions",)),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "PrivateIpAddress": "10.0.0.1"}]}, ("NetworkInterfaces",)),
        ({"MetadataOptions": {"HttpTokens": "required", "New": "thing"}}, ("MetadataOptions",)),
        ({"InstanceRequirements": {"VCpuCount": {"Min": 2}}}, ("InstanceRequirements",)),
        ({"KeyName": "", "TagSpecifications": []}, ()),
    ],
)  # fmt: skip
def test_what_a_template_holds_besides_is_named(
    data: dict[str, Any], unknown: tuple[str, ...]
) -> None:
    found = template_resource(
        {"LaunchTemplateName": "web", "LaunchTemplateId": "lt-1"},
        {"VersionNumber": 1, "LaunchTemplateData": data},
    )

    assert found.unknown == unknown


def test_an_instance_keeps_what_is_not_the_default() -> None:
    found = instance_resource(
        {
            "InstanceId": "i-1",
            "ImageId": "ami-1",
            "InstanceType": "m5.large",
            "Placement": {"AvailabilityZone": "us-east-1a", "Tenancy": "dedicated"},
            "IamInstanceProfile": {"Arn": "arn:aws:iam::1:instance-profile/path/web"},
            "Monitoring": {"State": "enabled"},
            "SourceDestCheck": False,
            "SecurityGroups": [{"GroupId": "sg-2"}, {"GroupId": "sg-1"}],
            "Tags": [{"Key": "aws:cloudformation:stack-id", "Value": "x"}],
        }
    )

    assert found.inputs == {
        "ami": "ami-1",
        "instance_type": "m5.large",
        "availability_zone": "us-east-1a",
        "vpc_security_group_ids": ("sg-1", "sg-2"),
        "iam_instance_profile": "web",
        "tenancy": "dedicated",
        "monitoring": True,
        "source_dest_check": False,
    }


def test_a_group_with_a_mixed_policy_is_taken_over_with_it() -> None:
    found = group_resource(
        {
            "AutoScalingGroupName": "shop",
            "MinSize": 0,
            "MaxSize": 4,
            "DesiredCapacity": 0,
            "VPCZoneIdentifier": "subnet-2,subnet-1",
            "TerminationPolicies": ["Default"],
            "MixedInstancesPolicy": {
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "2"},
                    "Overrides": [{"InstanceType": "m5.large", "WeightedCapacity": "2"}],
                },
                "InstancesDistribution": {
                    "OnDemandBaseCapacity": 0,
                    "SpotAllocationStrategy": "lowest-price",
                },
            },
            "NewSetting": {"a": 1},
        }
    )

    assert found.inputs["vpc_zone_identifiers"] == ("subnet-1", "subnet-2")
    # Zero is a size, and not an absence.
    assert (found.inputs["min_size"], found.inputs["desired_capacity"]) == (0, 0)
    assert "availability_zones" not in found.inputs
    assert "termination_policies" not in found.inputs
    assert "'on_demand_base_capacity': 0" in repr(found.inputs["mixed_instances_policy"])
    assert "'weighted_capacity': '2'" in repr(found.inputs["mixed_instances_policy"])
    assert found.unknown == ("NewSetting",)


def test_a_policy_with_a_metric_of_its_own_is_not_taken_over() -> None:
    found = policy_resource(
        {
            "AutoScalingGroupName": "shop",
            "PolicyName": "mine",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingConfiguration": {
                "TargetValue": 5.0,
                "CustomizedMetricSpecification": {"MetricName": "jobs"},
            },
        }
    )

    assert found.unknown == ("CustomizedMetricSpecification",)


def test_only_keys_that_somebody_has_to_be_granted_are_told(server: EmbeddedAws) -> None:
    keys, ec2 = seeding_client(server, "kms"), seeding_client(server, "ec2")
    own_volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
    key = keys.create_key()["KeyMetadata"]

    own = own_keys_of_aws(keys, region="us-east-1")

    assert own_volume["KmsKeyId"].rpartition("/")[2] in own
    assert key["KeyId"] not in own
