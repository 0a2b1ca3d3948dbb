"""Laws of the registry of a model, whatever happens to it in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.models.registry import (
    KEPT_PREVIOUS,
    ModelVersion,
    NoPreviousModelError,
    Registry,
    promoted,
    rolled_back,
    turned_down,
    with_challenger,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
names = st.sampled_from("abcdef")
events = st.lists(
    st.tuples(st.sampled_from(["train", "promote", "turn down", "roll back"]), names),
    max_size=20,
)
law = settings(max_examples=60, deadline=None)


def version(name: str, *, day: int = 0) -> ModelVersion:
    return ModelVersion(
        key=name,
        sha256=name,
        size_bytes=1,
        kind="load/1",
        trained_at=NOW + timedelta(days=day),
        trained_by="run",
        data_sha256="data",
        code_version="1.0",
    )


def after(current: Registry, event: str, name: str, *, day: int) -> Registry:
    if event == "train":
        return with_challenger(current, version(name, day=day), now=NOW + timedelta(days=day))
    if event == "promote":
        return promoted(current, name)
    if event == "turn down":
        return turned_down(current, name, reason="not better")
    try:
        return rolled_back(current, name="load", reason="worse", now=NOW + timedelta(days=day))
    except NoPreviousModelError:
        return current


def states(happened: list[tuple[str, str]]) -> list[Registry]:
    found = [Registry()]
    for day, (event, name) in enumerate(happened):
        found.append(after(found[-1], event, name, day=day))
    return found


def hashes(current: Registry) -> list[str]:
    versions = (current.champion, current.challenger, *current.previous)
    return [one.sha256 for one in versions if one is not None]


@law
@given(happened=events)
def test_a_version_is_in_one_place_only(happened: list[tuple[str, str]]) -> None:
    for current in states(happened):
        everywhere = [*hashes(current), *current.refused]
        assert len(everywhere) == len(set(everywhere))


@law
@given(happened=events)
def test_a_refused_version_never_returns(happened: list[tuple[str, str]]) -> None:
    refused: set[str] = set()
    for current in states(happened):
        assert refused <= set(current.refused)
        assert refused.isdisjoint(hashes(current))
        refused = set(current.refused)


@law
@given(happened=events)
def test_one_that_serves_stays_one_and_a_shadow_has_a_begin(
    happened: list[tuple[str, str]],
) -> None:
    served = False
    for current in states(happened):
        assert current.champion is not None or not served
        served = current.champion is not None
        assert (current.challenger is None) == (current.shadow_since is None)
        assert len(current.previous) <= KEPT_PREVIOUS


@law
@given(happened=events)
def test_a_rollback_takes_a_promotion_back(happened: list[tuple[str, str]]) -> None:
    for current in states(happened):
        if current.challenger is None or current.champion is None:
            continue
        taken = promoted(current, current.challenger.sha256)
        back = rolled_back(taken, name="load", reason="worse", now=NOW)
        assert back.champion == current.champion
        assert back.previous == current.previous[: KEPT_PREVIOUS - 1]
        assert current.challenger.sha256 in back.refused


@law
@given(happened=events)
def test_a_shadow_never_began_before_the_one_that_serves(
    happened: list[tuple[str, str]],
) -> None:
    replaced = [("train", "a"), ("train", "b"), ("promote", "b"), ("train", "c")]
    serving, since = None, NOW
    for day, current in enumerate(states([*replaced, *happened])):
        if current.champion != serving:
            # The state after n events is that of the day before.
            serving, since = current.champion, NOW + timedelta(days=day - 1)
        if current.shadow_since is not None:
            assert current.shadow_since >= since


@law
@given(happened=events, event=st.sampled_from(["train", "promote", "turn down"]), name=names)
def test_what_happens_twice_happens_once(
    happened: list[tuple[str, str]], event: str, name: str
) -> None:
    once = after(states(happened)[-1], event, name, day=99)
    assert after(once, event, name, day=99) == once


@law
@given(
    happened=events,
    days=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    trained=st.permutations("uvwxyz").map(lambda found: found[:3]),
)
def test_trainers_that_end_in_any_order_leave_one_answer(
    happened: list[tuple[str, str]], days: list[int], trained: list[str]
) -> None:
    start = with_challenger(Registry(), version("first"), now=NOW)
    for day, (event, name) in enumerate(happened):
        start = after(start, event, name, day=day)
    ended = set()
    for order in permutations(zip(trained, days, strict=True)):
        current = start
        for name, day in order:
            current = with_challenger(current, version(name, day=99 + day), now=NOW)
        ended.add(tuple(hashes(current)))
    assert len(ended) == 1
