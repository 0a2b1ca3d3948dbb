"""A function behind an HTTP API beside the instances of a small service; they are not touched."""

from __future__ import annotations

from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Opportunity
from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.made import ROLE, ROLE_POLICY, Made, Work, iam_document, step_usd
from tasks.domain.stacks.kinds.names import logical_name, physical_name, role_name
from tasks.domain.stacks.program import (
    Args,
    Attribute,
    Input,
    Joined,
    Json,
    JsonText,
    Resource,
    SourceArchive,
)

FUNCTION = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
API = "aws:apigatewayv2/api:Api"
INTEGRATION = "aws:apigatewayv2/integration:Integration"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
RUNTIME = "python3.13"
RETENTION_DAYS = 30
TIMEOUT_SECONDS = 29
"""An HTTP API waits for 30 s at most."""
LEAST_MIB, MOST_MIB = 128, 10_240
BURST, PER_SECOND = 100, 50.0
HANDLER = '''"""Stands where the service's code goes: nothing has been moved yet."""


def handler(event: object, context: object) -> dict[str, object]:
    """Say that there is nothing here yet."""
    return {
        "statusCode": 501,
        "headers": {"content-type": "text/plain"},
        "body": "Not implemented: the code of this service has not been moved here yet.\\n",
    }
'''


def serverless(work: Work) -> Made | Refused:
    """Return a function with all that it takes, or why there is none."""
    memory = work.fact("memory_mib")
    if not isinstance(memory, int) or not LEAST_MIB <= memory <= MOST_MIB:
        return work.refused(f"{memory!r} MiB is no memory of a function: {LEAST_MIB} to {MOST_MIB}")
    base = logical_name("service", work.resource)
    name = physical_name(work.resource, work.change.change_id)
    created = (*_function(work, base, name, memory), *_front(work, base, name))
    cost = step_usd(work.opportunity, "functions")
    api = role_name(base, "api")
    return Made(
        created=created,
        prices={} if cost is None else {role_name(base, "function"): (0.0, cost)},
        exports={f"{base}-endpoint": Attribute(resource=api, name="api_endpoint")},
        notes=(
            "its instances are not touched: switching them off is a change of its own, for when "
            f"requests have moved; then this saves {work.chosen.net.expected:,.2f} USD a month, and "
            "until then nothing",
            "the function answers 501 until the code of the service is moved into it",
            "only signed requests (AWS_IAM) are let through: open the route when the code is there",
        ),
    )


def own_saving(opportunity: Opportunity) -> Usd:
    """Return what functions save while their instances still run: less than nothing, their cost."""
    cost = step_usd(opportunity, "functions")
    return Usd.exactly(0.0 if cost is None else -cost)


def _function(work: Work, base: str, name: str, memory: int) -> tuple[Resource, ...]:
    logs = work.new(
        base,
        "logs",
        LOG_GROUP,
        {"name": f"/aws/lambda/{name}", "retention_in_days": RETENTION_DAYS},
        tags={},
    )
    role = work.new(base, "role", ROLE, {"name": name, "assume_role_policy": _trust()}, tags={})
    policy = work.new(base, "policy", ROLE_POLICY, _policy(work, role.name, f"/aws/lambda/{name}"))
    inputs: dict[str, Input] = {
        "name": name,
        "description": f"Stands for {name}: {work.change.change_id}",
        "role": Attribute(resource=role.name, name="arn"),
        "runtime": RUNTIME,
        # The architecture that its price was reckoned for.
        "architectures": ("x86_64",),
        "handler": "main.handler",
        "memory_size": memory,
        "timeout": TIMEOUT_SECONDS,
        "code": SourceArchive(files={"main.py": HANDLER}),
    }
    function = work.new(base, "function", FUNCTION, inputs, tags={}, after=(logs.name, policy.name))
    return logs, role, policy, function


def _trust() -> JsonText:
    statement: dict[str, Json] = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }
    return iam_document(statement)


def _policy(work: Work, role: str, logs: str) -> dict[str, Input]:
    place = f"{work.region.region}:{work.account.account_id}"
    statement: dict[str, Json] = {
        "Effect": "Allow",
        "Action": ("logs:CreateLogStream", "logs:PutLogEvents"),
        # Written out: a rule that forbids wildcards has to see it before anything is there.
        "Resource": f"arn:{work.account.partition}:logs:{place}:log-group:{logs}:*",
    }
    return {
        "name": "own-logs",
        "role": Attribute(resource=role, name="name"),
        "policy": iam_document(statement),
    }


def _front(work: Work, base: str, name: str) -> tuple[Resource, ...]:
    function = role_name(base, "function")
    api = work.new(base, "api", API, {"name": name, "protocol_type": "HTTP"}, tags={})
    api_id = Attribute(resource=api.name, name="id")
    integration = work.new(
        base,
        "integration",
        INTEGRATION,
        {
            "api_id": api_id,
            "integration_type": "AWS_PROXY",
            "integration_method": "POST",
            "integration_uri": Attribute(resource=function, name="invoke_arn"),
            "payload_format_version": "2.0",
        },
    )
    target = Joined(parts=("integrations/", Attribute(resource=integration.name, name="id")))
    route = work.new(
        base,
        "route",
        ROUTE,
        {
            "api_id": api_id,
            "route_key": "$default",
            "authorization_type": "AWS_IAM",
            "target": target,
        },
    )
    return api, integration, route, _stage(work, base, api_id), _permission(work, base, api.name)


def _stage(work: Work, base: str, api_id: Attribute) -> Resource:
    limits = Args(
        of="StageDefaultRouteSettingsArgs",
        fields={"throttling_burst_limit": BURST, "throttling_rate_limit": PER_SECOND},
    )
    inputs: dict[str, Input] = {
        "api_id": api_id,
        "name": "$default",
        "auto_deploy": True,
        "default_route_settings": limits,
    }
    return work.new(base, "stage", STAGE, inputs, tags={})


def _permission(work: Work, base: str, api: str) -> Resource:
    source = Joined(parts=(Attribute(resource=api, name="execution_arn"), "/*/*"))
    inputs: dict[str, Input] = {
        "statement_id": "http-api",
        "action": "lambda:InvokeFunction",
        "function": Attribute(resource=role_name(base, "function"), name="name"),
        "principal": "apigateway.amazonaws.com",
        "source_arn": source,
    }
    return work.new(base, "permission", PERMISSION, inputs)
