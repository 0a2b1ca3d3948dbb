"""Whether data is fit to train on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tasks.domain.models.quality import QualityPolicy, QualityReport, check_window

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 30, tzinfo=UTC)
NAMES = tuple(f"vm-{number}" for number in range(10))


def good() -> np.ndarray:
    return np.random.default_rng(3).uniform(1.0, 50.0, size=(10, 28 * 24))


def checked(values: np.ndarray, **given: object) -> QualityReport:
    names = NAMES[: len(values)]
    return check_window(
        values,
        series=names,
        step=HOUR,
        end=NOW,
        now=NOW,
        **given,  # type: ignore[arg-type]
    )


def test_good_data_is_usable_and_breaks_no_limit() -> None:
    found = checked(good())
    assert found.usable
    assert found.reasons == ()
    assert (found.series, found.enough, found.days, found.known_share) == (10, 10, 28.0, 1.0)


def test_unknown_values_are_counted_and_named_with_the_limit() -> None:
    values = good()
    values[:, : values.shape[1] // 2] = np.nan
    found = checked(values)
    assert not found.usable
    assert "50% of the values are known, at least 70% must be" in found.reasons


def test_a_short_window_says_how_many_days_are_needed() -> None:
    found = checked(good()[:, : 10 * 24])
    assert found.reasons == ("10.0 days of data, at least 14 are needed",)


def test_too_few_series_with_enough_values_are_refused() -> None:
    values = good()
    values[3:, 100:] = np.nan
    found = checked(values, policy=QualityPolicy(min_series=5, min_known_share=0.2))
    assert found.enough == 3
    assert found.reasons == ("3 of 10 series have 20% of their values, at least 5 must",)


def test_series_that_never_change_are_named() -> None:
    values = good()
    values[:6] = 7.0
    found = checked(values)
    assert found.constant == NAMES[:6]
    assert found.reasons == (
        "60% of the series never change (vm-0, vm-1, vm-2 and 3 more), at most 50% may",
    )


def test_a_series_that_repeats_another_is_a_duplicate_and_the_first_is_none() -> None:
    values = good()
    values[4] = values[7] = values[2]
    found = checked(values)
    assert found.duplicates == ("vm-4", "vm-7")
    assert found.reasons == ("20% of the series repeat another one (vm-4, vm-7), at most 10% may",)


def test_idle_machines_are_constant_rather_than_duplicates_of_each_other() -> None:
    values = good()
    values[:4] = 0.0
    found = checked(values)
    assert found.duplicates == ()
    assert found.usable


@pytest.mark.parametrize("wrong", [-1.0, 100.5, np.inf])
def test_impossible_values_are_refused(wrong: float) -> None:
    values = good()
    values[0, :100] = wrong
    found = checked(values, policy=QualityPolicy(highest=100.0))
    assert found.impossible_share == pytest.approx(100 / values.size)
    assert found.reasons == (
        "1.49% of the known values are below 0 or above 100, at most 0.10% may be",
    )


def test_a_window_without_a_highest_value_may_be_as_high_as_it_likes() -> None:
    assert checked(good() * 1e6).usable


def test_old_data_is_refused() -> None:
    found = check_window(good(), series=NAMES, step=HOUR, end=NOW - timedelta(days=3), now=NOW)
    assert found.reasons == (
        "the window ended 3 days, 0:00:00 ago, at most 2 days, 0:00:00 may have passed",
    )


def test_a_window_that_ends_in_the_future_tells_of_a_wrong_clock() -> None:
    found = check_window(good(), series=NAMES, step=HOUR, end=NOW + HOUR, now=NOW)
    assert found.reasons == ("the window ends 1:00:00 after now; a clock is wrong",)


def test_without_a_clock_the_age_is_unknown_and_no_obstacle() -> None:
    found = check_window(good(), series=NAMES, step=HOUR)
    assert found.age is None
    assert found.usable


def test_an_empty_window_is_refused_for_each_reason_rather_than_failing() -> None:
    found = check_window(np.empty((0, 0)), series=(), step=HOUR)
    assert not found.usable
    assert len(found.reasons) == 3
    assert found.known_share == 0.0


def test_everything_that_is_wrong_is_said_at_once() -> None:
    values = good()[:, : 7 * 24]
    values[:8] = -1.0
    assert len(checked(values).reasons) == 3
