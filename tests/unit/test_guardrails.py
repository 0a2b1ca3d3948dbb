"""Modes, windows, cooldowns and budgets: what may be changed now, and why the rest may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tasks.domain.guardrails.check import Checked, check
from tasks.domain.guardrails.cooldown import (
    MAX_WAIT,
    Attempt,
    Outcome,
    ineffective_in_a_row,
    resting_until,
    target_of,
)
from tasks.domain.guardrails.modes import Mode, Scope
from tasks.domain.guardrails.policy import (
    GuardrailPolicy,
    closed,
    effective_mode,
    most_resources,
)
from tasks.domain.guardrails.previews import check_preview, check_undo, never_made
from tasks.domain.guardrails.windows import ChangeWindow, in_window, next_opening
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import Change, Phase
from tasks.domain.stacks.preview import (
    CostDelta,
    Finding,
    Operation,
    Preview,
    PropertyDiff,
    ResourceChange,
    Source,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
MONDAY, SATURDAY, SUNDAY = 0, 5, 6
BERLIN = "Europe/Berlin"
ROOMY = GuardrailPolicy(
    mode=Mode.APPROVE,
    max_resources_per_run=100,
    max_percent_per_run=100.0,
    max_usd_per_run=1e6,
    min_saving_usd=0.0,
    max_replacements_per_run=100,
    max_deletions_per_run=100,
)


# --- modes ---


def test_modes_compare_by_caution_and_not_by_letters() -> None:
    assert sorted(Mode) == [Mode.OFF, Mode.OBSERVE, Mode.RECOMMEND, Mode.APPROVE, Mode.AUTO]
    assert sorted(Mode) == list(Mode)
    assert Mode.AUTO > Mode.OFF
    assert Mode.AUTO >= "approve"
    assert Mode.OBSERVE < Mode.RECOMMEND
    assert Mode.OBSERVE <= Mode.OBSERVE


def mode(policy: GuardrailPolicy, **fields: Any) -> Mode:
    found = {"kind": "right-size", "region": "eu-central-1", "resource": "i-1"}
    return effective_mode(policy, **(found | fields))


def test_what_no_scope_covers_has_the_mode_of_the_policy() -> None:
    scopes = (Scope(mode=Mode.AUTO, kinds=frozenset({"spot"})),)

    assert mode(GuardrailPolicy(scopes=scopes)) is Mode.OBSERVE
    assert mode(GuardrailPolicy(scopes=scopes), kind="spot") is Mode.AUTO


def test_the_most_cautious_scope_wins_in_any_order() -> None:
    auto, off = Scope(mode=Mode.AUTO), Scope(mode=Mode.OFF, pattern="i-*")

    assert mode(GuardrailPolicy(scopes=(auto, off))) is Mode.OFF
    assert mode(GuardrailPolicy(scopes=(off, auto))) is Mode.OFF
    assert mode(GuardrailPolicy(scopes=(off, auto)), resource="vol-1") is Mode.AUTO


def test_off_for_everything_is_off_whatever_scopes_say() -> None:
    policy = GuardrailPolicy(mode=Mode.OFF, scopes=(Scope(mode=Mode.AUTO),))

    assert mode(policy) is Mode.OFF


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(mode=Mode.AUTO), True),
        (Scope(mode=Mode.AUTO, regions=frozenset({"us-east-1"})), False),
        (Scope(mode=Mode.AUTO, regions=frozenset({"us-east-1", "eu-central-1"})), True),
        (Scope(mode=Mode.AUTO, pattern="web-?"), True),
        (Scope(mode=Mode.AUTO, pattern="savings-*"), True),
        (Scope(mode=Mode.AUTO, pattern="WEB-1"), False),
        (Scope(mode=Mode.AUTO, pattern="web"), False),
        (Scope(mode=Mode.AUTO, kinds=frozenset({"healing", "chaos"})), False),
    ],
)
def test_a_scope_covers_by_kind_region_id_name_or_stack(scope: Scope, covered: bool) -> None:
    found = mode(GuardrailPolicy(scopes=(scope,)), names=["web-1", "savings-eu"])

    assert (found is Mode.AUTO) is covered


def test_what_has_no_region_is_in_the_scope_of_every_region() -> None:
    policy = GuardrailPolicy(
        mode=Mode.AUTO, scopes=(Scope(mode=Mode.OFF, regions=frozenset({"us-east-1"})),)
    )

    assert mode(policy, region="") is Mode.OFF


# --- windows ---


def window(day: int, start: str, end: str, zone: str = "UTC") -> ChangeWindow:
    return ChangeWindow(
        days=frozenset({day}), start_minute=minutes(start), end_minute=minutes(end), zone=zone
    )


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def utc(day: int, clock: str, month: int = 3) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC) + timedelta(minutes=minutes(clock))


def test_without_windows_changes_may_be_made_at_any_time() -> None:
    assert in_window((), NOW)
    assert next_opening((), NOW) == NOW


@pytest.mark.parametrize(
    ("clock", "is_open"),
    [("08:59", False), ("09:00", True), ("16:59", True), ("17:00", False)],
)
def test_a_window_is_open_from_its_start_until_before_its_end(clock: str, is_open: bool) -> None:
    assert in_window([window(MONDAY, "09:00", "17:00")], utc(2, clock)) is is_open


def test_one_open_window_is_enough() -> None:
    assert in_window([window(SUNDAY, "00:00", "24:00"), window(MONDAY, "08:00", "10:00")], NOW)


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    night = [window(SUNDAY, "22:00", "06:00")]

    assert not in_window(night, utc(1, "05:00"))
    assert in_window(night, utc(1, "23:00"))
    assert in_window(night, utc(2, "05:59"))
    assert not in_window(night, utc(2, "06:00"))
    assert not in_window(night, utc(2, "23:00"))


def test_a_whole_day_has_24_hours() -> None:
    day = [window(MONDAY, "00:00", "24:00")]

    assert in_window(day, utc(2, "00:00"))
    assert in_window(day, utc(2, "23:59"))
    assert not in_window(day, utc(3, "00:00"))


def test_an_end_that_is_the_start_is_that_of_the_next_day() -> None:
    around = [window(MONDAY, "09:00", "09:00")]

    assert in_window(around, utc(3, "08:59"))
    assert not in_window(around, utc(3, "09:00"))


def test_the_next_opening_is_now_or_the_earliest_of_all_windows() -> None:
    two = [window(SATURDAY, "10:00", "12:00"), window(SUNDAY, "01:00", "02:00", BERLIN)]

    assert next_opening(two, NOW) == utc(7, "10:00")
    assert next_opening(two, utc(7, "11:00")) == utc(7, "11:00")
    assert next_opening(two, utc(7, "12:00")) == utc(8, "00:00")
    assert next_opening(two, utc(8, "01:00")) == utc(14, "10:00")


def test_windows_follow_the_clock_of_their_zone() -> None:
    kolkata = [window(MONDAY, "14:30", "15:00", "Asia/Kolkata")]

    assert in_window(kolkata, utc(2, "09:00"))
    assert not in_window(kolkata, utc(2, "09:30"))
    assert in_window(kolkata, utc(2, "09:00").astimezone(timezone(timedelta(hours=-8))))


def test_where_clocks_go_forward_a_window_is_an_hour_shorter() -> None:
    # In Berlin the 29th of March 2026 has no 02:00 to 03:00.
    early = [window(SUNDAY, "01:00", "04:00", BERLIN)]

    assert in_window(early, utc(29, "00:00"))
    assert in_window(early, utc(29, "01:59"))
    assert not in_window(early, utc(29, "02:00"))


def test_a_window_overnight_ends_by_the_clock_of_the_next_day() -> None:
    night = [window(SATURDAY, "22:00", "06:00", BERLIN)]

    assert next_opening(night, utc(28, "12:00")) == utc(28, "21:00")
    assert in_window(night, utc(29, "03:59"))
    assert not in_window(night, utc(29, "04:00"))


def test_a_window_that_begins_in_the_hour_that_is_skipped_begins_as_much_later() -> None:
    assert next_opening([window(SUNDAY, "02:30", "05:00", BERLIN)], utc(29, "00:00")) == utc(
        29, "01:30"
    )


def test_a_window_that_only_the_skipped_hour_holds_does_not_open_that_day() -> None:
    opening = next_opening([window(SUNDAY, "02:30", "03:00", BERLIN)], utc(29, "00:00"))

    assert opening == utc(5, "00:30", month=4)


def test_of_an_hour_that_comes_twice_the_first_counts() -> None:
    # In Berlin 02:00 to 03:00 comes twice on the 25th of October 2026.
    short = [window(SUNDAY, "02:15", "02:45", BERLIN)]

    assert in_window(short, utc(25, "00:15", month=10))
    assert not in_window(short, utc(25, "00:45", month=10))
    assert not in_window(short, utc(25, "01:20", month=10))


def test_a_window_without_days_never_opens() -> None:
    never = replace(window(MONDAY, "00:00", "24:00"), days=frozenset())

    assert next_opening([never], NOW) is None
    assert not in_window([never], NOW)
    assert "choose days" in str(closed(GuardrailPolicy(windows=(never,)), NOW))


def test_the_kill_switch_comes_before_windows() -> None:
    shut = GuardrailPolicy(kill_switch=True, windows=(window(SUNDAY, "00:00", "01:00"),))

    assert "kill switch" in str(closed(shut, NOW))
    assert "next one opens at 2026-03-08 00:00 UTC" in str(
        closed(replace(shut, kill_switch=False), NOW)
    )
    assert closed(GuardrailPolicy(), NOW) is None


# --- cooldown ---

GOOD, BAD, UNSURE = Outcome.VERIFIED, Outcome.INEFFECTIVE, Outcome.INCONCLUSIVE
DAY = timedelta(days=1)


def attempts(*outcomes: Outcome, target: str = "eu-central-1/i-1") -> list[Attempt]:
    """The last of them a day before NOW."""
    return [
        Attempt(
            target=target,
            action="right-size",
            at=NOW - DAY * (len(outcomes) - number),
            outcome=one,
        )
        for number, one in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("outcomes", "waits"),
    [
        ((GOOD,), DAY),
        ((BAD,), 2 * DAY),
        ((BAD, GOOD), DAY),
        ((GOOD, BAD), 2 * DAY),
        ((BAD, BAD), 4 * DAY),
        ((BAD, UNSURE, BAD), 8 * DAY),
        ((BAD,) * 9, MAX_WAIT),
        ((BAD,) * 2000, MAX_WAIT),
    ],
)
def test_each_attempt_in_a_row_that_was_not_verified_doubles_the_rest(
    outcomes: tuple[Outcome, ...], waits: timedelta
) -> None:
    made = attempts(*outcomes)

    assert resting_until(made, cooldown=DAY) == NOW - DAY + waits
    assert resting_until(reversed(made), cooldown=DAY) == NOW - DAY + waits


def test_what_was_never_touched_does_not_rest() -> None:
    assert resting_until([], cooldown=DAY) is None
    assert ineffective_in_a_row([]) == 0


def test_a_cooldown_of_zero_is_none() -> None:
    assert resting_until(attempts(BAD, BAD), cooldown=timedelta(0)) == NOW - DAY


# --- changes ---


def change(number: int = 1, **fields: Any) -> Change:
    found: dict[str, Any] = {
        "change_id": f"hs-{number}",
        "kind": Kind.RIGHT_SIZE,
        "resource": f"i-{number}",
        "region": "eu-central-1",
        "summary": "Make it smaller",
        "owner": "",
        "reason": "idle",
        "saving": Usd.exactly(100.0),
        "restart": True,
        "reversible": True,
        "disruption": 0.1 * number,
    }
    return Change(**(found | fields))


def checked(policy: GuardrailPolicy, *changes: Change, **fields: Any) -> Checked:
    found: dict[str, Any] = {"population": 100, "now": NOW, "history": ()}
    return check(changes or (change(),), policy, **(found | fields))


def ids(found: Checked) -> list[str]:
    return [one.change_id for one in found.allowed]


def reasons(found: Checked) -> str:
    return "\n".join(f"{one.resource}: {one.why}" for one in found.refused)


def test_the_defaults_let_nothing_be_changed() -> None:
    found = checked(GuardrailPolicy())

    assert found.allowed == ()
    assert found.mode is Mode.OFF
    assert "its mode is observe, needs approve" in reasons(found)


def test_the_kill_switch_refuses_everything_and_comes_first() -> None:
    found = checked(replace(ROOMY, kill_switch=True, mode=Mode.OFF), applying=True)

    assert "i-1: the kill switch is on" in reasons(found)
    assert checked(replace(ROOMY, kill_switch=True), applying=False).allowed == ()


def test_outside_of_windows_nothing_is_applied_but_proposed() -> None:
    policy = replace(ROOMY, windows=(window(SUNDAY, "01:00", "02:00", BERLIN),))

    assert "next one opens at 2026-03-08 00:00 UTC" in reasons(checked(policy))
    assert ids(checked(policy, applying=False)) == ["hs-1"]


def test_a_recommendation_needs_less_than_an_apply() -> None:
    policy = replace(ROOMY, mode=Mode.RECOMMEND)

    assert ids(checked(policy, applying=False)) == ["hs-1"]
    assert "its mode is recommend, needs approve" in reasons(checked(policy))


def test_the_most_cautious_mode_of_what_is_allowed_is_that_of_the_run() -> None:
    policy = replace(ROOMY, mode=Mode.AUTO, scopes=(Scope(mode=Mode.APPROVE, pattern="db"),))

    assert checked(policy, change(1), change(2)).mode is Mode.AUTO
    assert checked(policy, change(1), change(2), names={"i-2": "db"}).mode is Mode.APPROVE
    assert checked(policy, change(1), stack="db").mode is Mode.APPROVE


def test_a_small_saving_is_not_worth_a_change() -> None:
    policy = replace(ROOMY, min_saving_usd=100.0)

    assert ids(checked(policy)) == ["hs-1"]
    small = change(saving=Usd.exactly(99.99))
    assert "saves 99.99 USD a month, less than min_saving_usd = 100.00" in reasons(
        checked(policy, small)
    )
    assert checked(policy, change(saving=Usd.exactly(float("nan")))).allowed == ()


def test_what_was_changed_lately_rests() -> None:
    policy = replace(ROOMY, cooldown=2 * DAY)
    found = checked(policy, change(1), change(2), history=attempts(GOOD))

    assert ids(found) == ["hs-2"]
    assert "i-1: was changed lately and rests until 2026-03-03 09:00 UTC" in reasons(found)
    assert ids(checked(policy, history=attempts(GOOD), now=NOW + DAY)) == ["hs-1"]


def test_another_action_or_region_does_not_rest() -> None:
    history = attempts(BAD, target=target_of(region="us-east-1", resource="i-1"))

    assert ids(checked(ROOMY, history=history)) == ["hs-1"]
    assert ids(checked(ROOMY, change(kind=Kind.STOP), history=attempts(BAD))) == ["hs-1"]


def test_after_three_attempts_without_effect_a_person_decides() -> None:
    later = NOW + timedelta(days=365)

    assert "a person has to look at it" in reasons(
        checked(ROOMY, history=attempts(BAD, UNSURE, BAD), now=later)
    )
    assert ids(checked(ROOMY, history=attempts(BAD, BAD, BAD, GOOD), now=later)) == ["hs-1"]
    assert ids(checked(ROOMY, history=attempts(BAD, BAD), now=later)) == ["hs-1"]


def test_the_smallest_disruption_goes_first_and_the_rest_waits() -> None:
    policy = replace(ROOMY, max_resources_per_run=2)
    found = checked(policy, change(3), change(1), change(4), change(2))

    assert ids(found) == ["hs-1", "hs-2"]
    assert "i-3: over the limit of 2 resources a run: next run" in reasons(found)


def test_among_equals_the_largest_saving_goes_first() -> None:
    small, large = change(1, disruption=0.5), change(2, saving=Usd.exactly(200.0), disruption=0.5)

    assert ids(checked(replace(ROOMY, max_resources_per_run=1), small, large)) == ["hs-2"]


def test_two_changes_of_one_resource_count_as_one() -> None:
    policy = replace(ROOMY, max_resources_per_run=1)
    both = change(1), change(2, resource="i-1", kind=Kind.SCHEDULE)

    assert ids(checked(policy, *both)) == ["hs-1", "hs-2"]


@pytest.mark.parametrize(
    ("percent", "population", "most"),
    [(10.0, 100, 10), (10.0, 9, 0), (10.0, 19, 1), (100.0, 3, 3), (0.0, 1000, 0), (33.3, 1000, 20)],
)
def test_a_percentage_is_rounded_down(percent: float, population: int, most: int) -> None:
    policy = replace(ROOMY, max_percent_per_run=percent, max_resources_per_run=20)

    assert most_resources(policy, population=population) == most


def test_a_percentage_that_is_nothing_says_what_to_raise() -> None:
    found = checked(replace(ROOMY, max_percent_per_run=10.0), population=9)

    assert "over the limit of 0 resources a run (10 % of 9)" in reasons(found)
    assert "raise max_resources_per_run or max_percent_per_run" in reasons(found)


@pytest.mark.parametrize(
    "zero", [{"max_resources_per_run": 0}, {"max_percent_per_run": 0.0}, {"max_usd_per_run": 0.0}]
)
def test_zero_means_zero(zero: dict[str, Any]) -> None:
    assert checked(replace(ROOMY, **zero), change(1), change(2)).allowed == ()


def test_money_is_limited_by_how_far_it_moves_and_smaller_changes_still_fit() -> None:
    policy = replace(ROOMY, max_usd_per_run=250.0)
    found = checked(policy, change(1), change(2, saving=Usd.exactly(900.0)), change(3), change(4))

    assert ids(found) == ["hs-1", "hs-3"]
    assert "i-2: moves 900.00 USD a month, over the limit of 250.00 a run by itself" in reasons(
        found
    )
    assert "i-4: over the limit of 250.00 USD a month a run, 200.00 are taken: next run" in reasons(
        found
    )


def test_nothing_is_lost_and_nothing_comes_twice() -> None:
    found = checked(replace(ROOMY, max_resources_per_run=2), *map(change, range(1, 8)))

    assert len(found.allowed) + len(found.refused) == 7
    assert checked(ROOMY, *()).allowed != ()
    assert check((), ROOMY, population=0, now=NOW, history=()) == Checked(
        allowed=(), refused=(), mode=Mode.OFF
    )


# --- previews ---


def line(operation: Operation = Operation.UPDATE, name: str = "web", **more: Any) -> ResourceChange:
    return ResourceChange(
        name=name, token="aws:ec2/instance:Instance", urn=f"urn:{name}", operation=operation, **more
    )


def cost(name: str = "web", before: float | None = 280.0, after: float | None = 70.0) -> CostDelta:
    return CostDelta(name=name, before_usd=before, after_usd=after, basis="")


def preview(*lines: ResourceChange, **fields: Any) -> Preview:
    found: dict[str, Any] = {
        "stack": "savings",
        "region": "eu-central-1",
        "phase": Phase.CHANGE,
        "source": Source.ENGINE,
        "program_sha256": "a",
        "state_serial": "1",
        "changes": lines or (line(),),
        "costs": (cost(),),
    }
    return Preview(**(found | fields))


def refusals(asked: Preview, policy: GuardrailPolicy = ROOMY, **fields: Any) -> str:
    return "\n".join(check_preview(asked, policy, **fields))


def test_a_preview_within_all_limits_is_not_refused() -> None:
    assert check_preview(preview(), GuardrailPolicy()) == ()


STRICT = GuardrailPolicy()


@pytest.mark.parametrize(
    ("asked", "policy", "said"),
    [
        (preview(), replace(ROOMY, kill_switch=True), "kill switch"),
        (
            preview(findings=(Finding(rule="r", resource="web", message="m", mandatory=True),)),
            ROOMY,
            "web breaks the rule r: m",
        ),
        (preview(drift=(line(name="db"),)), ROOMY, "somebody changed 'db' in the account"),
        (preview(line(Operation.DELETE)), STRICT, "max_deletions_per_run = 0"),
        (preview(line(Operation.REPLACE)), STRICT, "max_replacements_per_run = 0"),
        (
            preview(line(diffs=(PropertyDiff(path="ami", before=1, after=2, replaces=True),))),
            STRICT,
            "1 resources would be made anew ('web')",
        ),
        (
            preview(*(line(name=f"w{at}") for at in range(6)), costs=()),
            STRICT,
            "6 resources would be changed ('w0', 'w1', 'w2', 'w3', 'w4' and 1 more)",
        ),
        (
            preview(line(Operation.DELETE, protected=True)),
            ROOMY,
            "'web' would be deleted or made anew",
        ),
        (preview(line(Operation.REPLACE, protected=True)), ROOMY, "is protected"),
        (preview(costs=(cost(after=None),)), ROOMY, "what 'web' will cost is not known"),
        (preview(costs=(cost(after=float("nan")),)), ROOMY, "a cost is not a number"),
        (preview(costs=(cost(after=float("inf")),)), ROOMY, "a cost is not a number"),
        (
            preview(phase=Phase.ADOPT),
            ROOMY,
            "an adoption changes nothing, and this one would update",
        ),
        (preview(line(Operation.FORGET), phase=Phase.ADOPT), ROOMY, "this one would forget"),
    ],
)
def test_a_preview_beyond_a_limit_is_refused(
    asked: Preview, policy: GuardrailPolicy, said: str
) -> None:
    assert said in refusals(asked, policy)


def test_a_purchase_is_not_paid_for_by_a_saving() -> None:
    both = preview(costs=(cost("web", 300.0, 0.0), cost("plan", 0.0, 300.0)))

    assert "moves 600.00 USD a month in all, max_usd_per_run = 599.00" in refusals(
        both, replace(ROOMY, max_usd_per_run=599.0)
    )
    assert refusals(both, replace(ROOMY, max_usd_per_run=600.0)) == ""


def test_what_only_comes_under_a_stack_or_stays_needs_no_price() -> None:
    lines = line(Operation.IMPORT), line(Operation.SAME, name="db")
    adopted = preview(*lines, phase=Phase.ADOPT, costs=(cost(after=None), cost("db", None, None)))

    assert refusals(adopted, STRICT) == ""


def test_an_undo_takes_back_what_the_change_made_and_restores_without_a_price() -> None:
    undo = preview(
        line(Operation.DELETE, name="function"),
        line(),
        phase=Phase.UNDO,
        costs=(cost(before=None), cost("function", 1e9, 0.0)),
    )

    assert refusals(undo, STRICT, created=frozenset({"urn:function"})) == ""
    assert "max_deletions_per_run = 0" in refusals(undo, STRICT)
    again = replace(undo, phase=Phase.CHANGE)
    assert "max_deletions_per_run = 0" in refusals(
        again, STRICT, created=frozenset({"urn:function"})
    )


def test_what_the_change_made_does_not_count_as_changed_when_an_undo_takes_it_back() -> None:
    names = [f"part-{at}" for at in range(6)]
    undo = preview(*(line(Operation.DELETE, name=one) for one in names), phase=Phase.UNDO)

    assert refusals(undo, STRICT, created=frozenset(f"urn:{one}" for one in names)) == ""


# --- an undo that runs by itself ---

MADE = preview(line(), line(Operation.CREATE, name="function"), line(Operation.REPLACE, name="db"))


def undo(*lines: ResourceChange, **fields: Any) -> Preview:
    return preview(*lines, **({"phase": Phase.UNDO, "costs": ()} | fields))


def test_an_undo_of_what_the_change_did_needs_no_other_approval() -> None:
    back = undo(line(), line(Operation.DELETE, name="function"), line(Operation.REPLACE, name="db"))

    assert check_undo(back, replace(ROOMY, max_deletions_per_run=0), applied=MADE) == ()


def started(machine: str) -> ResourceChange:
    return replace(
        line(Operation.CREATE, name="clock-state"),
        token="aws:ec2transitgateway/instanceState:InstanceState",
        inputs_after={"instanceId": machine, "state": "running"},
    )


def test_an_undo_may_start_a_machine_that_the_change_acted_on_and_no_other() -> None:
    made = preview(replace(line(), resource_id="i-1"))

    assert check_undo(undo(started("i-1")), ROOMY, applied=made) == ()
    assert "acts on what the change did not" in "\n".join(
        check_undo(undo(started("i-2")), ROOMY, applied=made)
    )


def test_an_undo_leaves_out_what_the_change_never_made() -> None:
    back = undo(line(Operation.CREATE, name="function"), line())

    assert never_made(back, MADE) == ("urn:function",)


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (undo(line(name="other")), "it acts on what the change did not: 'other'"),
        (undo(line(Operation.DELETE)), "it deletes what the change did not make: 'web'"),
        (undo(line(Operation.REPLACE)), "it makes anew what the change did not: 'web'"),
        (undo(line(), phase=Phase.CHANGE), "it is no undo: its phase is change"),
        (undo(line(), source=Source.ESTIMATE), "it is an estimate"),
        (
            undo(replace(line(), token="aws:savingsplans/savingsPlan:SavingsPlan")),
            "it commits to pay for 'web'",
        ),
        (undo(line(), drift=(line(name="x"),)), "somebody changed 'x'"),
    ],
)
def test_an_undo_that_does_more_asks_for_its_own_approval(back: Preview, said: str) -> None:
    assert said in "\n".join(check_undo(back, ROOMY, applied=MADE))


def test_the_kill_switch_stops_an_undo_as_well() -> None:
    assert "kill switch" in "\n".join(
        check_undo(undo(line()), replace(ROOMY, kill_switch=True), applied=MADE)
    )
