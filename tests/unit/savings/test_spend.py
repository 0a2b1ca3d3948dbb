"""Daily costs become a matrix of settled days; what is unknown stays unknown."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.savings.spend.panel import AnomalyKind, SpendAnomaly, spend_panel

START = date(2026, 1, 1)


def costs(
    rows: dict[str, list[float | None]], *, estimated: frozenset[int] = frozenset()
) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (START + timedelta(days=day), group, usd, day in estimated)
            for group, values in rows.items()
            for day, usd in enumerate(values)
            if usd is not None
        ],
        columns=["day", "group", "usd", "is_estimated"],
    )


def test_days_from_the_first_estimated_row_on_are_not_settled() -> None:
    frame = costs({"a": [1.0, 2.0, 3.0, 4.0]}, estimated=frozenset({2}))
    panel = spend_panel(frame, today=date(2026, 1, 10))
    assert panel.usd.tolist() == [[1.0, 2.0]]
    assert panel.last_day == date(2026, 1, 2)


def test_today_and_later_are_left_out_even_when_called_final() -> None:
    panel = spend_panel(costs({"a": [1.0, 2.0, 3.0]}), today=date(2026, 1, 3))
    assert panel.usd.tolist() == [[1.0, 2.0]]


def test_rows_of_one_group_and_day_are_added() -> None:
    frame = pd.concat([costs({"a": [1.0, 2.0]}), costs({"a": [10.0]})])
    assert spend_panel(frame, today=date(2026, 2, 1)).usd[0, 0] == 11.0


def test_a_short_gap_in_a_daily_group_is_unknown_and_not_zero() -> None:
    daily = [5.0] * 20 + [None, None] + [5.0] * 20
    panel = spend_panel(costs({"a": daily}), today=date(2026, 3, 1))
    assert np.isnan(panel.usd[0, 20:22]).all()


def test_a_long_gap_and_the_days_before_the_first_row_are_days_without_spend() -> None:
    frame = costs({"a": [5.0] * 60, "b": [None] * 3 + [5.0] * 53 + [None] * 4})
    panel = spend_panel(frame, today=date(2026, 4, 1))
    assert panel.usd[1, :4].tolist() == [0.0, 0.0, 0.0, 5.0]
    assert panel.usd[1, 56:60].tolist() == [0.0] * 4
    assert panel.begun == (0, 3)


def test_gaps_of_a_group_billed_now_and_then_are_days_without_spend() -> None:
    frame = costs({"a": [5.0] * 40, "b": [7.0, None, None, 7.0] * 10})
    panel = spend_panel(frame, today=date(2026, 4, 1))
    assert np.nansum(panel.usd[1] == 0.0) == 20


def test_a_bill_without_a_settled_day_is_refused_with_the_next_step() -> None:
    frame = costs({"a": [1.0]}, estimated=frozenset({0}))
    with pytest.raises(PermanentError, match=r"0 settled days of 1 rows .* wait until"):
        spend_panel(frame, today=date(2026, 1, 2))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(PermanentError, match="lack is_estimated"):
        spend_panel(costs({"a": [1.0]}).drop(columns="is_estimated"), today=date(2026, 1, 2))


def test_the_excess_is_what_was_found_less_what_was_expected() -> None:
    one = SpendAnomaly(
        group="a",
        kind=AnomalyKind.STEP,
        first_day=START,
        last_day=START,
        ongoing=True,
        expected_usd=10.0,
        found_usd=25.0,
        severity=0.5,
    )
    assert one.excess_usd == 15.0
