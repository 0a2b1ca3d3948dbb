"""What every kind says in the same way: production, confidence and the window that was seen."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.savings.evidence import confidence, is_production, known_window
from tasks.domain.savings.opportunity import Kind
from tasks.domain.usage.panel import Metric
from tests.unit.savings.account import HOURS, NOW, START, evidence, flat, panel


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"env": "prod-eu"}, True),
        ({"Env": "PROD-1"}, True),
        ({"ENV": "prod"}, True),
        ({"Stage": "eu/live"}, True),
        ({"environment": "prd1"}, True),
        ({"env": "", "Environment": "production"}, True),
        ({"env": "dev", "stage": "prod"}, True),
        ({"env": "staging_2"}, False),
        ({"stage": "QA"}, False),
        ({"env": ""}, None),
        ({"env": "p"}, None),
        ({"env": "blue"}, None),
        ({"env": "non-prod"}, None),
        ({"env": "product-catalogue"}, None),
        ({"env": "dev", "stage": "blue"}, None),
        ({"team": "prod"}, None),
        ({}, None),
    ],
)
def test_production_is_told_by_the_words_of_any_environment_tag(
    tags: dict[str, str], expected: bool | None
) -> None:
    assert is_production(tags) is expected


@given(
    st.sampled_from([one for one in Kind if one not in {Kind.COMMITMENT, Kind.RIGHT_SIZE}]),
    st.floats(0.0, 1e4),
    st.floats(0.0, 1e3),
    st.floats(0.0, 1.0),
)
def test_more_days_never_make_less_sure(
    kind: Kind, days: float, more: float, factor: float
) -> None:
    shorter, longer = (confidence(kind, each, factor=factor) for each in (days, days + more))
    assert 0.0 <= shorter <= longer <= confidence(kind, None, factor=factor) <= 1.0


def test_a_week_is_half_of_what_could_be_known() -> None:
    assert confidence(Kind.STOP, 7.0) == pytest.approx(0.95 / 2, abs=0.006)
    assert confidence(Kind.STOP, 28.0, factor=0.5) == pytest.approx(0.95 * 0.8 * 0.5, abs=0.005)


def test_the_window_is_that_of_the_resource_and_not_of_the_panel() -> None:
    late = np.full(HOURS, np.nan)
    late[100:200] = 1.0
    known = evidence(panel({"i-1": {Metric.CPU_MEAN: late}, "i-2": {Metric.CPU_MEAN: flat(1.0)}}))
    hour = timedelta(hours=1)
    assert known_window(known, "i-1", Metric.CPU_MEAN) == (START + 100 * hour, START + 200 * hour)
    assert known_window(known, "i-3", Metric.CPU_MEAN) == (NOW, NOW)
