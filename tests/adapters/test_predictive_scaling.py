"""Predictive policies over the wire: found, foretold, put, verified, put back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.aws.metric_store import MetricKey
from deployments.embedded.aws.policy import APPLYING_KEY
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.metrics import Window
from tasks.adapters.predictive_scaling import (
    AHEAD_TAG,
    ahead_groups,
    capacity_forecast,
    group_hours,
    live_configuration,
    put_configuration,
)
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.predictive.configuration import first_configuration, policy_name
from tasks.domain.stacks.predictive.judge import Judgement, Verdict, judge_forecast
from tasks.domain.stacks.predictive.limits import Limits
from tasks.domain.stacks.predictive.steps import AheadGroup, Stage, Step, Trial, next_step
from tasks.stacks.predictive import ALREADY, DONE, taken
from tests.support.embedded_aws import Clock, aws_client, seeding_client
from tests.unit.stacks.predictive.cases import daily

pytestmark = pytest.mark.embedded("aws")

REGION = "us-east-1"
START = datetime(2026, 3, 2, tzinfo=UTC)
NOW = START + timedelta(days=42, hours=13, minutes=30)
HOURS = 42 * 24 + 13
ONLY = first_configuration(0.7)


@pytest.fixture
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW))) as running:
        make_group(running, "asks", tagged=True)
        make_group(running, "ours")
        make_group(running, "theirs", tagged=True)
        make_group(running, "silent")
        scaling = seeding_client(running, "autoscaling")
        put(scaling, "ours", "homeostat-hs-0123456789ab-forecast")
        put(scaling, "theirs", "their-own-forecast")
        yield running


def make_group(server: EmbeddedAws, name: str, *, tagged: bool = False) -> None:
    scaling = seeding_client(server, "autoscaling")
    scaling.create_launch_configuration(
        LaunchConfigurationName=name, ImageId="ami-12c6146b", InstanceType="m5.large"
    )
    tag = {"Key": AHEAD_TAG, "Value": "true", "PropagateAtLaunch": False}
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=1,
        MaxSize=40,
        DesiredCapacity=1,
        LaunchConfigurationName=name,
        AvailabilityZones=["us-east-1a"],
        Tags=[{**tag, "ResourceId": name, "ResourceType": "auto-scaling-group"}] if tagged else [],
    )


def put(scaling: Any, group: str, policy: str, mode: str = "ForecastOnly") -> None:
    scaling.put_scaling_policy(
        AutoScalingGroupName=group,
        PolicyName=policy,
        PolicyType="PredictiveScaling",
        PredictiveScalingConfiguration={**ONLY, "Mode": mode},
    )


@pytest.fixture
def scaling(server: EmbeddedAws) -> Any:
    # With the user's keys: the policies have to allow every call.
    return aws_client(server, "autoscaling")


@pytest.fixture
def changing(server: EmbeddedAws) -> Any:
    return aws_client(server, "autoscaling", key=APPLYING_KEY)


def named(scaling: Any, name: str) -> AheadGroup:
    (found,) = (one for one in ahead_groups(scaling, region=REGION) if one.group == name)
    return found


def test_groups_with_a_policy_of_ours_and_those_that_ask_are_found_and_no_others(
    scaling: Any,
) -> None:
    found = {one.group: one for one in ahead_groups(scaling, region=REGION)}
    assert set(found) == {"asks", "ours"}
    assert found["asks"].stage is Stage.NONE
    assert found["asks"].policy == policy_name("asks")
    assert found["ours"].stage is Stage.FORECASTING
    assert (found["ours"].min_size, found["ours"].max_size) == (1, 40)
    assert found["ours"].target == pytest.approx(0.7)


def load(server: EmbeddedAws, group: str) -> None:
    """Demand that returns every week, followed an hour late."""
    busy = daily(HOURS)
    needed = np.ceil(busy / 0.7)
    serving = np.maximum(np.concatenate([needed[:1], needed[:-1]]), 1.0)
    seconds = int(START.timestamp()) + 3600 * np.arange(HOURS, dtype=np.int64)
    dimensions = (("AutoScalingGroupName", group),)
    for (namespace, name), values in (
        (("AWS/EC2", "CPUUtilization"), 100.0 * busy / serving),
        (("AWS/AutoScaling", "GroupInServiceInstances"), serving),
    ):
        key = MetricKey(region=REGION, namespace=namespace, name=name, dimensions=dimensions)
        server.metrics.load(key, seconds=seconds, values=values)


def test_a_forecast_longer_than_one_answer_is_read_to_the_end(
    server: EmbeddedAws, scaling: Any
) -> None:
    load(server, "ours")
    end = NOW.replace(minute=0)
    window = Window(start=end - timedelta(days=42), end=end)
    found = capacity_forecast(scaling, named(scaling, "ours"), window=window)
    # Nothing was known before the first day.
    assert np.isnan(found[:11]).all()
    assert np.isfinite(found[48:]).all()


def test_a_regular_group_is_judged_good_from_what_the_account_tells(
    server: EmbeddedAws, scaling: Any
) -> None:
    load(server, "ours")
    end = NOW.replace(minute=0)
    window = Window(start=end - timedelta(days=21), end=end)
    hours = group_hours(
        scaling,
        aws_client(server, "cloudwatch"),
        named(scaling, "ours"),
        window=window,
        target=0.7,
    )
    found = judge_forecast(hours, limits=Limits())
    assert found.verdict is Verdict.GOOD, found.why
    assert found.scores is not None
    assert found.scores.short_now is not None
    assert found.scores.short_now > 0.05


def test_a_forecast_of_a_policy_that_is_gone_is_refused(scaling: Any, changing: Any) -> None:
    group = named(scaling, "ours")
    put_configuration(changing, region=REGION, group="ours", policy=group.policy, wanted=None)
    window = Window(start=START, end=START + timedelta(days=1))
    with pytest.raises(PermanentError, match="No predictive scaling policy"):
        capacity_forecast(scaling, group, window=window)


def test_a_policy_of_another_kind_is_not_ours_to_change(server: EmbeddedAws, scaling: Any) -> None:
    seeding_client(server, "autoscaling").put_scaling_policy(
        AutoScalingGroupName="silent",
        PolicyName="homeostat-step",
        PolicyType="SimpleScaling",
        AdjustmentType="ChangeInCapacity",
        ScalingAdjustment=1,
    )
    with pytest.raises(PermanentError, match="not ours to change"):
        live_configuration(scaling, region=REGION, group="silent", policy="homeostat-step")


def due(group: AheadGroup, verdict: Verdict, *, stage: Stage = Stage.FORECASTING) -> Step:
    return next_step(
        group,
        Trial(stage=stage, since=START, begun_here=True),
        Judgement(verdict=verdict, why="a test"),
        now=NOW,
        limits=Limits(),
    )


def live(scaling: Any, step: Step) -> Any:
    return live_configuration(scaling, region=REGION, group=step.group, policy=step.policy)


def test_the_whole_life_of_a_policy_and_back(scaling: Any, changing: Any) -> None:
    begin = due(named(scaling, "asks"), Verdict.NOT_YET, stage=Stage.NONE)
    assert taken(changing, begin).text == DONE
    on = due(named(scaling, "asks"), Verdict.GOOD)
    assert taken(changing, on).done
    assert named(scaling, "asks").stage is Stage.SCALING
    off = due(named(scaling, "asks"), Verdict.HARMFUL, stage=Stage.SCALING)
    assert taken(changing, off).done
    assert live(scaling, off) == begin.after
    remove = due(named(scaling, "asks"), Verdict.BAD)
    assert taken(changing, remove).done
    assert named(scaling, "asks").stage is Stage.NONE


def test_each_step_can_be_taken_back(scaling: Any, changing: Any) -> None:
    on = due(named(scaling, "ours"), Verdict.GOOD)
    assert taken(changing, on).done
    assert taken(changing, on.inverse).done
    assert live(scaling, on) == on.before


def test_a_step_taken_twice_changes_nothing_the_second_time(scaling: Any, changing: Any) -> None:
    on = due(named(scaling, "ours"), Verdict.GOOD)
    assert taken(changing, on).text == DONE
    assert taken(changing, on).text == ALREADY


def test_what_somebody_changed_meanwhile_is_left_as_it_is(
    server: EmbeddedAws, scaling: Any, changing: Any
) -> None:
    on = due(named(scaling, "ours"), Verdict.GOOD)
    theirs = {**ONLY, "SchedulingBufferTime": 600}
    seeding_client(server, "autoscaling").put_scaling_policy(
        AutoScalingGroupName="ours",
        PolicyName=on.policy,
        PolicyType="PredictiveScaling",
        PredictiveScalingConfiguration=theirs,
    )
    found = taken(changing, on)
    assert not found.done
    assert "somebody changed" in found.text
    assert live(scaling, on) == theirs


def test_a_step_that_fails_leaves_the_policy_as_it_was(
    server: EmbeddedAws, scaling: Any, changing: Any
) -> None:
    on = due(named(scaling, "ours"), Verdict.GOOD)
    server.faults.replace(
        [FaultRule(operation="autoscaling:PutScalingPolicy", kind=FaultKind.ERROR)]
    )
    found = taken(changing, on)
    assert not found.done
    assert found.text.endswith("it is as it was")
    assert live(scaling, on) == on.before


class Fickle:
    """An Auto Scaling that takes a policy and then cannot be asked, once."""

    def __init__(self, client: Any, server: EmbeddedAws) -> None:
        self._client = client
        self._server = server

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_scaling_policy(self, **arguments: Any) -> Any:
        answer = self._client.put_scaling_policy(**arguments)
        self._server.faults.replace(
            [FaultRule(operation="autoscaling:DescribePolicies", kind=FaultKind.ERROR, count=1)]
        )
        return answer


def test_what_cannot_be_verified_is_put_back(
    server: EmbeddedAws, scaling: Any, changing: Any
) -> None:
    on = due(named(scaling, "ours"), Verdict.GOOD)
    found = taken(Fickle(changing, server), on)
    server.faults.replace(())
    assert not found.done
    assert live(scaling, on) == on.before


def test_where_nothing_answers_nothing_is_tried(
    server: EmbeddedAws, scaling: Any, changing: Any
) -> None:
    on = due(named(scaling, "ours"), Verdict.GOOD)
    server.faults.replace([FaultRule(operation="autoscaling:*", kind=FaultKind.THROTTLE)])
    found = taken(changing, on)
    assert not found.done
    assert found.text.startswith("not tried")
