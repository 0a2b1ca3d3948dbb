"""What a resource of each kind has to be like, by what the account says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tasks.domain.stacks.cost_links import GROUP, INSTANCE, INSTANCE_STATE
from tasks.domain.stacks.health import (
    Alarm,
    Expected,
    Facts,
    Health,
    HealthReport,
    HealthVerdict,
    Observation,
    alarms_health,
)
from tasks.domain.stacks.inputs import number, text

VOLUME = "aws:ebs/volume:Volume"
FUNCTION = "aws:lambda/function:Function"
SCHEDULE = "aws:scheduler/schedule:Schedule"
SAVINGS_PLAN = "aws:savingsplans/savingsPlan:SavingsPlan"
SCALING_POLICY = "aws:autoscaling/policy:Policy"

Finding = tuple[Health, str]
_WORST = (Health.UNHEALTHY, Health.UNKNOWN, Health.HEALTHY)

BY_THE_CLOCK = "running or stopped"
"""State of a machine that a schedule starts and stops."""


def judge_health(
    observed: Sequence[Observation],
    expected: Sequence[Expected],
    alarms: Sequence[Alarm],
    *,
    applied_at: datetime,
    now: datetime,
    window: timedelta,
) -> HealthReport:
    """Return whether everything is as it should be.

    Args:
        observed: What the account says.
        expected: What was applied. Kinds without a health of their own, such as roles, are not
            judged: that the engine made them says all there is.
        alarms: Those that watch what was touched.
        applied_at: End of the update.
        now: When it was observed.
        window: How long alarms have to be quiet.
    """
    seen = {(one.token, one.resource_id): one for one in observed}
    stopped = _stopped(expected)
    verdicts = tuple(
        _verdict(one, seen.get((one.token, one.resource_id or "")), stopped)
        for one in expected
        if one.token in RULES
    )
    quiet = alarms_health(alarms, applied_at=applied_at, now=now, window=window)
    findings = [(one.health, f"{one.name}: {one.why}") for one in verdicts]
    health, why = _worst([*findings, (quiet.health, quiet.why)])
    return replace(quiet, health=health, why=why, resources=verdicts)


def _stopped(expected: Sequence[Expected]) -> Mapping[str, str]:
    """Return the state that instances should be in, where the program sets one or a clock does."""
    states = (one for one in expected if one.token == INSTANCE_STATE)
    clocks = [str(one.inputs.get("target")) for one in expected if one.token == SCHEDULE]
    clocked = {
        one.resource_id: BY_THE_CLOCK
        for one in expected
        if one.token == INSTANCE
        and one.resource_id is not None
        and any(one.resource_id in target for target in clocks)
    }
    return clocked | {
        (text(one.inputs.get("instanceId")) or one.resource_id or ""): str(one.inputs.get("state"))
        for one in states
    }


def _verdict(one: Expected, seen: Observation | None, states: Mapping[str, str]) -> HealthVerdict:
    if one.resource_id is None:
        health, why = Health.UNKNOWN, "its id is not known"
    elif seen is None or seen.found is None:
        problem = (seen.problem if seen else "") or "it was not looked at"
        health, why = Health.UNKNOWN, problem
    elif not seen.found:
        health, why = Health.UNHEALTHY, f"{one.resource_id} is not there"
    else:
        inputs = one.inputs
        if one.token == INSTANCE:
            inputs = {**inputs, "state": states.get(one.resource_id, "running")}
        health, why = _worst(list(RULES[one.token](inputs, seen.facts)))
    return HealthVerdict(name=one.name, health=health, why=why)


def _worst(findings: Sequence[Finding]) -> Finding:
    return min(findings, key=lambda one: _WORST.index(one[0]))


def _state(
    value: object, *, what: str, good: Sequence[str], waiting: Sequence[str] = ()
) -> Finding:
    """Return a finding about a state: what is neither good nor on its way has failed."""
    if value is None:
        return Health.UNKNOWN, f"its {what} could not be read"
    if value in good:
        return Health.HEALTHY, f"{what} {value}"
    wanted = " or ".join(good)
    if value in waiting:
        return Health.UNKNOWN, f"{what} {value}, waiting for {wanted}"
    return Health.UNHEALTHY, f"{what} {value}, should be {wanted}"


def _same(facts: Facts, inputs: Facts, name: str) -> Iterator[Finding]:
    """Yield whether a property is as the program has it; nothing where the program says nothing."""
    wanted, found = inputs.get(name), facts.get(name)
    if wanted is None:
        return
    if found is None:
        yield Health.UNKNOWN, f"its {name} could not be read"
        return
    equal = found == wanted
    if not equal and number(wanted) is not None:
        equal = number(found) == number(wanted)
    # What was applied is seen with a delay; only a deadline tells the two apart.
    yield (
        (Health.HEALTHY, f"{name} {found}")
        if equal
        else (Health.UNKNOWN, f"{name} is {found}, should be {wanted}")
    )


def _instance(inputs: Facts, facts: Facts) -> Iterator[Finding]:
    yield from _same(facts, inputs, "instanceType")
    wanted = str(inputs["state"])
    if wanted == BY_THE_CLOCK:
        good = ["running", "stopped"]
        yield _state(facts.get("state"), what="state", good=good, waiting=["pending", "stopping"])
        return
    on_its_way = ["pending", "stopping", "running", "stopped"]
    yield _state(facts.get("state"), what="state", good=[wanted], waiting=on_its_way)
    if wanted == "running":
        waiting = ["initializing", "insufficient-data"]
        for check in ("systemStatus", "instanceStatus"):
            yield _state(facts.get(check), what=check, good=["ok"], waiting=waiting)


def _instance_state(inputs: Facts, facts: Facts) -> Iterator[Finding]:
    wanted = str(inputs.get("state"))
    on_its_way = ["pending", "stopping", "running", "stopped"]
    yield _state(facts.get("state"), what="state", good=[wanted], waiting=on_its_way)


def _volume(inputs: Facts, facts: Facts) -> Iterator[Finding]:
    for name in ("type", "size", "iops", "throughput"):
        yield from _same(facts, inputs, name)
    yield _state(
        facts.get("state"), what="state", good=["available", "in-use"], waiting=["creating"]
    )
    # A volume that nobody ever modified has no modification.
    if facts.get("modification") is not None:
        yield _state(
            facts["modification"],
            what="modification",
            good=["completed", "optimizing"],
            waiting=["modifying"],
        )


def _group(inputs: Facts, facts: Facts) -> Iterator[Finding]:
    least = number(inputs.get("minSize"))
    least = number(facts.get("minSize")) if least is None else least
    serving = number(facts.get("inService"))
    if least is None or serving is None:
        yield Health.UNKNOWN, "how many of its instances serve could not be read"
    else:
        enough = serving >= least
        verdict = Health.HEALTHY if enough else Health.UNKNOWN
        yield verdict, f"{serving:g} instances serve, at least {least:g} have to"
    if inputs.get("mixedInstancesPolicy"):
        mixed = facts.get("mixed")
        yield (
            (Health.HEALTHY, "mixed instances")
            if mixed
            else (Health.UNKNOWN, "its mixed instances policy is not there")
        )
    # A group that was never refreshed has no refresh.
    if facts.get("refresh") is not None:
        yield _state(
            facts["refresh"],
            what="instance refresh",
            good=["Successful"],
            waiting=["Pending", "InProgress", "Baking"],
        )


def _function(inputs: Facts, facts: Facts) -> Iterator[Finding]:
    del inputs
    yield _state(facts.get("state"), what="state", good=["Active"], waiting=["Pending", "Inactive"])
    yield _state(
        facts.get("lastUpdate"), what="last update", good=["Successful"], waiting=["InProgress"]
    )


def _schedule(inputs: Facts, facts: Facts) -> Iterator[Finding]:
    wanted = text(inputs.get("state")) or "ENABLED"
    yield _state(facts.get("state"), what="state", good=[wanted])


def _savings_plan(inputs: Facts, facts: Facts) -> Iterator[Finding]:
    del inputs
    yield _state(
        facts.get("state"),
        what="state",
        good=["queued", "active"],
        waiting=["payment-pending"],
    )


def _scaling_policy(inputs: Facts, facts: Facts) -> Iterator[Finding]:
    yield from _same(facts, inputs, "policyType")
    if "policyType" not in facts:
        yield Health.UNKNOWN, "its type could not be read"


RULES: Mapping[str, Callable[[Facts, Facts], Iterator[Finding]]] = {
    INSTANCE: _instance,
    INSTANCE_STATE: _instance_state,
    VOLUME: _volume,
    GROUP: _group,
    FUNCTION: _function,
    SCHEDULE: _schedule,
    SAVINGS_PLAN: _savings_plan,
    SCALING_POLICY: _scaling_policy,
}
"""By Pulumi's type. What is not in it has no health of its own."""
