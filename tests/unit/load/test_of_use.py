"""The load that was observed, as it was known at an instant."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from tasks.domain.load.of_use import cut_at, panel_of_use
from tasks.domain.load.panel import Load
from tasks.domain.usage.panel import Metric, UsagePanel

START = datetime(2026, 11, 1, tzinfo=UTC)
USE = UsagePanel(
    resources=("i-1", "i-2", "web"),
    start=START,
    values={
        Metric.CPU_MEAN: np.array(
            [[1.0] * 48, [-1.0] * 47 + [2.0], [np.nan] * 48], dtype=np.float32
        ),
        Metric.REQUESTS: np.array([[np.nan] * 48] * 2 + [[7200.0] * 48], dtype=np.float32),
    },
)


def test_only_what_reports_a_load_has_a_row_and_a_negative_load_is_unknown() -> None:
    found = panel_of_use(USE, Load.CPU)
    assert found.series == ("i-1", "i-2")
    assert np.isnan(found.values[1, :-1]).all()
    assert found.values[1, -1] == 2.0
    assert found.end == USE.end


def test_requests_an_hour_become_requests_a_second() -> None:
    found = panel_of_use(USE, Load.REQUESTS)
    assert found.series == ("web",)
    np.testing.assert_allclose(found.values, 2.0)


def test_a_load_that_nothing_reports_is_a_panel_without_rows() -> None:
    assert len(panel_of_use(USE, Load.MEMORY)) == 0


@pytest.mark.parametrize(
    ("hours", "steps"), [(0.0, 48), (0.2, 47), (1.0, 47), (1.5, 46), (99.0, 0)]
)
def test_an_hour_that_was_not_over_at_the_instant_is_not_known(hours: float, steps: int) -> None:
    assert cut_at(panel_of_use(USE, Load.CPU), hours).steps == steps
