"""Scale groups ahead of their demand: judge forecasts against what happened, then act as allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from prefect import flow
from prefect.logging import get_run_logger
from pydantic import Field

from blocks import AwsAccount, Guardrails, ScalingTrial, ScalingTrials
from flows.blocks import NoSuchBlockError, block_of
from flows.due import reason_to_skip
from flows.parameters import BlockName, Region
from flows.runners import chosen_runner
from tasks.adapters.state import load_state
from tasks.domain.guardrails.modes import Mode
from tasks.domain.guardrails.policy import GuardrailPolicy, closed, effective_mode
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.predictive.judge import Judgement
from tasks.domain.stacks.predictive.limits import Limits
from tasks.domain.stacks.predictive.report import AheadLine
from tasks.domain.stacks.predictive.steps import (
    WAITS,
    Action,
    AheadGroup,
    after_step,
    next_step,
    refusal,
)
from tasks.guardrails import guardrail_policy
from tasks.stacks.predictive import (
    begin_step,
    judge_ahead,
    list_ahead,
    remember,
    show_ahead,
    take_step,
    trial_of,
)
from tasks.stacks.updates import only_update

STALE_AFTER = timedelta(hours=6)
"""A scheduled run that starts later than this is skipped: the next one is due."""
_FIRST = (Action.SWITCH_OFF, Action.REMOVE, Action.BEGIN, Action.SWITCH_ON)
"""What ends harm comes before what might do some."""


@dataclass(frozen=True, kw_only=True)
class ScalingReport:
    """What a run did, in short; the rest is in artifacts and in the ScalingTrials block.

    Attributes:
        groups: Looked at.
        steps: By region/group: the step that was due.
        done: Of these, the steps that were taken and verified.
        waiting: Ids of steps that a person may approve.
        skipped: Why nothing was looked at; None otherwise.
    """

    groups: int = 0
    steps: dict[str, str] | None = None
    done: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    skipped: str | None = None


def run_name() -> str:
    """Return a name that tells runs apart in a list."""
    return f"ahead-{datetime.now(UTC):%d%b-%H%M}".lower()


@flow(
    name="scale-ahead",
    flow_run_name=run_name,
    task_runner=chosen_runner(),
    timeout_seconds=1800,
)
def scale_ahead(
    regions: Annotated[list[Region], Field(max_length=40)] = [],  # noqa: B006 - Prefect copies it
    approved: Annotated[list[str], Field(max_length=100)] = [],  # noqa: B006 - the same
    target: Annotated[float, Field(gt=0, le=1)] = 0.7,
    account: BlockName = "homeostat",
    apply_account: BlockName = "homeostat-apply",
    guardrails: BlockName = "homeostat",
    trials: BlockName = "homeostat",
) -> ScalingReport:
    """Judge the forecasts of groups' predictive policies, and act on them as far as allowed.

    Looks at groups with a policy whose name begins with homeostat-, and at groups tagged
    homeostat/scale-ahead: true, which get a forecast-only policy first. A forecast that proved good
    for two weeks may scale; one that does harm is switched off again. Steps beyond what the
    guardrails allow are shown and not taken.

    Args:
        regions: For example us-east-1; empty for the regions of the account block.
        approved: Ids of steps that people approved, as an earlier run showed them.
        target: Use of the processor that new policies plan for, 0 to 1.
        account: Name of the AwsAccount block that reads.
        apply_account: The one that may change groups' policies; looked up only for a step.
        guardrails: Name of the Guardrails block.
        trials: Name of the ScalingTrials block to read and write.
    """
    if (reason := reason_to_skip(STALE_AFTER)) is not None:
        get_run_logger().warning("stacks.ahead.skipped reason=%s", reason)
        return ScalingReport(skipped=reason)
    aws, limits, now = block_of(AwsAccount, account), Limits(), datetime.now(UTC)
    policy = guardrail_policy(block_of(Guardrails, guardrails))
    groups = [one for region in regions or aws.regions for one in list_ahead(aws, region)]
    known = load_state(ScalingTrials, trials).trials

    lines = _judged(aws, groups, known, now=now, limits=limits, target=target)
    allowed = _Allowed(block=guardrails, apply=apply_account, approved=frozenset(approved))
    lines = [_acted(one, allowed, name=trials, now=now, limits=limits) for one in _ordered(lines)]
    remember(trials, {one.group.key: one.trial for one in lines}, now=now)
    show_ahead(lines, now=now, mode=str(policy.mode))
    return _report(lines)


@dataclass(kw_only=True)
class _Allowed:
    """What may be done, asked again immediately before each step."""

    block: str
    apply: str
    approved: frozenset[str]
    taken: int = 0

    def refusal(self, line: AheadLine, *, now: datetime) -> str | None:
        policy = guardrail_policy(block_of(Guardrails, self.block))
        why = refusal(
            line.step,
            mode=_mode(policy, line.group),
            shut=closed(policy, now),
            approved=self.approved,
        )
        if why is not None:
            return why
        if self.taken >= policy.max_resources_per_run:
            return f"this run may change {policy.max_resources_per_run} groups; the next goes on"
        self.taken += 1
        return None


def _mode(policy: GuardrailPolicy, group: AheadGroup) -> Mode:
    return effective_mode(
        policy, kind=Kind.PREDICTIVE_SCALING, region=group.region, resource=group.group
    )


def _judged(
    aws: AwsAccount,
    groups: Sequence[AheadGroup],
    known: Mapping[str, ScalingTrial],
    *,
    now: datetime,
    limits: Limits,
    target: float,
) -> list[AheadLine]:
    trials = [trial_of(one, known.get(one.key), now=now, limits=limits) for one in groups]
    futures = [
        judge_ahead.submit(aws, one, trial, now=now, limits=limits)
        for one, trial in zip(groups, trials, strict=True)
    ]
    lines = []
    for group, trial, future in zip(groups, trials, futures, strict=True):
        found: object = future.result(raise_on_failure=False)
        judgement = found if isinstance(found, Judgement) else None
        step = next_step(group, trial, judgement, now=now, limits=limits, target=target)
        if isinstance(found, BaseException):
            # One group that cannot be judged keeps nobody else from being looked after.
            get_run_logger().warning("stacks.ahead.unjudged group=%s error=%s", group.group, found)
            step = replace(step, why=f"could not be judged: {found}")
        lines.append(AheadLine(group=group, trial=trial, judgement=judgement, step=step))
    return lines


def _ordered(lines: Sequence[AheadLine]) -> list[AheadLine]:
    def rank(one: AheadLine) -> tuple[int, str, str]:
        place = _FIRST.index(one.step.action) if one.step.action in _FIRST else len(_FIRST)
        return place, one.group.region, one.group.group

    return sorted(lines, key=rank)


def _acted(
    line: AheadLine,
    allowed: _Allowed,
    *,
    name: str,
    now: datetime,
    limits: Limits,
) -> AheadLine:
    """Take a step where that is allowed: what was before is written down first."""
    if not line.step.changes:
        return line
    why_not = allowed.refusal(line, now=datetime.now(UTC))
    if why_not is not None:
        waits = why_not.startswith(WAITS)
        return replace(line, outcome=f"not taken: {why_not}", waits=waits)
    try:
        changing = block_of(AwsAccount, allowed.apply)
    except NoSuchBlockError as error:
        return replace(line, outcome=f"not taken: {error}")
    with only_update():
        begin_step(name, line.group, line.trial, line.step, now=now)
        outcome = take_step(changing, line.step)
    if not outcome.done:
        return replace(line, outcome=outcome.text)
    trial = after_step(line.trial, line.step, now=now, limits=limits)
    return replace(line, trial=trial, outcome=outcome.text, done=True)


def _report(lines: Sequence[AheadLine]) -> ScalingReport:
    return ScalingReport(
        groups=len(lines),
        steps={f"{one.group.region}/{one.group.group}": str(one.step.action) for one in lines},
        done=tuple(one.step.step_id for one in lines if one.done),
        waiting=tuple(one.step.step_id for one in lines if one.waits),
    )


if __name__ == "__main__":
    scale_ahead()
