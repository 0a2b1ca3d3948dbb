"""Storage is created encrypted, and what holds state is kept."""

from collections.abc import Mapping
from typing import Any

from .planned import (
    INSTANCE,
    LAUNCH_TEMPLATE,
    UNKNOWN,
    Broken,
    Planned,
    Problems,
    brought,
    get,
    is_true,
    items,
)
from .settings import Settings

WITH_DEVICES = frozenset((INSTANCE, "aws:ec2/spotInstanceRequest:SpotInstanceRequest"))
ENCRYPTED_BY = {
    "aws:ebs/volume:Volume": "encrypted",
    "aws:ebs/snapshotCopy:SnapshotCopy": "encrypted",
    "aws:ec2/amiCopy:AmiCopy": "encrypted",
    "aws:rds/instance:Instance": "storageEncrypted",
    "aws:rds/cluster:Cluster": "storageEncrypted",
    "aws:docdb/cluster:Cluster": "storageEncrypted",
    "aws:neptune/cluster:Cluster": "storageEncrypted",
    "aws:efs/fileSystem:FileSystem": "encrypted",
    "aws:redshift/cluster:Cluster": "encrypted",
    "aws:elasticache/replicationGroup:ReplicationGroup": "atRestEncryptionEnabled",
}
STATEFUL = frozenset(ENCRYPTED_BY) | {
    INSTANCE,
    "aws:ebs/snapshot:Snapshot",
    "aws:ec2/ami:Ami",
    "aws:rds/clusterInstance:ClusterInstance",
    "aws:elasticache/cluster:Cluster",
    "aws:memorydb/cluster:Cluster",
    "aws:dynamodb/table:Table",
    "aws:fsx/lustreFileSystem:LustreFileSystem",
    "aws:opensearch/domain:Domain",
    "aws:s3/bucket:Bucket",
    "aws:kms/key:Key",
}
PURCHASES = frozenset(
    (
        "aws:savingsplans/savingsPlan:SavingsPlan",
        "aws:rds/reservedInstance:ReservedInstance",
        "aws:elasticache/reservedCacheNode:ReservedCacheNode",
    )
)

Place = tuple[str, Any, bool]
"""A property that has to be true, its value, and whether a snapshot decides it where it is not set."""


def encryption(planned: Planned, _: Settings) -> Broken:
    """Break on storage that is created unencrypted."""
    return brought(planned, lambda inputs: _unencrypted(planned.token, inputs))


def _unencrypted(token: str, inputs: Mapping[str, Any]) -> Problems:
    for path, value, of_snapshot in _places(token, inputs):
        encrypted = is_true(value)
        if encrypted is None:
            yield f"{path}?", f"{path} is not known before the apply; it has to be true"
        elif value is None and of_snapshot:
            yield f"{path}?", f"{path} is not set and follows the snapshot: check that it is true"
        elif not encrypted:
            yield path, f"{path} is not true; set it, so that storage is created encrypted"


def _places(token: str, inputs: Mapping[str, Any]) -> list[Place]:
    if (flag := ENCRYPTED_BY.get(token)) is not None:
        return [(flag, inputs.get(flag), inputs.get("snapshotId") is not None)]
    if token in WITH_DEVICES:
        return [
            ("rootBlockDevice.encrypted", get(inputs, "rootBlockDevice", "encrypted"), False)
        ] + [
            (f"ebsBlockDevices[{at}].encrypted", get(one, "encrypted"), "snapshotId" in one)
            for at, one in enumerate(items(inputs.get("ebsBlockDevices")))
            if isinstance(one, Mapping)
        ]
    return _template_places(inputs) if token == LAUNCH_TEMPLATE else []


def _template_places(inputs: Mapping[str, Any]) -> list[Place]:
    mappings = inputs.get("blockDeviceMappings")
    if not items(mappings):
        # What an image brings is not encrypted unless the account's default says so.
        value = UNKNOWN if mappings == UNKNOWN else None
        return [("blockDeviceMappings[0].ebs.encrypted", value, False)]
    return [
        (
            f"blockDeviceMappings[{at}].ebs.encrypted",
            get(one, "ebs", "encrypted"),
            get(one, "ebs", "snapshotId") is not None,
        )
        for at, one in enumerate(items(mappings))
        if get(one, "ebs") is not None
    ]


def kept(planned: Planned, _: Settings) -> Broken:
    """Break on deleting or making anew what holds state."""
    if planned.token not in STATEFUL | PURCHASES:
        return
    what = "is a purchase" if planned.token in PURCHASES else "holds state"
    if planned.operation == "delete":
        yield (
            f"it {what} and would be deleted; set retain_on_delete before it leaves the stack, so "
            "that it stays in the account",
            True,
        )
    if planned.operation == "replace":
        cause = ", ".join(planned.replaces) or "a property"
        yield (
            f"it {what} and would be made anew for {cause}; change only what changes in place",
            True,
        )


def protected(planned: Planned, _: Settings) -> Broken:
    """Break on what the engine would delete without asking."""
    if planned.inputs is None or planned.protected:
        return
    if planned.token in PURCHASES:
        yield "a purchase cannot be taken back; set protect", planned.new
    elif planned.token in STATEFUL:
        yield "it holds state and the engine would delete it; set protect", False
