"""The stack whose updates are killed: what it adopts and changes, and what it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.stacks_kill_account import (
    AFTER_TYPE,
    AFTER_VOLUME,
    BEFORE_TYPE,
    BEFORE_VOLUME,
    COULD_DOUBLE,
    INSTANCES,
    REGION,
    Account,
    Before,
)
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

__all__ = ["ADOPTED", "MADE", "ONCE", "REGION", "Account", "Before", "write_project"]

NAMED = ("role", "rights", "logs", "function", "permission", "template")
"""What AWS refuses to make a second time: the name is taken."""
MADE = (*NAMED, *COULD_DOUBLE)
ADOPTED = ("web", "data")
ONCE = (*ADOPTED, *NAMED)
"""What cannot be there twice."""
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
        **{
            name: (
                "aws:ec2/instance:Instance",
                {"ami": before.image_id, "instance_type": AFTER_TYPE, "tags": tags(name)},
            )
            for name in INSTANCES
        },
        "disk": (
            "aws:ebs/volume:Volume",
            {
                "availability_zone": f"{REGION}a",
                "size": 8,
                "type": AFTER_VOLUME,
                "tags": tags("disk"),
            },
        ),
    }
    for name, (token, inputs) in kinds.items():
        yield Resource(name=name, token=token, inputs=inputs, change_id=change_id)


def _json(document: Mapping[str, Any]) -> JsonText:
    return JsonText(document=document)
