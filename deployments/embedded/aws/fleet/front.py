"""Puts groups, load balancers and functions of a fleet into moto."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deployments.embedded.aws.fleet.description import (
    Fleet,
    FleetFunction,
    FleetGroup,
    FleetInstance,
)
from deployments.embedded.aws.fleet.series import (
    SeriesWriter,
    write_function,
    write_group,
    write_service,
)
from deployments.embedded.aws.policy import ACCOUNT
from tasks.domain.inventory import Lifecycle

_ROLE = "function"
_ASSUMED_BY_LAMBDA = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)


def add_groups(fleet: Fleet, writer: SeriesWriter, *, ids: Mapping[str, str]) -> None:
    """Add auto scaling groups with the instances that name them.

    Args:
        fleet: What to add.
        writer: Where their metrics go.
        ids: Instance ids by name.
    """
    if not fleet.groups:
        return
    from moto.autoscaling.models import autoscaling_backends

    backend = autoscaling_backends[ACCOUNT][fleet.region]
    for group in fleet.groups:
        members = [one for one in fleet.instances if one.group == group.name]
        made = _add_group(backend, group, members=members, ids=ids, region=fleet.region)
        made.created_time = fleet.start.replace(tzinfo=None)
        backend.attach_instances(group.name, [ids[one.name] for one in members])
        if group.predictive:
            _add_predictive_policy(backend, group.name)
        if group.tracking is not None:
            _add_tracking_policy(backend, group.name, group.tracking)
        write_group(writer, group)


def _add_group(
    backend: Any,
    group: FleetGroup,
    *,
    members: Sequence[FleetInstance],
    ids: Mapping[str, str],
    region: str,
) -> Any:
    zones = sorted({one.availability_zone for one in members}) or [f"{region}a"]
    template = f"{group.name}-template"
    image = _image(backend.ec2_backend, [ids[one.name] for one in members])
    backend.ec2_backend.create_launch_template(
        template, "", {"InstanceType": group.instance_type, "ImageId": image}, {}
    )
    specification = {"LaunchTemplateName": template, "Version": "1"}
    policy = _mixed_policy(specification, group, members)
    tags = [
        {
            "Key": key,
            "Value": value,
            "ResourceId": group.name,
            "ResourceType": "auto-scaling-group",
            "PropagateAtLaunch": "true",
        }
        for key, value in group.tags.items()
    ]
    # Empty at first: moto would launch its own instances for a desired capacity.
    made = backend.create_auto_scaling_group(
        name=group.name,
        availability_zones=zones,
        desired_capacity=0,
        max_size=group.max_size,
        min_size=0,
        launch_config_name="",
        launch_template={} if policy else specification,
        mixed_instances_policy=policy,
        vpc_zone_identifier=None,
        default_cooldown=300,
        health_check_period=300,
        health_check_type="EC2",
        load_balancers=[],
        target_group_arns=[],
        placement_group=None,
        termination_policies=["Default"],
        tags=tags,
    )
    made.min_size = group.min_size
    return made


def _image(ec2: Any, members: Sequence[str]) -> str:
    """Return the image of a group's members; of a group without any, one that there is."""
    images = [ec2.get_instance(one).image_id for one in members]
    return str(next(iter(images), None) or next(iter(ec2.amis)))


def _mixed_policy(
    specification: Mapping[str, str], group: FleetGroup, members: Sequence[FleetInstance]
) -> dict[str, Any] | None:
    """Return what gives a group its spot members; None for a group that has none."""
    on_demand = [one for one in members if one.lifecycle is Lifecycle.ON_DEMAND]
    if len(on_demand) == len(members):
        return None
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": dict(specification),
            "Overrides": [{"InstanceType": group.instance_type}],
        },
        "InstancesDistribution": {
            "OnDemandAllocationStrategy": "prioritized",
            "OnDemandBaseCapacity": len(on_demand),
            "OnDemandPercentageAboveBaseCapacity": 0,
            "SpotAllocationStrategy": "price-capacity-optimized",
        },
    }


def _add_predictive_policy(backend: Any, group: str) -> None:
    configuration = {
        "MetricSpecifications": [
            {
                "TargetValue": 50.0,
                "PredefinedMetricPairSpecification": {"PredefinedMetricType": "ASGCPUUtilization"},
            }
        ],
        "Mode": "ForecastOnly",
    }
    _add_policy(backend, group, "predictive", "PredictiveScaling", predictive=configuration)


def _add_tracking_policy(backend: Any, group: str, percent: float) -> None:
    configuration = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": percent,
    }
    _add_policy(backend, group, "tracking", "TargetTrackingScaling", tracking=configuration)


def _add_policy(
    backend: Any,
    group: str,
    name: str,
    kind: str,
    *,
    tracking: Mapping[str, Any] | None = None,
    predictive: Mapping[str, Any] | None = None,
) -> None:
    backend.put_scaling_policy(
        name=f"{group}-{name}",
        policy_type=kind,
        metric_aggregation_type=None,
        adjustment_type=None,
        as_name=group,
        min_adjustment_magnitude=None,
        scaling_adjustment=None,
        cooldown=None,
        target_tracking_config=tracking,
        step_adjustments=None,
        estimated_instance_warmup=None,
        predictive_scaling_configuration=predictive,
    )


def add_services(fleet: Fleet, writer: SeriesWriter, *, ids: Mapping[str, str]) -> None:
    """Add target groups, their load balancers and their registered instances."""
    if not fleet.services:
        return
    from moto.elbv2.models import elbv2_backends

    backend = elbv2_backends[ACCOUNT][fleet.region]
    subnets = [one.id for one in backend.ec2_backend.get_default_subnets().values()][:2]
    balancers: dict[str, Any] = {}
    for number, service in enumerate(fleet.services):
        name = service.load_balancer
        if name not in balancers:
            balancers[name] = backend.create_load_balancer(
                name, [], subnets, loadbalancer_type="application"
            )
        balancer = balancers[name]
        target = backend.create_target_group(
            service.name,
            protocol="HTTP",
            port="80",
            vpc_id=balancer.vpc_id,
            target_type="instance",
            healthcheck_protocol="HTTP",
        )
        backend.register_targets(
            target.arn, [{"Id": ids[one], "Port": "80"} for one in service.instances]
        )
        backend.create_listener(
            balancer.arn,
            "HTTP",
            str(80 + number),
            "",
            None,
            [{"Type": "forward", "TargetGroupArn": target.arn}],
        )
        write_service(
            writer,
            service,
            target_group=target.arn.rpartition(":")[2],
            load_balancer=balancer.arn.partition("loadbalancer/")[2],
        )


def add_functions(fleet: Fleet, writer: SeriesWriter) -> None:
    """Add Lambda functions, whose code does nothing."""
    if not fleet.functions:
        return
    from moto.awslambda.models import lambda_backends
    from moto.iam.models import iam_backends

    iam_backends[ACCOUNT]["aws"].create_role(_ROLE, _ASSUMED_BY_LAMBDA, "/", "", "", [], None)
    backend = lambda_backends[ACCOUNT][fleet.region]
    for function in fleet.functions:
        backend.create_function(_specification(function))
        write_function(writer, function)


def _specification(function: FleetFunction) -> dict[str, Any]:
    return {
        "FunctionName": function.name,
        "Runtime": function.runtime,
        "Role": f"arn:aws:iam::{ACCOUNT}:role/{_ROLE}",
        "Handler": "main.handler",
        "Code": {"ZipFile": b""},
        "MemorySize": function.memory_mib,
        "Timeout": 30,
        "Architectures": [function.architecture.value],
        "Tags": dict(function.tags),
    }
