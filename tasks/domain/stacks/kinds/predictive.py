"""A forecast of a group's load, which only forecasts at first, and a dynamic policy that scales in."""

from __future__ import annotations

from dataclasses import replace

from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.groups import cannot_carry
from tasks.domain.stacks.kinds.made import POLICY, Edit, Made, Work, priced
from tasks.domain.stacks.kinds.names import logical_name
from tasks.domain.stacks.live import LiveGroup, LivePolicy
from tasks.domain.stacks.program import Args, Input, Resource

FORECAST_ONLY = "ForecastOnly"
MISSING = "add TargetTrackingScaling"
CPU_METRIC = "ASGAverageCPUUtilization"
CPU_PAIR = "ASGCPUUtilization"
"""AWS's name of load and use of the processor together."""
_NEEDED = ("AlarmNotification", "ScheduledActions")
"""Processes by which a group follows its metrics, and what is planned for it."""
_PREDICTIVE = "PolicyPredictiveScalingConfiguration"


def predictive_scaling(work: Work) -> Made | Refused:
    """Return the policies of a group that is to be scaled ahead of demand, or why there are none."""
    group = work.region.groups.get(work.resource)
    if group is None:
        return work.refused(f"{work.resource} is not there any more: look for savings again")
    why = cannot_carry(group, also=_NEEDED)
    if why:
        return work.refused(why)
    if work.fact("mode") != FORECAST_ONLY or work.fact("metric") != CPU_METRIC:
        return work.refused("only a forecast of the processor's use is known here, to begin with")
    target = work.fact("target_percent")
    if not isinstance(target, int | float) or not 1.0 <= target <= 100.0:
        return work.refused(f"its target of {target!r} percent is outside of 1 to 100")
    if any(one.policy_type == "PredictiveScaling" for one in group.policies):
        return work.refused("it has a predictive scaling policy already: look for savings again")
    dynamic = _dynamic(work, group, float(target))
    if isinstance(dynamic, Refused):
        return dynamic
    name = logical_name("group", work.resource)
    edit = Edit(name=name, live=group.resource, ignore_changes=("desired_capacity",))
    edits, created = dynamic
    forecast = work.new(name, "forecast", POLICY, _forecast(work, float(target)), after=(name,))
    # `scale-ahead` lets it scale once its forecasts were right: an update must not switch that off.
    forecast = replace(forecast, ignore_changes=("predictive_scaling_configuration",))
    return Made(
        edits=(edit, *edits),
        created=(forecast, *created),
        prices=priced(work.opportunity, name, "now", "from when"),
        notes=("judge the forecast against what happened for two weeks before it may scale",),
    )


def _dynamic(
    work: Work, group: LiveGroup, target: float
) -> tuple[tuple[Edit, ...], tuple[Resource, ...]] | Refused:
    """Return what makes the group smaller again: a new policy, or the one it has, with the target."""
    name = logical_name("group", work.resource)
    wanted = str(work.fact("dynamic"))
    others = [one for one in group.policies if one.policy_type != "PredictiveScaling"]
    if wanted == MISSING:
        if others:
            return work.refused(f"it has the policy {others[0].name} now: look for savings again")
        tracking = work.new(name, "tracking", POLICY, _tracking(work, target), after=(name,))
        return (), (tracking,)
    named = [one for one in others if one.name in wanted.split(", ")]
    ours = [one for one in named if one.metric == CPU_METRIC]
    if len(ours) != 1 or ours[0].resource.unknown:
        return work.refused(
            f"{len(ours)} of its policies ({wanted}) track the processor's use in a way that is known "
            "here, 1 is needed: set its target by hand"
        )
    return (_retargeted(ours[0], target, group=name, of=work.resource),), ()


def _retargeted(policy: LivePolicy, target: float, *, group: str, of: str) -> Edit:
    before = policy.resource.inputs["target_tracking_configuration"]
    fields = before.fields if isinstance(before, Args) else {}
    configuration = Args(
        of="PolicyTargetTrackingConfigurationArgs", fields={**fields, "target_value": target}
    )
    return Edit(
        name=logical_name("policy", f"{of}/{policy.name}"),
        live=policy.resource,
        patch={"target_tracking_configuration": configuration},
        after=(group,),
    )


def _forecast(work: Work, target: float) -> dict[str, Input]:
    pair = Args(
        of=f"{_PREDICTIVE}MetricSpecificationPredefinedMetricPairSpecificationArgs",
        fields={"predefined_metric_type": CPU_PAIR},
    )
    metric = Args(
        of=f"{_PREDICTIVE}MetricSpecificationArgs",
        fields={"target_value": target, "predefined_metric_pair_specification": pair},
    )
    return {
        "name": f"homeostat-{work.change.change_id}-forecast",
        "autoscaling_group_name": work.resource,
        "policy_type": "PredictiveScaling",
        "predictive_scaling_configuration": Args(
            of=f"{_PREDICTIVE}Args", fields={"mode": FORECAST_ONLY, "metric_specification": metric}
        ),
    }


def _tracking(work: Work, target: float) -> dict[str, Input]:
    metric = Args(
        of="PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs",
        fields={"predefined_metric_type": CPU_METRIC},
    )
    configuration = Args(
        of="PolicyTargetTrackingConfigurationArgs",
        fields={"target_value": target, "predefined_metric_specification": metric},
    )
    return {
        "name": f"homeostat-{work.change.change_id}-tracking",
        "autoscaling_group_name": work.resource,
        "policy_type": "TargetTrackingScaling",
        "target_tracking_configuration": configuration,
    }
