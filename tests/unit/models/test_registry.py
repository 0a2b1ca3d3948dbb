"""What becomes of the versions of a model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tasks.domain.models.registry import (
    COMPARED_FOR,
    KEPT_PREVIOUS,
    ModelVersion,
    NoPreviousModelError,
    Registry,
    promoted,
    replaced,
    rolled_back,
    turned_down,
    with_challenger,
)

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


def version(name: str, *, day: int = 0) -> ModelVersion:
    return ModelVersion(
        key=f"models/{name}",
        sha256=name,
        size_bytes=10,
        kind="load/1",
        trained_at=NOW + timedelta(days=day),
        trained_by=f"run-{name}",
        data_sha256="data",
        code_version="1.0",
    )


def offered(*names: str) -> Registry:
    """Return the registry after versions were trained, each a day after the one before."""
    found = Registry()
    for day, name in enumerate(names):
        found = with_challenger(found, version(name, day=day), now=NOW)
    return found


def test_the_first_version_serves_without_a_shadow_period() -> None:
    found = offered("a")
    assert found.champion == version("a")
    assert found.challenger is None
    assert found.shadow_since is None


def test_the_second_version_waits_in_its_shadow() -> None:
    found = offered("a", "b")
    assert found.champion == version("a")
    assert found.challenger == version("b", day=1)
    assert found.shadow_since == NOW


def test_an_older_challenger_that_comes_late_changes_nothing() -> None:
    found = offered("a", "b")
    assert with_challenger(found, version("c", day=-3), now=NOW) == found


def test_a_newer_challenger_takes_the_place_and_begins_its_own_shadow() -> None:
    later = NOW + timedelta(days=7)
    found = with_challenger(offered("a", "b"), version("c", day=7), now=later)
    assert found.challenger == version("c", day=7)
    assert found.shadow_since == later


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_version_that_serves_or_waits_changes_nothing_when_it_comes_again(name: str) -> None:
    found = offered("a", "b")
    assert with_challenger(found, version(name, day=9), now=NOW + timedelta(days=1)) == found


def test_an_earlier_champion_is_no_challenger() -> None:
    found = promoted(offered("a", "b"), "b")
    assert with_challenger(found, version("a", day=9), now=NOW) == found


def test_a_promotion_ends_the_shadow_and_keeps_the_one_that_served() -> None:
    found = promoted(offered("a", "b"), "b")
    assert found.champion == version("b", day=1)
    assert found.previous == (version("a"),)
    assert (found.challenger, found.shadow_since) == (None, None)


def test_promoting_what_does_not_wait_any_more_changes_nothing() -> None:
    found = offered("a", "b")
    assert promoted(found, "c") == found
    assert promoted(promoted(found, "b"), "b") == promoted(found, "b")


def test_what_was_turned_down_is_refused_with_its_reason_and_never_waits_again() -> None:
    found = turned_down(offered("a", "b"), "b", reason="not better")
    assert found.challenger is None
    assert found.refused == {"b": "not better"}
    assert with_challenger(found, version("b", day=9), now=NOW) == found


def test_turning_down_what_does_not_wait_changes_nothing() -> None:
    found = offered("a", "b")
    assert turned_down(found, "a", reason="mistaken") == found


def test_a_rollback_brings_back_the_latest_and_refuses_the_one_that_served() -> None:
    found = rolled_back(
        promoted(offered("a", "b"), "b"), name="load", reason="coverage fell", now=NOW
    )
    assert found.champion == version("a")
    assert found.previous == ()
    assert found.refused == {"b": "coverage fell"}


def test_what_served_before_is_compared_while_the_champion_is_new() -> None:
    found = promoted(offered("a", "b"), "b")
    trained_at = version("b", day=1).trained_at
    assert replaced(found, now=trained_at + COMPARED_FOR) == version("a")
    assert replaced(found, now=trained_at + COMPARED_FOR + timedelta(hours=1)) is None
    assert replaced(offered("a", "b"), now=trained_at) is None
    assert replaced(Registry(), now=trained_at) is None


def test_a_rollback_leaves_the_challenger_and_begins_its_shadow_anew() -> None:
    waiting = with_challenger(promoted(offered("a", "b"), "b"), version("c", day=2), now=NOW)
    later = NOW + timedelta(days=5)
    found = rolled_back(waiting, name="load", reason="coverage fell", now=later)
    assert found.challenger == version("c", day=2)
    assert found.shadow_since == later


def test_a_rollback_without_an_earlier_champion_says_what_to_do() -> None:
    with pytest.raises(NoPreviousModelError, match="'load' has no earlier champion"):
        rolled_back(offered("a", "b"), name="load", reason="coverage fell", now=NOW)


def test_only_the_latest_earlier_champions_are_kept() -> None:
    found = offered("v0")
    for day in range(1, KEPT_PREVIOUS + 3):
        found = with_challenger(found, version(f"v{day}", day=day), now=NOW)
        found = promoted(found, f"v{day}")
    names = [one.sha256 for one in found.previous]
    assert names == [f"v{day}" for day in range(KEPT_PREVIOUS + 1, 1, -1)]
