"""Spot placement scores: how likely AWS thinks a request is to be served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tasks.adapters.aws import translated

OPERATIONS = ("ec2:DescribeAvailabilityZones", "ec2:GetSpotPlacementScores")


def zone_names(client: Any, *, region: str) -> dict[str, str]:
    """Return zone names by zone id: ids are the same in every account, names are not."""
    with translated("ec2:DescribeAvailabilityZones", region=region):
        zones = client.describe_availability_zones()["AvailabilityZones"]
    return {zone["ZoneId"]: zone["ZoneName"] for zone in zones}


def placement_scores(
    client: Any, *, instance_type: str, capacity: int, region: str, names: dict[str, str]
) -> dict[str, int]:
    """Return the score of each zone of a region, 1 to 10, by zone name.

    Args:
        client: A boto3 client of EC2.
        instance_type: One type; AWS scores a request, and ours is for one pool.
        capacity: Instances asked for, at least 1.
        region: Zones of this region only.
        names: Zone names by zone id.
    """
    with translated("ec2:GetSpotPlacementScores", region=region):
        answer = client.get_spot_placement_scores(
            InstanceTypes=[instance_type],
            TargetCapacity=capacity,
            SingleAvailabilityZone=True,
            RegionNames=[region],
        )
    scores: Sequence[dict[str, Any]] = answer["SpotPlacementScores"]
    return {
        names[score["AvailabilityZoneId"]]: int(score["Score"])
        for score in scores
        if score.get("AvailabilityZoneId") in names
    }
