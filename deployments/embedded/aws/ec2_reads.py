"""EC2 DescribeInstances and DescribeVolumes, from what moto holds: paged, and with what it leaves out.

moto counts reservations instead of instances on a page, gives all volumes at once, tells neither lifecycle
nor platform details, and takes three times as long.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError, invalid_value
from deployments.embedded.aws.policy import ACCOUNT
from deployments.embedded.aws.spot_filters import matches, wildcard

MOST_INSTANCES = 1000
MOST_VOLUMES = 500

Row = tuple[Any, dict[str, Any]]


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
        rows = _named(rows, named, identity=lambda row: str(row[1].id), noun="instance")
    wanted = _filtered(rows, parameters, values=lambda name, row: _instance_values(name, row[1]))
    page, token = _page(wanted, parameters, most=MOST_INSTANCES)
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
        rows = _named(rows, named, identity=lambda row: str(row.id), noun="volume")
    page, token = _page(
        _filtered(rows, parameters, values=_volume_values), parameters, most=MOST_VOLUMES
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
        "PlatformDetails": _product(one),
        "UsageOperation": "RunInstances:0002" if _product(one) == "Windows" else "RunInstances",
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
        "Tags": _tags(one),
        "AmiLaunchIndex": one.ami_launch_index,
    }
    optional = {
        "InstanceLifecycle": one.lifecycle,
        "Platform": "windows" if _product(one) == "Windows" else None,
        "PublicIpAddress": one.public_ip,
        "PublicDnsName": one.public_dns_name,
        "KeyName": one.key_name,
        "ClientToken": one.client_token,
        "StateReason": {"Code": one.state_reason.code, "Message": one.state_reason.message}
        if one.state_reason.code
        else None,
    }
    return {**found, **{key: value for key, value in optional.items() if value is not None}}


def _tags(one: Any) -> list[dict[str, str]]:
    # Its own way walks through the tags of everything.
    tags = dict(one.ec2_backend.tags.get(one.id, {}))
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _product(one: Any) -> str:
    return "Windows" if one.platform == "windows" else "Linux/UNIX"


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
        "Tags": _tags(one),
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


_INSTANCE_FILTERS: dict[str, Callable[[Any], object]] = {
    "architecture": lambda one: one.architecture,
    "availability-zone": lambda one: one.availability_zone,
    "image-id": lambda one: one.image_id,
    "instance-id": lambda one: one.id,
    "instance-lifecycle": lambda one: one.lifecycle,
    "instance-state-code": lambda one: one.state_code,
    "instance-state-name": lambda one: one.state,
    "instance-type": lambda one: one.instance_type,
    "instance.group-id": lambda one: [group.id for group in one.security_groups],
    "instance.group-name": lambda one: [group.name for group in one.security_groups],
    "key-name": lambda one: one.key_name,
    "launch-time": lambda one: f"{one.launch_time:%Y-%m-%dT%H:%M:%S}.000Z",
    "network-interface.private-dns-name": lambda one: one.private_dns_name,
    "platform": lambda one: "windows" if _product(one) == "Windows" else None,
    "platform-details": _product,
    "private-dns-name": lambda one: one.private_dns_name,
    "private-ip-address": lambda one: one.private_ip,
    "subnet-id": lambda one: one.subnet_id,
    "tenancy": lambda one: one.placement.tenancy,
    "vpc-id": lambda one: one.vpc_id,
}

_VOLUME_FILTERS: dict[str, Callable[[Any], object]] = {
    "attachment.instance-id": lambda one: one.attachment and one.attachment.instance.id,
    "availability-zone": lambda one: one.zone.name,
    "encrypted": lambda one: one.encrypted,
    "size": lambda one: one.size,
    "status": lambda one: one.status,
    "volume-id": lambda one: one.id,
    "volume-type": lambda one: one.volume_type,
}


def _instance_values(name: str, one: Any) -> list[str] | None:
    return _values(name, one, _INSTANCE_FILTERS)


def _volume_values(name: str, one: Any) -> list[str] | None:
    return _values(name, one, _VOLUME_FILTERS)


def _values(name: str, one: Any, known: Mapping[str, Callable[[Any], object]]) -> list[str] | None:
    """Return what a filter looks at; None where EC2, or this, has no such filter."""
    if name.startswith("tag:"):
        return [tag["Value"] for tag in _tags(one) if tag["Key"] == name[4:]]
    if name in {"tag-key", "tag-value"}:
        return [tag[name[4:].capitalize()] for tag in _tags(one)]
    if name not in known:
        return None
    found = known[name](one)
    items = found if isinstance(found, list) else [found]
    return [
        str(item).lower() if isinstance(item, bool) else str(item)
        for item in items
        if item is not None
    ]


def _filtered(
    rows: list[Any],
    parameters: Mapping[str, Any],
    *,
    values: Callable[[str, Any], list[str] | None],
) -> list[Any]:
    for item in parameters.get("Filters", ()):
        name = item.get("Name", "")
        patterns = [wildcard(value) for value in item.get("Values", ())]
        looked_at = [values(name, row) for row in rows]
        if any(found is None for found in looked_at):
            raise AwsError(code="InvalidParameterValue", message=f"The filter '{name}' is invalid")
        rows = [
            row
            for row, found in zip(rows, looked_at, strict=True)
            if any(matches(value, patterns) for value in found or ())
        ]
    return rows


def _named(
    rows: list[Any], named: Sequence[str], *, identity: Callable[[Any], str], noun: str
) -> list[Any]:
    by_id = {identity(row): row for row in rows}
    missing = [one for one in named if one not in by_id]
    if missing:
        code = {"instance": "InvalidInstanceID.NotFound", "volume": "InvalidVolume.NotFound"}[noun]
        raise AwsError(code=code, message=f"The {noun} ID '{missing[0]}' does not exist")
    return [by_id[one] for one in dict.fromkeys(named)]


def _page(
    rows: list[Any], parameters: Mapping[str, Any], *, most: int
) -> tuple[list[Any], str | None]:
    limit = parameters.get("MaxResults", most)
    if not 5 <= limit <= most:
        expected = f"Expecting a value between 5 and {most}."
        raise invalid_value(limit, parameter="MaxResults", expected=expected)
    first = _offset(parameters.get("NextToken"))
    last = first + limit
    token = base64.urlsafe_b64encode(str(last).encode()).decode() if last < len(rows) else None
    return rows[first:last], token


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError) as error:
        message = "Unable to parse pagination token"
        raise AwsError(code="InvalidParameterValue", message=message) from error
