"""EC2 DescribeInstances and DescribeVolumes, from what moto holds: paged, and with what it leaves out.

moto counts reservations instead of instances on a page, gives all volumes at once, tells neither lifecycle
nor platform details, and takes three times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.ec2_filters import (
    INSTANCE_FILTERS,
    VOLUME_FILTERS,
    filtered,
    only_named,
    paged,
    product_of,
    tags_of,
)
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.policy import ACCOUNT

MOST_INSTANCES = 1000
MOST_VOLUMES = 500

Row = tuple[Any, Any]


def describe_instances(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer DescribeInstances: a page of instances in their reservations.

    Raises:
        AwsError: An instance or filter does not exist, or a page size is out of bounds.
    """
    named = parameters.get("InstanceIds", ())
    if named and "MaxResults" in parameters:
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise AwsError(code="InvalidParameterCombination", message=message)
    rows = [
        (reservation, instance)
        for reservation in list(_backend(call.region).reservations.values())
        for instance in list(reservation.instances)
    ]
    if named:
        rows = only_named(rows, named, identity=lambda row: str(row[1].id), noun="instance")
    wanted = filtered(rows, parameters, known=INSTANCE_FILTERS, resource=lambda row: row[1])
    page, token = paged(wanted, parameters, most=MOST_INSTANCES)
    answer: dict[str, Any] = {"Reservations": _reservations(page)}
    return {**answer, "NextToken": token} if token else answer


def _reservations(rows: Sequence[Row]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for reservation, instance in rows:
        entry = {"ReservationId": reservation.id, "OwnerId": ACCOUNT, "Groups": [], "Instances": []}
        found.setdefault(reservation.id, entry)["Instances"].append(_instance(instance))
    return list(found.values())


def describe_volumes(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer DescribeVolumes: a page of volumes.

    Raises:
        AwsError: A volume or filter does not exist, or a page size is out of bounds.
    """
    rows = list(_backend(call.region).volumes.values())
    if named := parameters.get("VolumeIds", ()):
        rows = only_named(rows, named, identity=lambda row: str(row.id), noun="volume")
    page, token = paged(
        filtered(rows, parameters, known=VOLUME_FILTERS, resource=lambda row: row),
        parameters,
        most=MOST_VOLUMES,
    )
    answer: dict[str, Any] = {"Volumes": [_volume(one) for one in page]}
    return {**answer, "NextToken": token} if token else answer


def _backend(region: str) -> Any:
    # A second: only when somebody asks.
    from moto.ec2.models import ec2_backends

    return ec2_backends[ACCOUNT][region]


def _instance(one: Any) -> dict[str, Any]:
    found = {
        "InstanceId": one.id,
        "ImageId": one.image_id,
        "InstanceType": one.instance_type,
        "State": {"Code": one.state_code, "Name": one.state},
        "StateTransitionReason": one._reason,  # noqa: SLF001 - moto has no public name for it
        "LaunchTime": one.launch_time,
        "Placement": {
            "AvailabilityZone": one.availability_zone,
            "GroupName": "",
            "Tenancy": one.placement.tenancy,
        },
        "Architecture": one.architecture,
        "PlatformDetails": product_of(one),
        "UsageOperation": "RunInstances:0002" if product_of(one) == "Windows" else "RunInstances",
        "PrivateIpAddress": one.private_ip,
        "PrivateDnsName": one.private_dns_name,
        "SubnetId": one.subnet_id,
        "VpcId": one.vpc_id,
        "Monitoring": one.monitoring,
        "EbsOptimized": one.ebs_optimized,
        "Hypervisor": one.hypervisor,
        "VirtualizationType": one.virtualization_type,
        "RootDeviceName": one.root_device_name,
        "RootDeviceType": one.root_device_type,
        "SourceDestCheck": one.source_dest_check,
        "SecurityGroups": [
            {"GroupId": group.id, "GroupName": group.name} for group in one.security_groups
        ],
        "BlockDeviceMappings": [
            _mapping(device, block) for device, block in one.get_block_device_mapping
        ],
        "Tags": tags_of(one),
        "AmiLaunchIndex": one.ami_launch_index,
    }
    optional = {
        "InstanceLifecycle": one.lifecycle,
        "Platform": "windows" if product_of(one) == "Windows" else None,
        "PublicIpAddress": one.public_ip,
        "PublicDnsName": one.public_dns_name,
        "KeyName": one.key_name,
        "ClientToken": one.client_token,
        "StateReason": {"Code": one.state_reason.code, "Message": one.state_reason.message}
        if one.state_reason.code
        else None,
    }
    return {**found, **{key: value for key, value in optional.items() if value is not None}}


def _mapping(device: str, block: Any) -> dict[str, Any]:
    ebs = {
        "VolumeId": block.volume_id,
        "Status": "attached",
        "AttachTime": block.attach_time,
        "DeleteOnTermination": bool(block.delete_on_termination),
    }
    return {"DeviceName": device, "Ebs": ebs}


def _volume(one: Any) -> dict[str, Any]:
    attached = one.attachment
    found = {
        "VolumeId": one.id,
        "VolumeType": one.volume_type,
        "Size": one.size,
        "State": one.status,
        "AvailabilityZone": one.zone.name,
        "CreateTime": one.create_time,
        "Encrypted": one.encrypted,
        "SnapshotId": one.snapshot_id or "",
        "MultiAttachEnabled": bool(one.multi_attach_enabled),
        "Tags": tags_of(one),
        "Attachments": [] if attached is None else [_attachment(one, attached)],
    }
    optional = {"Iops": _iops(one), "Throughput": one.throughput, "KmsKeyId": one.kms_key_id}
    if one.volume_type == "gp3" and one.throughput is None:
        optional["Throughput"] = 125
    return {**found, **{key: value for key, value in optional.items() if value is not None}}


def _iops(one: Any) -> int | None:
    if one.volume_type == "gp2":  # three for each GiB, within bounds
        return min(max(100, 3 * int(one.size)), 16_000)
    return None if one.iops is None else int(one.iops)


def _attachment(volume: Any, attached: Any) -> dict[str, Any]:
    return {
        "VolumeId": volume.id,
        "InstanceId": attached.instance.id,
        "Device": attached.device,
        "State": "attached",
        "AttachTime": attached.attach_time,
        "DeleteOnTermination": False,
    }
