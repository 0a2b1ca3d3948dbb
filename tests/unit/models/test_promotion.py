"""Whether a challenger takes over."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from tasks.domain.models.paired import gain
from tasks.domain.models.promotion import (
    PromotionPolicy,
    PromotionVerdict,
    Trial,
    judge_challenger,
)

GROUPS = ["steady"] * 12 + ["bursty"] * 8


def errors(seed: int = 0, *, origins: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of two fits of one model, (origins, 20)."""
    rng = np.random.default_rng(seed)
    both = np.exp(0.5 * rng.standard_normal((origins, 20)))
    champion, challenger = (both * np.exp(0.05 * rng.standard_normal(both.shape)) for _ in "ab")
    return champion, challenger


def judged(champion: np.ndarray, challenger: np.ndarray, **given: object) -> PromotionVerdict:
    return judge_challenger(
        Trial(errors=champion),
        Trial(errors=challenger),
        groups=GROUPS,
        critical_groups={"steady", "bursty"},
        **given,  # type: ignore[arg-type]
    )


def test_a_challenger_that_errs_a_tenth_less_is_promoted_with_an_interval_around_it() -> None:
    champion, challenger = errors()
    found = judged(champion, challenger * 0.9)
    assert found.promote
    assert found.low_percent < 10.0 < found.high_percent
    assert found.reason.startswith("promoted: ")


def test_a_refit_is_not_promoted_and_the_reason_gives_value_and_limit() -> None:
    found = judged(*errors())
    assert not found.promote
    assert "could be chance" in found.reason
    assert "at most 0.025" in found.reason


def test_the_champion_itself_is_never_promoted() -> None:
    champion, _ = errors()
    found = judged(champion, champion)
    assert not found.promote
    assert found.better_percent == 0.0
    assert found.p_value == 1.0


def test_a_critical_group_that_became_worse_stops_a_better_average() -> None:
    champion, challenger = errors()
    factors = np.where(np.array(GROUPS) == "bursty", 1.1, 0.8)
    found = judged(champion, challenger * factors)
    assert found.p_value <= 0.025
    assert not found.promote
    assert found.worst_group is not None
    assert found.worst_group.name == "bursty"
    assert "critical group bursty" in found.reason
    assert "at most 2 % may be possible" in found.reason


def test_a_group_that_is_not_critical_stops_nothing() -> None:
    champion, challenger = errors()
    factors = np.where(np.array(GROUPS) == "bursty", 1.1, 0.8)
    found = judge_challenger(
        Trial(errors=champion),
        Trial(errors=challenger * factors),
        groups=GROUPS,
        critical_groups={"steady"},
    )
    assert found.promote


def test_a_critical_group_that_nothing_is_known_of_stops_a_promotion() -> None:
    champion, challenger = errors()
    challenger[:, 12:] = np.nan
    found = judged(champion, challenger * 0.8)
    assert found.reason == "not promoted: nothing is known of the critical group bursty"


def test_few_origins_are_too_little_however_clear_they_are() -> None:
    champion, _ = errors(origins=7)
    found = judged(champion, champion * 0.5)
    assert found.reason.startswith("not promoted: 7 origins that both models know, at least 8")


def test_models_without_a_common_value_are_not_compared() -> None:
    champion, challenger = errors()
    champion[::2], challenger[1::2] = np.nan, np.nan
    found = judged(champion, challenger)
    assert not found.promote
    assert math.isnan(found.better_percent)


@pytest.mark.parametrize(
    ("champion_share", "challenger_share", "promoted"),
    [
        (0.80, 0.78, True),
        (0.80, 0.77, True),
        (0.80, 0.76, False),
        (0.80, 0.84, False),
        (0.70, 0.70, True),
        (0.70, 0.69, True),
        (0.70, 0.60, False),
        (0.70, 0.80, True),
    ],
)
def test_intervals_stay_near_their_level_or_as_near_as_the_champions(
    champion_share: float, challenger_share: float, *, promoted: bool
) -> None:
    champion, challenger = errors()
    found = judge_challenger(
        Trial(errors=champion, hits=np.full(champion.shape, champion_share)),
        Trial(errors=challenger * 0.9, hits=np.full(champion.shape, challenger_share)),
        groups=GROUPS,
    )
    assert found.promote is promoted
    assert found.challenger_coverage == pytest.approx(challenger_share)


def test_a_larger_margin_asks_for_more() -> None:
    champion, challenger = errors()
    assert judged(champion, challenger * 0.97).promote
    strict = PromotionPolicy(min_better=0.05)
    assert not judged(champion, challenger * 0.97, policy=strict).promote


def test_the_gain_is_that_of_the_mean_errors_over_common_values() -> None:
    champion = np.array([[2.0, 4.0], [np.nan, 2.0], [1.0, 1.0]])
    challenger = np.array([[1.0, 4.0], [100.0, 1.0], [1.0, np.nan]])
    found = gain(champion, challenger)
    assert found.fraction == pytest.approx(1.0 - 7.0 / 9.0)
    assert (found.origins, found.series) == (3, 2)


def test_one_series_with_equal_errors_of_the_champion_is_a_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    champion = np.ones((40, 1))
    challenger = 0.95 + 0.1 * rng.standard_normal((40, 1))
    ours = gain(champion, challenger).p_value()
    plain = ttest_1samp((champion - challenger)[:, 0], 0.0, alternative="greater").pvalue
    # Lags of independent days are noise around zero.
    assert ours == pytest.approx(plain, abs=0.03)


def test_errors_that_follow_each_other_are_worth_less() -> None:
    rng = np.random.default_rng(2)
    steps = rng.standard_normal(60).cumsum() * 0.02
    champion = np.ones((60, 5))
    following = champion * (0.95 + steps - steps.mean())[:, None]
    shuffled = following[rng.permutation(60)]
    assert gain(champion, following).standard_error > 1.5 * gain(champion, shuffled).standard_error


def test_a_gain_on_one_series_alone_is_worth_less_than_one_on_all() -> None:
    champion, challenger = errors()
    one = challenger.copy()
    one[:, 0] *= 0.1
    share = gain(champion, one).fraction - gain(champion, challenger).fraction
    everywhere = gain(champion, challenger * (1.0 - share))
    assert gain(champion, one).p_value() > 0.05 > everywhere.p_value()
