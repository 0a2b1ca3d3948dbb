"""Groups that are scaled ahead of demand."""

from __future__ import annotations

from tasks.domain.stacks.kinds.made import POLICY
from tasks.domain.stacks.program import Args
from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import named, of_type, planned, refusal


def test_a_forecast_only_forecasts() -> None:
    plan = planned(fleet.predictive("shop", "tracking"))
    forecast = named(plan.change, "group-shop-forecast")

    assert forecast.inputs["policy_type"] == "PredictiveScaling"
    assert "ForecastOnly" in repr(forecast.inputs)
    assert "ASGCPUUtilization" in repr(forecast.inputs)


def test_the_policy_that_scales_in_gets_the_target_in_place() -> None:
    plan = planned(fleet.predictive("shop", "tracking"))
    (policy,) = (one for one in of_type(plan.change, POLICY) if one.adopted)
    configuration = policy.inputs["target_tracking_configuration"]

    assert policy.import_id == "shop/tracking"
    assert isinstance(configuration, Args)
    assert configuration.fields["target_value"] == 60.0
    assert "40.0" in repr(named(plan.undo, policy.name).inputs)


def test_a_group_without_one_gets_a_policy_that_scales_in() -> None:
    live = fleet.account(groups={"shop": fleet.group("shop")})
    plan = planned(fleet.predictive("shop"), live=live)

    assert named(plan.change, "group-shop-tracking").inputs["policy_type"] == (
        "TargetTrackingScaling"
    )


def test_a_policy_that_came_in_the_meantime_is_not_doubled() -> None:
    assert "it has the policy tracking now" in refusal(fleet.predictive("shop"))


def test_policies_that_are_not_understood_are_set_by_hand() -> None:
    assert "0 of its policies (steps) track" in refusal(fleet.predictive("shop", "steps"))


def test_forecast_and_spot_of_a_group_go_together() -> None:
    plan = planned(fleet.predictive("shop", "tracking"), fleet.spot("shop", fleet.POOLS, 0.25))

    assert plan.refused == ()
    assert len([one for one in plan.change.resources if one.name == "group-shop"]) == 1
