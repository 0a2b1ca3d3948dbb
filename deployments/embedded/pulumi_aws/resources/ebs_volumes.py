"""Volumes: aws:ebs/volume:Volume."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from deployments.embedded.pulumi_aws.account import Cloud, wait_for
from deployments.embedded.pulumi_aws.errors import is_code
from deployments.embedded.pulumi_aws.kinds import NO_TAGS, Kind
from deployments.embedded.pulumi_aws.resources.tags import (
    given,
    retag,
    tag_map,
    tag_specifications,
)
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "ec2:CreateSnapshot",
    "ec2:CreateTags",
    "ec2:CreateVolume",
    "ec2:DeleteTags",
    "ec2:DeleteVolume",
    "ec2:DescribeVolumes",
    "ec2:ModifyVolume",
)
_GONE = "InvalidVolume.NotFound"


class Volumes:
    """Carries out what is asked of volumes."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create a volume."""
        made = cloud.client("ec2").create_volume(
            AvailabilityZone=new["availabilityZone"],
            TagSpecifications=tag_specifications("volume", new.get("tags")),
            **_performance(new),
            **given(
                Encrypted=new.get("encrypted"),
                KmsKeyId=new.get("kmsKeyId"),
                MultiAttachEnabled=new.get("multiAttachEnabled"),
                OutpostArn=new.get("outpostArn"),
                SnapshotId=new.get("snapshotId"),
            ),
        )
        return str(made["VolumeId"])

    def settle(self, cloud: Cloud, identity: str, new: Properties) -> None:
        """Wait until it can be used."""
        del new
        wait_for(
            lambda: (_volume(cloud, identity) or {}).get("State") in {"available", "in-use"},
            what=f"{identity} to be available",
        )

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a volume."""
        del known
        one = _volume(cloud, identity)
        if one is None or one["State"] in {"deleting", "deleted"}:
            return None
        return {
            "arn": f"arn:aws:ec2:{cloud.region}:{cloud.number}:volume/{identity}",
            "availabilityZone": one["AvailabilityZone"],
            "createTime": one["CreateTime"].isoformat(),
            "encrypted": one["Encrypted"],
            "iops": one.get("Iops"),
            "kmsKeyId": one.get("KmsKeyId"),
            "multiAttachEnabled": one.get("MultiAttachEnabled", False),
            "outpostArn": one.get("OutpostArn"),
            "region": cloud.region,
            "size": one["Size"],
            "snapshotId": one.get("SnapshotId") or "",
            "tags": tag_map(one.get("Tags", ())),
            "throughput": one.get("Throughput"),
            "type": one["VolumeType"],
        }

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change type, size and performance in place, and tags."""
        if wanted := _performance({name: new[name] for name in changed & new.keys()}):
            cloud.client("ec2").modify_volume(VolumeId=identity, **wanted)
        retag(cloud, identity, old, new)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a volume, after a last snapshot where the program wants one."""
        client = cloud.client("ec2")
        try:
            if old.get("finalSnapshot"):
                client.create_snapshot(
                    VolumeId=identity,
                    TagSpecifications=tag_specifications("snapshot", old.get("tags")),
                )
            client.delete_volume(VolumeId=identity)
        except ClientError as error:
            if not is_code(error, _GONE):
                raise


def _performance(new: Properties) -> dict[str, Any]:
    return given(
        Iops=new.get("iops"),
        Size=new.get("size"),
        Throughput=new.get("throughput"),
        VolumeType=new.get("type"),
    )


def _volume(cloud: Cloud, identity: str) -> dict[str, Any] | None:
    try:
        found = cloud.client("ec2").describe_volumes(VolumeIds=[identity])["Volumes"]
    except ClientError as error:
        if is_code(error, _GONE):
            return None
        raise
    return found[0] if found else None


VOLUME = Kind(
    token="aws:ebs/volume:Volume",  # noqa: S106 - a type's name
    module="ebs",
    name="Volume",
    actions=Volumes(),
    # Terraform registry, aws_ebs_volume, "Argument Reference": type, size, IOPS and throughput are
    # changed in place, https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ebs_volume
    replaces=frozenset(
        {"availabilityZone", "encrypted", "kmsKeyId", "multiAttachEnabled", "outpostArn", "region",
         "snapshotId", "volumeInitializationRate"}
    ),
    absent={**NO_TAGS, "finalSnapshot": False, "multiAttachEnabled": False},
    unread=frozenset({"finalSnapshot", "volumeInitializationRate"}),
)  # fmt: skip
