"""The life of a predictive policy, step by step, each with its inverse known beforehand.

| now | judged | step |
|---|---|---|
| no policy, and the group asks for one | | BEGIN: forecast only |
| forecasts | not yet | WAIT |
| forecasts | good | SWITCH_ON: forecast and scale |
| forecasts | bad | REMOVE what was begun here; HAND_OVER what a stack made |
| scales | harmful | SWITCH_OFF: forecast only, and not on again for a while |
| scales | harmless or not yet | WAIT |
| forecasts, switched off too often | good | HAND_OVER |
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tasks.domain.guardrails.modes import Mode
from tasks.domain.stacks.predictive.configuration import (
    FORECAST_AND_SCALE,
    FORECAST_ONLY,
    Configuration,
    cpu_target,
    first_configuration,
)
from tasks.domain.stacks.predictive.judge import Judgement, Verdict
from tasks.domain.stacks.predictive.limits import Limits


class Stage(StrEnum):
    """What a group's policy does."""

    NONE = "none"
    FORECASTING = "forecasting"
    SCALING = "scaling"


class Action(StrEnum):
    """What to do next."""

    WAIT = "wait"
    BEGIN = "begin"
    SWITCH_ON = "switch-on"
    SWITCH_OFF = "switch-off"
    REMOVE = "remove"
    HAND_OVER = "hand-over"


WAITS = "it waits for approval of"
CHANGING = frozenset({Action.BEGIN, Action.SWITCH_ON, Action.SWITCH_OFF, Action.REMOVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class AheadGroup:
    """A group that is scaled ahead, or asks for it.

    Attributes:
        policy: Name of its policy of ours, also where there is none yet.
        configuration: Of that policy; None where there is none.
        asks: It has the tag that asks for a policy.
    """

    region: str
    group: str
    policy: str
    configuration: Configuration | None
    min_size: int
    max_size: int
    asks: bool = False

    @property
    def key(self) -> str:
        """The same in every run."""
        return f"{self.region}/{self.group}/{self.policy}"

    @property
    def stage(self) -> Stage:
        """Return what the policy does."""
        if self.configuration is None:
            return Stage.NONE
        scales = self.configuration.get("Mode") == FORECAST_AND_SCALE
        return Stage.SCALING if scales else Stage.FORECASTING

    @property
    def target(self) -> float | None:
        """Use that is planned for, 0 to 1; None where it is not of the processor alone."""
        return cpu_target(self.configuration or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is remembered of a policy between runs.

    Attributes:
        stage: When it was last looked at.
        since: Since when it is in that stage, as far as is known.
        begun_here: It was put by a step and not by a stack.
        reverts: How often it was switched off.
        paused_until: It is not switched on, or begun again, before.
    """

    stage: Stage
    since: datetime
    begun_here: bool = False
    reverts: int = 0
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do with a policy, and how to take it back.

    Attributes:
        why: One sentence.
        before: Configuration as it is; None for no policy.
        after: As it is to be; None for no policy.
    """

    action: Action
    why: str
    region: str
    group: str
    policy: str
    before: Configuration | None
    after: Configuration | None

    @property
    def step_id(self) -> str:
        """Return what an approval names: another state or another aim is another step."""
        facts = [self.action, self.region, self.group, self.policy, self.before, self.after]
        text = json.dumps(facts, sort_keys=True)
        return f"sa-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    @property
    def changes(self) -> bool:
        """Return whether anything is to be done."""
        return self.action in CHANGING

    @property
    def inverse(self) -> Step:
        """Return the step back."""
        return replace(self, why=f"take back: {self.why}", before=self.after, after=self.before)


def remembered(group: AheadGroup, trial: Trial | None, *, now: datetime) -> Trial:
    """Return what is known of a policy: anew where somebody changed its stage meanwhile."""
    if trial is None:
        return Trial(stage=group.stage, since=now)
    if trial.stage is group.stage:
        return trial
    gone = group.stage is Stage.NONE
    return replace(trial, stage=group.stage, since=now, begun_here=trial.begun_here and not gone)


def next_step(
    group: AheadGroup,
    trial: Trial,
    judgement: Judgement | None,
    *,
    now: datetime,
    limits: Limits,
    target: float = 0.7,
) -> Step:
    """Return what to do with a group's policy now.

    Args:
        group: As the account has it.
        trial: From `remembered`.
        judgement: Of its forecast, or of scaling; None where nothing could be judged.
        now: Aware.
        limits: Pauses, and how often it may be switched off.
        target: Use that a new policy plans for.
    """
    verdict = None if judgement is None else judgement.verdict
    why = "nothing could be judged" if judgement is None else judgement.why
    if (
        trial.paused_until is not None
        and now < trial.paused_until
        and group.stage is not (Stage.SCALING)
    ):
        rests = f"it rests until {trial.paused_until:%Y-%m-%d %H:%M} UTC"
        return _step(group, Action.WAIT, rests)
    if group.stage is Stage.NONE:
        if not group.asks:
            return _step(group, Action.WAIT, "nobody asks for a forecast")
        return _step(group, Action.BEGIN, "the group asks for it", first_configuration(target))
    if group.stage is Stage.SCALING and verdict is Verdict.HARMFUL:
        return _step(group, Action.SWITCH_OFF, why, _in_mode(group, FORECAST_ONLY))
    if group.stage is Stage.FORECASTING and verdict is Verdict.BAD:
        if trial.begun_here:
            return _step(group, Action.REMOVE, why, None)
        return _step(group, Action.HAND_OVER, f"{why}; remove it in its stack")
    if group.stage is Stage.FORECASTING and verdict is Verdict.GOOD:
        if trial.reverts >= limits.most_reverts:
            often = f"it was switched off {trial.reverts} times: a person has to decide"
            return _step(group, Action.HAND_OVER, often)
        return _step(group, Action.SWITCH_ON, why, _in_mode(group, FORECAST_AND_SCALE))
    return _step(group, Action.WAIT, why)


_SAME: Configuration = {}


def _step(group: AheadGroup, action: Action, why: str, after: Configuration | None = _SAME) -> Step:
    return Step(
        action=action,
        why=why,
        region=group.region,
        group=group.group,
        policy=group.policy,
        before=group.configuration,
        after=group.configuration if after is _SAME else after,
    )


def _in_mode(group: AheadGroup, mode: str) -> Configuration:
    return {**(group.configuration or {}), "Mode": mode}


def refusal(step: Step, *, mode: Mode, shut: str | None, approved: frozenset[str]) -> str | None:
    """Return why a step is not taken; None where it is.

    Args:
        step: One that changes something.
        mode: How far it may go.
        shut: Why nothing is changed at all now; None where the kill switch is off.
        approved: Ids of steps that a person approved.
    """
    if shut is not None:
        return shut
    if mode < Mode.APPROVE:
        return f"its mode is {mode}"
    if mode is Mode.APPROVE and step.step_id not in approved:
        return f"{WAITS} {step.step_id}"
    return None


def after_step(trial: Trial, step: Step, *, now: datetime, limits: Limits) -> Trial:
    """Return what to remember once a step was taken and verified."""
    rest = now + timedelta(days=limits.pause_days)
    if step.action is Action.BEGIN:
        return Trial(stage=Stage.FORECASTING, since=now, begun_here=True, reverts=trial.reverts)
    if step.action is Action.SWITCH_ON:
        return replace(trial, stage=Stage.SCALING, since=now, paused_until=None)
    if step.action is Action.SWITCH_OFF:
        reverts = trial.reverts + 1
        return replace(
            trial, stage=Stage.FORECASTING, since=now, reverts=reverts, paused_until=rest
        )
    if step.action is Action.REMOVE:
        return replace(trial, stage=Stage.NONE, since=now, begun_here=False, paused_until=rest)
    return trial
