"""Scaling groups ahead of demand: look, judge, act as allowed, verify, remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from blocks import AwsAccount, ScalingTrial, ScalingTrials
from tasks.adapters.aws import regional_client
from tasks.adapters.health import watching_alarms
from tasks.adapters.metrics import Window
from tasks.adapters.predictive_scaling import (
    ahead_groups,
    group_hours,
    live_configuration,
    put_configuration,
)
from tasks.adapters.state import publish_state
from tasks.domain.errors import InfraError
from tasks.domain.stacks.predictive.configuration import fulfils
from tasks.domain.stacks.predictive.judge import Judgement, judge_forecast, judge_scaling
from tasks.domain.stacks.predictive.limits import Limits
from tasks.domain.stacks.predictive.report import AheadLine, ahead_markdown, ahead_rows
from tasks.domain.stacks.predictive.steps import (
    Action,
    AheadGroup,
    Stage,
    Step,
    Trial,
    after_step,
    remembered,
)
from tasks.retries import remote_task

SUMMARY_KEY = "scale-ahead-summary"
GROUPS_KEY = "scale-ahead-groups"
DONE = "done and verified"
ALREADY = "it was so already"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a step.

    Attributes:
        done: The policy is as the step wanted it.
        text: For people.
    """

    done: bool
    text: str


def _client(account: AwsAccount, service: str, region: str) -> Any:
    return regional_client(
        account.session(), service, region=region, endpoint_url=account.endpoint_url
    )


@remote_task("list-groups-ahead", run_name="list groups scaled ahead in {region}")
def list_ahead(account: AwsAccount, region: str) -> tuple[AheadGroup, ...]:
    """Return the groups of a region that have a policy of ours, or ask for one."""
    return ahead_groups(_client(account, "autoscaling", region), region=region)


@remote_task("judge-group-ahead")
def judge_ahead(
    account: AwsAccount, group: AheadGroup, trial: Trial, *, now: datetime, limits: Limits
) -> Judgement | None:
    """Return the verdict on a group's forecast, or on scaling by it; None where there is none yet.

    A policy that follows something else than the processor is not judged.
    """
    if group.stage is Stage.NONE or group.target is None:
        return None
    end = now.replace(minute=0, second=0, microsecond=0)
    window = Window(start=end - timedelta(days=limits.most_days), end=end)
    cloudwatch = _client(account, "cloudwatch", group.region)
    scaling = _client(account, "autoscaling", group.region)
    hours = group_hours(scaling, cloudwatch, group, window=window, target=group.target)
    if group.stage is Stage.FORECASTING:
        return judge_forecast(hours, limits=limits)
    # The hour of the switch is of neither side.
    switched = min(max((trial.since - window.start) // timedelta(hours=1), 0), window.hours)
    first = max(switched - int(limits.least_days * 24), 0)
    ringing = [
        one
        for one in watching_alarms(cloudwatch, [group.group], region=group.region)
        if one.changed_at >= trial.since
    ]
    since = hours.part(min(switched + 1, window.hours), window.hours)
    return judge_scaling(hours.part(first, switched), since, ringing, limits=limits)


@task(name="take-step-ahead", task_run_name="{step.action} {step.group}", cache_policy=NO_CACHE)
def take_step(account: AwsAccount, step: Step) -> Outcome:
    """Make a policy as a step wants it, verify that, and put it back where that fails.

    It is not tried again by itself: what is there is read first, so that a later run may do so.
    """
    outcome = taken(_client(account, "autoscaling", step.region), step)
    get_run_logger().info(
        "stacks.ahead.step action=%s group=%s policy=%s done=%s step_id=%s",
        step.action,
        step.group,
        step.policy,
        outcome.done,
        step.step_id,
    )
    return outcome


def taken(client: Any, step: Step) -> Outcome:
    """Return what became of a step, taken over a client of Auto Scaling."""
    try:
        found = _live(client, step)
    except InfraError as error:
        return Outcome(done=False, text=f"not tried: {error}")
    if fulfils(found, step.after):
        return Outcome(done=True, text=ALREADY)
    if found != step.before:
        return Outcome(
            done=False, text="not tried: somebody changed the policy since it was judged"
        )
    try:
        put_configuration(
            client, region=step.region, group=step.group, policy=step.policy, wanted=step.after
        )
        if fulfils(_live(client, step), step.after):
            return Outcome(done=True, text=DONE)
        failure = "the policy is not as wanted afterwards"
    except InfraError as error:
        failure = str(error)
    return Outcome(done=False, text=f"{failure}; {_restored(client, step)}")


def _restored(client: Any, step: Step) -> str:
    """Put back what was before, and return how that went."""
    back = step.inverse
    try:
        if fulfils(_live(client, back), back.after):
            return "it is as it was"
        put_configuration(
            client, region=back.region, group=back.group, policy=back.policy, wanted=back.after
        )
        if fulfils(_live(client, back), back.after):
            return "it was put back as it was"
    except InfraError as error:
        return f"putting it back failed as well, a person has to look: {error}"
    return "putting it back had no effect, a person has to look"


def _live(client: Any, step: Step) -> Any:
    return live_configuration(client, region=step.region, group=step.group, policy=step.policy)


def trial_of(
    group: AheadGroup, known: ScalingTrial | None, *, now: datetime, limits: Limits
) -> Trial:
    """Return what is remembered of a group; a step whose end was not recorded is looked up.

    It happened where the policy is as the step wanted it, and did not otherwise.
    """
    if known is None:
        return remembered(group, None, now=now)
    trial = Trial(
        stage=Stage(known.stage),
        since=known.since,
        begun_here=known.begun_here,
        reverts=known.reverts,
        paused_until=known.paused_until,
    )
    if known.acting and fulfils(group.configuration, known.after):
        step = Step(
            action=Action(known.action),
            why="cut off",
            region=group.region,
            group=group.group,
            policy=group.policy,
            before=known.before,
            after=known.after,
        )
        trial = after_step(trial, step, now=known.acted_at or now, limits=limits)
    return remembered(group, trial, now=now)


def remember(name: str, trials: Mapping[str, Trial], *, now: datetime) -> None:
    """Put how policies stand into the state document; the last step of each stays in it.

    Raises:
        TransientError: Another writer held the lock too long.
    """

    def change(stored: ScalingTrials) -> ScalingTrials:
        found = {
            key: _entry(trial, stored.trials.get(key, _UNKNOWN)) for key, trial in trials.items()
        }
        return _changed(stored, found, now=now)

    publish_state(ScalingTrials, name, change)


def begin_step(name: str, group: AheadGroup, trial: Trial, step: Step, *, now: datetime) -> None:
    """Write down a step that is about to be taken, and what is there before it.

    Raises:
        TransientError: Another writer held the lock too long; then the step is not to be taken.
    """
    last = {
        "action": str(step.action),
        "acted_at": now,
        "before": None if step.before is None else dict(step.before),
        "after": None if step.after is None else dict(step.after),
    }
    begun = _entry(trial, last).model_copy(update={"acting": True})

    def change(stored: ScalingTrials) -> ScalingTrials:
        return _changed(stored, {group.key: begun}, now=now)

    publish_state(ScalingTrials, name, change)


_UNKNOWN: Mapping[str, Any] = {}


def _entry(trial: Trial, last: ScalingTrial | Mapping[str, Any]) -> ScalingTrial:
    kept = {"action", "acted_at", "before", "after"}
    step = last.model_dump(include=kept) if isinstance(last, ScalingTrial) else last
    return ScalingTrial(
        stage=trial.stage.value,
        since=trial.since,
        begun_here=trial.begun_here,
        reverts=trial.reverts,
        paused_until=trial.paused_until,
        **step,
    )


def _changed(
    stored: ScalingTrials, found: Mapping[str, ScalingTrial], *, now: datetime
) -> ScalingTrials:
    trials = {**stored.trials, **found}
    return stored.model_copy(update={"trials": trials, "observed_at": now})


@task(name="show-scaling-ahead", timeout_seconds=60, cache_policy=NO_CACHE)
def show_ahead(lines: Sequence[AheadLine], *, now: datetime, mode: str) -> None:
    """Create the run's artifacts."""
    create_markdown_artifact(
        ahead_markdown(lines, now=now, mode=mode),
        key=SUMMARY_KEY,
        description="Groups scaled ahead of demand: verdicts, steps, and what waits for people.",
    )
    if lines:
        create_table_artifact(
            ahead_rows(lines), key=GROUPS_KEY, description="Groups with a predictive policy"
        )
