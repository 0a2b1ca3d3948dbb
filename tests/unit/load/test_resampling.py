from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.load.panel import Load, LoadPanel
from tasks.domain.load.resampling import hourly

START = datetime(2026, 3, 2, tzinfo=UTC)


def panel(values: list[float], *, minutes: int = 15) -> LoadPanel:
    return LoadPanel(
        load=Load.CPU,
        series=("web",),
        step=timedelta(minutes=minutes),
        start=START,
        values=np.array([values]),
    )


def test_hours_are_counted_back_from_the_end() -> None:
    found = hourly(panel([9.0, 1.0, 2.0, 3.0, 4.0]))
    assert (found.values.tolist(), found.start) == ([[2.5]], START + timedelta(minutes=15))


def test_an_hour_knows_how_it_closed() -> None:
    closing = hourly(panel([1.0, 2.0, 3.0, 4.0])).closing
    assert closing is not None
    assert closing.tolist() == [[4.0]]


def test_half_an_hour_makes_an_hour_and_less_does_not() -> None:
    unknown = float("nan")
    found = hourly(panel([1.0, 3.0, unknown, unknown, 1.0, unknown, unknown, unknown]))
    assert found.values.tolist() == [[2.0, pytest.approx(unknown, nan_ok=True)]]


def test_hourly_panels_stay_as_they_are() -> None:
    one = panel([1.0, 2.0], minutes=60)
    assert hourly(one) is one


def test_a_step_that_does_not_divide_an_hour_is_refused() -> None:
    with pytest.raises(PermanentError, match="does not divide an hour"):
        hourly(panel([1.0, 2.0], minutes=90))


def test_closing_values_follow_their_series() -> None:
    found = hourly(panel([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])).until(1).take([0])
    assert found.closing is not None
    assert found.closing.tolist() == [[4.0]]
