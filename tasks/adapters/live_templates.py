"""Launch templates as EC2 tells them, as the inputs with which Pulumi takes them over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tasks.adapters.live_inputs import set_only, tag_map
from tasks.domain.stacks.live import LiveResource
from tasks.domain.stacks.program import Args, Input

Translation: TypeAlias = "Callable[[Any], Input | None]"
_PREFIX = "LaunchTemplate"


def template_resource(template: Mapping[str, Any], version: Mapping[str, Any]) -> LiveResource:
    """Return a launch template with one of its versions.

    Args:
        template: Of `DescribeLaunchTemplates`.
        version: Of `DescribeLaunchTemplateVersions`.
    """
    data, tags = version["LaunchTemplateData"], tag_map(template.get("Tags", ()))
    given: dict[str, Input | None] = {
        "name": template["LaunchTemplateName"],
        "description": version.get("VersionDescription"),
        "tags": tags,
    }
    unknown = []
    for key, value in data.items():
        if _empty(value):
            continue
        known = _DATA.get(key)
        found = None if known is None else known[1](value)
        if known is None or found is None:
            unknown.append(key)
        else:
            given[known[0]] = found
    return LiveResource(
        token="aws:ec2/launchTemplate:LaunchTemplate",  # noqa: S106 - a type's name
        import_id=template["LaunchTemplateId"],
        inputs=set_only(given),
        tags=tags,
        unknown=tuple(sorted(unknown)),
    )


def _empty(value: object) -> bool:
    return value is None or value in ("", [], {}, ())


def _same(value: Any) -> Input | None:
    return value if isinstance(value, str | int | bool) else None


def _listed(value: Any) -> Input | None:
    return tuple(sorted(str(one) for one in value))


def _flag(value: Any) -> Input | None:
    # Pulumi has text for what may also be left to AWS.
    return "true" if value is True else "false" if value is False else None


def _block(of: str, names: Mapping[str, tuple[str, Translation]]) -> Translation:
    """Return the translation of an object; None for one that holds something not known here."""

    def translated(value: Any) -> Input | None:
        fields: dict[str, Input] = {}
        for key, one in value.items():
            if _empty(one):
                continue
            known = names.get(key)
            found = None if known is None else known[1](one)
            if known is None or found is None:
                return None
            fields[known[0]] = found
        return Args(of=f"{_PREFIX}{of}Args", fields=fields)

    return translated


def _blocks(one: Translation) -> Translation:
    def translated(value: Any) -> Input | None:
        found = tuple(one(each) for each in value)
        known = tuple(each for each in found if each is not None)
        return known if len(known) == len(found) else None

    return translated


def _tags(value: Any) -> Input | None:
    return tag_map(value)


_EBS = _block(
    "BlockDeviceMappingEbs",
    {
        "DeleteOnTermination": ("delete_on_termination", _flag),
        "Encrypted": ("encrypted", _flag),
        "Iops": ("iops", _same),
        "KmsKeyId": ("kms_key_id", _same),
        "SnapshotId": ("snapshot_id", _same),
        "Throughput": ("throughput", _same),
        "VolumeSize": ("volume_size", _same),
        "VolumeType": ("volume_type", _same),
    },
)
_DEVICE = _block(
    "BlockDeviceMapping",
    {
        "DeviceName": ("device_name", _same),
        "Ebs": ("ebs", _EBS),
        "NoDevice": ("no_device", _same),
        "VirtualName": ("virtual_name", _same),
    },
)
_INTERFACE = _block(
    "NetworkInterface",
    {
        "AssociatePublicIpAddress": ("associate_public_ip_address", _flag),
        "DeleteOnTermination": ("delete_on_termination", _flag),
        "Description": ("description", _same),
        "DeviceIndex": ("device_index", _same),
        "Groups": ("security_groups", _listed),
        "NetworkCardIndex": ("network_card_index", _same),
        "SubnetId": ("subnet_id", _same),
    },
)
_METADATA = _block(
    "MetadataOptions",
    {
        "HttpEndpoint": ("http_endpoint", _same),
        "HttpProtocolIpv6": ("http_protocol_ipv6", _same),
        "HttpPutResponseHopLimit": ("http_put_response_hop_limit", _same),
        "HttpTokens": ("http_tokens", _same),
        "InstanceMetadataTags": ("instance_metadata_tags", _same),
    },
)
_TAGGED = _block(
    "TagSpecification", {"ResourceType": ("resource_type", _same), "Tags": ("tags", _tags)}
)
_PROFILE = _block("IamInstanceProfile", {"Arn": ("arn", _same), "Name": ("name", _same)})
_DATA: Mapping[str, tuple[str, Translation]] = {
    "BlockDeviceMappings": ("block_device_mappings", _blocks(_DEVICE)),
    "DisableApiStop": ("disable_api_stop", _same),
    "DisableApiTermination": ("disable_api_termination", _same),
    "EbsOptimized": ("ebs_optimized", _flag),
    "IamInstanceProfile": ("iam_instance_profile", _PROFILE),
    "ImageId": ("image_id", _same),
    "InstanceInitiatedShutdownBehavior": ("instance_initiated_shutdown_behavior", _same),
    "InstanceType": ("instance_type", _same),
    "KernelId": ("kernel_id", _same),
    "KeyName": ("key_name", _same),
    "MetadataOptions": ("metadata_options", _METADATA),
    "Monitoring": ("monitoring", _block("Monitoring", {"Enabled": ("enabled", _same)})),
    "NetworkInterfaces": ("network_interfaces", _blocks(_INTERFACE)),
    "RamDiskId": ("ram_disk_id", _same),
    "SecurityGroupIds": ("vpc_security_group_ids", _listed),
    "SecurityGroups": ("security_group_names", _listed),
    "TagSpecifications": ("tag_specifications", _blocks(_TAGGED)),
    "UserData": ("user_data", _same),
}
"""What a version may hold, its input, and how to write it; the rest is not taken over."""
