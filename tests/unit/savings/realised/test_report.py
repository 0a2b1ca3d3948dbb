from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.adapters.documents import from_json, to_json
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.report import (
    RealisedDocument,
    realised_document,
    realised_markdown,
    realised_rows,
    total_of,
)
from tasks.domain.savings.realised.values import Interval, Method, Realised, Verdict
from tests.unit.savings.realised.panels import APPLIED, change


def measured(name: str, verdict: Verdict, *, low: float, expected: float, high: float) -> Realised:
    return Realised(
        change=change(name=name, series=name, expected=100.0),
        verdict=verdict,
        method=Method.DIFFERENCE_IN_DIFFERENCES,
        saving=Interval(low=low, expected=expected, high=high),
        bill_usd=400.0,
        controls=("b", "c"),
        days_before=28,
        days_after=14,
    )


GOOD = measured("good", Verdict.REALISED, low=80.0, expected=95.0, high=110.0)
HALF = measured("half", Verdict.PARTLY, low=30.0, expected=40.0, high=50.0)
NONE = measured("none", Verdict.NOT, low=-5.0, expected=-1.0, high=3.0)
WIDE = replace(
    measured("wide", Verdict.TOO_EARLY, low=-90.0, expected=20.0, high=130.0),
    known_at=APPLIED + timedelta(days=22),
    notes=("the interval holds both nothing and half of what was expected",),
)
LOST = Realised(
    change=change(name="plan", series="account", kind=Kind.COMMITMENT, expected=50.0),
    verdict=Verdict.NOT_MEASURED,
    method=Method.NONE,
    notes=("a commitment changes what others cost",),
)


def document(*changes: Realised, names: dict[str, str] | None = None) -> RealisedDocument:
    return realised_document(changes, observed_at=APPLIED + timedelta(days=15), names=names or {})


def test_the_total_is_of_changes_with_a_verdict_and_of_what_was_promised_of_those() -> None:
    total = total_of([GOOD, HALF, NONE, WIDE, LOST])
    assert total.count == 3
    assert total.expected_usd == pytest.approx(300.0)
    sums = [total.realised.low, total.realised.expected, total.realised.high]
    assert sums == pytest.approx([105.0, 134.0, 163.0])


def test_the_summary_says_the_total_what_waits_until_when_and_what_nobody_measured() -> None:
    text = realised_markdown(document(GOOD, HALF, NONE, WIDE, LOST))

    assert "**$134 a month at list prices** came true of $300 that 3 changes with" in text
    assert "$105 to $163" in text
    assert "Too early for 1 change, of which $100 is expected." in text
    assert "| good | right-size | $100 | $95 ($80 to $110) | realised | 14 | 2 untouched |" in text
    assert "- right-size of wide: the interval holds both" in text
    assert "Look again on 24 Mar 2026." in text
    assert "- commitment of account: a commitment changes what others cost." in text


def test_whoever_reads_the_summary_is_told_that_a_bill_with_commitments_moves_by_less() -> None:
    text = realised_markdown(document(GOOD))
    headline, table, foot = text.split("\n\n")[1:]

    assert "at list prices" in headline
    assert "| realised a month at list prices, 9 times of 10 |" in table.splitlines()[0]
    assert "both at list prices" in foot
    assert "with savings plans or reservations the bill moves by less" in foot


def test_before_any_change_the_summary_says_so() -> None:
    assert "Nothing has been applied yet." in realised_markdown(document())


def test_without_a_verdict_the_summary_does_not_sum_up_to_nothing() -> None:
    text = realised_markdown(document(WIDE))
    assert "No change has a verdict yet." in text
    assert "$0" not in text


def test_a_change_of_which_more_days_would_not_tell_says_so() -> None:
    text = realised_markdown(document(replace(WIDE, known_at=None)))
    assert "More days would not tell." in text


def test_a_hostile_name_stays_in_its_cell() -> None:
    names = {"good": "a | b\n# c `<img>` [x](y)"}
    line = next(
        one
        for one in realised_markdown(document(GOOD, names=names)).splitlines()
        if "a " in one[:6]
    )
    assert line.startswith("| a \\| b \\# c \\`\\<img\\>\\` \\[x\\](y) | right-size |")


def test_rows_have_everything_and_leave_unknown_amounts_empty() -> None:
    good, lost = realised_rows(document(GOOD, LOST))
    assert good["realised USD/month"] == 95.0
    assert good["controls"] == 2
    assert lost["realised USD/month"] is None
    assert lost["notes"] == "a commitment changes what others cost"


def test_changes_are_listed_as_they_were_applied() -> None:
    early = replace(HALF, change=replace(HALF.change, applied_at=APPLIED - timedelta(days=3)))
    assert [one.change.change_id for one in document(GOOD, early).changes] == ["half", "good"]


def test_a_table_has_a_limit_and_says_how_many_more_there_are() -> None:
    many = [replace(GOOD, change=replace(GOOD.change, change_id=f"c-{n}")) for n in range(203)]
    rows = realised_rows(document(*many))
    assert len(rows) == 201
    assert rows[-1]["resource"] == "3 more are in the document"


def test_a_document_is_the_same_after_it_was_stored() -> None:
    stored = document(GOOD, HALF, NONE, WIDE, LOST, names={"good": "Good"})
    assert from_json(RealisedDocument, to_json(RealisedDocument, stored)) == stored
