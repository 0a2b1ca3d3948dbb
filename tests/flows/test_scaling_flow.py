"""`scale-ahead` over the wire: what it finds, what it may do, what it remembers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State

from blocks import Guardrails, ScalingTrials
from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.aws.metric_store import MetricKey
from deployments.embedded.aws.policy import APPLYING_KEY
from flows.blocks import NoSuchBlockError
from flows.scaling import ScalingReport, scale_ahead
from tasks.adapters.predictive_scaling import AHEAD_TAG, live_configuration
from tasks.adapters.state import load_state, publish_state
from tasks.domain.stacks.predictive.configuration import first_configuration, policy_name
from tests.flows.builders import Cloud, embedded_fleet, save_blocks
from tests.support.embedded_aws import seeding_client
from tests.unit.stacks.predictive.cases import daily

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.usefixtures("prefect_server"),
]

REGION = "us-east-1"
HOURS = 42 * 24
ONLY = first_configuration(0.7)
OURS = "homeostat-hs-0123456789ab-forecast"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with embedded_fleet() as running:
        scaling = seeding_client(running.aws, "autoscaling")
        for name in ("asks", "ours"):
            scaling.create_launch_configuration(
                LaunchConfigurationName=name, ImageId="ami-12c6146b", InstanceType="m5.large"
            )
            scaling.create_auto_scaling_group(
                AutoScalingGroupName=name,
                MinSize=1,
                MaxSize=40,
                DesiredCapacity=1,
                LaunchConfigurationName=name,
                AvailabilityZones=["us-east-1a"],
            )
        tag = {"Key": AHEAD_TAG, "Value": "true", "PropagateAtLaunch": False}
        scaling.create_or_update_tags(
            Tags=[{**tag, "ResourceId": "asks", "ResourceType": "auto-scaling-group"}]
        )
        load(running, "ours")
        yield running


def load(cloud: Cloud, group: str) -> None:
    """Six weeks of demand that returns every week, followed an hour late."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    busy = daily(HOURS)
    needed = np.ceil(busy / 0.7)
    serving = np.maximum(np.concatenate([needed[:1], needed[:-1]]), 1.0)
    first = int((end - timedelta(hours=HOURS)).timestamp())
    seconds = first + 3600 * np.arange(HOURS, dtype=np.int64)
    for (namespace, name), values in (
        (("AWS/EC2", "CPUUtilization"), 100.0 * busy / serving),
        (("AWS/AutoScaling", "GroupInServiceInstances"), serving),
    ):
        dimensions = (("AutoScalingGroupName", group),)
        key = MetricKey(region=REGION, namespace=namespace, name=name, dimensions=dimensions)
        cloud.aws.metrics.load(key, seconds=seconds, values=values)


@pytest.fixture(autouse=True)
def policies(cloud: Cloud) -> Iterator[None]:
    """Each test begins with one policy of ours that only forecasts."""
    scaling = seeding_client(cloud.aws, "autoscaling")
    scaling.put_scaling_policy(
        AutoScalingGroupName="ours",
        PolicyName=OURS,
        PolicyType="PredictiveScaling",
        PredictiveScalingConfiguration=ONLY,
    )
    yield
    cloud.aws.faults.replace(())
    scaling.delete_policy(AutoScalingGroupName="asks", PolicyName=policy_name("asks"))


@pytest.fixture
def name(cloud: Cloud, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found = re.sub(r"[^a-z0-9]+", "-", str(request.node.name)).strip("-")
    save_blocks(cloud, found, tmp_path)
    changing = cloud.account.model_copy(update={"aws_access_key_id": APPLYING_KEY})
    changing.save(f"{found}-apply", overwrite=True)
    return found


def guard(name: str, **settings: Any) -> None:
    Guardrails(**settings).save(name, overwrite=True)


def run(name: str, **more: Any) -> ScalingReport:
    found: ScalingReport = scale_ahead(
        regions=[REGION],
        account=name,
        guardrails=name,
        trials=name,
        **{"apply_account": f"{name}-apply", **more},
    )
    return found


def mode_of(cloud: Cloud, group: str, policy: str) -> str | None:
    client = seeding_client(cloud.aws, "autoscaling")
    found = live_configuration(client, region=REGION, group=group, policy=policy)
    return None if found is None else str(found["Mode"])


def modes(cloud: Cloud) -> tuple[str | None, str | None]:
    return mode_of(cloud, "asks", policy_name("asks")), mode_of(cloud, "ours", OURS)


def artifacts(state: State[Any]) -> dict[str, Any]:
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
    return {str(artifact.key): artifact.data for artifact in found}


@pytest.mark.parametrize("mode", ["off", "observe", "recommend"])
def test_below_approve_everything_is_told_and_nothing_done(
    cloud: Cloud, name: str, mode: str
) -> None:
    guard(name, mode=mode)
    state = scale_ahead(
        regions=[REGION], account=name, guardrails=name, trials=name, return_state=True
    )
    shown = artifacts(state)
    assert modes(cloud) == (None, "ForecastOnly")
    assert "switch-on" in shown["scale-ahead-summary"]
    assert '"verdict": "good"' in shown["scale-ahead-groups"]


def test_auto_begins_and_switches_on_and_remembers_the_way_back(cloud: Cloud, name: str) -> None:
    guard(name, mode="auto")
    report = run(name)
    known = load_state(ScalingTrials, name).trials
    assert report.steps == {f"{REGION}/asks": "begin", f"{REGION}/ours": "switch-on"}
    assert len(report.done) == 2
    assert modes(cloud) == ("ForecastOnly", "ForecastAndScale")
    ours = known[f"{REGION}/ours/{OURS}"]
    assert (ours.stage, ours.acting, ours.before) == ("scaling", False, ONLY)
    begun = known[f"{REGION}/asks/{policy_name('asks')}"]
    assert (begun.stage, begun.begun_here, begun.before) == ("forecasting", True, None)
    # The next run finds nothing to do: scaling is watched, the new forecast has no history.
    again = run(name)
    assert set((again.steps or {}).values()) == {"wait"}
    assert load_state(ScalingTrials, name).trials[f"{REGION}/ours/{OURS}"].before == ONLY


def test_approve_takes_only_the_steps_that_were_approved(cloud: Cloud, name: str) -> None:
    guard(name, mode="approve")
    asked = run(name)
    assert modes(cloud) == (None, "ForecastOnly")
    assert len(asked.waiting) == 2
    begin, switch_on = asked.waiting
    done = run(name, approved=[switch_on])
    assert done.done == (switch_on,)
    assert done.waiting == (begin,)
    assert modes(cloud) == (None, "ForecastAndScale")


def test_an_approval_of_another_state_is_worth_nothing(cloud: Cloud, name: str) -> None:
    guard(name, mode="approve")
    asked = run(name)
    seeding_client(cloud.aws, "autoscaling").put_scaling_policy(
        AutoScalingGroupName="ours",
        PolicyName=OURS,
        PolicyType="PredictiveScaling",
        PredictiveScalingConfiguration={**ONLY, "SchedulingBufferTime": 600},
    )
    again = run(name, approved=[asked.waiting[1]])
    assert again.done == ()
    assert mode_of(cloud, "ours", OURS) == "ForecastOnly"


def test_the_kill_switch_stops_everything(cloud: Cloud, name: str) -> None:
    guard(name, mode="auto", kill_switch=True)
    assert run(name).done == ()
    assert modes(cloud) == (None, "ForecastOnly")


def test_a_run_changes_no_more_groups_than_allowed(cloud: Cloud, name: str) -> None:
    guard(name, mode="auto", max_resources_per_run=1)
    assert len(run(name).done) == 1
    assert modes(cloud) == ("ForecastOnly", "ForecastOnly")


def test_scaling_that_rings_an_alarm_is_switched_off_and_rests(cloud: Cloud, name: str) -> None:
    guard(name, mode="auto")
    run(name)
    cloudwatch = seeding_client(cloud.aws, "cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="slow-answers",
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "AutoScalingGroupName", "Value": "ours"}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=90.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName="slow-answers", StateValue="ALARM", StateReason="a test")
    report = run(name)
    cloudwatch.delete_alarms(AlarmNames=["slow-answers"])
    assert (report.steps or {})[f"{REGION}/ours"] == "switch-off"
    assert mode_of(cloud, "ours", OURS) == "ForecastOnly"
    assert (run(name).steps or {})[f"{REGION}/ours"] == "wait"
    assert load_state(ScalingTrials, name).trials[f"{REGION}/ours/{OURS}"].reverts == 1


@pytest.mark.usefixtures("no_pauses")
def test_a_step_that_fails_is_told_and_the_policy_stays_as_it_was(cloud: Cloud, name: str) -> None:
    guard(name, mode="auto", max_resources_per_run=1)
    cloud.aws.faults.replace(
        [FaultRule(operation="autoscaling:PutScalingPolicy", kind=FaultKind.ERROR)]
    )
    report = run(name)
    cloud.aws.faults.replace(())
    assert report.done == ()
    assert modes(cloud) == (None, "ForecastOnly")
    assert not any(one.acting for one in load_state(ScalingTrials, name).trials.values())


def test_a_run_that_was_cut_off_after_the_step_is_found_to_have_taken_it(
    cloud: Cloud, name: str
) -> None:
    guard(name, mode="auto")
    run(name)

    def cut_off(stored: ScalingTrials) -> ScalingTrials:
        key = f"{REGION}/ours/{OURS}"
        before = stored.trials[key].model_copy(update={"stage": "forecasting", "acting": True})
        return stored.model_copy(update={"trials": {**stored.trials, key: before}})

    publish_state(ScalingTrials, name, cut_off)
    assert (run(name).steps or {})[f"{REGION}/ours"] == "wait"
    found = load_state(ScalingTrials, name).trials[f"{REGION}/ours/{OURS}"]
    assert (found.stage, found.acting) == ("scaling", False)


def test_one_group_that_cannot_be_judged_keeps_no_other_from_its_step(
    cloud: Cloud, name: str
) -> None:
    guard(name, mode="auto")
    seeding_client(cloud.aws, "autoscaling").put_scaling_policy(
        AutoScalingGroupName="ours",
        PolicyName=OURS,
        PolicyType="PredictiveScaling",
        PredictiveScalingConfiguration={**ONLY, "MetricSpecifications": []},
    )
    report = run(name)
    assert report.steps == {f"{REGION}/asks": "begin", f"{REGION}/ours": "wait"}
    assert mode_of(cloud, "asks", policy_name("asks")) == "ForecastOnly"


def test_without_an_account_for_changes_nothing_is_changed(cloud: Cloud, name: str) -> None:
    guard(name, mode="auto")
    report = run(name, apply_account="none")
    assert report.done == ()
    assert modes(cloud) == (None, "ForecastOnly")


def test_without_guardrails_nothing_runs(name: str) -> None:
    with pytest.raises(NoSuchBlockError, match="guardrails/none"):
        scale_ahead(regions=[REGION], account=name, guardrails="none", trials=name)
