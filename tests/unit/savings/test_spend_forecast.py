"""The bill of this month and the next: hand-made bills with known answers."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.savings.spend.forecast import spend_outlook
from tasks.domain.savings.spend.simulator import simulate_spend

START = date(2026, 1, 1)


def bill(groups: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (START + timedelta(days=day), group, float(usd), False)
            for group, values in groups.items()
            for day, usd in enumerate(values)
        ],
        columns=["day", "group", "usd", "is_estimated"],
    )


def test_an_even_bill_goes_on_evenly() -> None:
    outlook = spend_outlook(bill({"a": np.full(100, 10.0)}), today=date(2026, 4, 11), seed=0)
    assert outlook.settled_until == date(2026, 4, 10)
    assert outlook.total.month_to_date_usd == pytest.approx(100.0)
    assert outlook.total.month_end.expected == pytest.approx(300.0)
    assert outlook.total.next_month.expected == pytest.approx(310.0)
    assert outlook.total.naive_month_end_usd == pytest.approx(300.0)
    assert outlook.total.naive_next_month_usd == pytest.approx(310.0)


def test_a_fee_on_the_first_is_expected_once_and_not_every_day() -> None:
    days = [START + timedelta(days=day) for day in range(94)]
    usd = np.array([310.0 if day.day == 1 else 10.0 for day in days])
    outlook = spend_outlook(bill({"a": usd}), today=date(2026, 4, 5), seed=0)
    assert outlook.total.month_end.expected == pytest.approx(600.0, rel=0.05)
    assert outlook.total.naive_month_end_usd == pytest.approx(85.0 * 30)
    assert outlook.total.next_month.expected == pytest.approx(610.0, rel=0.05)


def test_cheap_weekends_ahead_are_cheap_in_the_forecast() -> None:
    days = [START + timedelta(days=day) for day in range(120)]
    usd = np.array([4.0 if day.weekday() >= 5 else 10.0 for day in days])
    outlook = spend_outlook(bill({"a": usd}), today=date(2026, 4, 25), seed=0)
    truth = usd[90:].sum()
    # 24 April is a Friday: two of the six days ahead are a weekend.
    assert outlook.total.month_end.expected == pytest.approx(truth, rel=0.01)


def test_under_a_fortnight_of_history_is_forecast_naively_and_says_so() -> None:
    outlook = spend_outlook(bill({"a": np.full(9, 10.0)}), today=date(2026, 1, 10), seed=0)
    (one,) = outlook.groups
    assert one.note == "naive: 9 of 14 days of history needed"
    assert one.model_weight == 0.0
    assert one.month_end.expected == pytest.approx(310.0)
    assert one.month_end.low < 310.0 < one.month_end.high
    assert one.naive_next_month_usd is None


@pytest.mark.parametrize(
    ("days", "note"),
    [
        (14, "14 days of history: a guess"),
        (27, "27 days of history: a guess"),
        (28, "28 days of history: growth is not known yet, so the range is wide"),
        (89, "89 days of history: growth is not known yet, so the range is wide"),
        (90, ""),
    ],
)
def test_a_short_history_is_said_in_the_note_of_group_and_total(days: int, note: str) -> None:
    today = START + timedelta(days=days)
    outlook = spend_outlook(bill({"a": np.full(days, 10.0)}), today=today, seed=0)
    assert outlook.total.note == note
    assert outlook.groups[0].note == note


def test_even_weeks_are_no_proof_and_months_narrow_the_range() -> None:
    widths = []
    for days in (31, 59, 181, 365):
        today = START + timedelta(days=days)
        month = spend_outlook(
            bill({"a": np.full(days, 10.0)}), today=today, seed=0
        ).total.next_month
        widths.append((month.high - month.low) / month.expected)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 1.0
    assert widths[-1] < 0.05


def test_a_fee_seen_once_in_a_new_group_is_expected_once_a_month() -> None:
    frame = bill({"ec2": np.full(100, 10.0), "tax": np.where(np.arange(100) == 90, 310.0, 0.0)})
    outlook = spend_outlook(frame[frame["usd"] > 0.0], today=date(2026, 4, 11), seed=0)
    named = {one.group: one for one in outlook.groups}
    assert named["tax"].month_end.expected == pytest.approx(310.0)
    assert named["tax"].next_month.expected == pytest.approx(310.0)


def test_growth_of_the_whole_account_goes_on_in_the_next_month() -> None:
    usd = 10.0 * 1.05 ** (np.arange(240) / 30.4)
    today = START + timedelta(days=240)
    total = spend_outlook(bill({"a": usd, "b": usd}), today=today, seed=0).total
    assert total.next_month.expected > 1.03 * 2 * usd[-28:].mean() * 30


def test_a_young_group_beside_an_old_one_is_forecast_by_its_own_days() -> None:
    young = np.concatenate([np.zeros(95), np.full(5, 40.0)])
    frame = bill({"old": np.full(100, 10.0), "young": young})
    frame = frame[(frame["usd"] > 0.0)]
    outlook = spend_outlook(frame, today=date(2026, 4, 11), seed=0)
    named = {one.group: one for one in outlook.groups}
    assert named["young"].month_end.expected == pytest.approx(5 * 40.0 + 20 * 40.0)
    assert named["young"].note


def test_estimated_days_change_nothing() -> None:
    frame = bill({"a": np.full(100, 10.0)})
    late = pd.DataFrame(
        [(date(2026, 4, 11), "a", 9999.0, True)], columns=["day", "group", "usd", "is_estimated"]
    )
    today = date(2026, 4, 12)
    with_late = spend_outlook(pd.concat([frame, late]), today=today, seed=0)
    assert with_late == spend_outlook(frame, today=today, seed=0)


def test_on_the_first_days_of_a_month_there_is_no_run_rate() -> None:
    outlook = spend_outlook(bill({"a": np.full(59, 10.0)}), today=date(2026, 3, 1), seed=0)
    assert outlook.total.naive_month_end_usd is None
    assert outlook.total.month_to_date_usd == 0.0
    assert outlook.total.month_end.expected == pytest.approx(310.0)


def test_a_stale_bill_is_refused_with_the_next_step() -> None:
    with pytest.raises(PermanentError, match="fetch newer costs"):
        spend_outlook(bill({"a": np.full(40, 10.0)}), today=date(2026, 5, 1), seed=0)


def test_the_same_seed_gives_the_same_outlook_and_the_total_is_the_sum() -> None:
    seen = simulate_spend(first_day=START, days=150, seed=4).seen_on(date(2026, 5, 15))
    one, other = (spend_outlook(seen, today=date(2026, 5, 15), seed=9) for _ in range(2))
    assert one == other
    for read in ("month_end", "next_month"):
        parts = sum(getattr(group, read).expected for group in one.groups)
        assert getattr(one.total, read).expected == pytest.approx(parts)


def test_the_range_of_the_total_is_narrower_than_ranges_added() -> None:
    seen = simulate_spend(first_day=START, days=300, seed=4).seen_on(date(2026, 9, 10))
    outlook = spend_outlook(seen, today=date(2026, 9, 10), seed=9)
    added = sum(group.month_end.high - group.month_end.low for group in outlook.groups)
    total = outlook.total.month_end
    assert total.high - total.low < added
