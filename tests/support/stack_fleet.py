"""Opportunities of every kind, and an account as it is before they are acted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.domain.instances import Architecture, InstanceShape, TypeFacts
from tasks.domain.inventory import InstanceState
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Effort, Fact, Kind, Opportunity, Step
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.kinds.made import INSTANCE, TEMPLATE, VOLUME
from tasks.domain.stacks.kinds.reservation import Reservation, Reserved
from tasks.domain.stacks.kinds.tags import group_tag
from tasks.domain.stacks.live import (
    LiveAccount,
    LiveGroup,
    LiveInstance,
    LivePolicy,
    LiveRegion,
    LiveResource,
    LiveTemplate,
    LiveVolume,
    PlanOffering,
)
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.program import Args, Input, Program, Resource, StackPlan

NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
REGION = "us-east-1"
OFFERING = "0c7a4a5a-1111-4222-8333-c0ffee000001"
RISKS = {
    Kind.RIGHT_SIZE: 0.3, Kind.SPOT: 0.4, Kind.COMMITMENT: 0.0, Kind.SERVERLESS: 0.5,
    Kind.STOP: 0.1, Kind.SCHEDULE: 0.15, Kind.VOLUME_TYPE: 0.05, Kind.PREDICTIVE_SCALING: 0.1,
}  # fmt: skip
NO_RESTART = frozenset({Kind.COMMITMENT, Kind.PREDICTIVE_SCALING, Kind.VOLUME_TYPE})


def chosen(
    kind: Kind,
    resource: str,
    target: Mapping[str, Fact],
    *,
    region: str = REGION,
    disruption: float | None = None,
    steps: tuple[Step, ...] = (),
    change: str = "",
    saving_usd: float = 12.5,
) -> Chosen:
    """An opportunity that was chosen."""
    saving = Usd(low=0.8 * saving_usd, expected=saving_usd, high=saving_usd)
    found = Opportunity(
        kind=kind,
        resource=resource,
        region=region,
        change=change or f"Do {kind} with {resource}.",
        target=target,
        evidence_from=NOW - timedelta(days=28),
        evidence_to=NOW,
        steps=steps,
        saving=saving,
        effort=Effort.LOW,
        restart=kind not in NO_RESTART,
        reversible=kind is not Kind.COMMITMENT,
        disruption=RISKS[kind] if disruption is None else disruption,
        confidence=0.8,
    )
    return Chosen(opportunity=found, net=saving, alone=saving, line=found.change)


def usd(what: str, value: float) -> Step:
    """A line of the arithmetic."""
    return Step(what=what, formula="by hand", value=value, unit="USD/month")


def right_size(resource: str, old: str, new: str) -> Chosen:
    """Another type."""
    steps = (
        Step(what="price today", formula=old, value=0.192, unit="USD/hour"),
        Step(what="price after", formula=new, value=0.096, unit="USD/hour"),
        Step(what="hours a month", formula="730", value=730.0, unit="hours"),
    )
    target = {"instance_type": new, "from_instance_type": old}
    change = f"Change {resource} from {old} to {new}."
    return chosen(Kind.RIGHT_SIZE, resource, target, steps=steps, change=change, saving_usd=70.08)


def spot(
    resource: str, pools: str, share: float, *, before_usd: float = 140.16, after_usd: float = 61.5
) -> Chosen:
    """Spot instead of on demand."""
    steps = (usd("on demand today", before_usd), usd("then", after_usd))
    target: dict[str, Fact] = {
        "pools": pools,
        "on_demand_share": share,
        "max_usd_per_hour": 0.192,
    }
    change = f"Run {1.0 - share:.0%} of {resource} on spot, spread over 3 pools."
    return chosen(
        Kind.SPOT,
        resource,
        target,
        steps=steps,
        change=change,
        saving_usd=round(before_usd - after_usd, 2),
    )


def stop(resource: str) -> Chosen:
    """An idle instance."""
    return chosen(
        Kind.STOP,
        resource,
        {"state": "stopped"},
        steps=(usd("now", 70.08),),
        change=f"Stop {resource}, which has done nothing for 28 days.",
        saving_usd=70.08,
    )


def schedule(resource: str, hours: str = "Mon 07-19, Tue 07-19, Fri 22-24, Sat 00-02") -> Chosen:
    """An instance that is needed in its hours."""
    steps = (usd("now", 140.16), usd("scheduled", 50.06))
    change = f"Run {resource} in its hours only."
    return chosen(
        Kind.SCHEDULE,
        resource,
        {"hours_utc": hours},
        steps=steps,
        change=change,
        saving_usd=90.1,
    )


def volume(resource: str, *, iops: int = 3000, throughput: float = 128.0) -> Chosen:
    """A volume that becomes gp3."""
    target: dict[str, Fact] = {
        "kind": "gp3",
        "iops": iops,
        "throughput_mib_per_second": throughput,
    }
    change = f"Change {resource} from gp2 to gp3."
    return chosen(Kind.VOLUME_TYPE, resource, target, change=change, saving_usd=9.88)


def predictive(resource: str, dynamic: str = "add TargetTrackingScaling") -> Chosen:
    """A group that is scaled ahead of demand."""
    target: dict[str, Fact] = {
        "mode": "ForecastOnly",
        "dynamic": dynamic,
        "metric": "ASGAverageCPUUtilization",
        "target_percent": 60.0,
    }
    steps = (usd("now", 300.0), usd("from when target tracking is added", 210.0))
    change = f"Scale {resource} at a target of 60% processor use, with a forecast first."
    return chosen(
        Kind.PREDICTIVE_SCALING, resource, target, steps=steps, change=change, saving_usd=90.0
    )


def serverless(resource: str = "targetgroup/reports/29c7abba2fd903ca") -> Chosen:
    """A small service."""
    target: dict[str, Fact] = {"memory_mib": 512, "front": "HTTP API"}
    change = f"Answer {resource} by functions behind an HTTP API."
    return chosen(
        Kind.SERVERLESS,
        resource,
        target,
        steps=(usd("functions", 0.21),),
        change=change,
        saving_usd=30.3,
    )


def commitment(usd_per_hour: float = 1.23456789, term: str = "1 year, no upfront") -> Chosen:
    """A Savings Plan."""
    steps = (usd("paid for it", 901.2), usd("on-demand spend that it covers", 1200.5))
    target: dict[str, Fact] = {"usd_per_hour": usd_per_hour, "term": term}
    change = f"Buy a Compute Savings Plan of {usd_per_hour:.3f} USD/h ({term})."
    return chosen(
        Kind.COMMITMENT,
        "account",
        target,
        region="",
        steps=steps,
        change=change,
        saving_usd=299.3,
    )


RESERVATIONS = (
    Reservation(
        what=Reserved.DATABASES,
        offering_id="438012d3-4052-4cc7-b2e3-8d3372e0e706",
        count=2,
        region=REGION,
        covered_usd=262.8,
        paid_usd=175.2,
    ),
    Reservation(
        what=Reserved.CACHES,
        offering_id="31798c62-ab1c-4c7f-8b5c-2f0d9b3a6c11",
        count=3,
        region=REGION,
        covered_usd=148.92,
        paid_usd=102.2,
    ),
)
"""Databases and caches that somebody asked to reserve."""


def facts(
    name: str, *, architecture: Architecture = Architecture.X86_64, disks_gb: float = 0.0
) -> TypeFacts:
    """What a type can do."""
    shape = InstanceShape(instance_type=name, vcpu=2.0, memory_gib=8.0, architecture=architecture)
    return TypeFacts(shape=shape, local_storage_gb=disks_gb)


TYPES = {
    one.shape.instance_type: one
    for one in (
        *(
            facts(name)
            for name in ("m5.large", "m5.xlarge", "m5a.xlarge", "c5.xlarge", "m6i.xlarge")
        ),
        facts("m6g.large", architecture=Architecture.ARM64),
        facts("m5d.xlarge", disks_gb=150.0),
    )
}


def instance(identity: str, **changes: Any) -> LiveInstance:
    """An instance that runs and holds nothing."""
    kind = changes.pop("instance_type", "m5.xlarge")
    tags = changes.pop("tags", {"Name": "web", "team": "mobile"})
    inputs: dict[str, Input] = {
        "ami": "ami-0123456789abcdef0",
        "instance_type": kind,
        "availability_zone": "us-east-1a",
        "subnet_id": "subnet-0123456789abcdef0",
        "vpc_security_group_ids": ("sg-0123456789abcdef0",),
        "tags": tags,
    }
    one = LiveInstance(
        resource=LiveResource(token=INSTANCE, import_id=identity, inputs=inputs, tags=tags),
        state=InstanceState.RUNNING,
        instance_type=kind,
        availability_zone="us-east-1a",
        services=(),
        stop_protected=False,
    )
    return replace(one, **changes)


def group(name: str, *, template: str = "lt-0123456789abcdef0", **changes: Any) -> LiveGroup:
    """A group of two to eight, four now."""
    version = changes.get("version", "3")
    inputs: dict[str, Input] = {
        "name": name,
        "min_size": 2,
        "max_size": 8,
        "desired_capacity": 4,
        "vpc_zone_identifiers": ("subnet-0123456789abcdef0",),
        "launch_template": Args(
            of="GroupLaunchTemplateArgs", fields={"id": template, "version": version}
        ),
        "tags": (group_tag("owner", "shop", propagate=True),),
    }
    one = LiveGroup(
        resource=LiveResource(
            token="aws:autoscaling/group:Group",
            import_id=name,
            inputs=inputs,
            tags={"owner": "shop"},
        ),
        min_size=2,
        max_size=8,
        desired=4,
        template_id=template,
        version="3",
    )
    return replace(one, **changes)


def tracking(group_name: str, name: str = "tracking", target: float = 40.0) -> LivePolicy:
    """A policy that follows the processor's use."""
    metric = Args(
        of="PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs",
        fields={"predefined_metric_type": "ASGAverageCPUUtilization"},
    )
    configuration = Args(
        of="PolicyTargetTrackingConfigurationArgs",
        fields={"target_value": target, "predefined_metric_specification": metric},
    )
    inputs: dict[str, Input] = {
        "name": name,
        "autoscaling_group_name": group_name,
        "policy_type": "TargetTrackingScaling",
        "target_tracking_configuration": configuration,
    }
    return LivePolicy(
        resource=LiveResource(
            token="aws:autoscaling/policy:Policy", import_id=f"{group_name}/{name}", inputs=inputs
        ),
        name=name,
        policy_type="TargetTrackingScaling",
        metric="ASGAverageCPUUtilization",
        target=target,
    )


def template(
    identity: str = "lt-0123456789abcdef0", *, users: tuple[str, ...] = ("shop",), **changes: Any
) -> LiveTemplate:
    """A launch template whose third version is used."""
    inputs: dict[str, Input] = {
        "name": f"of-{identity}",
        "image_id": "ami-0123456789abcdef0",
        "instance_type": "m5.xlarge",
        "user_data": "IyEvYmluL3NoCg==",
    }
    one = LiveTemplate(
        resource=LiveResource(token=TEMPLATE, import_id=identity, inputs=inputs),
        latest=3,
        used=dict.fromkeys(users, 3),
        same_as_latest={3: True},
    )
    return replace(one, **changes)


def live_volume(identity: str, **changes: Any) -> LiveVolume:
    """A gp2 volume."""
    inputs: dict[str, Input] = {
        "availability_zone": "us-east-1a",
        "size": 500,
        "type": "gp2",
        "encrypted": False,
    }
    one = LiveVolume(
        resource=LiveResource(token=VOLUME, import_id=identity, inputs=inputs),
        kind="gp2",
        size_gib=500,
    )
    return replace(one, **changes)


WEB = "i-0aaaaaaaaaaaaaaa1"
IDLE = "i-0aaaaaaaaaaaaaaa2"
TRAINING = "i-0aaaaaaaaaaaaaaa3"
CRAWLER = "i-0aaaaaaaaaaaaaaa4"
DISK = "vol-0bbbbbbbbbbbbbbb1"


def account(**changes: Any) -> LiveAccount:
    """An account with one of everything; changes are of its region."""
    region = LiveRegion(
        region=REGION,
        instances={one: instance(one) for one in (WEB, IDLE, TRAINING, CRAWLER)},
        volumes={DISK: live_volume(DISK)},
        groups={"shop": group("shop", policies=(tracking("shop"),))},
        templates={"lt-0123456789abcdef0": template()},
        types=TYPES,
        template_users={"lt-0123456789abcdef0": {"shop": "3"}},
    )
    return LiveAccount(
        account_id="123456789012",
        partition="aws",
        regions={REGION: replace(region, **changes)},
        plan_offerings=(
            PlanOffering(offering_id=OFFERING, plan_type="Compute", payment="No Upfront", years=1),
            PlanOffering(offering_id="other", plan_type="Compute", payment="All Upfront", years=1),
        ),
    )


POOLS = "m5.xlarge in us-east-1a, m5a.xlarge in us-east-1a, c5.xlarge in us-east-1b"


def everything() -> tuple[Chosen, ...]:
    """Something of every kind."""
    return (
        right_size(WEB, "m5.xlarge", "m5.large"),
        right_size("shop", "m5.xlarge", "m6i.xlarge"),
        # What is left of it to save after the right size.
        spot("shop", POOLS, 0.25, before_usd=70.08, after_usd=30.75),
        spot(CRAWLER, POOLS, 0.0),
        stop(IDLE),
        schedule(TRAINING),
        volume(DISK),
        serverless(),
        commitment(),
    )


def planned(*wanted: Chosen, live: LiveAccount | None = None) -> StackPlan:
    """The only stack of some opportunities."""
    (found,) = stack_plans(wanted, live or account(), now=NOW)
    return found


def refusal(*wanted: Chosen, live: LiveAccount | None = None) -> str:
    """Why the only opportunity that is refused is."""
    (found,) = planned(*wanted, live=live).refused
    return found.why


def named(program: Program, name: str) -> Resource:
    """A resource of a program."""
    (found,) = (one for one in program.resources if one.name == name)
    return found


def of_type(program: Program, token: str) -> list[Resource]:
    """All resources of a type."""
    return [one for one in program.resources if one.token == token]
