"""The stack whose updates are killed, and what the embedded account has of it.

Counting asks the account itself, by the services' own lists, and shares no code with what recovery
looks things up with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from deployments.embedded.aws.policy import SEEDING_KEY
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import CHANGE_TAG, RESOURCE_TAG, Change, Phase
from tasks.domain.stacks.program import (
    Attribute,
    Input,
    JsonText,
    Program,
    Resource,
    SourceArchive,
    StackPlan,
)
from tasks.domain.stacks.source.project import project_files

REGION = "us-east-1"
BEFORE_TYPE, AFTER_TYPE = "m5.xlarge", "m5.large"
BEFORE_VOLUME, AFTER_VOLUME = "gp2", "gp3"
MADE = ("role", "rights", "logs", "function", "permission", "template", "batch")
ADOPTED = ("web", "data")
_TRUST = {
    "Version": "2012-10-17",
    "Statement": (
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    ),
}
_RIGHTS = {
    "Version": "2012-10-17",
    "Statement": ({"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"},),
}


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
        return any(one == name for one, _ in self.made(change_id))

    def _machines(self, change_id: str) -> Iterator[tuple[str, str]]:
        ec2 = self.client("ec2")
        ours = [
            {"Name": f"tag:{CHANGE_TAG}", "Values": [change_id]},
            {"Name": f"tag:{RESOURCE_TAG}", "Values": ["batch"]},
        ]
        for each in ec2.describe_instances(Filters=ours)["Reservations"]:
            for one in each["Instances"]:
                if one["State"]["Name"] not in {"terminated", "shutting-down"}:
                    yield "batch", one["InstanceId"]
        for one in ec2.describe_launch_templates(Filters=ours[:1])["LaunchTemplates"]:
            yield "template", one["LaunchTemplateId"]

    def _serverless(self, change_id: str) -> Iterator[tuple[str, str]]:
        iam, functions, logs = (self.client(one) for one in ("iam", "lambda", "logs"))
        for one in iam.list_roles()["Roles"]:
            name = one["RoleName"]
            tags = {tag["Key"]: tag["Value"] for tag in iam.list_role_tags(RoleName=name)["Tags"]}
            if tags.get(CHANGE_TAG) == change_id:
                yield "role", name
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                    yield "rights", f"{name}:{policy}"
        for one in functions.list_functions()["Functions"]:
            if (
                functions.list_tags(Resource=one["FunctionArn"])["Tags"].get(CHANGE_TAG)
                == change_id
            ):
                yield "function", one["FunctionName"]
                yield from self._permissions(one["FunctionName"])
        for one in logs.describe_log_groups()["logGroups"]:
            tags = logs.list_tags_log_group(logGroupName=one["logGroupName"])["tags"]
            if tags.get(CHANGE_TAG) == change_id:
                yield "logs", one["logGroupName"]

    def _permissions(self, function: str) -> Iterator[tuple[str, str]]:
        import json

        client = self.client("lambda")
        try:
            policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
        except client.exceptions.ResourceNotFoundException:
            return
        for one in policy["Statement"]:
            yield "permission", one["Sid"]


def write_project(folder: Path, *, stack: str, change_id: str, before: Before) -> StackPlan:
    """Generate the project of the stack and return its plan."""
    plan = _plan(stack, change_id, before)
    for path, content in project_files(plan).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return plan


def _plan(stack: str, change_id: str, before: Before) -> StackPlan:
    change = Change(
        change_id=change_id,
        kind=Kind.RIGHT_SIZE,
        resource=before.instance_id,
        region=REGION,
        summary="Resize an instance, and move some of its work",
        owner="",
        reason="to see what a kill leaves",
        saving=Usd(low=1.0, expected=2.0, high=3.0),
        restart=True,
        reversible=True,
        disruption=0.5,
    )
    exists = tuple(_adopted(change_id, before, changed=False))
    changed = (*_adopted(change_id, before, changed=True), *_made(change_id, before))
    programs = {
        phase: Program(stack=stack, region=REGION, phase=phase, resources=resources)
        for phase, resources in (
            (Phase.ADOPT, exists),
            (Phase.CHANGE, changed),
            (Phase.UNDO, exists),
        )
    }
    return StackPlan(
        stack=stack,
        region=REGION,
        changes=(change,),
        refused=(),
        adopt=programs[Phase.ADOPT],
        change=programs[Phase.CHANGE],
        undo=programs[Phase.UNDO],
    )


def _adopted(change_id: str, before: Before, *, changed: bool) -> Iterator[Resource]:
    kinds: dict[str, tuple[str, str, dict[str, Input]]] = {
        "web": (
            "aws:ec2/instance:Instance",
            before.instance_id,
            {
                "ami": before.image_id,
                "instance_type": AFTER_TYPE if changed else BEFORE_TYPE,
                "tags": {"Name": "web"},
            },
        ),
        "data": (
            "aws:ebs/volume:Volume",
            before.volume_id,
            {
                "availability_zone": f"{REGION}a",
                "size": 20,
                "type": AFTER_VOLUME if changed else BEFORE_VOLUME,
                "tags": {"Name": "web"},
            },
        ),
    }
    for name, (token, identity, inputs) in kinds.items():
        yield Resource(
            name=name,
            token=token,
            inputs=inputs,
            import_id=identity,
            protect=True,
            retain_on_delete=True,
            change_id=change_id,
        )


def _made(change_id: str, before: Before) -> Iterator[Resource]:
    def tags(name: str) -> Mapping[str, Input]:
        return {CHANGE_TAG: change_id, RESOURCE_TAG: name}

    def own(name: str) -> str:
        # As generated programs do: a name that the engine makes up is another one in every preview.
        return f"{name}-{change_id}"

    kinds: dict[str, tuple[str, dict[str, Input]]] = {
        "role": (
            "aws:iam/role:Role",
            {"name": own("role"), "assume_role_policy": _json(_TRUST), "tags": tags("role")},
        ),
        "rights": (
            "aws:iam/rolePolicy:RolePolicy",
            {
                "name": own("rights"),
                "role": Attribute(resource="role", name="id"),
                "policy": _json(_RIGHTS),
            },
        ),
        "logs": (
            "aws:cloudwatch/logGroup:LogGroup",
            {"name": own("logs"), "retention_in_days": 14, "tags": tags("logs")},
        ),
        "function": (
            "aws:lambda/function:Function",
            {
                "name": own("function"),
                "role": Attribute(resource="role", name="arn"),
                "runtime": "python3.13",
                "handler": "index.handler",
                "code": SourceArchive(files={"index.py": "def handler(event, _):\n    return 1\n"}),
                "tags": tags("function"),
            },
        ),
        "permission": (
            "aws:lambda/permission:Permission",
            {
                "action": "lambda:InvokeFunction",
                "function": Attribute(resource="function", name="name"),
                "principal": "events.amazonaws.com",
                "statement_id": "events",
            },
        ),
        "template": (
            "aws:ec2/launchTemplate:LaunchTemplate",
            {
                "name": own("template"),
                "image_id": before.image_id,
                "instance_type": AFTER_TYPE,
                "tags": tags("template"),
            },
        ),
        "batch": (
            "aws:ec2/instance:Instance",
            {"ami": before.image_id, "instance_type": AFTER_TYPE, "tags": tags("batch")},
        ),
    }
    for name, (token, inputs) in kinds.items():
        yield Resource(name=name, token=token, inputs=inputs, change_id=change_id)


def _json(document: Mapping[str, Any]) -> JsonText:
    return JsonText(document=document)
