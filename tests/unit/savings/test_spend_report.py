"""The page says how much, how sure, and what was out of the ordinary."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tasks.domain.savings.money import Usd
from tasks.domain.savings.spend.panel import AnomalyKind, GroupOutlook, SpendAnomaly, SpendOutlook
from tasks.domain.savings.spend.report import anomaly_sentence, spend_markdown, spend_rows

ONE = GroupOutlook(
    group="Amazon EC2",
    month_to_date_usd=1200.0,
    month_end=Usd(low=2900.0, expected=3000.0, high=3150.0),
    naive_month_end_usd=3600.0,
    next_month=Usd(low=2800.0, expected=3100.0, high=3400.0),
    naive_next_month_usd=2950.0,
    model_weight=0.9,
)
OUTLOOK = SpendOutlook(
    today=date(2026, 4, 12),
    settled_until=date(2026, 4, 10),
    history_days=100,
    total=replace(ONE, group=""),
    groups=(ONE,),
)
STEP = SpendAnomaly(
    group="Amazon EC2",
    kind=AnomalyKind.STEP,
    first_day=date(2026, 4, 3),
    last_day=date(2026, 4, 10),
    ongoing=True,
    expected_usd=800.0,
    found_usd=1200.0,
    severity=0.6,
    cause="BoxUsage:m5.4xlarge",
    cause_share=0.93,
)


def test_the_month_end_stands_with_its_range_and_the_naive_one_beside_it() -> None:
    text = spend_markdown(OUTLOOK)
    assert "**$1,200** so far in April, settled up to 10 Apr" in text
    assert "Month end: **$3,000 (2,900 to 3,150)** ($3,600 at the pace so far)" in text
    assert "Nothing: every group kept to its own pattern." in text


def test_an_unknown_naive_forecast_is_not_shown_as_zero() -> None:
    total = replace(ONE, group="", naive_month_end_usd=None)
    text = spend_markdown(replace(OUTLOOK, total=total))
    assert "at the pace so far" not in text
    assert "| unknown |" in text


def test_an_anomaly_is_told_in_one_sentence_with_its_cause() -> None:
    assert anomaly_sentence(STEP) == (
        "**Amazon EC2** stepped up from 03 Apr to 10 Apr, still up: $1,200 where $800 was expected, "
        "**$400** more; mostly `BoxUsage:m5.4xlarge` (93% of what rose)."
    )


def test_groups_after_the_eighth_are_one_line() -> None:
    groups = tuple(replace(ONE, group=f"g{place}") for place in range(11))
    text = spend_markdown(replace(OUTLOOK, groups=groups))
    assert "| g7 |" in text
    assert "| g8 |" not in text
    assert "| 3 more | $3,600 | $9,000 |" in text


def test_anomalies_after_the_fifth_are_summed() -> None:
    assert "- 2 more, $800 together." in spend_markdown(OUTLOOK, [STEP] * 7)


def test_a_tag_value_cannot_break_the_table() -> None:
    text = spend_markdown(replace(OUTLOOK, groups=(replace(ONE, group="a|b\n`c`"),)))
    assert "| a b  c  |" in text


def test_why_a_group_is_forecast_naively_is_said() -> None:
    young = replace(ONE, note="naive: 9 of 14 days of history needed")
    text = spend_markdown(replace(OUTLOOK, groups=(young,)))
    assert "- Amazon EC2: naive: 9 of 14 days of history needed" in text


def test_rows_begin_with_the_total_and_keep_unknown_as_none() -> None:
    group = replace(ONE, naive_next_month_usd=None)
    total, row = spend_rows(replace(OUTLOOK, groups=(group,)))
    assert total["group"] == "total"
    assert row["naive_next_month_usd"] is None
    assert row["month_end_high_usd"] == 3150.0


def test_a_note_that_all_share_is_said_once() -> None:
    note = "27 days of history: a guess"
    groups = (replace(ONE, note=note), replace(ONE, group="new", note="3 days"))
    total = replace(ONE, group="", note=note)
    text = spend_markdown(replace(OUTLOOK, total=total, groups=groups, history_days=27))
    assert f"- total: {note}\n- new: 3 days" in text
    assert text.count(note) == 1


def test_short_histories_say_what_alarms_they_do_not_raise() -> None:
    assert "Not judged: 27 of 28 days" in spend_markdown(replace(OUTLOOK, history_days=27))
    text = spend_markdown(replace(OUTLOOK, history_days=40), [STEP])
    assert "With 40 of 56 days of history an alarm takes 2 times the usual rise" in text
    assert "stepped up" in text
    assert "56 days" not in spend_markdown(OUTLOOK)
