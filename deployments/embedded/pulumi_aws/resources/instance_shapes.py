"""Instances in the words of EC2, and in Pulumi's."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.resources.shared import capitals
from deployments.embedded.pulumi_aws.resources.tags import given, tag_map
from deployments.embedded.pulumi_aws.values import Properties


def launch_arguments(new: Properties) -> dict[str, Any]:
    """Return an instance as RunInstances takes it."""
    profile, template = new.get("iamInstanceProfile"), new.get("launchTemplate")
    return given(
        BlockDeviceMappings=list(_mappings(new)) or None,
        CpuOptions=capitals(new.get("cpuOptions")),
        DisableApiStop=new.get("disableApiStop"),
        DisableApiTermination=new.get("disableApiTermination"),
        EbsOptimized=new.get("ebsOptimized"),
        IamInstanceProfile=None if profile is None else {"Name": profile},
        ImageId=new.get("ami"),
        InstanceInitiatedShutdownBehavior=new.get("instanceInitiatedShutdownBehavior"),
        InstanceMarketOptions=capitals(new.get("instanceMarketOptions")),
        InstanceType=new.get("instanceType"),
        KeyName=new.get("keyName"),
        LaunchTemplate=None
        if template is None
        else given(
            LaunchTemplateId=template.get("id"),
            LaunchTemplateName=template.get("name"),
            Version=template.get("version"),
        ),
        MetadataOptions=capitals(new.get("metadataOptions")),
        Monitoring=None if new.get("monitoring") is None else {"Enabled": new["monitoring"]},
        Placement=given(AvailabilityZone=new.get("availabilityZone"), Tenancy=new.get("tenancy"))
        or None,
        PrivateIpAddress=new.get("privateIp"),
        SecurityGroupIds=new.get("vpcSecurityGroupIds"),
        SecurityGroups=new.get("securityGroups"),
        SubnetId=new.get("subnetId"),
        UserData=_text(user_data(new)),
    )


def user_data(new: Properties) -> str | None:
    """Return user data in base64; None for none."""
    if "userData" in new:
        return base64.b64encode(str(new["userData"]).encode()).decode()
    return new.get("userDataBase64")


def _text(encoded: str | None) -> str | None:
    # boto3 encodes it once more.
    return None if encoded is None else base64.b64decode(encoded).decode(errors="replace")


def _mappings(new: Properties) -> Iterator[dict[str, Any]]:
    root = new.get("rootBlockDevice")
    if root is not None:
        yield {"DeviceName": root.get("deviceName", "/dev/xvda"), "Ebs": _ebs(root)}
    for one in new.get("ebsBlockDevices") or ():
        yield {"DeviceName": one["deviceName"], "Ebs": _ebs(one)}


def _ebs(one: Mapping[str, Any]) -> dict[str, Any]:
    return given(
        DeleteOnTermination=one.get("deleteOnTermination", True),
        Encrypted=one.get("encrypted"),
        Iops=one.get("iops"),
        KmsKeyId=one.get("kmsKeyId"),
        SnapshotId=one.get("snapshotId"),
        Throughput=one.get("throughput"),
        VolumeSize=one.get("volumeSize"),
        VolumeType=one.get("volumeType"),
    )


def described_instance(cloud: Cloud, one: Mapping[str, Any]) -> Properties:
    """Return what EC2 tells of an instance as Pulumi has it, but for its devices."""
    identity, spot = one["InstanceId"], one.get("InstanceLifecycle") == "spot"
    profile = one.get("IamInstanceProfile", {}).get("Arn")
    return {
        "ami": one["ImageId"],
        "arn": f"arn:aws:ec2:{cloud.region}:{cloud.number}:instance/{identity}",
        "associatePublicIpAddress": bool(one.get("PublicIpAddress")),
        "availabilityZone": one["Placement"]["AvailabilityZone"],
        "ebsOptimized": one.get("EbsOptimized", False),
        "iamInstanceProfile": profile.rpartition("/")[2] if profile else "",
        "instanceLifecycle": one.get("InstanceLifecycle", ""),
        "instanceMarketOptions": {"marketType": "spot"} if spot else None,
        "instanceState": one["State"]["Name"],
        "instanceType": one["InstanceType"],
        "keyName": one.get("KeyName", ""),
        "monitoring": one.get("Monitoring", {}).get("State") in {"enabled", "pending"},
        "placementGroup": one["Placement"].get("GroupName", ""),
        "privateDns": one.get("PrivateDnsName", ""),
        "privateIp": one.get("PrivateIpAddress", ""),
        "publicDns": one.get("PublicDnsName", ""),
        "publicIp": one.get("PublicIpAddress", ""),
        "region": cloud.region,
        "securityGroups": [each["GroupName"] for each in one.get("SecurityGroups", ())],
        "sourceDestCheck": one.get("SourceDestCheck", True),
        "subnetId": one.get("SubnetId", ""),
        "tags": tag_map(one.get("Tags", ())),
        "tenancy": one["Placement"].get("Tenancy", "default"),
        "vpcSecurityGroupIds": [each["GroupId"] for each in one.get("SecurityGroups", ())],
    }


def described_device(mapping: Mapping[str, Any], volume: Mapping[str, Any]) -> Properties:
    """Return a device and its volume as Pulumi has them."""
    return given(
        deleteOnTermination=mapping["Ebs"].get("DeleteOnTermination", False),
        deviceName=mapping["DeviceName"],
        encrypted=volume["Encrypted"],
        iops=volume.get("Iops"),
        kmsKeyId=volume.get("KmsKeyId"),
        tags=tag_map(volume.get("Tags", ())),
        throughput=volume.get("Throughput"),
        volumeId=volume["VolumeId"],
        volumeSize=volume["Size"],
        volumeType=volume["VolumeType"],
    )
