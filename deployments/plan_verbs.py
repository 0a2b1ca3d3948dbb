"""What the programs of stacks do with each type of resource, and which calls are for nothing else.

What a stack adopts is kept when it goes, and a copy on spot is protected: nothing that was there before
is ever made or ended by a program. The policy for applying leaves out the calls that only that needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Verb(StrEnum):
    """What the engine has a provider do; reading is always among it."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


_ALL = frozenset(Verb)
_ADOPTED = frozenset({Verb.UPDATE})
_KEPT = frozenset({Verb.CREATE, Verb.UPDATE})

PLAN_VERBS: Mapping[str, frozenset[Verb]] = MappingProxyType(
    {
        "aws:apigatewayv2/api:Api": _ALL,
        "aws:apigatewayv2/integration:Integration": _ALL,
        "aws:apigatewayv2/route:Route": _ALL,
        "aws:apigatewayv2/stage:Stage": _ALL,
        "aws:autoscaling/group:Group": _ADOPTED,
        "aws:autoscaling/policy:Policy": _ALL,
        "aws:autoscaling/schedule:Schedule": _ALL,
        "aws:cloudwatch/logGroup:LogGroup": _ALL,
        "aws:ebs/volume:Volume": _ADOPTED,
        "aws:ec2/instance:Instance": _KEPT,
        "aws:ec2/launchTemplate:LaunchTemplate": _ADOPTED,
        "aws:ec2transitgateway/instanceState:InstanceState": _ALL,
        "aws:elasticache/reservedCacheNode:ReservedCacheNode": _KEPT,
        "aws:iam/role:Role": _ALL,
        "aws:iam/rolePolicy:RolePolicy": _ALL,
        "aws:lambda/function:Function": _ALL,
        "aws:lambda/permission:Permission": _ALL,
        "aws:rds/reservedInstance:ReservedInstance": _KEPT,
        "aws:savingsplans/savingsPlan:SavingsPlan": _KEPT,
        "aws:scheduler/schedule:Schedule": _ALL,
    }
)
"""By Pulumi's type."""

_CALLS_OF: Mapping[tuple[str, Verb], tuple[str, ...]] = {
    ("aws:autoscaling/group:Group", Verb.CREATE): ("autoscaling:CreateAutoScalingGroup",),
    ("aws:autoscaling/group:Group", Verb.DELETE): ("autoscaling:DeleteAutoScalingGroup",),
    ("aws:ebs/volume:Volume", Verb.CREATE): ("ec2:CreateVolume",),
    ("aws:ebs/volume:Volume", Verb.DELETE): ("ec2:CreateSnapshot", "ec2:DeleteVolume"),
    ("aws:ec2/instance:Instance", Verb.DELETE): ("ec2:TerminateInstances",),
    ("aws:ec2/launchTemplate:LaunchTemplate", Verb.CREATE): ("ec2:CreateLaunchTemplate",),
    ("aws:ec2/launchTemplate:LaunchTemplate", Verb.DELETE): ("ec2:DeleteLaunchTemplate",),
    ("aws:savingsplans/savingsPlan:SavingsPlan", Verb.DELETE): (
        "savingsplans:DeleteQueuedSavingsPlan",
    ),
}
"""Calls that one verb makes and no other, of the types that plans do not do everything with."""


def never_called() -> frozenset[str]:
    """Return the calls of the stand-in that no program of a stack leads to."""
    return frozenset(
        call
        for (token, verb), calls in _CALLS_OF.items()
        if verb not in PLAN_VERBS[token]
        for call in calls
    )
