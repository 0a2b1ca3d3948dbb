from __future__ import annotations

from datetime import timedelta

import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.commitments import CommitmentUse, measured_commitment
from tasks.domain.savings.realised.values import Method, Verdict
from tests.unit.savings.realised.panels import START, change

BOUGHT = change(kind=Kind.COMMITMENT, series="account", expected=100.0)


def use(*, days: int = 14, on_demand: float, paid: float) -> CommitmentUse:
    return CommitmentUse(
        begin=START, end=START + timedelta(days=days), on_demand_usd=on_demand, paid_usd=paid
    )


def test_a_commitment_saves_what_it_covered_less_what_was_paid_for_it() -> None:
    # 14 days are 336 of the 730 hours of a month.
    found = measured_commitment(BOUGHT, use(on_demand=150.0, paid=102.0))

    assert found.saving is not None
    assert found.saving.expected == pytest.approx(48.0 * 730.0 / 336.0)
    assert found.bill_usd == pytest.approx(150.0 * 730.0 / 336.0)
    assert (found.verdict, found.method) == (Verdict.REALISED, Method.EXACT)


def test_a_commitment_that_is_hardly_used_loses_money_and_says_so() -> None:
    found = measured_commitment(BOUGHT, use(on_demand=20.0, paid=102.0))
    assert found.saving is not None
    assert found.saving.expected < 0.0
    assert found.verdict is Verdict.NOT


def test_a_commitment_of_less_than_a_week_is_not_judged() -> None:
    found = measured_commitment(BOUGHT, use(days=6, on_demand=20.0, paid=10.0))
    assert (found.verdict, found.saving) == (Verdict.TOO_EARLY, None)
    assert found.known_at == START + timedelta(days=7)


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(PermanentError, match="not after it begins"):
        use(days=0, on_demand=1.0, paid=1.0)
