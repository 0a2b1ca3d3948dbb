"""What the embedded account has of a stack whose updates are killed.

Counting asks the account itself, by the services' own lists, and shares no code with what recovery
looks things up with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from deployments.embedded.aws.policy import SEEDING_KEY
from tasks.domain.stacks.changes import CHANGE_TAG, RESOURCE_TAG

REGION = "us-east-1"
BEFORE_TYPE, AFTER_TYPE = "m5.xlarge", "m5.large"
BEFORE_VOLUME, AFTER_VOLUME = "gp2", "gp3"
INSTANCES = ("batch", "worker", "spare")
COULD_DOUBLE = (*INSTANCES, "disk")
"""What AWS makes a second time when it is asked twice: it has no name that could be taken."""
MACHINES = (*COULD_DOUBLE, "template")


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What exists before the stack.

    Attributes:
        instance_id: Runs, and is to be smaller.
        volume_id: Is to be of another type.
        image_id: Of the instance.
    """

    instance_id: str
    volume_id: str
    image_id: str


class Account:
    """The embedded account, as somebody sees it who is bound by no policy."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint = endpoint_url
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        if service not in self._clients:
            self._clients[service] = boto3.Session().client(
                service,  # type: ignore[call-overload]
                region_name=REGION,
                endpoint_url=self._endpoint,
                aws_access_key_id=SEEDING_KEY,
                aws_secret_access_key="not checked",  # noqa: S106 - the embedded account checks none
            )
        return self._clients[service]

    def seed(self) -> Before:
        """Start an instance and make a volume."""
        ec2 = self.client("ec2")
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        started = ec2.run_instances(ImageId=image, InstanceType=BEFORE_TYPE, MinCount=1, MaxCount=1)
        volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=20, VolumeType=BEFORE_VOLUME)
        instance_id = started["Instances"][0]["InstanceId"]
        for one in (instance_id, volume["VolumeId"]):
            ec2.create_tags(Resources=[one], Tags=[{"Key": "Name", "Value": "web"}])
        return Before(instance_id=instance_id, volume_id=volume["VolumeId"], image_id=image)

    def made(self, change_id: str) -> Iterator[tuple[str, str]]:
        """Yield logical name and id of everything that the change made, as often as it is there."""
        yield from self._machines(change_id)
        yield from self._serverless(change_id)

    def is_as_wanted(self, before: Before) -> bool:
        """Return whether what was adopted has the values of the change, and runs."""
        ec2 = self.client("ec2")
        found = ec2.describe_instances(InstanceIds=[before.instance_id])
        machine = found["Reservations"][0]["Instances"][0]
        volume = ec2.describe_volumes(VolumeIds=[before.volume_id])["Volumes"][0]
        return (machine["InstanceType"], machine["State"]["Name"], volume["VolumeType"]) == (
            AFTER_TYPE,
            "running",
            AFTER_VOLUME,
        )

    def has(self, name: str, *, before: Before, change_id: str) -> bool:
        """Return whether a resource is as the change wants it."""
        ec2 = self.client("ec2")
        if name == "web":
            found = ec2.describe_instances(InstanceIds=[before.instance_id])
            kind: str = found["Reservations"][0]["Instances"][0]["InstanceType"]
            return kind == AFTER_TYPE
        if name == "data":
            volume = ec2.describe_volumes(VolumeIds=[before.volume_id])["Volumes"][0]
            return bool(volume["VolumeType"] == AFTER_VOLUME)
        found = self._machines(change_id) if name in MACHINES else self._serverless(change_id)
        return any(one == name for one, _ in found)

    def could_double(self, change_id: str) -> frozenset[str]:
        """Return those of `COULD_DOUBLE` that are there."""
        return frozenset(name for name, _ in self._nameless(change_id))

    def _machines(self, change_id: str) -> Iterator[tuple[str, str]]:
        yield from self._nameless(change_id)
        ours = [{"Name": f"tag:{CHANGE_TAG}", "Values": [change_id]}]
        for one in self.client("ec2").describe_launch_templates(Filters=ours)["LaunchTemplates"]:
            yield "template", one["LaunchTemplateId"]

    def _nameless(self, change_id: str) -> Iterator[tuple[str, str]]:
        ec2 = self.client("ec2")
        ours = [
            {"Name": f"tag:{CHANGE_TAG}", "Values": [change_id]},
            {"Name": f"tag:{RESOURCE_TAG}", "Values": list(COULD_DOUBLE)},
        ]
        for each in ec2.describe_instances(Filters=ours)["Reservations"]:
            for one in each["Instances"]:
                if one["State"]["Name"] not in {"terminated", "shutting-down"}:
                    yield _named(one), one["InstanceId"]
        for one in ec2.describe_volumes(Filters=ours)["Volumes"]:
            yield _named(one), one["VolumeId"]

    def _serverless(self, change_id: str) -> Iterator[tuple[str, str]]:
        iam, functions, logs = (self.client(one) for one in ("iam", "lambda", "logs"))
        # All pages: a log group past the first fifty would be counted as missing.
        for one in _all(iam, "list_roles", "Roles"):
            name = one["RoleName"]
            tags = {tag["Key"]: tag["Value"] for tag in iam.list_role_tags(RoleName=name)["Tags"]}
            if tags.get(CHANGE_TAG) == change_id:
                yield "role", name
                for policy in _all(iam, "list_role_policies", "PolicyNames", RoleName=name):
                    yield "rights", f"{name}:{policy}"
        for one in _all(functions, "list_functions", "Functions"):
            tags = functions.list_tags(Resource=one["FunctionArn"])["Tags"]
            if tags.get(CHANGE_TAG) == change_id:
                yield "function", one["FunctionName"]
                yield from self._permissions(one["FunctionName"])
        for one in _all(logs, "describe_log_groups", "logGroups"):
            tags = logs.list_tags_log_group(logGroupName=one["logGroupName"])["tags"]
            if tags.get(CHANGE_TAG) == change_id:
                yield "logs", one["logGroupName"]

    def _permissions(self, function: str) -> Iterator[tuple[str, str]]:
        client = self.client("lambda")
        try:
            policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
        except client.exceptions.ResourceNotFoundException:
            return
        for one in policy["Statement"]:
            yield "permission", one["Sid"]


def _all(client: Any, operation: str, key: str, **arguments: str) -> Iterator[Any]:
    """Yield what every page of an operation lists."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[key]


def _named(one: Mapping[str, Any]) -> str:
    name: str = next(tag["Value"] for tag in one["Tags"] if tag["Key"] == RESOURCE_TAG)
    return name
