"""Alarms on hand-made bills: one for each episode, with its size."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.savings.spend.anomalies import TOLD_DAYS, spend_anomalies
from tasks.domain.savings.spend.panel import AnomalyKind, SpendAnomaly

START = date(2026, 1, 1)
NOISE = 1.0 + np.random.default_rng(5).normal(0.0, 0.02, 400)


def bill(usd: np.ndarray, *, group: str = "a") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "day": [START + timedelta(days=day) for day in range(len(usd))],
            "group": group,
            "usd": usd,
            "is_estimated": False,
        }
    )


def found(usd: np.ndarray, *, min_usd: float = 50.0) -> tuple[SpendAnomaly, ...]:
    return spend_anomalies(bill(usd), today=START + timedelta(days=len(usd)), min_usd=min_usd)


def even(days: int) -> np.ndarray:
    return 100.0 * NOISE[:days]


def test_an_ordinary_bill_raises_no_alarm() -> None:
    assert found(even(150)) == ()


def test_one_day_far_above_is_a_spike_of_its_excess() -> None:
    usd = even(120)
    usd[110] += 150.0
    (one,) = found(usd)
    assert one.kind is AnomalyKind.SPIKE
    assert (one.first_day, one.last_day) == (date(2026, 4, 21), date(2026, 4, 21))
    assert not one.ongoing
    assert one.excess_usd == pytest.approx(150.0, abs=6.0)


def test_a_level_that_stays_up_is_one_step_and_not_an_alarm_each_day() -> None:
    usd = even(120)
    usd[100:] += 50.0
    (one,) = found(usd)
    assert one.kind is AnomalyKind.STEP
    assert one.ongoing
    assert one.first_day == date(2026, 4, 11)
    assert one.excess_usd == pytest.approx(20 * 50.0, rel=0.1)


def test_a_level_that_stayed_for_a_month_is_normal_and_not_told_again() -> None:
    usd = even(200)
    usd[100:] += 50.0
    assert found(usd) == ()


def test_spend_that_creeps_up_is_a_drift() -> None:
    usd = even(140)
    usd[110:] *= 1.0 + 0.02 * np.arange(30)
    (one,) = found(usd)
    assert one.kind is AnomalyKind.DRIFT
    assert one.ongoing


def test_ordinary_growth_is_not_a_drift() -> None:
    usd = even(200) * 1.05 ** (np.arange(200) / 30.4)
    assert found(usd) == ()


def test_a_fee_that_comes_each_month_raises_no_alarm() -> None:
    usd = even(150)
    usd[[(START + timedelta(days=day)).day == 1 for day in range(150)]] += 400.0
    assert found(usd) == ()


def test_weekends_are_not_spikes_of_their_own() -> None:
    weekend = [(START + timedelta(days=day)).weekday() >= 5 for day in range(150)]
    assert found(np.where(weekend, 200.0, 100.0) * NOISE[:150]) == ()


def test_a_fall_is_no_alarm_and_neither_is_the_level_after_it() -> None:
    usd = even(150)
    usd[120:] *= 0.5
    assert found(usd) == ()


def test_what_costs_less_than_the_minimum_is_not_told() -> None:
    usd = even(120)
    usd[110] += 150.0
    assert found(usd, min_usd=200.0) == ()


def test_an_episode_that_ended_long_ago_is_not_told_again() -> None:
    usd = even(120 + TOLD_DAYS)
    usd[110] += 150.0
    assert found(usd) == ()


def test_less_than_four_weeks_of_history_is_not_judged() -> None:
    usd = even(25)
    usd[20] += 500.0
    assert found(usd) == ()


def test_under_eight_weeks_of_history_it_takes_twice_the_rise() -> None:
    doubled, half_more = even(50), even(50)
    doubled[44:] += 100.0
    half_more[44:] += 38.0
    assert [one.kind for one in found(doubled)] == [AnomalyKind.STEP]
    assert found(half_more) == ()
    late = even(90)
    late[84:] += 38.0
    assert [one.kind for one in found(late)] == [AnomalyKind.STEP]


def test_growth_of_a_new_account_is_not_judged() -> None:
    assert found(even(55) * np.exp(0.006 * np.arange(55))) == ()


def test_the_part_that_rose_most_is_named_with_its_share() -> None:
    usd = even(120)
    usd[110] += 150.0
    parts = pd.concat(
        [
            bill(np.full(120, 50.0)).assign(part="storage"),
            bill(np.where(np.arange(120) == 110, 180.0, 50.0)).assign(part="BoxUsage:m5.large"),
            bill(np.where(np.arange(120) == 110, 20.0, 0.0)).assign(part="transfer"),
        ]
    )
    (one,) = spend_anomalies(bill(usd), today=date(2026, 5, 1), details=parts)
    assert one.cause == "BoxUsage:m5.large"
    assert one.cause_share == pytest.approx(130.0 / 150.0)


def test_without_details_the_cause_is_unknown() -> None:
    usd = even(120)
    usd[110] += 150.0
    (one,) = found(usd)
    assert one.cause is None
    assert one.cause_share is None


def test_details_without_a_part_are_refused() -> None:
    usd = even(120)
    with pytest.raises(PermanentError, match="details lack part"):
        spend_anomalies(bill(usd), today=date(2026, 5, 1), details=bill(usd))
