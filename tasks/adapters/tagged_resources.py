"""Whether the account has a resource that a stack began to make: found by its tags or its name.

What takes tags has to carry ours, also where it is found by its name: a role of that name that was
there before is not ours. What takes none belongs to something of ours, and is found in there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import botocore.exceptions as boto_errors

from tasks.adapters.aws import translated
from tasks.adapters.pages import items
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.changes import CHANGE_TAG, RESOURCE_TAG
from tasks.domain.stacks.recovery import FindByTags, Wanted, resource_tags

OPERATIONS = (
    "apigateway:GET",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribePolicies",
    "autoscaling:DescribeScheduledActions",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeVolumes",
    "elasticache:DescribeReservedCacheNodes",
    "elasticache:ListTagsForResource",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "lambda:GetFunction",
    "lambda:GetPolicy",
    "logs:DescribeLogGroups",
    "logs:ListTagsForResource",
    "rds:DescribeReservedDBInstances",
    "savingsplans:DescribeSavingsPlans",
    "scheduler:GetSchedule",
)
ClientFor = Callable[[str, str], Any]
"""Gives the client of a service, by boto3's name of it, in a region."""
_LIVE_INSTANCES = ("pending", "running", "shutting-down", "stopping", "stopped")
_TOKENS = {
    "elasticache": ("Marker", "Marker"),
    "rds": ("Marker", "Marker"),
    "savingsplans": ("nextToken", "nextToken"),
}
_HELD_PLANS = ("payment-pending", "active", "queued")
_MISSING = frozenset(
    {
        "InvalidLaunchTemplateId.NotFound",
        "NoSuchEntity",
        "NotFoundException",
        "ResourceNotFoundException",
        "ValidationError",
    }
)
"""Codes by which services say that there is none; auto scaling has no code of its own for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The account in one region."""

    client_for: ClientFor
    region: str

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        return self.client_for(service, self.region)

    def every(self, service: str, method: str, key: str, **arguments: Any) -> Iterator[Any]:
        """Yield everything that an operation lists."""
        return items(
            getattr(self.client(service), method),
            key,
            operation=f"{service}:{method}",
            region=self.region,
            arguments=arguments,
            token=_TOKENS.get(service, ("NextToken", "NextToken")),
        )


def found_by_tags(client_for: ClientFor, *, region: str) -> FindByTags:
    """Return what looks in an account for a resource whose creation was cut off.

    Args:
        client_for: Gives clients.
        region: Where a resource is whose inputs name none.

    Returns:
        A function that returns ids as the provider has them: more than one where the account has
        it more than once. It raises PermanentError for a type that is not generated.
    """

    def find(wanted: Wanted) -> tuple[str, ...]:
        finder = _FINDERS.get(wanted.token)
        if finder is None:
            message = (
                f"{wanted.name}: no way to look for {wanted.token} in the account; see whether it is "
                "there, then import it into the stack or delete it"
            )
            raise PermanentError(message)
        where = str(wanted.inputs.get("region") or region)
        with translated(f"looking for {wanted.name} ({wanted.token})", region=where):
            return tuple(finder(Place(client_for=client_for, region=where), wanted))

    return find


def _instances(place: Place, wanted: Wanted) -> Iterable[str]:
    states = {"Name": "instance-state-name", "Values": list(_LIVE_INSTANCES)}
    found = place.every(
        "ec2", "describe_instances", "Reservations", Filters=[*_filters(wanted), states]
    )
    return [one["InstanceId"] for each in found for one in each["Instances"]]


def _volumes(place: Place, wanted: Wanted) -> Iterable[str]:
    found = place.every("ec2", "describe_volumes", "Volumes", Filters=_filters(wanted))
    return [one["VolumeId"] for one in found]


def _launch_templates(place: Place, wanted: Wanted) -> Iterable[str]:
    found = place.every(
        "ec2", "describe_launch_templates", "LaunchTemplates", Filters=_filters(wanted)
    )
    return [one["LaunchTemplateId"] for one in found]


def _groups(place: Place, wanted: Wanted) -> Iterable[str]:
    found = place.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[wanted.inputs["name"]]
    )
    return [
        one["AutoScalingGroupName"]
        for one in found["AutoScalingGroups"]
        if _ours(wanted, _map(one.get("Tags", ())))
    ]


def _policies(place: Place, wanted: Wanted) -> Iterable[str]:
    group, name = wanted.inputs["autoscalingGroupName"], wanted.inputs["name"]
    found = _or_none(
        lambda: place.client("autoscaling").describe_policies(
            AutoScalingGroupName=group, PolicyNames=[name]
        )
    )
    return [one["PolicyName"] for one in (found or {}).get("ScalingPolicies", ())]


def _scheduled_actions(place: Place, wanted: Wanted) -> Iterable[str]:
    name = wanted.inputs["scheduledActionName"]
    found = _or_none(
        lambda: place.client("autoscaling").describe_scheduled_actions(
            AutoScalingGroupName=wanted.inputs["autoscalingGroupName"], ScheduledActionNames=[name]
        )
    )
    actions = (found or {}).get("ScheduledUpdateGroupActions", ())
    return [one["ScheduledActionName"] for one in actions]


def _roles(place: Place, wanted: Wanted) -> Iterable[str]:
    name = wanted.inputs["name"]
    found = _or_none(lambda: place.client("iam").get_role(RoleName=name))
    if found is None or not _ours(wanted, _map(found["Role"].get("Tags", ()))):
        return []
    return [name]


def _role_policies(place: Place, wanted: Wanted) -> Iterable[str]:
    role, name = wanted.inputs["role"], wanted.inputs["name"]
    found = _or_none(lambda: place.client("iam").get_role_policy(RoleName=role, PolicyName=name))
    return [] if found is None else [f"{role}:{name}"]


def _functions(place: Place, wanted: Wanted) -> Iterable[str]:
    name = wanted.inputs["name"]
    found = _or_none(lambda: place.client("lambda").get_function(FunctionName=name))
    return [name] if found is not None and _ours(wanted, found.get("Tags", {})) else []


def _permissions(place: Place, wanted: Wanted) -> Iterable[str]:
    function = wanted.inputs["function"]
    found = _or_none(lambda: place.client("lambda").get_policy(FunctionName=function))
    statements = [] if found is None else json.loads(found["Policy"])["Statement"]
    return [one["Sid"] for one in statements if _is_permission(one, wanted.inputs)]


def _log_groups(place: Place, wanted: Wanted) -> Iterable[str]:
    name = wanted.inputs["name"]
    client = place.client("logs")
    found = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    for one in found:
        if one["logGroupName"] == name:
            arn = str(one["arn"]).removesuffix(":*")
            tags = client.list_tags_for_resource(resourceArn=arn).get("tags", {})
            return [name] if _ours(wanted, tags) else []
    return []


def _apis(place: Place, wanted: Wanted) -> Iterable[str]:
    found = place.every("apigatewayv2", "get_apis", "Items")
    return [one["ApiId"] for one in found if _ours(wanted, one.get("Tags", {}))]


def _integrations(place: Place, wanted: Wanted) -> Iterable[str]:
    found = _within_api(place, wanted, "get_integrations")
    uri = wanted.inputs.get("integrationUri")
    return [one["IntegrationId"] for one in found if one.get("IntegrationUri") == uri]


def _routes(place: Place, wanted: Wanted) -> Iterable[str]:
    found = _within_api(place, wanted, "get_routes")
    return [one["RouteId"] for one in found if one["RouteKey"] == wanted.inputs["routeKey"]]


def _stages(place: Place, wanted: Wanted) -> Iterable[str]:
    found = _within_api(place, wanted, "get_stages")
    return [one["StageName"] for one in found if one["StageName"] == wanted.inputs["name"]]


def _schedules(place: Place, wanted: Wanted) -> Iterable[str]:
    group, name = str(wanted.inputs.get("groupName") or "default"), wanted.inputs["name"]
    found = _or_none(lambda: place.client("scheduler").get_schedule(GroupName=group, Name=name))
    return [] if found is None else [f"{group}/{name}"]


def _savings_plans(place: Place, wanted: Wanted) -> Iterable[str]:
    plans = place.every(
        "savingsplans", "describe_savings_plans", "savingsPlans", states=list(_HELD_PLANS)
    )
    return [one["savingsPlanId"] for one in plans if _ours(wanted, one.get("tags", {}))]


def _databases(place: Place, wanted: Wanted) -> Iterable[str]:
    # The program gives the reservation its id, and nobody can buy that one twice.
    name = wanted.inputs.get("reservationId")
    found = place.every("rds", "describe_reserved_db_instances", "ReservedDBInstances")
    return [one["ReservedDBInstanceId"] for one in found if one["ReservedDBInstanceId"] == name]


def _caches(place: Place, wanted: Wanted) -> Iterable[str]:
    client = place.client("elasticache")
    found = place.every("elasticache", "describe_reserved_cache_nodes", "ReservedCacheNodes")
    name = wanted.inputs.get("elasticacheReservedCacheNodeId") or wanted.inputs.get("id")
    return [
        one["ReservedCacheNodeId"]
        for one in found
        if one["ReservedCacheNodeId"] == name
        or (name is None and _ours(wanted, _cache_tags(client, one)))
    ]


def _instance_states(_: Place, wanted: Wanted) -> Iterable[str]:
    # Not a thing of its own but a state of an instance, which the stack has: setting it is idempotent.
    return [str(wanted.inputs["instanceId"])]


_FINDERS: Mapping[str, Callable[[Place, Wanted], Iterable[str]]] = {
    "aws:apigatewayv2/api:Api": _apis,
    "aws:apigatewayv2/integration:Integration": _integrations,
    "aws:apigatewayv2/route:Route": _routes,
    "aws:apigatewayv2/stage:Stage": _stages,
    "aws:autoscaling/group:Group": _groups,
    "aws:autoscaling/policy:Policy": _policies,
    "aws:autoscaling/schedule:Schedule": _scheduled_actions,
    "aws:cloudwatch/logGroup:LogGroup": _log_groups,
    "aws:ebs/volume:Volume": _volumes,
    "aws:ec2/instance:Instance": _instances,
    "aws:ec2/launchTemplate:LaunchTemplate": _launch_templates,
    "aws:ec2transitgateway/instanceState:InstanceState": _instance_states,
    "aws:elasticache/reservedCacheNode:ReservedCacheNode": _caches,
    "aws:iam/role:Role": _roles,
    "aws:iam/rolePolicy:RolePolicy": _role_policies,
    "aws:lambda/function:Function": _functions,
    "aws:lambda/permission:Permission": _permissions,
    "aws:rds/reservedInstance:ReservedInstance": _databases,
    "aws:savingsplans/savingsPlan:SavingsPlan": _savings_plans,
    "aws:scheduler/schedule:Schedule": _schedules,
}


def _filters(wanted: Wanted) -> list[dict[str, Any]]:
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in _tags(wanted).items()]


def _tags(wanted: Wanted) -> Mapping[str, str]:
    tags = resource_tags(wanted)
    if not tags:
        message = (
            f"{wanted.name} has no tags {CHANGE_TAG} and {RESOURCE_TAG}, by which it could be found; "
            "see whether the account has it, then import it into the stack or delete it"
        )
        raise PermanentError(message)
    return tags


def _ours(wanted: Wanted, tags: Mapping[str, Any]) -> bool:
    return all(tags.get(key) == value for key, value in _tags(wanted).items())


def _map(tags: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {one["Key"]: one.get("Value") for one in tags}


def _within_api(place: Place, wanted: Wanted, operation: str) -> Iterable[Mapping[str, Any]]:
    api = wanted.inputs["apiId"]
    return _or_none(lambda: list(place.every("apigatewayv2", operation, "Items", ApiId=api))) or ()


def _is_permission(statement: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    if inputs.get("statementId"):
        return bool(statement["Sid"] == inputs["statementId"])
    principal = statement.get("Principal")
    who = set(principal.values()) if isinstance(principal, Mapping) else {principal}
    source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn")
    return (
        statement.get("Action") == inputs.get("action")
        and inputs.get("principal") in who
        and source == inputs.get("sourceArn")
    )


def _cache_tags(client: Any, one: Mapping[str, Any]) -> Mapping[str, Any]:
    arn = one.get("ReservationARN")
    return {} if arn is None else _map(client.list_tags_for_resource(ResourceName=arn)["TagList"])


def _or_none(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (boto_errors.ClientError, PermanentError) as error:
        # What is read in pages is translated already.
        told = error if isinstance(error, boto_errors.ClientError) else error.__cause__
        if _code(told) in _MISSING:
            return None
        raise


def _code(error: BaseException | None) -> str:
    if not isinstance(error, boto_errors.ClientError):
        return ""
    return str(error.response["Error"].get("Code"))
