"""Rules that leave resources alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.policy import Ignore, SavingsPolicy

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = {"i-1": "cache-1", "i-2": "web"}


def policy(*rules: Ignore) -> SavingsPolicy:
    return SavingsPolicy(ignores=rules, names=NAMES)


def test_a_rule_may_use_the_name_the_id_or_a_pattern_of_either() -> None:
    for resource in ("cache-1", "i-1", "cache-*", "i-?"):
        rules = policy(Ignore(resource=resource, reason="audit"))

        assert rules.ignored(Kind.STOP, "i-1", now=NOW) is not None, resource
    assert (
        policy(Ignore(resource="cache-*", reason="audit")).ignored(Kind.STOP, "i-2", now=NOW)
        is None
    )


def test_a_rule_ends_when_it_says() -> None:
    rules = policy(Ignore(resource="web", reason="audit", expires_at=NOW + timedelta(days=1)))

    assert rules.ignored(Kind.STOP, "i-2", now=NOW) is not None
    assert rules.ignored(Kind.STOP, "i-2", now=NOW + timedelta(days=1)) is None


def test_a_rule_that_matches_nothing_is_named_unless_it_has_ended() -> None:
    rules = policy(
        Ignore(resource="cahce-1", reason="a slip"),
        Ignore(resource="cache-1", reason="audit"),
        Ignore(resource="gone", reason="long ago", expires_at=NOW),
    )

    assert rules.matching_nothing(["i-1", "i-2"], now=NOW) == ("cahce-1",)
