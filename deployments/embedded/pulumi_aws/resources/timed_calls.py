"""Calls by the clock: aws:scheduler/schedule:Schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.kinds import Kind, Simple
from deployments.embedded.pulumi_aws.resources.shared import capitals, found_or_none, smalls
from deployments.embedded.pulumi_aws.resources.tags import given
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "iam:PassRole",
    "scheduler:CreateSchedule",
    "scheduler:DeleteSchedule",
    "scheduler:GetSchedule",
    "scheduler:UpdateSchedule",
)
_GONE = "ResourceNotFoundException"
_DEFAULT_GROUP = "default"


class Schedules(Simple):
    """Carries out what is asked of schedules."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create a schedule; its id is group/name."""
        cloud.client("scheduler").create_schedule(**_arguments(new))
        return f"{new.get('groupName', _DEFAULT_GROUP)}/{new['name']}"

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a schedule."""
        del known
        group, _, name = identity.partition("/")
        client = cloud.client("scheduler")
        one = found_or_none(lambda: client.get_schedule(GroupName=group, Name=name), _GONE)
        if one is None:
            return None
        return {
            "actionAfterCompletion": one.get("ActionAfterCompletion"),
            "arn": one["Arn"],
            "description": one.get("Description") or "",
            "endDate": _instant(one.get("EndDate")),
            "flexibleTimeWindow": smalls(one["FlexibleTimeWindow"]),
            "groupName": group,
            "kmsKeyArn": one.get("KmsKeyArn") or "",
            "name": name,
            "region": cloud.region,
            "scheduleExpression": one["ScheduleExpression"],
            "scheduleExpressionTimezone": one.get("ScheduleExpressionTimezone") or "UTC",
            "startDate": _instant(one.get("StartDate")),
            "state": one.get("State") or "ENABLED",
            "target": smalls(one["Target"]),
        }

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Write the schedule anew: the service replaces it as a whole."""
        del old, changed
        group, _, name = identity.partition("/")
        cloud.client("scheduler").update_schedule(
            **_arguments({**new, "groupName": group, "name": name})
        )

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a schedule."""
        del old
        group, _, name = identity.partition("/")
        client = cloud.client("scheduler")
        found_or_none(lambda: client.delete_schedule(GroupName=group, Name=name), _GONE)


def _arguments(new: Properties) -> dict[str, Any]:
    return given(
        ActionAfterCompletion=new.get("actionAfterCompletion"),
        Description=new.get("description"),
        EndDate=_read(new.get("endDate")),
        FlexibleTimeWindow=capitals(new["flexibleTimeWindow"]),
        GroupName=new.get("groupName"),
        KmsKeyArn=new.get("kmsKeyArn"),
        Name=new["name"],
        ScheduleExpression=new["scheduleExpression"],
        ScheduleExpressionTimezone=new.get("scheduleExpressionTimezone"),
        StartDate=_read(new.get("startDate")),
        State=new.get("state"),
        Target=capitals(new["target"]),
    )


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _instant(at: Any) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


TIMED_CALL = Kind(
    token="aws:scheduler/schedule:Schedule",  # noqa: S106 - a type's name
    module="scheduler",
    name="Schedule",
    actions=Schedules(),
    # Terraform registry, aws_scheduler_schedule, "Argument Reference": name and group force a new one,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/scheduler_schedule
    replaces=frozenset({"groupName", "name", "namePrefix", "region"}),
    absent={
        "actionAfterCompletion": None,
        "description": "",
        "endDate": None,
        "groupName": _DEFAULT_GROUP,
        "kmsKeyArn": "",
        "scheduleExpressionTimezone": "UTC",
        "startDate": None,
        "state": "ENABLED",
    },
    unread=frozenset({"namePrefix"}),
    named=True,
)
