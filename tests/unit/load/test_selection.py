import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.load.selection import LEAST_ORIGINS, member_weights

NAN = float("nan")
MANY = 200


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def one_group(count: int) -> np.ndarray:
    return np.full(count, "steady")


def repeated(*means: list[float], origins: int = 10) -> np.ndarray:
    """Return (n, origins, members) errors that are the same at each origin."""
    return np.repeat(np.array(means)[:, None, :], origins, axis=1)


def test_where_all_series_agree_the_winner_takes_all() -> None:
    found = member_weights(repeated([2.0, 1.0, 3.0], [4.0, 2.0, 6.0]), one_group(2))
    np.testing.assert_array_equal(found, [[0, 1, 0], [0, 1, 0]])


def test_without_noise_each_series_gets_its_own_winner() -> None:
    found = member_weights(repeated([1.0, 2.0], [2.0, 1.0], [1.0, 2.0]), one_group(3))
    np.testing.assert_allclose(found, [[1, 0], [0, 1], [1, 0]])


def test_luck_at_a_few_origins_does_not_turn_a_series_against_its_group() -> None:
    errors = np.array([1.0, 1.2]) + rng().gamma(1.0, 2.0, (MANY, 8, 2))
    own_winner = errors.mean(axis=1).argmin(axis=1)
    found = member_weights(errors, one_group(MANY)).argmax(axis=1)
    assert np.mean(own_winner == 1) > 0.3
    assert np.mean(found == 0) > 0.95


def out_of_sample(spread: float) -> tuple[float, float, float]:
    """Return mean true errors of the weights, of the group's winner, and of each own best."""
    truth = 9.0 + rng().normal(0.0, spread, (MANY, 3)) + np.array([0.0, 0.3, 0.6])
    errors = truth[:, None] + rng().normal(0.0, 1.0, (MANY, 10, 3))
    chosen = (member_weights(errors, one_group(MANY)) * truth).sum(axis=1).mean()
    own = truth[np.arange(MANY), errors.mean(axis=1).argmin(axis=1)].mean()
    return float(chosen), float(truth[:, 0].mean()), float(own)


def test_where_luck_decides_the_choice_is_better_out_of_sample_than_each_own_best() -> None:
    chosen, group, own = out_of_sample(0.05)
    assert chosen < own - 0.05
    assert chosen < group + 0.01


def test_where_series_truly_differ_the_choice_is_better_out_of_sample_than_the_groups() -> None:
    chosen, group, own = out_of_sample(1.0)
    assert chosen < group - 0.2
    assert chosen < own + 0.05


def test_more_origins_mean_more_say() -> None:
    truth = 2.0 + rng().normal(0.0, 0.3, (MANY, 2))
    errors = np.abs(truth[:, None] + rng().normal(0.0, 1.0, (MANY, 40, 2)))
    own = errors.mean(axis=1).argmin(axis=1)
    few, many = (member_weights(errors[:, :count], one_group(MANY)) for count in (6, 40))
    at = np.arange(MANY)
    assert many[at, own].mean() > few[at, own].mean()


def test_half_of_the_doubt_is_the_group_winners() -> None:
    # In units of their series' mean errors the members differ by +-1/3, and -+1/3 on the last one;
    # origins move each by +-1/6, all alike, so that luck is known exactly.
    wave = np.where(np.arange(10) % 2 == 0, 0.25, -0.25)
    first, second = 1.0 + wave, 2.0 - wave
    errors = np.stack([np.stack([first, second], 1)] * 3 + [np.stack([second, first], 1)])
    found = member_weights(errors, one_group(4))
    noise = 2 * (1 / 6) ** 2 * 10 / 9
    spread = np.mean([2 * (1 / 6) ** 2] * 3 + [2 * (1 / 2) ** 2])
    true = spread - noise / 10
    share = true / (true + noise / 10)
    np.testing.assert_allclose(found[3], [(1 - share) / 2, (1 + share) / 2])
    np.testing.assert_array_equal(found[:3], [[1, 0]] * 3)


def test_a_series_seen_at_too_few_origins_follows_its_group() -> None:
    errors = repeated([1.0, 2.0], [1.0, 2.0], [5.0, 1.0])
    errors[2, LEAST_ORIGINS - 1 :] = NAN
    np.testing.assert_array_equal(member_weights(errors, one_group(3))[2], [1, 0])
    errors = repeated([1.0, 2.0], [1.0, 2.0], [5.0, 1.0], origins=LEAST_ORIGINS)
    assert member_weights(errors, one_group(3))[2].argmax() == 1


def test_groups_have_winners_of_their_own() -> None:
    errors = repeated([1.0, 2.0], [NAN, NAN], [2.0, 1.0], [NAN, NAN])
    groups = np.array(["idle", "idle", "bursty", "bursty"])
    np.testing.assert_array_equal(member_weights(errors, groups), [[1, 0], [1, 0], [0, 1], [0, 1]])


def test_a_group_without_a_record_follows_all_series() -> None:
    errors = repeated([2.0, 1.0], [NAN, NAN])
    found = member_weights(errors, np.array(["idle", "bursty"]))
    np.testing.assert_array_equal(found[1], [0, 1])


def test_nothing_known_at_all_leaves_the_first_member() -> None:
    found = member_weights(repeated([NAN, NAN], [NAN, NAN]), one_group(2))
    np.testing.assert_array_equal(found, [[1, 0], [1, 0]])


def test_a_member_that_failed_often_does_not_cost_the_others_their_origins() -> None:
    errors = repeated([2.0, 1.0, 0.1], origins=12)
    errors[:, 5:, 2] = NAN
    np.testing.assert_array_equal(member_weights(errors, one_group(1)), [[0, 1, 0]])


def test_a_member_unknown_on_some_series_is_compared_on_the_others() -> None:
    errors = repeated([1.0, 2.0, 0.5], [10.0, 20.0, NAN], [1.0, 2.0, 0.5])
    found = member_weights(errors, one_group(3))
    assert found[0].argmax() == 2
    assert found[2].argmax() == 2


def test_ties_go_to_the_first_member_and_no_errors_are_a_tie() -> None:
    found = member_weights(repeated([0.3, 0.1 + 0.2, 0.3], [0.0, 0.0, 0.0]), one_group(2))
    np.testing.assert_array_equal(found, [[1, 0, 0], [1, 0, 0]])


def test_a_single_member_forecasts_everything() -> None:
    np.testing.assert_array_equal(member_weights(repeated([1.0], [NAN]), one_group(2)), [[1], [1]])


def test_no_series_and_no_origins_are_no_trouble() -> None:
    assert member_weights(np.empty((0, 4, 3)), one_group(0)).shape == (0, 3)
    found = member_weights(np.empty((2, 0, 3)), one_group(2))
    np.testing.assert_array_equal(found, [[1, 0, 0], [1, 0, 0]])


@pytest.mark.parametrize("wrong", [-1.0, np.inf])
def test_impossible_errors_are_refused(wrong: float) -> None:
    errors = repeated([1.0, 2.0])
    errors[0, 3, 1] = wrong
    with pytest.raises(PermanentError, match="member 1 on series 0 at origin 3"):
        member_weights(errors, one_group(1))


def test_a_group_must_be_given_for_each_series() -> None:
    with pytest.raises(PermanentError, match="2 groups"):
        member_weights(repeated([1.0, 2.0]), one_group(2))


def test_one_origin_is_never_enough() -> None:
    with pytest.raises(PermanentError, match="at least 2"):
        member_weights(repeated([1.0, 2.0]), one_group(1), least_origins=1)
