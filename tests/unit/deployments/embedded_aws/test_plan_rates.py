from __future__ import annotations

import itertools

import pytest

from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.plan_rates import (
    COMPUTE,
    INSTANCE,
    NO_UPFRONT,
    OFFERINGS,
    OLDER_FAMILIES,
    Offering,
    plan_rate,
)
from deployments.embedded.aws.price_list import on_demand_types


def rate(kind: str, plan: str, years: int, payment: str = NO_UPFRONT) -> float:
    offering = Offering(plan=plan, years=years, payment=payment)
    found = plan_rate(kind, region="us-east-1", offering=offering)
    assert found is not None
    return found


def test_a_longer_or_narrower_or_older_commitment_has_its_own_rate() -> None:
    assert rate("m5.large", COMPUTE, 1) == pytest.approx(0.0696)
    assert (
        rate("m5.large", COMPUTE, 3) < rate("m5.large", INSTANCE, 1) < rate("m5.large", COMPUTE, 1)
    )
    assert rate("m4.large", COMPUTE, 1) == pytest.approx(0.0815)


def test_paying_earlier_costs_less() -> None:
    rates = [rate("c5.large", COMPUTE, 1, one.payment) for one in OFFERINGS[:3]]

    assert rates == sorted(rates, reverse=True)


def test_the_rate_of_an_unknown_type_is_unknown() -> None:
    assert plan_rate("m99.large", region="us-east-1", offering=OFFERINGS[0]) is None


def test_the_older_families_are_in_the_price_list() -> None:
    assert {kind.partition(".")[0] for kind in on_demand_types()} >= OLDER_FAMILIES


def test_offerings_have_ids_of_their_own() -> None:
    ids = {
        one.identity(region, family)
        for one, region, family in itertools.product(OFFERINGS, ("a", "b"), ("m5", "c5"))
    }

    # A Compute plan is one offering for all regions and families.
    assert len(ids) == 2 * 3 + 2 * 3 * 4


def test_pages_hold_every_row_once() -> None:
    rows = list(range(7))
    first, second = page_of(rows, query={"a": 1}, token=None, limit=3, code="Bad")
    middle, third = page_of(rows, query={"a": 1}, token=second, limit=3, code="Bad")
    last, end = page_of(rows, query={"a": 1}, token=third, limit=3, code="Bad")

    assert [*first, *middle, *last] == rows
    assert end is None


def test_a_token_of_another_query_is_refused() -> None:
    _, token = page_of([1, 2], query={"a": 1}, token=None, limit=1, code="Bad")

    with pytest.raises(AwsError, match="Bad: The pagination token belongs"):
        page_of([1, 2], query={"a": 2}, token=token, limit=1, code="Bad")
