"""Laws of forecasts of young workloads."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.domain.load.cold_start import ArchetypeProfiles, archetype_profiles, cold_start_forecast
from tasks.domain.load.panel import HOUR, Load, LoadPanel

HOURS = 5 * 24
NAMES = np.array(["daily"] * 8)

recent_values = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(0, 50)),
    elements=st.one_of(st.floats(0.0, 1e6), st.just(float("nan")), st.just(0.0)),
)


def profiles_of(scale: float) -> ArchetypeProfiles:
    rng = np.random.default_rng(9)
    day = 2.0 + np.cos(np.arange(HOURS) * (np.pi / 12.0))
    values = scale * day * rng.uniform(1.0, 20.0, (8, 1)) * rng.uniform(0.5, 1.5, (8, HOURS))
    names = tuple(f"w{row}" for row in range(8))
    panel = LoadPanel(load=Load.CPU, series=names, step=HOUR, start=None, values=values)
    return archetype_profiles(panel, NAMES)


PROFILES = profiles_of(1.0)


@given(recent=recent_values, horizon=st.integers(1, 60), since=st.integers(0, 200))
def test_quantiles_are_known_ordered_and_not_below_zero(
    recent: np.ndarray, horizon: int, since: int
) -> None:
    found = cold_start_forecast(PROFILES, recent, horizon_steps=horizon, steps_since=since)
    assert found.shape == (len(recent), horizon, 3)
    assert (found >= 0.0).all()
    assert (np.diff(found, axis=2) >= 0.0).all()


@given(recent=recent_values, since=st.integers(0, 200))
def test_whole_days_since_the_profiles_change_nothing(recent: np.ndarray, since: int) -> None:
    one, other = (
        cold_start_forecast(PROFILES, recent, horizon_steps=24, steps_since=since + days * 24)
        for days in (0, 3)
    )
    np.testing.assert_array_equal(one, other)


@given(recent=recent_values)
def test_a_young_workload_is_forecast_alike_whatever_stands_beside_it(recent: np.ndarray) -> None:
    together = cold_start_forecast(PROFILES, recent, horizon_steps=5)
    alone = cold_start_forecast(PROFILES, recent[:1], horizon_steps=5)
    np.testing.assert_array_equal(alone[0], together[0])


@settings(max_examples=8)
@given(recent=recent_values, power=st.integers(-6, 6))
def test_the_unit_does_not_matter(recent: np.ndarray, power: int) -> None:
    scale = 2.0**power
    scaled = cold_start_forecast(profiles_of(scale), scale * recent, horizon_steps=24)
    usual = cold_start_forecast(PROFILES, recent, horizon_steps=24)
    np.testing.assert_allclose(scaled, scale * usual, rtol=1e-9, atol=1e-12)
