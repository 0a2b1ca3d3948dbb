"""What a model card says, and what it leaves unsaid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tasks.domain.models.card import Decision, ModelCard, card_markdown
from tasks.domain.models.card_chart import card_chart
from tasks.domain.models.family import RollingErrors, rolling_errors_of
from tasks.domain.models.promotion import Trial, judge_challenger
from tasks.domain.models.quality import check_window
from tasks.domain.models.registry import ModelVersion, Registry

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
VALUES = np.random.default_rng(3).uniform(20.0, 40.0, (3, 28 * 24))
QUALITY = check_window(
    VALUES, series=("a", "b", "c"), step=timedelta(hours=1), end=AT, now=AT + timedelta(hours=5)
)


def rolling(*, off: float) -> RollingErrors:
    rng = np.random.default_rng(4)
    actual = [rng.uniform(20.0, 40.0, (3, 24)) for _ in range(12)]
    return rolling_errors_of(
        series=("a", "b", "c"),
        groups=("idle", "periodic", "periodic"),
        actual=actual,
        quantiles=[np.stack([one - 2.0, one + off, one + 2.0], axis=-1) for one in actual],
        naive=[one + 1.0 for one in actual],
        scale=np.ones(3),
    )


CHAMPION, CHALLENGER = rolling(off=0.5), rolling(off=0.25)


def version(letter: str, *, days_ago: int) -> ModelVersion:
    return ModelVersion(
        key=f"models/{letter}",
        sha256=letter * 64,
        size_bytes=9,
        kind="load/1",
        trained_at=AT - timedelta(days=days_ago),
        trained_by="0f-run",
        data_sha256="d" * 64,
        code_version="0.1.0",
    )


CARD = ModelCard(
    name="load-cpu",
    made_at=AT,
    decision=Decision.WAITS,
    reason="Promoted: 50.0 % better (p 0.001).",
    quality=QUALITY,
    drift=None,
    champion=CHAMPION,
    challenger=CHALLENGER,
    verdict=judge_challenger(
        Trial(errors=CHAMPION.error, hits=CHAMPION.covered),
        Trial(errors=CHALLENGER.error, hits=CHALLENGER.covered),
        groups=CHALLENGER.groups,
        critical_groups=("periodic",),
    ),
    registry=Registry(
        champion=version("a", days_ago=30),
        challenger=version("b", days_ago=0),
        previous=(version("c", days_ago=60),),
        refused={"e" * 64: "it paged people"},
    ),
    events=("Champion `aaaaaaaaaaaa`: kept.",),
)


def test_a_card_begins_with_the_decision_and_shows_both_beside_the_naive_forecast() -> None:
    found = card_markdown(CARD)
    assert found.startswith("# `load-cpu`, 28 Nov 2026 12:00 UTC\n")
    assert "**A challenger waits in its shadow period.** Promoted: 50.0 % better" in found
    assert "| champion | 0.500 | +0.500 | 100.0% |" in found
    assert "| challenger | 0.250 | +0.750 | 100.0% |" in found
    assert "3 series, 12 origins, 24 hours ahead." in found


def test_groups_say_which_of_them_can_stop_a_promotion() -> None:
    found = card_markdown(CARD)
    assert "| periodic | +50.0 % |" in found
    assert "| idle | +50.0 % | +50.0 % | no |" in found


def test_every_version_is_named_with_its_role_and_what_was_refused() -> None:
    found = card_markdown(CARD)
    for role, letter in (("champion", "a"), ("challenger", "b"), ("earlier champion", "c")):
        assert f"| {role} | `{letter * 12}` |" in found
    assert "Never promoted again: `eeeeeeeeeeee` (it paged people)." in found


def test_data_is_described_and_a_limit_that_is_broken_is_named() -> None:
    assert "3 series over 28.0 days, 5 h old; 100% of the values are known" in card_markdown(CARD)
    short = check_window(VALUES[:, :48], series=("a", "b", "c"), step=timedelta(hours=1))
    found = card_markdown(replace(CARD, quality=short, decision=Decision.UNUSABLE))
    assert "**Not usable:** 2.0 days of data, at least 14 are needed." in found


def test_what_was_not_judged_has_no_table() -> None:
    found = card_markdown(
        replace(CARD, champion=None, challenger=None, verdict=None, registry=Registry(), events=())
    )
    assert "Out of sample" not in found
    assert "By group" not in found
    assert "## Versions\n\nNone yet." in found


def test_the_chart_is_a_picture_and_needs_something_to_draw() -> None:
    image = card_chart(champion=CHAMPION, challenger=None, title="load-cpu")
    assert image.startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="nothing to draw"):
        card_chart(champion=None, challenger=None, title="load-cpu")


def test_errors_where_no_truth_is_known_are_unknown_and_never_zero() -> None:
    found = rolling_errors_of(
        series=("a",),
        groups=("idle",),
        actual=[np.array([[1.0, np.nan]]), np.array([[np.nan, np.nan]])],
        quantiles=[np.zeros((1, 2, 3))] * 2,
        naive=[np.zeros((1, 2))] * 2,
        scale=np.array([2.0]),
    )
    np.testing.assert_array_equal(found.error, [[0.5], [np.nan]])
    np.testing.assert_array_equal(found.covered, [[0.0], [np.nan]])
    np.testing.assert_array_equal(found.error_by_hour, [0.5, np.nan])
    assert found.mean_error == 0.5
    assert found.skill == 0.0
