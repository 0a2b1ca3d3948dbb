"""Instances: aws:ec2/instance:Instance."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from deployments.embedded.pulumi_aws.account import Cloud, wait_for
from deployments.embedded.pulumi_aws.errors import StandInError, is_code
from deployments.embedded.pulumi_aws.kinds import NO_TAGS, Kind
from deployments.embedded.pulumi_aws.resources.instance_shapes import (
    described_device,
    described_instance,
    launch_arguments,
    user_data,
)
from deployments.embedded.pulumi_aws.resources.tags import (
    retag,
    tag_specifications,
)
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstances",
    "ec2:DescribeVolumes",
    "ec2:ModifyInstanceAttribute",
    "ec2:ModifyVolume",
    "ec2:MonitorInstances",
    "ec2:RunInstances",
    "ec2:StartInstances",
    "ec2:StopInstances",
    "ec2:TerminateInstances",
    "ec2:UnmonitorInstances",
    "iam:PassRole",
)
_GONE = "InvalidInstanceID.NotFound"
_ENDED = frozenset({"shutting-down", "terminated"})
_NOT_EMBEDDED = frozenset(
    {"capacityReservationSpecification", "creditSpecification", "maintenanceOptions",
     "metadataOptions", "volumeTags"}
)  # fmt: skip
# Changed by a stop, a modification and a start; the rest is changed while it runs.
_WHILE_STOPPED = frozenset({"instanceType", "userData", "userDataBase64"})


class Instances:
    """Carries out what is asked of instances."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Launch an instance."""
        made = cloud.client("ec2").run_instances(
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                *tag_specifications("instance", new.get("tags")),
                *tag_specifications("volume", new.get("volumeTags")),
            ],
            **launch_arguments(new),
        )
        return str(made["Instances"][0]["InstanceId"])

    def settle(self, cloud: Cloud, identity: str, new: Properties) -> None:
        """Wait until it runs."""
        if new.get("sourceDestCheck") is False:
            cloud.client("ec2").modify_instance_attribute(
                InstanceId=identity, SourceDestCheck={"Value": False}
            )
        wait_state(cloud, identity, "running")

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return an instance, as long as it is not terminated."""
        one = instance_of(cloud, identity)
        if one is None or one["State"]["Name"] in _ENDED:
            return None
        found = {
            **described_instance(cloud, one),
            **_devices(cloud, one),
            **_attributes(cloud, identity),
        }
        said = known.get("instanceMarketOptions")
        if found["instanceMarketOptions"] and said and said.get("marketType") == "spot":
            found["instanceMarketOptions"] = said  # its details are of the request, not of it
        return found

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change what can be changed in place; another type takes a stop and a start.

        Raises:
            StandInError: Something is changed that is not embedded.
        """
        if beyond := sorted(changed & _NOT_EMBEDDED):
            message = f"changing {', '.join(beyond)} of an instance that exists is not embedded"
            raise StandInError(message)
        self._while_stopped(cloud, identity, new, changed & _WHILE_STOPPED)
        client = cloud.client("ec2")
        if "monitoring" in changed:
            switch = client.monitor_instances if new["monitoring"] else client.unmonitor_instances
            switch(InstanceIds=[identity])
        for attribute in _modifications(new, changed):
            client.modify_instance_attribute(InstanceId=identity, **attribute)
        if "rootBlockDevice" in changed:
            _modify_root(cloud, old, new)
        retag(cloud, identity, old, new)

    def _while_stopped(
        self, cloud: Cloud, identity: str, new: Properties, changed: set[str]
    ) -> None:
        if not changed:
            return
        one = instance_of(cloud, identity) or {}
        if one.get("RootDeviceType", "ebs") != "ebs":
            message = f"{identity} has an instance store root: it cannot be stopped and changed"
            raise StandInError(message)
        runs = one["State"]["Name"] == "running"
        if runs:
            stop(cloud, identity)
        client = cloud.client("ec2")
        if "instanceType" in changed:
            wanted = {"Value": new["instanceType"]}
            client.modify_instance_attribute(InstanceId=identity, InstanceType=wanted)
        if changed & {"userData", "userDataBase64"}:
            wanted = {"Value": base64.b64decode(user_data(new) or "")}
            client.modify_instance_attribute(InstanceId=identity, UserData=wanted)
        if runs:
            start(cloud, identity)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Terminate an instance."""
        del old
        try:
            cloud.client("ec2").terminate_instances(InstanceIds=[identity])
        except ClientError as error:
            if not is_code(error, _GONE):
                raise


def instance_of(cloud: Cloud, identity: str) -> dict[str, Any] | None:
    """Return what EC2 tells of an instance; None where there is none."""
    try:
        found = cloud.client("ec2").describe_instances(InstanceIds=[identity])["Reservations"]
    except ClientError as error:
        if is_code(error, _GONE):
            return None
        raise
    return found[0]["Instances"][0] if found else None


def wait_state(cloud: Cloud, identity: str, state: str) -> None:
    """Wait until an instance is in a state."""
    wait_for(
        lambda: (instance_of(cloud, identity) or {}).get("State", {}).get("Name") == state,
        what=f"{identity} to be {state}",
    )


def stop(cloud: Cloud, identity: str) -> None:
    """Stop an instance and wait for it."""
    cloud.client("ec2").stop_instances(InstanceIds=[identity])
    wait_state(cloud, identity, "stopped")


def start(cloud: Cloud, identity: str) -> None:
    """Start an instance and wait for it."""
    cloud.client("ec2").start_instances(InstanceIds=[identity])
    wait_state(cloud, identity, "running")


def _devices(cloud: Cloud, one: Mapping[str, Any]) -> Properties:
    mappings = [each for each in one.get("BlockDeviceMappings", ()) if "Ebs" in each]
    identities = [each["Ebs"]["VolumeId"] for each in mappings]
    found = cloud.client("ec2").describe_volumes(VolumeIds=identities) if identities else {}
    volumes = {each["VolumeId"]: each for each in found.get("Volumes", ())}
    devices = [described_device(each, volumes[each["Ebs"]["VolumeId"]]) for each in mappings]
    root = one.get("RootDeviceName")
    # An image may name its root otherwise than the instance does: the first device is it then.
    roots = [each for each in devices if each["deviceName"] == root] or devices[:1]
    return {
        "ebsBlockDevices": [each for each in devices if each not in roots],
        "rootBlockDevice": roots[0] if roots else None,
    }


def _attributes(cloud: Cloud, identity: str) -> Properties:
    client = cloud.client("ec2")

    def value(attribute: str, key: str) -> Any:
        found = client.describe_instance_attribute(InstanceId=identity, Attribute=attribute)
        return found.get(key, {}).get("Value")

    return {
        "disableApiTermination": value("disableApiTermination", "DisableApiTermination"),
        "instanceInitiatedShutdownBehavior": value(
            "instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"
        ),
    }


def _modifications(new: Properties, changed: set[str]) -> Iterator[dict[str, Any]]:
    # EC2 takes one attribute a call.
    for name, attribute in (
        ("disableApiStop", "DisableApiStop"),
        ("disableApiTermination", "DisableApiTermination"),
        ("instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"),
        ("sourceDestCheck", "SourceDestCheck"),
    ):
        if name in changed and name in new:
            yield {attribute: {"Value": new[name]}}
    if "vpcSecurityGroupIds" in changed and new.get("vpcSecurityGroupIds"):
        yield {"Groups": new["vpcSecurityGroupIds"]}


def _modify_root(cloud: Cloud, old: Properties, new: Properties) -> None:
    before, after = old["rootBlockDevice"], new["rootBlockDevice"]
    names = {"Iops": "iops", "Size": "volumeSize", "Throughput": "throughput"}
    names |= {"VolumeType": "volumeType"}
    wanted = {
        argument: after[name]
        for argument, name in names.items()
        if name in after and after[name] != before.get(name)
    }
    if wanted:
        cloud.client("ec2").modify_volume(VolumeId=before["volumeId"], **wanted)
    if "tags" in after:
        retag(cloud, before["volumeId"], before, after)


INSTANCE = Kind(
    token="aws:ec2/instance:Instance",  # noqa: S106 - a type's name
    module="ec2",
    name="Instance",
    actions=Instances(),
    # Terraform registry, aws_instance, "Argument Reference": instance_type is changed by a stop and
    # a start where the root is on EBS; user_data as well, unless user_data_replace_on_change.
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/instance
    replaces=frozenset(
        {"ami", "associatePublicIpAddress", "availabilityZone", "cpuOptions", "ebsBlockDevices",
         "ebsOptimized", "enablePrimaryIpv6", "enclaveOptions", "ephemeralBlockDevices",
         "hibernation", "hostId", "instanceMarketOptions", "ipv6AddressCount", "ipv6Addresses",
         "keyName", "launchTemplate", "networkInterfaces", "placementGroup", "placementGroupId",
         "placementPartitionNumber", "primaryNetworkInterface", "privateDnsNameOptions",
         "privateIp", "region", "rootBlockDevice.deviceName", "rootBlockDevice.encrypted",
         "rootBlockDevice.kmsKeyId", "secondaryNetworkInterfaces", "securityGroups", "subnetId",
         "tenancy"}
    ),
    absent={**NO_TAGS, "forceDestroy": False, "getPasswordData": False, "sourceDestCheck": True,
            "userDataReplaceOnChange": False},
    unread=frozenset(
        {"capacityReservationSpecification", "cpuOptions", "creditSpecification", "disableApiStop",
         "forceDestroy", "getPasswordData", "hibernation", "launchTemplate", "maintenanceOptions",
         "metadataOptions", "userData", "userDataBase64", "userDataReplaceOnChange", "volumeTags"}
    ),
    sets=frozenset({"securityGroups", "vpcSecurityGroupIds"}),
    moves=frozenset({"instanceState", "publicDns", "publicIp"}),
)  # fmt: skip
