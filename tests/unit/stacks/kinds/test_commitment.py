"""Purchases: queued, protected, and never rounded up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.domain.stacks.kinds.commitment import hourly_commitment, purchase_time
from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import planned, refusal


def test_a_plan_is_queued_and_protected() -> None:
    plan = planned(fleet.commitment(1.23456789))
    (purchase,) = plan.change.resources

    assert {k: v for k, v in purchase.inputs.items() if k != "tags"} == {
        "commitment": "1.23456",
        "purchase_time": "2026-03-06T00:00:00Z",
        "savings_plan_offering_id": fleet.OFFERING,
    }
    assert purchase.protect
    # "1.15800000" is what AWS tells of "1.158": it must not look like another plan.
    assert purchase.ignore_changes == ("commitment", "purchase_time")
    assert plan.stack.startswith("savings-account-")
    assert plan.region == "us-east-1"


def test_undo_leaves_a_purchase_alone_and_says_so() -> None:
    plan = planned(fleet.commitment())

    assert plan.undo.resources == plan.change.resources
    assert plan.adopt.resources == ()
    assert not plan.changes[0].reversible
    assert any("until then it can be deleted" in note for note in plan.changes[0].notes)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1.999999, "1.99999"),
        (0.001, "0.00100"),
        (0.00099999, None),
        (1e-7, None),
        (float("nan"), None),
        (float("inf"), None),
        (-1.0, None),
        ("5", None),
        (True, None),
        (3, "3.00000"),
    ],
)
def test_an_amount_is_rounded_down_to_five_decimals(value: object, wanted: str | None) -> None:
    assert hourly_commitment(value) == wanted


def test_there_is_time_to_cancel() -> None:
    midnight = datetime(2026, 3, 5, tzinfo=UTC)

    assert purchase_time(midnight - timedelta(hours=24), timedelta(hours=24)) == (
        "2026-03-05T00:00:00Z"
    )
    assert purchase_time(midnight - timedelta(hours=23), timedelta(hours=24)) == (
        "2026-03-06T00:00:00Z"
    )
    with pytest.raises(ValueError, match="at least 1 hour is needed"):
        purchase_time(midnight, timedelta(minutes=59))


@pytest.mark.parametrize("term", ["1 year, all upfront", "5 years, no upfront", "soon"])
def test_terms_that_nobody_asked_for_are_not_bought(term: str) -> None:
    assert "0 offerings of AWS" in refusal(fleet.commitment(term=term))


def test_without_the_list_of_offerings_nothing_is_bought() -> None:
    live = replace(fleet.account(), plan_offerings=None, plans_unread="it was refused")

    assert "is not known: it was refused" in refusal(fleet.commitment(), live=live)
