"""Tags, which AWS lists as pairs and Pulumi as a map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.values import Properties

_OF_AWS = "aws:"


def tag_map(pairs: Iterable[Mapping[str, Any]] | Mapping[str, str]) -> dict[str, str]:
    """Return tags by key, without those that AWS sets itself: as the provider shows them."""
    found = (
        pairs.items()
        if isinstance(pairs, Mapping)
        else ((str(pair["Key"]), str(pair["Value"])) for pair in pairs)
    )
    return {key: value for key, value in found if not key.startswith(_OF_AWS)}


def tag_pairs(tags: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """Return tags as most services take them."""
    return [{"Key": key, "Value": str(value)} for key, value in (tags or {}).items()]


def tag_specifications(resource: str, tags: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return tags as EC2 takes them when something is made; none for no tags."""
    return [{"ResourceType": resource, "Tags": tag_pairs(tags)}] if tags else []


def retag(cloud: Cloud, identity: str, old: Properties, new: Properties) -> None:
    """Make the tags of something in EC2 those of the program."""
    before, after = old.get("tags") or {}, new.get("tags") or {}
    gone = [{"Key": key} for key in before if key not in after]
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    if gone:
        cloud.client("ec2").delete_tags(Resources=[identity], Tags=gone)
    if changed:
        cloud.client("ec2").create_tags(Resources=[identity], Tags=tag_pairs(changed))


def given(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that are not None: what a program leaves out is not sent."""
    return {name: value for name, value in arguments.items() if value is not None}
