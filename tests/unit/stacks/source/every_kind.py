"""A stack with every kind of resource and every kind of value that a program can have."""

from __future__ import annotations

from dataclasses import replace

from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import Change, Phase, Refused
from tasks.domain.stacks.program import (
    Args,
    Attribute,
    Input,
    Joined,
    JsonText,
    Program,
    Resource,
    SourceArchive,
    StackPlan,
)

STACK, REGION = "shop-eu-west-1", "eu-west-1"
RIGHT_SIZE, SERVERLESS = "hs-0123456789ab", "hs-ba9876543210"
HANDLER = '''"""Answers health checks."""

import os


def handler(event: dict, context: object) -> dict:
    return {"statusCode": 200, "body": f"{os.environ['NAME']}: it's \\"fine\\"\\n"}
'''


def resource(name: str, token: str, inputs: dict[str, Input], **options: object) -> Resource:
    given = {"change_id": RIGHT_SIZE} | options
    return Resource(name=name, token=token, inputs=inputs, **given)  # type: ignore[arg-type]


def arn(name: str) -> Attribute:
    return Attribute(resource=name, name="arn")


def identity(name: str) -> Attribute:
    return Attribute(resource=name, name="id")


def trust(service: str) -> JsonText:
    statement: Input = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return JsonText(document={"Version": "2012-10-17", "Statement": (statement,)})  # type: ignore[dict-item]


def machines() -> list[Resource]:
    root = Args(
        of="InstanceRootBlockDeviceArgs",
        fields={"volume_type": "gp3", "volume_size": 20, "encrypted": True},
    )
    spot = Args(
        of="InstanceInstanceMarketOptionsArgs",
        fields={
            "market_type": "spot",
            "spot_options": Args(
                of="InstanceInstanceMarketOptionsSpotOptionsArgs",
                fields={
                    "instance_interruption_behavior": "stop",
                    "spot_instance_type": "persistent",
                },
            ),
        },
    )
    return [
        resource(
            "web",
            "aws:ec2/instance:Instance",
            {
                "ami": "ami-0123456789abcdef0",
                "instance_type": "m5.xlarge",
                "ebs_optimized": True,
                "vpc_security_group_ids": ("sg-0123456789abcdef0", "sg-0123456789abcdef1"),
                "root_block_device": root,
                "user_data": "#!/bin/sh\nset -eu\necho 'hello' \"you\"\n" + "x" * 90 + "\n",
                "tags": {"Name": 'a "quoted" name', "Stra\u00dfe": "\u202e{}%s"},
            },
            import_id="i-0123456789abcdef0",
            protect=True,
            retain_on_delete=True,
            ignore_changes=("user_data",),
        ),
        resource("batch", "aws:ec2/instance:Instance", {"instance_market_options": spot}),
        resource(
            "data",
            "aws:ebs/volume:Volume",
            {"availability_zone": "eu-west-1a", "size": 100, "type": "gp3", "throughput": 125},
            import_id="vol-0123456789abcdef0",
        ),
        resource(
            "web-state",
            "aws:ec2transitgateway/instanceState:InstanceState",
            {"instance_id": identity("web"), "state": "stopped", "force": False},
            depends_on=("web", "data"),
        ),
    ]


def groups() -> list[Resource]:
    template = "GroupMixedInstancesPolicyLaunchTemplate"
    override = f"{template}OverrideArgs"
    types = ("m5.large", "m5a.large", "m6i.large")
    mixed = Args(
        of="GroupMixedInstancesPolicyArgs",
        fields={
            "instances_distribution": Args(
                of="GroupMixedInstancesPolicyInstancesDistributionArgs",
                fields={
                    "on_demand_base_capacity": 1,
                    "on_demand_percentage_above_base_capacity": 0,
                    "spot_allocation_strategy": "price-capacity-optimized",
                },
            ),
            "launch_template": Args(
                of=f"{template}Args",
                fields={
                    "launch_template_specification": Args(
                        of=f"{template}LaunchTemplateSpecificationArgs",
                        fields={"launch_template_id": identity("workers-template"), "version": "1"},
                    ),
                    "overrides": tuple(
                        Args(of=override, fields={"instance_type": one, "weighted_capacity": "2"})
                        for one in types
                    ),
                },
            ),
        },
    )
    ebs = Args(of="LaunchTemplateBlockDeviceMappingEbsArgs", fields={"encrypted": "true"})
    mapping: dict[str, Input] = {"device_name": "/dev/xvda", "ebs": ebs}
    predictive = "PolicyPredictiveScalingConfiguration"
    pair = f"{predictive}MetricSpecificationPredefinedMetricPairSpecificationArgs"
    metric: dict[str, Input] = {
        "target_value": 50.5,
        "predefined_metric_pair_specification": Args(
            of=pair, fields={"predefined_metric_type": "ASGCPUUtilization"}
        ),
    }
    group = Attribute(resource="workers", name="name")
    return [
        resource(
            "workers-template",
            "aws:ec2/launchTemplate:LaunchTemplate",
            {
                "image_id": "ami-0123456789abcdef0",
                "user_data": "IyEvYmluL3NoCg==",
                "block_device_mappings": (
                    Args(of="LaunchTemplateBlockDeviceMappingArgs", fields=mapping),
                ),
                "metadata_options": Args(
                    of="LaunchTemplateMetadataOptionsArgs", fields={"http_tokens": "required"}
                ),
            },
        ),
        resource(
            "workers",
            "aws:autoscaling/group:Group",
            {
                "min_size": 0,
                "max_size": 10,
                "desired_capacity": 2,
                "vpc_zone_identifiers": ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"),
                "mixed_instances_policy": mixed,
                "tags": (
                    Args(
                        of="GroupTagArgs",
                        fields={"key": "owner", "value": "web", "propagate_at_launch": True},
                    ),
                ),
            },
            ignore_changes=("desired_capacity",),
        ),
        resource(
            "ahead",
            "aws:autoscaling/policy:Policy",
            {
                "autoscaling_group_name": group,
                "policy_type": "PredictiveScaling",
                "predictive_scaling_configuration": Args(
                    of=f"{predictive}Args",
                    fields={
                        "mode": "ForecastOnly",
                        "metric_specification": Args(
                            of=f"{predictive}MetricSpecificationArgs", fields=metric
                        ),
                    },
                ),
            },
        ),
        resource(
            "night",
            "aws:autoscaling/schedule:Schedule",
            {
                "autoscaling_group_name": group,
                "scheduled_action_name": "night",
                "min_size": -1,
                "desired_capacity": 0,
                "recurrence": "0 20 * * 1-5",
                "time_zone": "Europe/Dublin",
            },
        ),
    ]


def commitments() -> list[Resource]:
    return [
        resource(
            "plan",
            "aws:savingsplans/savingsPlan:SavingsPlan",
            {
                "commitment": "1.25",
                "savings_plan_offering_id": "00000000-0000-0000-0000-000000000000",
                "purchase_time": "2027-01-01T00:00:00Z",
            },
            protect=True,
        ),
        resource(
            "database",
            "aws:rds/reservedInstance:ReservedInstance",
            {"offering_id": "00000000-0000-0000-0000-000000000000", "instance_count": 2},
            protect=True,
        ),
        resource(
            "cache",
            "aws:elasticache/reservedCacheNode:ReservedCacheNode",
            {"reserved_cache_nodes_offering_id": "00000000-0000-0000-0000-000000000000"},
            protect=True,
        ),
    ]


def functions() -> list[Resource]:
    policy = {
        "Version": "2012-10-17",
        "Statement": (
            {
                "Effect": "Allow",
                "Action": ("logs:CreateLogStream", "logs:PutLogEvents"),
                "Resource": Joined(parts=(arn("health-logs"), ":*")),
            },
        ),
    }
    integration = Joined(parts=("integrations/", identity("integration")))
    source = Joined(parts=(Attribute(resource="api", name="execution_arn"), "/*/*"))
    api: Input = identity("api")
    made: list[tuple[str, str, dict[str, Input]]] = [
        ("role", "aws:iam/role:Role", {"assume_role_policy": trust("lambda.amazonaws.com")}),
        ("health-logs", "aws:cloudwatch/logGroup:LogGroup", {"retention_in_days": 30}),
        (
            "role-policy",
            "aws:iam/rolePolicy:RolePolicy",
            {"role": identity("role"), "policy": JsonText(document=policy)},  # type: ignore[arg-type]
        ),
        (
            "lambda",
            "aws:lambda/function:Function",
            {
                "role": arn("role"),
                "runtime": "python3.12",
                "handler": "index.handler",
                "architectures": ("arm64",),
                "memory_size": 128,
                "code": SourceArchive(files={"index.py": HANDLER, "empty.py": ""}),
                "environment": Args(
                    of="FunctionEnvironmentArgs", fields={"variables": {"NAME": "health"}}
                ),
            },
        ),
        ("api", "aws:apigatewayv2/api:Api", {"protocol_type": "HTTP"}),
        (
            "integration",
            "aws:apigatewayv2/integration:Integration",
            {
                "api_id": api,
                "integration_type": "AWS_PROXY",
                "integration_uri": Attribute(resource="lambda", name="invoke_arn"),
                "payload_format_version": "2.0",
            },
        ),
        (
            "route",
            "aws:apigatewayv2/route:Route",
            {"api_id": api, "route_key": "$default", "target": integration},
        ),
        (
            "stage",
            "aws:apigatewayv2/stage:Stage",
            {
                "api_id": api,
                "name": "$default",
                "auto_deploy": True,
                "default_route_settings": Args(
                    of="StageDefaultRouteSettingsArgs", fields={"throttling_rate_limit": 1e-07}
                ),
            },
        ),
        (
            "permission",
            "aws:lambda/permission:Permission",
            {
                "action": "lambda:InvokeFunction",
                "function": Attribute(resource="lambda", name="name"),
                "principal": "apigateway.amazonaws.com",
                "source_arn": source,
            },
        ),
        (
            "schedule",
            "aws:scheduler/schedule:Schedule",
            {
                "schedule_expression": "cron(0 20 ? * MON-FRI *)",
                "flexible_time_window": Args(
                    of="ScheduleFlexibleTimeWindowArgs", fields={"mode": "OFF"}
                ),
                "target": Args(
                    of="ScheduleTargetArgs",
                    fields={
                        "arn": "arn:aws:scheduler:::aws-sdk:ec2:stopInstances",
                        "role_arn": arn("role"),
                        "input": JsonText(document={"InstanceIds": (identity("web"), None)}),
                    },
                ),
            },
        ),
    ]
    return [resource(name, token, inputs, change_id=SERVERLESS) for name, token, inputs in made]


def every_kind() -> Program:
    """Return a program of every kind of resource."""
    resources = [*machines(), *groups(), *commitments(), *functions()]
    return Program(
        stack=STACK,
        region=REGION,
        phase=Phase.CHANGE,
        resources=tuple(resources),
        exports={
            "endpoint": Attribute(resource="api", name="api_endpoint"),
            "web": identity("web"),
        },
    )


def change(change_id: str = RIGHT_SIZE, **other: object) -> Change:
    given: dict[str, object] = {
        "change_id": change_id,
        "kind": Kind.RIGHT_SIZE,
        "resource": "i-0123456789abcdef0",
        "region": REGION,
        "summary": "Change web from m5.xlarge to m5.large.",
        "owner": "team-web",
        "reason": "Its busiest hour of 30 days needs 41 % of m5.large.",
        "saving": Usd(low=60.0, expected=70.08, high=75.0),
        "restart": True,
        "reversible": True,
        "disruption": 0.2,
    }
    return Change(**given | other)  # type: ignore[arg-type]


def whole_plan() -> StackPlan:
    """Return a plan that adopts what exists, resizes a machine, and creates the rest."""
    changed = every_kind()
    exists = tuple(one for one in changed.resources if one.adopted)
    smaller = tuple(
        replace(one, inputs={**one.inputs, "instance_type": "m5.large"})
        if one.name == "web"
        else one
        for one in changed.resources
    )
    adopt = replace(changed, phase=Phase.ADOPT, resources=exists, exports={})
    return StackPlan(
        stack=STACK,
        region=REGION,
        changes=(change(), change(SERVERLESS, kind=Kind.SERVERLESS, restart=False)),
        refused=(
            Refused(
                kind=Kind.SPOT,
                resource="i-00000000000000000",
                region=REGION,
                why="It writes to its own disk; say in a tag that it may be interrupted.",
            ),
        ),
        adopt=adopt,
        change=replace(changed, resources=smaller),
        undo=replace(adopt, phase=Phase.UNDO),
        prices={"web": (140.16, 70.08)},
    )
