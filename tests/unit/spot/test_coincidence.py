"""Coincidence of losses: known correlations are found again, the unmeasurable stays unknown."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.spot.availability import AvailabilityPanel
from tasks.domain.spot.coincidence import latent_correlation, mean_loss_correlation
from tasks.domain.spot.pools import Pool

TICK = timedelta(minutes=10)


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.44, 0.9])
def test_a_known_correlation_is_found_again(correlation: float) -> None:
    rng = np.random.default_rng(2)
    latent = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], size=40_000)
    found = latent_correlation(latent[:, 0] < -1.0, latent[:, 1] < -0.5)
    assert found == pytest.approx(correlation, abs=0.03)


def test_equal_and_opposite_events_reach_the_ends() -> None:
    one = np.arange(400) % 4 == 0
    assert latent_correlation(one, one) == 0.99
    assert latent_correlation(one, ~one) == -0.99


def test_rare_events_and_short_traces_are_not_measured() -> None:
    one = np.arange(400) % 4 == 0
    assert latent_correlation(one, np.zeros(400, dtype=bool)) is None
    assert latent_correlation(one, np.ones(400, dtype=bool)) is None
    assert latent_correlation(one[:299], one[:299]) is None


def test_pairs_of_one_type_are_kept_apart_from_the_rest() -> None:
    rng = np.random.default_rng(3)
    shared, own = rng.random(4000) < 0.8, rng.random(4000) < 0.8
    pools = [("a", "x"), ("b", "x"), ("a", "y")]
    panel = AvailabilityPanel(
        pools=tuple(Pool(availability_zone=z, instance_type=k) for z, k in pools),
        tick=TICK,
        up=np.array([shared, shared, own]),
    )
    assert mean_loss_correlation(panel, horizon=TICK, same_type=True) == 0.99
    apart = mean_loss_correlation(panel, horizon=TICK, same_type=False)
    assert apart == pytest.approx(0.0, abs=0.1)
    assert mean_loss_correlation(panel.until(100), horizon=TICK, same_type=True) is None
