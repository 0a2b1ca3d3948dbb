"""The few functions that are embedded: what generated programs may ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.values import Properties


def _region(cloud: Cloud, arguments: Properties) -> Properties:
    region = str(arguments.get("region") or arguments.get("name") or cloud.region)
    return {"id": region, "region": region, "name": region, "description": region}


def _caller(cloud: Cloud, arguments: Properties) -> Properties:
    del arguments
    found = cloud.client("sts").get_caller_identity()
    return {
        "accountId": found["Account"],
        "arn": found["Arn"],
        "id": found["Account"],
        "userId": found["UserId"],
    }


def _partition(cloud: Cloud, arguments: Properties) -> Properties:
    del cloud, arguments
    return {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


LOOKUPS: Mapping[str, Callable[[Cloud, Properties], Any]] = MappingProxyType(
    {
        "aws:index/getCallerIdentity:getCallerIdentity": _caller,
        "aws:index/getPartition:getPartition": _partition,
        "aws:index/getRegion:getRegion": _region,
    }
)
