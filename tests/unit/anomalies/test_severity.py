from __future__ import annotations

import random

import pytest

from tasks.domain.anomalies.severity import RAREST, Rarity


def _learned(scores: list[float], **fields: float) -> Rarity:
    rarity = Rarity(**fields)  # type: ignore[arg-type]
    for score in scores:
        rarity.learn(score)
    return rarity


def test_before_anything_was_seen_nothing_is_rare() -> None:
    assert Rarity().share_above(50.0) == 1.0


def test_the_share_above_is_that_of_the_scores_seen() -> None:
    rarity = _learned([0.05 + 0.1 * (at % 10) for at in range(1000)])
    assert rarity.share_above(0.5) == pytest.approx(0.5)
    assert rarity.share_above(0.05) == pytest.approx(0.95)


@pytest.mark.parametrize("share", [0.1, 0.01, 0.001])
def test_shares_of_exponential_scores_are_right_into_the_tail(share: float) -> None:
    rng = random.Random(5)
    rarity = _learned([rng.expovariate(1.0) for _ in range(8000)])
    rare = sorted(rng.expovariate(1.0) for _ in range(20_000))[-int(20_000 * share)]
    assert rarity.share_above(rare) == pytest.approx(share, rel=0.35)


def test_a_score_beyond_all_others_is_rarer_the_higher_it_is_but_never_impossible() -> None:
    rarity = _learned([0.01 * (at % 100) for at in range(500)])
    shares = [rarity.share_above(score) for score in (1.0, 1.5, 2.0, 500.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == RAREST


def test_old_scores_fade() -> None:
    rarity = _learned([5.0] * 100 + [0.5] * 1000, capacity=200.0)
    assert rarity.share_above(4.0) < 0.02


def test_memory_does_not_grow_with_scores() -> None:
    few, many = _learned([1.0] * 10), _learned([1.0 * (at % 30) for at in range(5000)])
    assert len(few.to_state()["counts"]) == len(many.to_state()["counts"])


def test_a_few_scores_move_the_usual_tail_only_a_little() -> None:
    rarity = _learned([9.0], usual_excess=0.5, tail_share=0.25)
    assert rarity.excess < 0.6
