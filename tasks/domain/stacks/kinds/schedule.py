"""A clock that starts and stops an instance, or sets the size of a group."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.groups import cannot_carry
from tasks.domain.stacks.kinds.made import (
    INSTANCE_STATE,
    ROLE,
    ROLE_POLICY,
    Edit,
    Made,
    Work,
    iam_document,
    priced,
)
from tasks.domain.stacks.kinds.names import logical_name, physical_name
from tasks.domain.stacks.kinds.spot import state_inputs
from tasks.domain.stacks.kinds.stoppable import cannot_stop
from tasks.domain.stacks.kinds.week import Clock, InvalidWeekError, Rule, clock_of, week_of
from tasks.domain.stacks.live import LiveGroup, LiveInstance
from tasks.domain.stacks.program import Args, Attribute, Input, Json, JsonText, Resource

SCHEDULE = "aws:scheduler/schedule:Schedule"
GROUP_SCHEDULE = "aws:autoscaling/schedule:Schedule"
UNCHANGED = -1
"""Auto Scaling leaves a size as it is."""
_NEEDED = ("ScheduledActions",)
_RETRIES, _RETRY_SECONDS = 10, 3600


def schedule(work: Work) -> Made | Refused:
    """Return what runs an instance or a group in its hours only, or why that is not done."""
    try:
        clock = clock_of(week_of(str(work.fact("hours_utc"))))
    except InvalidWeekError as error:
        return work.refused(f"its hours are not understood: {error}")
    if work.resource in work.region.groups:
        return _group(work, work.region.groups[work.resource], clock)
    one = work.region.instances.get(work.resource)
    if one is None:
        return work.refused(f"{work.resource} is not there any more: look for savings again")
    return _instance(work, one, clock)


def _instance(work: Work, one: LiveInstance, clock: Clock) -> Made | Refused:
    why = cannot_stop(work, one)
    if why:
        return work.refused(why)
    base = logical_name("instance", work.resource)
    role = work.new(base, "clock-role", ROLE, _role(work), tags={})
    policy = work.new(base, "clock-policy", ROLE_POLICY, _policy(work, one, role.name))
    started = work.new(base, "state", INSTANCE_STATE, state_inputs(work.resource, "running"))
    return Made(
        edits=(Edit(name=base, live=one.resource),),
        created=(role, policy, *_rules(work, base, role, policy, clock)),
        undone=(started,),
        prices=priced(work.opportunity, base, "now", "scheduled"),
        notes=(
            "hours are UTC and do not move with daylight saving time",
            "nothing is stopped when it is applied, but at the next hour that is off",
        ),
    )


def _role(work: Work) -> dict[str, Input]:
    statement: dict[str, Json] = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": work.account.account_id}},
    }
    return {
        "name": physical_name(f"{work.resource}-clock", work.change.change_id),
        "assume_role_policy": iam_document(statement),
    }


def _policy(work: Work, one: LiveInstance, role: str) -> dict[str, Input]:
    place = f"{work.region.region}:{work.account.account_id}"
    arn = f"arn:{work.account.partition}:ec2:{place}:instance/{work.resource}"
    actions = ("ec2:StartInstances", "ec2:StopInstances")
    switch: dict[str, Json] = {"Effect": "Allow", "Action": actions, "Resource": arn}
    return {
        "name": "switch",
        "role": Attribute(resource=role, name="name"),
        "policy": iam_document(switch, *([_use_of(one.keys)] if one.keys else [])),
    }


def _use_of(keys: tuple[str, ...]) -> dict[str, Json]:
    """Return what lets the clock start an instance whose volumes are encrypted."""
    return {
        "Effect": "Allow",
        "Action": "kms:CreateGrant",
        "Resource": keys,
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }


def _rules(
    work: Work, base: str, role: Resource, policy: Resource, clock: Clock
) -> Iterator[Resource]:
    for word, rules in (("start", clock.on), ("stop", clock.off)):
        for rule in rules:
            yield work.new(
                base,
                f"{word}-{rule.hour:02d}",
                SCHEDULE,
                _rule(work, role.name, word, rule),
                after=(policy.name,),
            )


def _rule(work: Work, role: str, word: str, rule: Rule) -> dict[str, Input]:
    retry = Args(
        of="ScheduleTargetRetryPolicyArgs",
        fields={
            "maximum_event_age_in_seconds": _RETRY_SECONDS,
            "maximum_retry_attempts": _RETRIES,
        },
    )
    target = Args(
        of="ScheduleTargetArgs",
        fields={
            "arn": f"arn:{work.account.partition}:scheduler:::aws-sdk:ec2:{word}Instances",
            "role_arn": Attribute(resource=role, name="arn"),
            "input": JsonText(document={"InstanceIds": (work.resource,)}),
            "retry_policy": retry,
        },
    )
    return {
        "name": physical_name(f"{work.resource}-{word}-{rule.hour:02d}", work.change.change_id),
        "description": f"{word.capitalize()} {work.resource}: {work.change.change_id}",
        "schedule_expression": rule.cron,
        "schedule_expression_timezone": "UTC",
        "flexible_time_window": Args(of="ScheduleFlexibleTimeWindowArgs", fields={"mode": "OFF"}),
        "target": target,
    }


def _group(work: Work, one: LiveGroup, clock: Clock) -> Made | Refused:
    why = cannot_carry(one, also=_NEEDED)
    if not why and (one.max_size < 1 or one.desired < 1):
        why = "it has no instances now: what it goes back to is not known"
    if why:
        return work.refused(why)
    base = logical_name("group", work.resource)
    sizes = {"start": (one.min_size, one.desired), "stop": (0, 0)}
    created = tuple(
        work.new(
            base,
            f"{word}-{rule.hour:02d}",
            GROUP_SCHEDULE,
            {
                "scheduled_action_name": f"{work.change.change_id}-{word}-{rule.hour:02d}",
                "autoscaling_group_name": work.resource,
                "min_size": sizes[word][0],
                "desired_capacity": sizes[word][1],
                "max_size": UNCHANGED,
                "recurrence": rule.unix_cron,
                "time_zone": "Etc/UTC",
            },
            after=(base,),
        )
        for word, rules in (("start", clock.on), ("stop", clock.off))
        for rule in rules
    )
    edit = Edit(
        name=base,
        live=one.resource,
        ignore_changes=("desired_capacity", "max_size", "min_size"),
        undo_ignores=("desired_capacity",),
    )
    return Made(
        edits=(edit,),
        created=created,
        prices=priced(work.opportunity, base, "now", "scheduled"),
        notes=(
            "hours are UTC and do not move with daylight saving time",
            "undone in an hour that is off, the group goes back to its smallest size at once",
        ),
    )
