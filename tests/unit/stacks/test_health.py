"""Whether an update proved healthy: rule by rule, and over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.stacks.health import (
    Alarm,
    Expected,
    Health,
    HealthReport,
    Observation,
    expectations,
)
from tasks.domain.stacks.health_rules import RULES, judge_health
from tasks.domain.stacks.preview import Operation, ResourceChange, Value
from tasks.stacks.health import Patience, watch_health

APPLIED = datetime(2026, 5, 1, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=10)
LATER = APPLIED + WINDOW

INSTANCE = "aws:ec2/instance:Instance"
STATE = "aws:ec2transitgateway/instanceState:InstanceState"
VOLUME = "aws:ebs/volume:Volume"
GROUP = "aws:autoscaling/group:Group"
FUNCTION = "aws:lambda/function:Function"
SCHEDULE = "aws:scheduler/schedule:Schedule"
PLAN = "aws:savingsplans/savingsPlan:SavingsPlan"
POLICY = "aws:autoscaling/policy:Policy"
ROLE = "aws:iam/role:Role"

RUNNING: dict[str, Value] = {
    "state": "running",
    "instanceType": "m5.large",
    "systemStatus": "ok",
    "instanceStatus": "ok",
}
GOOD: Mapping[str, tuple[dict[str, Value], dict[str, Value]]] = {
    INSTANCE: ({"instanceType": "m5.large"}, RUNNING),
    STATE: ({"instanceId": "r-1", "state": "stopped"}, {"state": "stopped"}),
    VOLUME: (
        {"type": "gp3", "size": 100.0, "iops": 3000},
        {"type": "gp3", "size": 100, "iops": 3000, "state": "in-use"},
    ),
    GROUP: (
        {"minSize": 2, "mixedInstancesPolicy": {"launchTemplate": {}}},
        {"inService": 2, "minSize": 2, "mixed": True},
    ),
    FUNCTION: ({}, {"state": "Active", "lastUpdate": "Successful"}),
    SCHEDULE: ({}, {"state": "ENABLED"}),
    PLAN: ({}, {"state": "queued"}),
    POLICY: ({"policyType": "PredictiveScaling"}, {"policyType": "PredictiveScaling"}),
}


def expected(token: str, inputs: Mapping[str, Value] | None = None, **more: str) -> Expected:
    name = more.get("name", "it")
    found = GOOD[token][0] if inputs is None else inputs
    return Expected(name=name, token=token, resource_id=more.get("id", "r-1"), inputs=found)


def seen(token: str, **changed: Value) -> Observation:
    facts = {**GOOD[token][1], **changed}
    facts = {name: value for name, value in facts.items() if value is not None}
    return Observation(token=token, resource_id="r-1", found=True, facts=facts)


def judged(
    observed: Sequence[Observation],
    wanted: Sequence[Expected],
    alarms: Sequence[Alarm] = (),
    *,
    now: datetime = LATER,
) -> HealthReport:
    return judge_health(observed, wanted, alarms, applied_at=APPLIED, now=now, window=WINDOW)


def alarm(state: str, *, minutes: float, name: str = "errors") -> Alarm:
    return Alarm(
        name=name,
        ringing=state == "ALARM",
        ok=state == "OK",
        changed_at=APPLIED + timedelta(minutes=minutes),
    )


def test_every_kind_with_a_health_has_a_good_example() -> None:
    assert set(GOOD) == set(RULES)


@pytest.mark.parametrize("token", sorted(RULES))
def test_what_is_as_it_should_be_is_healthy_after_a_quiet_window(token: str) -> None:
    assert judged([seen(token)], [expected(token)]).health is Health.HEALTHY


@pytest.mark.parametrize("token", sorted(RULES))
def test_what_is_gone_is_unhealthy(token: str) -> None:
    gone = Observation(token=token, resource_id="r-1", found=False)
    assert judged([gone], [expected(token)]).health is Health.UNHEALTHY


@pytest.mark.parametrize("token", sorted(RULES))
def test_what_was_not_told_is_unknown_and_never_a_success(token: str) -> None:
    wanted = [expected(token)]
    refused = Observation(token=token, resource_id="r-1", found=None, problem="access denied")
    silent = Observation(token=token, resource_id="r-1", found=True)
    assert judged([], wanted).health is Health.UNKNOWN
    assert judged([silent], wanted).health is Health.UNKNOWN
    assert judged([refused], wanted).why == "it: access denied"
    assert judged([refused], wanted).health is Health.UNKNOWN


@pytest.mark.parametrize(
    ("token", "changed", "health"),
    [
        (INSTANCE, {"instanceType": "m5.xlarge"}, Health.UNKNOWN),
        (INSTANCE, {"state": "pending"}, Health.UNKNOWN),
        (INSTANCE, {"state": "shutting-down"}, Health.UNHEALTHY),
        (INSTANCE, {"systemStatus": "impaired"}, Health.UNHEALTHY),
        (INSTANCE, {"instanceStatus": "initializing"}, Health.UNKNOWN),
        (INSTANCE, {"instanceStatus": None}, Health.UNKNOWN),
        (STATE, {"state": "stopping"}, Health.UNKNOWN),
        (STATE, {"state": "running"}, Health.UNKNOWN),
        (VOLUME, {"type": "gp2"}, Health.UNKNOWN),
        (VOLUME, {"iops": 100}, Health.UNKNOWN),
        (VOLUME, {"modification": "modifying"}, Health.UNKNOWN),
        (VOLUME, {"modification": "optimizing"}, Health.HEALTHY),
        (VOLUME, {"modification": "failed"}, Health.UNHEALTHY),
        (VOLUME, {"state": "error"}, Health.UNHEALTHY),
        (GROUP, {"inService": 1}, Health.UNKNOWN),
        (GROUP, {"mixed": False}, Health.UNKNOWN),
        (GROUP, {"refresh": "InProgress"}, Health.UNKNOWN),
        (GROUP, {"refresh": "Successful"}, Health.HEALTHY),
        (GROUP, {"refresh": "RollbackSuccessful"}, Health.UNHEALTHY),
        (FUNCTION, {"state": "Pending"}, Health.UNKNOWN),
        (FUNCTION, {"state": "Failed"}, Health.UNHEALTHY),
        (FUNCTION, {"lastUpdate": "Failed"}, Health.UNHEALTHY),
        (SCHEDULE, {"state": "DISABLED"}, Health.UNHEALTHY),
        (PLAN, {"state": "active"}, Health.HEALTHY),
        (PLAN, {"state": "payment-pending"}, Health.UNKNOWN),
        (PLAN, {"state": "payment-failed"}, Health.UNHEALTHY),
        (POLICY, {"policyType": "SimpleScaling"}, Health.UNKNOWN),
    ],
)
def test_each_state_has_its_verdict(token: str, changed: dict[str, Value], health: Health) -> None:
    assert judged([seen(token, **changed)], [expected(token)]).health is health


def test_an_instance_that_should_be_stopped_needs_no_status_checks() -> None:
    stopped = Observation(
        token=INSTANCE,
        resource_id="r-1",
        found=True,
        facts={"state": "stopped", "instanceType": "m5.large"},
    )
    wanted = [expected(INSTANCE), expected(STATE, name="state")]
    assert judged([stopped, seen(STATE)], wanted).health is Health.HEALTHY


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_a_machine_with_a_clock_may_run_or_not(state: str) -> None:
    clock = expected(SCHEDULE, {"target": {"input": '{"InstanceIds":["r-1"]}'}}, name="c", id="c-1")
    report = judge_health(
        [seen(INSTANCE, state=state), replace(seen(SCHEDULE), resource_id="c-1")],
        [expected(INSTANCE), clock],
        [],
        applied_at=APPLIED,
        now=LATER,
        window=WINDOW,
    )

    assert report.health is Health.HEALTHY, report


def test_roles_have_no_health_of_their_own() -> None:
    role = Expected(name="role", token=ROLE, resource_id="r", inputs={})
    assert judged([], [role]).health is Health.HEALTHY
    assert judged([], [role]).resources == ()


def test_a_resource_whose_id_nobody_knows_is_unknown() -> None:
    one = Expected(name="it", token=VOLUME, resource_id=None, inputs={})
    assert judged([], [one]).health is Health.UNKNOWN


def test_the_worst_of_several_decides_and_is_named() -> None:
    bad = Observation(token=VOLUME, resource_id="r-2", found=False)
    wanted = [expected(INSTANCE), expected(VOLUME, name="disk", id="r-2")]
    found = judged([seen(INSTANCE), bad], wanted)
    assert found.health is Health.UNHEALTHY
    assert found.why == "disk: r-2 is not there"
    assert [one.health for one in found.resources] == [Health.HEALTHY, Health.UNHEALTHY]


def test_before_the_window_is_over_nothing_is_proved() -> None:
    early = judged([seen(VOLUME)], [expected(VOLUME)], now=LATER - timedelta(seconds=1))
    assert early.health is Health.UNKNOWN
    assert early.why == "alarms are quiet for 599 of 600 s"


def test_an_alarm_that_rings_since_the_update_is_held_against_it() -> None:
    found = judged([], [], [alarm("ALARM", minutes=0)])
    assert found.health is Health.UNHEALTHY
    assert "errors" in found.why


def test_an_alarm_that_rang_before_is_noted_and_not_held_against_the_update() -> None:
    found = judged([], [], [alarm("ALARM", minutes=-1)])
    assert found.health is Health.HEALTHY
    assert found.notes == ("alarm errors rang before the update and still does",)


def test_an_alarm_that_recovered_begins_the_window_anew() -> None:
    alarms = [alarm("OK", minutes=4)]
    assert judged([], [], alarms).health is Health.UNKNOWN
    assert judged([], [], alarms, now=LATER + timedelta(minutes=4)).health is Health.HEALTHY


def test_an_alarm_without_data_says_nothing() -> None:
    assert judged([], [], [alarm("INSUFFICIENT_DATA", minutes=5)]).health is Health.HEALTHY


def test_what_is_deleted_or_left_behind_is_not_expected() -> None:
    changes = [
        ResourceChange(name=str(one), token=VOLUME, urn=str(one), operation=one, resource_id="v")
        for one in Operation
    ]
    found = expectations(changes, {"create": "vol-new"})
    assert {one.name for one in found} == {"same", "create", "update", "replace", "import"}
    assert {one.name: one.resource_id for one in found}["create"] == "vol-new"


@dataclass
class Account:
    """Tells, look after look, what it was told to; the last answer stays."""

    answers: list[tuple[Sequence[Observation], Sequence[Alarm]] | Exception]
    now: datetime = APPLIED
    looks: int = 0
    pauses: list[float] = field(default_factory=list)

    def look(self) -> tuple[Sequence[Observation], Sequence[Alarm]]:
        answer = self.answers[min(self.looks, len(self.answers) - 1)]
        self.looks += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)

    def watched(self, patience: Patience) -> HealthReport:
        return watch_health(
            self.look,
            [expected(VOLUME)],
            applied_at=APPLIED,
            patience=patience,
            clock=lambda: self.now,
            pause=self.pause,
        )


PATIENCE = Patience(window=WINDOW, deadline=timedelta(minutes=30), every=timedelta(minutes=1))
WELL: tuple[list[Observation], list[Alarm]] = ([seen(VOLUME)], [])


def test_the_wait_ends_when_the_window_was_quiet() -> None:
    account = Account(answers=[WELL])
    assert account.watched(PATIENCE).health is Health.HEALTHY
    assert account.now == LATER


def test_a_failure_has_to_be_seen_twice() -> None:
    gone: tuple[list[Observation], list[Alarm]] = (
        [Observation(token=VOLUME, resource_id="r-1", found=False)],
        [],
    )
    assert Account(answers=[gone, WELL]).watched(PATIENCE).health is Health.HEALTHY
    account = Account(answers=[WELL, gone])
    assert account.watched(PATIENCE).health is Health.UNHEALTHY
    assert account.looks == 3


def test_two_failures_with_a_good_look_between_them_are_not_two_in_a_row() -> None:
    gone: tuple[list[Observation], list[Alarm]] = (
        [Observation(token=VOLUME, resource_id="r-1", found=False)],
        [],
    )
    account = Account(answers=[gone, WELL, gone, WELL])
    assert account.watched(PATIENCE).health is Health.HEALTHY


def test_what_is_on_its_way_until_the_deadline_is_not_healthy() -> None:
    account = Account(answers=[([seen(VOLUME, modification="modifying")], [])])
    found = account.watched(PATIENCE)
    assert found.health is Health.UNKNOWN
    assert "not healthy within 0:30:00" in found.why
    assert account.now == APPLIED + PATIENCE.deadline


def test_a_look_without_an_answer_is_followed_by_another() -> None:
    account = Account(answers=[TransientError("throttled"), WELL])
    assert account.watched(PATIENCE).health is Health.HEALTHY


def test_a_look_that_is_refused_ends_the_wait_without_success() -> None:
    account = Account(answers=[PermanentError("cloudwatch:DescribeAlarms was refused")])
    found = account.watched(PATIENCE)
    assert (found.health, account.looks) == (Health.UNKNOWN, 1)
    assert "refused" in found.why


def test_no_window_and_no_alarms_prove_healthy_at_once() -> None:
    account = Account(answers=[WELL])
    patience = Patience(window=timedelta(0), deadline=timedelta(0))
    assert account.watched(patience).health is Health.HEALTHY
    assert account.pauses == []


def test_a_deadline_within_the_window_is_refused() -> None:
    with pytest.raises(PermanentError, match="make it longer"):
        Patience(window=WINDOW, deadline=timedelta(minutes=1))
    with pytest.raises(PermanentError, match="not above zero"):
        Patience(every=timedelta(0))
