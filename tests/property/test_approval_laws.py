"""Laws of approvals and guardrails."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.guardrails.check import check
from tasks.domain.guardrails.cooldown import Attempt, Outcome, resting_until, target_of
from tasks.domain.guardrails.modes import Mode, Scope
from tasks.domain.guardrails.policy import GuardrailPolicy, effective_mode, most_resources
from tasks.domain.guardrails.windows import ChangeWindow, in_window, next_opening
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.approval import Given, approval_document, ask, demanded, sha256
from tasks.domain.stacks.canonical import canonical_json
from tasks.domain.stacks.changes import Change, Phase
from tasks.domain.stacks.judgement import Approved, judge
from tasks.domain.stacks.preview import (
    CostDelta,
    Operation,
    Preview,
    PropertyDiff,
    ResourceChange,
    Source,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
END = NOW + timedelta(hours=2)
REGION = "eu-central-1"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-10, 10) | st.floats(-1e6, 1e6) | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=8,
)
operations = st.sampled_from(Operation)


@st.composite
def lines(draw: st.DrawFn) -> ResourceChange:
    name = draw(st.sampled_from("abcdef"))
    diffs = st.builds(PropertyDiff, path=texts, before=values, after=values, replaces=st.booleans())
    return ResourceChange(
        name=name,
        token="aws:ec2/instance:Instance",
        urn=f"urn:{name}:{draw(st.integers(0, 9))}",
        operation=draw(operations),
        resource_id=draw(st.none() | texts),
        diffs=tuple(draw(st.lists(diffs, max_size=3))),
        inputs_before=draw(st.none() | st.dictionaries(texts, values, max_size=3)),
        inputs_after=draw(st.none() | st.dictionaries(texts, values, max_size=3)),
    )


@st.composite
def previews(draw: st.DrawFn) -> Preview:
    usd = st.none() | st.floats(0, 1e6)
    costs = st.builds(CostDelta, name=texts, before_usd=usd, after_usd=usd, basis=texts)
    return Preview(
        stack="savings",
        region=REGION,
        phase=Phase.CHANGE,
        source=Source.ENGINE,
        program_sha256=sha256("program"),
        state_serial=draw(texts),
        changes=tuple(draw(st.lists(lines(), max_size=5))),
        drift=tuple(draw(st.lists(lines(), max_size=2))),
        costs=tuple(draw(st.lists(costs, max_size=4))),
    )


def document(preview: Preview) -> str:
    return approval_document(preview, request_id="r", expires_at=END)


@given(values, values)
def test_two_values_have_one_text_exactly_when_json_has_them_for_the_same(
    one: object, other: object
) -> None:
    assert (canonical_json(one) == canonical_json(other)) == (meaning(one) == meaning(other))


def meaning(value: object) -> object:
    """The value with types that Python's equality does not blur."""
    if isinstance(value, dict):
        return "mapping", frozenset((key, meaning(one)) for key, one in value.items())
    if isinstance(value, tuple):
        return "list", *map(meaning, value)
    return "truth" if isinstance(value, bool) else "", value


@given(values)
def test_a_text_read_again_gives_the_same_text(value: object) -> None:
    text = canonical_json(value)

    assert canonical_json(json.loads(text)) == text
    assert text.isascii()


@given(previews(), st.randoms(use_true_random=False))
def test_the_order_of_lines_diffs_and_costs_means_nothing(preview: Preview, rng: Random) -> None:
    def mixed(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(rng.sample(entries, len(entries)))

    other = replace(
        preview,
        changes=mixed(tuple(replace(one, diffs=mixed(one.diffs)) for one in preview.changes)),
        drift=mixed(preview.drift),
        costs=mixed(preview.costs),
    )

    assert document(other) == document(preview)


@given(previews(), lines(), st.data())
def test_another_line_that_acts_is_another_document(
    preview: Preview, line: ResourceChange, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(preview.changes)))
    other = replace(preview, changes=(*preview.changes[:at], line, *preview.changes[at:]))

    acts = line.operation is not Operation.SAME
    assert (document(other) != document(preview)) == acts


@given(previews(), st.integers(1, 10**6), st.data())
def test_any_cent_in_any_line_is_another_document(
    preview: Preview, cents: int, data: st.DataObject
) -> None:
    known = [at for at, one in enumerate(preview.costs) if one.after_usd is not None]
    if not known:
        return
    costs = list(preview.costs)
    at = data.draw(st.sampled_from(known))
    costs[at] = replace(costs[at], after_usd=(costs[at].after_usd or 0.0) + cents / 100.0)

    assert document(replace(preview, costs=tuple(costs))) != document(preview)


@given(previews(), previews(), st.integers(0, 3), st.booleans())
def test_what_is_approved_is_what_was_asked_with_all_the_signers_it_takes(
    asked: Preview, found: Preview, signers: int, same: bool
) -> None:
    found = asked if same else found
    request = ask(asked, request_id="r", requested_at=NOW - timedelta(hours=1), expires_at=END)
    answer = Given(
        hash=request.hash,
        approver="ada",
        reason="",
        approved=True,
        signatures=("a", "b", "c"),
        given_at=NOW,
    )
    names = frozenset(("ada", "bob", "cleo")[:signers])

    verdict = judge(
        request, answer, preview_now=found, now=NOW, verified_signers=names, used=frozenset()
    )

    enough = signers >= demanded(found).signers
    assert isinstance(verdict, Approved) == (enough and document(found) == document(asked))


# --- guardrails ---


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    count = draw(st.integers(0, 8))
    return [
        Change(
            change_id=f"hs-{number}",
            kind=draw(st.sampled_from((Kind.RIGHT_SIZE, Kind.STOP))),
            resource=f"i-{draw(st.integers(0, 4))}",
            region=REGION,
            summary="",
            owner="",
            reason="",
            saving=Usd.exactly(draw(st.integers(0, 400))),
            restart=False,
            reversible=True,
            disruption=draw(st.sampled_from((0.0, 0.1, 0.5, 1.0))),
        )
        for number in range(count)
    ]


policies = st.builds(
    GuardrailPolicy,
    kill_switch=st.booleans(),
    mode=st.sampled_from(Mode),
    scopes=st.lists(
        st.builds(
            Scope,
            mode=st.sampled_from(Mode),
            kinds=st.sampled_from((frozenset(), frozenset({"stop"}))),
            pattern=st.sampled_from(("*", "i-1", "i-[01]")),
        ),
        max_size=3,
    ).map(tuple),
    max_resources_per_run=st.integers(0, 6),
    max_percent_per_run=st.floats(0, 100),
    max_usd_per_run=st.floats(0, 1000),
    min_saving_usd=st.floats(0, 100),
)
histories = st.lists(
    st.builds(
        Attempt,
        target=st.sampled_from([target_of(region=REGION, resource=f"i-{at}") for at in range(5)]),
        action=st.sampled_from(("right-size", "stop")),
        at=st.integers(0, 200).map(lambda hours: NOW - timedelta(hours=hours)),
        outcome=st.sampled_from(Outcome),
    ),
    max_size=6,
)


@given(changes(), policies, st.integers(0, 50), histories)
def test_what_is_allowed_is_within_every_limit_and_nothing_is_lost(
    wanted: list[Change], policy: GuardrailPolicy, population: int, history: list[Attempt]
) -> None:
    found = check(wanted, policy, population=population, now=NOW, history=history)

    assert len(found.allowed) + len(found.refused) == len(wanted)
    assert set(found.allowed) <= set(wanted)
    resources = {one.resource for one in found.allowed}
    assert len(resources) <= most_resources(policy, population=population)
    assert sum(one.saving.expected for one in found.allowed) <= policy.max_usd_per_run + 1e-6
    assert list(found.allowed) == sorted(found.allowed, key=lambda one: one.disruption)
    assert not (found.allowed and policy.kill_switch)
    for one in found.allowed:
        mode = effective_mode(policy, kind=one.kind, region=REGION, resource=one.resource)
        assert mode >= Mode.APPROVE
        assert mode >= found.mode


@given(changes(), policies, st.integers(0, 50), st.randoms(use_true_random=False))
def test_the_order_in_which_changes_are_wanted_means_nothing(
    wanted: list[Change], policy: GuardrailPolicy, population: int, rng: Random
) -> None:
    mixed = rng.sample(wanted, len(wanted))

    assert check(wanted, policy, population=population, now=NOW, history=()) == check(
        mixed, policy, population=population, now=NOW, history=()
    )


@given(policies, st.sampled_from(Mode), st.sampled_from(("stop", "spot")))
def test_one_scope_more_never_raises_what_a_scope_covered(
    policy: GuardrailPolicy, mode: Mode, kind: str
) -> None:
    scopes = (*policy.scopes, Scope(mode=policy.mode))
    before = replace(policy, scopes=scopes)
    after = replace(policy, scopes=(*scopes, Scope(mode=mode)))

    def of(one: GuardrailPolicy) -> Mode:
        return effective_mode(one, kind=kind, region=REGION, resource="i-1")

    assert of(after) <= of(before)
    assert of(after) <= mode


@given(histories, st.integers(1, 100))
def test_a_failure_more_never_shortens_the_rest(history: list[Attempt], hours: int) -> None:
    cooldown = timedelta(hours=hours)
    failed = Attempt(
        target="t", action="a", at=NOW + timedelta(hours=1), outcome=Outcome.INEFFECTIVE
    )
    verified = replace(failed, outcome=Outcome.VERIFIED)

    after = resting_until([*history, failed], cooldown=cooldown)
    better = resting_until([*history, verified], cooldown=cooldown)

    assert after is not None
    assert better is not None
    assert after >= better > failed.at


windows = st.lists(
    st.builds(
        ChangeWindow,
        days=st.frozensets(st.integers(0, 6), max_size=3),
        start_minute=st.integers(0, 1439),
        end_minute=st.integers(1, 1440),
        zone=st.sampled_from(
            ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
        ),
    ),
    min_size=1,
    max_size=3,
)
# Around the days in March, April, October and November on which some clock changes.
moments = st.integers(0, 370 * 24 * 12).map(
    lambda steps: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * steps)
)


@given(windows, moments)
def test_the_next_opening_is_the_first_moment_that_is_open(
    some: list[ChangeWindow], now: datetime
) -> None:
    opening = next_opening(some, now)

    if opening is None:
        assert not any(one.days for one in some) or not in_window(some, now)
        return
    assert opening >= now
    assert in_window(some, opening)
    assert (opening == now) == in_window(some, now)
    if opening > now:
        assert not in_window(some, opening - timedelta(microseconds=1))


@given(windows, moments)
def test_where_no_clock_changes_a_window_is_what_the_clock_shows(
    some: list[ChangeWindow], now: datetime
) -> None:
    steady = [one for one in some if one.zone in ("UTC", "Asia/Kolkata")]

    assert in_window(steady, now) == (not steady or any(shows(one, now) for one in steady))


def shows(window: ChangeWindow, now: datetime) -> bool:
    clock = now.astimezone(ZoneInfo(window.zone))
    minute = clock.hour * 60 + clock.minute
    today, yesterday = clock.weekday() in window.days, (clock.weekday() - 1) % 7 in window.days
    if window.start_minute < window.end_minute:
        return today and window.start_minute <= minute < window.end_minute
    return (today and minute >= window.start_minute) or (yesterday and minute < window.end_minute)
