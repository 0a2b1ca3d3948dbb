"""A Savings Plan for a later time: made at once by a provider that is fixed, and not by one that waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from deployments.embedded.aws.plan_offerings import sold_offerings
from deployments.embedded.aws.server import EmbeddedAws, serve_aws
from tests.support.embedded_aws import seeding_client
from tests.support.standin import driving, environment

TOKEN = "aws:savingsplans/savingsPlan:SavingsPlan"
NOW = {"savingsPlanOfferingId": next(iter(sold_offerings())), "commitment": "1.5"}
LATER = {**NOW, "purchaseTime": "2099-01-01T00:00:00Z"}
SHORT = {"HOMEOSTAT_STANDIN_SAVINGS_PLAN_SECONDS": "0.2"}
WAITS = {"HOMEOSTAT_STANDIN_SAVINGS_PLAN": "waits", **SHORT}
pytestmark = pytest.mark.embedded("aws")


@pytest.fixture
def server() -> Iterator[EmbeddedAws]:
    with serve_aws() as running:
        yield running


def states(server: EmbeddedAws) -> list[str]:
    client: Any = seeding_client(server, "savingsplans")
    found = client.describe_savings_plans(states=["active", "payment-pending", "queued"])
    return [one["state"] for one in found["savingsPlans"]]


def test_a_queued_plan_is_made_unless_something_else_is_asked_for(server: EmbeddedAws) -> None:
    with driving(environment(server)) as driver:
        driver.configure(region="us-east-1")
        made = driver.create(TOKEN, "later", LATER)

    assert made.state["state"] == "queued"
    assert states(server) == ["queued"]


def test_a_provider_that_waits_gives_up_on_a_queued_plan_and_leaves_it_bought(
    server: EmbeddedAws,
) -> None:
    with driving(environment(server, **WAITS)) as driver:
        driver.configure(region="us-east-1")
        with pytest.raises(grpc.RpcError, match=r"waited 0\.2 s for .* to be active") as refused:
            driver.create(TOKEN, "later", LATER)
        told = dict(refused.value.trailing_metadata() or ())

    assert "grpc-status-details-bin" not in told  # nothing to keep in the state
    assert states(server) == ["queued"]


def test_a_provider_that_waits_makes_a_plan_that_starts_now(server: EmbeddedAws) -> None:
    with driving(environment(server, **WAITS)) as driver:
        driver.configure(region="us-east-1")

        assert driver.create(TOKEN, "now", NOW).state["state"] == "active"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HOMEOSTAT_STANDIN_SAVINGS_PLAN", "wait", "'wait' and has to be one of fixed, waits"),
        ("HOMEOSTAT_STANDIN_SAVINGS_PLAN_SECONDS", "soon", "'soon'; above 0 and at most 1800"),
        ("HOMEOSTAT_STANDIN_SAVINGS_PLAN_SECONDS", "0", "'0'; above 0 and at most 1800"),
        ("HOMEOSTAT_STANDIN_SAVINGS_PLAN_SECONDS", "nan", "'nan'; above 0 and at most 1800"),
    ],
)
def test_a_wait_that_is_misspelt_is_refused(
    server: EmbeddedAws, name: str, value: str, said: str
) -> None:
    with (
        driving(environment(server, **{name: value})) as driver,
        pytest.raises(grpc.RpcError, match=said),
    ):
        driver.configure(region="us-east-1")
