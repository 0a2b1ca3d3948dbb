"""Laws of choosing members."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.domain.load.selection import LEAST_ORIGINS, member_weights

SHAPES = st.tuples(st.integers(1, 6), st.integers(0, 9), st.integers(1, 4))
known = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000.0)
errors_known = arrays.arrays(np.float64, SHAPES, elements=known)
errors_any = arrays.arrays(np.float64, SHAPES, elements=st.one_of(known, st.just(float("nan"))))


def groups_of(errors: np.ndarray) -> np.ndarray:
    return np.where(np.arange(len(errors)) % 3 == 0, "idle", "bursty")


@given(errors=errors_any)
def test_weights_are_shares(errors: np.ndarray) -> None:
    found = member_weights(errors, groups_of(errors))
    assert found.shape == (errors.shape[0], errors.shape[2])
    assert (found >= 0.0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


@given(errors=errors_any, seed=st.integers(0, 1000))
def test_the_order_of_series_and_origins_does_not_matter(errors: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    series, origins = (rng.permutation(length) for length in errors.shape[:2])
    groups = groups_of(errors)
    found = member_weights(errors[series][:, origins], groups[series])
    np.testing.assert_allclose(found, member_weights(errors, groups)[series], atol=1e-6)


@given(errors=errors_any)
def test_names_of_groups_and_other_groups_do_not_matter(errors: np.ndarray) -> None:
    groups = groups_of(errors)
    whole = member_weights(errors, groups)
    renamed = np.where(groups == "idle", "zz", "a")
    np.testing.assert_array_equal(member_weights(errors, renamed), whole)


@given(errors=errors_any, power=st.integers(-8, 8))
def test_the_unit_of_a_series_does_not_matter(errors: np.ndarray, power: int) -> None:
    units = 2.0 ** (power * (np.arange(len(errors)) % 2))
    groups = groups_of(errors)
    np.testing.assert_allclose(
        member_weights(errors * units[:, None, None], groups),
        member_weights(errors, groups),
        atol=1e-9,
    )


@given(errors=errors_known, margin=st.floats(0.001, 1.0))
def test_a_dominated_member_gets_no_weight(errors: np.ndarray, margin: float) -> None:
    worse = np.concatenate([errors, errors[:, :, :1] + margin], axis=2)
    enough = errors.shape[1] >= LEAST_ORIGINS
    found = member_weights(worse, groups_of(errors))
    assert not enough or (found[:, -1] == 0.0).all()


@given(errors=errors_known, member=st.integers(0, 3))
def test_noise_that_is_the_same_for_all_series_gives_all_the_groups_winner(
    errors: np.ndarray, member: int
) -> None:
    alike = np.repeat(errors[:1], 5, axis=0)
    found = member_weights(alike, np.full(5, "idle"))
    if errors.shape[1] >= LEAST_ORIGINS:
        mean = errors[0].mean(axis=0)
        np.testing.assert_allclose(mean[found[0].argmax()], mean.min(), rtol=1e-6, atol=1e-6)
    assert (np.sort(found, axis=1)[:, :-1] == 0.0).all()
    assert (found == found[0]).all()


@given(errors=errors_known, scale=st.floats(1e3, 1e6))
def test_in_endless_noise_everybody_gets_the_groups_winner(
    errors: np.ndarray, scale: float
) -> None:
    """Noise that cancels over the origins: the means, and so the winner, stay."""
    shape = (errors.shape[0], 4, errors.shape[2])
    base = np.broadcast_to(errors.mean(axis=1, keepdims=True) if errors.size else 0.0, shape)
    sign = np.array([1.0, -1.0, -1.0, 1.0])[None, :, None]
    members = np.where(np.arange(shape[2]) % 2 == 0, 1.0, -1.0)
    noisy = scale * (2.0 + sign * members) + base
    found = member_weights(noisy, np.full(len(noisy), "idle"), least_origins=4)
    if shape[2] > 1:
        assert (found == found[0]).all()


@given(errors=errors_known, origins=st.integers(0, LEAST_ORIGINS - 1), quiet=st.integers(0, 3))
def test_no_member_wins_against_the_group_on_too_few_origins(
    errors: np.ndarray, origins: int, quiet: int
) -> None:
    members = errors.shape[2]
    group = np.ones((4, LEAST_ORIGINS + 3, members)) + np.arange(members)
    single = np.full((1, LEAST_ORIGINS + 3, members), np.nan)
    single[0, :origins] = 9.0
    single[0, :origins, min(quiet, members - 1)] = 0.0
    found = member_weights(np.concatenate([group, single]), np.full(5, "idle"))
    assert found[-1].argmax() == 0
    assert found[-1, 0] == 1.0
