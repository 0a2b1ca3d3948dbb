import numpy as np
import pytest

from tasks.domain.load import features
from tasks.domain.load.features import FARTHEST, ahead_of, origins_of
from tasks.domain.load.features_local import ALIKE, local_paths
from tasks.domain.load.history import History, history_of
from tests.unit.load.fleet import fleet, with_values

ONE = np.array([0])


def history(values: np.ndarray) -> History:
    panel = fleet(series=1, days=len(values) // 24)
    return history_of(with_values(panel, values[None]))


def test_nothing_after_the_origin_is_read() -> None:
    panel = fleet(days=20)
    values = panel.values.copy()
    values[:, 300:] = 77.0
    row, seen = np.arange(6), np.full(6, 300)
    pair, horizon = np.repeat(row, 24), np.tile(np.arange(1, 25), 6)
    found = []
    for one in (panel, with_values(panel, values)):
        past = history_of(one)
        # The scale is of the whole history by intention; it must not differ for this comparison.
        past = History(**{**{k: getattr(past, k) for k in History.__slots__}, "scale": np.ones(6)})
        origins = origins_of(past, row, seen, horizon=24)
        found.append(ahead_of(past, origins, pair, horizon).features)
    assert np.array_equal(found[0], found[1])


def test_features_do_not_depend_on_the_unit() -> None:
    panel = fleet(days=20)
    row, seen = np.arange(6), np.full(6, 480)
    pair, horizon = np.repeat(row, 24), np.tile(np.arange(1, 25), 6)
    rules = []
    for factor in (1.0, 2.0):
        past = history_of(with_values(panel, factor * panel.values))
        origins = origins_of(past, row, seen, horizon=24)
        rules.append(ahead_of(past, origins, pair, horizon).rules)
    assert rules[0] == pytest.approx(rules[1], abs=1e-4)


def test_naive_rules_are_the_last_hour_the_day_and_the_week() -> None:
    past = history(np.arange(480.0))
    origins = origins_of(past, ONE, np.array([480]), horizon=24)
    found = ahead_of(past, origins, ONE, np.array([3])).naive
    values = origins.level[0] + origins.spread[0] * found[0]
    assert values == pytest.approx([479.0, 458.0, 314.0])


@pytest.mark.parametrize("height", [30.0, 3_000.0])
def test_a_jump_of_any_size_is_the_same_few_spreads_from_the_level(height: float) -> None:
    values = np.full(480, 10.0)
    values[-3:] += height
    origins = origins_of(history(values), ONE, np.array([480]), horizon=24)
    ahead = ahead_of(history(values), origins, ONE, np.array([3]))
    assert ahead.anchors[0] == pytest.approx([0.0, ahead.anchors[0, 1], FARTHEST])
    assert np.abs(ahead.rules).max() <= FARTHEST + 1e-9


def test_neither_threads_nor_parts_change_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    past = history_of(fleet(days=20))
    row, seen = np.repeat(np.arange(6), 5), np.tile(np.arange(100, 480, 80), 6)
    whole = origins_of(past, row, seen, horizon=24)
    monkeypatch.setattr(features, "CHUNK", 7)
    parts = origins_of(past, row, seen, horizon=24, threads=3)
    assert parts.shape == pytest.approx(whole.shape, abs=1e-6)
    assert np.array_equal(parts.row, whole.row)
    for name in ("alike", "lagged", "lag"):
        assert getattr(parts.paths, name) == pytest.approx(getattr(whole.paths, name))


def test_hours_past_a_day_repeat_the_newest_known_day() -> None:
    past = history(np.arange(480.0))
    origins = origins_of(past, ONE, np.array([480]), horizon=48)
    found = ahead_of(past, origins, ONE, np.array([27])).naive
    assert origins.level[0] + origins.spread[0] * found[0, 1] == pytest.approx(458.0)


def test_a_series_goes_on_as_after_its_most_alike_days() -> None:
    period = np.tile([1.0, 5.0, 2.0, 8.0, 3.0], 96)
    past = history(period)
    window = period[None, -192:]
    found = local_paths(past, ONE, np.array([480]), window, horizon=10)
    assert found.alike[0].tolist() == [1.0, 5.0, 2.0, 8.0, 3.0] * 2
    assert found.distance[0] == pytest.approx(0.0, abs=1e-6)


def test_the_best_lag_is_the_period() -> None:
    period = np.tile([1.0, 5.0, 2.0, 8.0, 3.0], 96)
    found = local_paths(history(period), ONE, np.array([480]), period[None, -192:], horizon=7)
    assert (found.lag[0], found.lag_error[0]) == (5.0, 0.0)
    assert found.lagged[0].tolist() == [1.0, 5.0, 2.0, 8.0, 3.0, 1.0, 5.0]


def test_without_a_past_that_goes_on_the_last_value_does() -> None:
    values = np.linspace(1.0, 3.0, 48)
    past = history(values)
    window = np.concatenate([np.tile(values[:24], 6), values])[None]
    found = local_paths(past, ONE, np.array([48]), window, horizon=24)
    # One past day is followed by a known one, ALIKE - 1 are not there.
    assert ALIKE > 2
    assert found.alike[0].tolist() == [3.0] * 24
