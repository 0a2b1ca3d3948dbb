from __future__ import annotations

from collections.abc import Sequence

from tasks.domain.anomalies.growth import Growth


def _after(values: Sequence[float], growth: Growth | None = None) -> float:
    growth = growth or Growth()
    size = 0.0
    for quarter, value in enumerate(values):
        size = growth.update(value, quarter)
    return size


def test_a_ramp_is_growth_within_an_hour_and_a_quarter() -> None:
    flat, ramp = [0.4] * 40, [0.4 + 0.02 * at for at in range(1, 6)]
    assert _after([*flat, *ramp]) > 3.0


def test_a_slow_ramp_is_growth_over_a_longer_window() -> None:
    flat, ramp = [0.4, 0.404] * 20, [0.4 + 0.003 * at + 0.004 * (at % 2) for at in range(40)]
    assert _after([*flat, *ramp]) > 3.0


def test_a_jump_is_no_growth() -> None:
    assert _after([0.4] * 40 + [0.7] * 10) == 0.0


def test_a_fall_is_no_growth() -> None:
    assert _after([0.8 - 0.01 * at for at in range(40)]) == 0.0


def test_growth_that_comes_every_day_is_worth_less() -> None:
    day = [0.3 + 0.02 * at for at in range(8)] + [0.3] * 24
    ramp = [0.3 + 0.02 * at for at in range(8)]
    assert _after([*day * 10, *ramp]) < 0.7 * _after([*[0.3] * 320, *ramp])


def test_hours_nobody_measured_are_no_growth() -> None:
    growth = Growth()
    for at in range(8):
        growth.update(0.3, at)
    assert growth.update(0.9, 40) == 0.0
    assert growth.update(0.9, 41) == 0.0


def test_a_jump_on_a_slight_slope_is_no_growth() -> None:
    assert _after([0.4] * 40 + [0.42, 0.52, 0.54, 0.54]) == 0.0
