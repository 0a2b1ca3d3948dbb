"""Reservations of databases and caches that somebody asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.domain.stacks.kinds.reservation import (
    RESERVED_CACHE,
    RESERVED_DATABASE,
    Reservation,
    Reserved,
)
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.program import StackPlan
from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import of_type

DATABASES, CACHES = fleet.RESERVATIONS


def plans(*wishes: Reservation) -> tuple[StackPlan, ...]:
    return stack_plans([], fleet.account(), now=fleet.NOW, reservations=wishes)


def test_databases_and_caches_are_reserved_in_the_stack_of_purchases() -> None:
    wanted = [fleet.commitment(), fleet.stop(fleet.IDLE)]
    purchases, region = stack_plans(
        wanted, fleet.account(), now=fleet.NOW, reservations=fleet.RESERVATIONS
    )
    (databases,) = of_type(purchases.change, RESERVED_DATABASE)
    (caches,) = of_type(purchases.change, RESERVED_CACHE)

    assert len(purchases.changes) == 3
    assert len(region.changes) == 1
    assert databases.inputs["offering_id"] == DATABASES.offering_id
    assert caches.inputs["reserved_cache_nodes_offering_id"] == CACHES.offering_id
    assert (databases.inputs["instance_count"], caches.inputs["cache_node_count"]) == (2, 3)
    assert purchases.prices[databases.name] == (DATABASES.covered_usd, DATABASES.paid_usd)


def test_a_reservation_is_protected_and_undo_leaves_it_alone() -> None:
    (plan,) = plans(DATABASES)
    (change,) = plan.changes
    (bought,) = plan.change.resources

    assert bought.protect
    assert plan.undo.resources == (bought,)
    assert plan.adopt.resources == ()
    assert not change.reversible
    assert change.saving.expected == pytest.approx(DATABASES.covered_usd - DATABASES.paid_usd)
    assert any("never given back" in note for note in change.notes)


def test_a_reservation_is_bought_where_it_holds_and_nothing_else_is_done_with_it() -> None:
    elsewhere = replace(DATABASES, region="eu-west-1")
    (plan,) = plans(elsewhere)
    account, other = plans(CACHES, elsewhere)

    assert (plan.region, plan.change.region) == ("eu-west-1", "eu-west-1")
    assert plan.stack.startswith("savings-account-eu-west-1-")
    assert plan.changes[0].region == "eu-west-1"
    assert (account.region, other) == (fleet.REGION, plan)


def test_the_same_offering_asked_for_twice_is_bought_once() -> None:
    (plan,) = plans(DATABASES, replace(DATABASES, count=1))

    assert len(plan.change.resources) == 1
    assert "is in the same stack" in plan.refused[0].why


@pytest.mark.parametrize("what", [Reserved.DATABASES, Reserved.CACHES])
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"count": 0}, "0 to reserve is outside of 1 to 100"),
        ({"count": 101}, "101 to reserve is outside of 1 to 100"),
        ({"count": True}, "True to reserve is outside of 1 to 100"),
        ({"offering_id": ""}, "no offering is named"),
        ({"paid_usd": float("nan")}, "nan is no amount in USD a month"),
        ({"covered_usd": float("inf")}, "inf is no amount in USD a month"),
        ({"paid_usd": -1.0}, "-1.0 is no amount in USD a month"),
    ],
)
def test_a_wish_without_a_number_an_offering_or_a_price_is_refused(
    what: Reserved, changes: dict[str, Any], why: str
) -> None:
    (plan,) = plans(replace(DATABASES, what=what, **changes))

    assert plan.change.resources == ()
    assert why in plan.refused[0].why
