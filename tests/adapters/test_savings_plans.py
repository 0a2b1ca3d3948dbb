from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws.commitments import (
    EmbeddedCommitments,
    EmbeddedPlan,
    EmbeddedReservation,
    small_plan,
)
from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.aws.plan_rates import ALL_UPFRONT, INSTANCE, Offering
from deployments.embedded.aws.price_list import on_demand_types
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.savings_plans import active_commitments, plan_rates
from tasks.domain.errors import TransientError
from tasks.domain.inventory import Commitment, CommitmentKind
from tests.support.embedded_aws import Clock, aws_client, seeding_client

pytestmark = pytest.mark.embedded("aws")

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STARTED = datetime(2025, 9, 1, tzinfo=UTC)
LINUX = "Linux/UNIX"
HELD = EmbeddedCommitments(
    plans=(
        EmbeddedPlan(usd_per_hour=1.5, started_at=STARTED),
        EmbeddedPlan(
            usd_per_hour=0.25,
            started_at=STARTED,
            offering=Offering(plan=INSTANCE, years=3, payment=ALL_UPFRONT),
            region="us-east-1",
            family="m5",
        ),
        EmbeddedPlan(usd_per_hour=9.0, started_at=NOW - timedelta(days=400)),
    ),
    reservations=(
        EmbeddedReservation(
            region="us-east-1",
            instance_type="c5.large",
            product="Windows",
            usd_per_hour=0.02,
            count=3,
            upfront_usd=175.2,
            started_at=STARTED,
        ),
    ),
)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), commitments=HELD)) as running:
        yield running


def held(server: EmbeddedAws, *regions: str) -> tuple[Commitment, ...]:
    clients = {region: aws_client(server, "ec2", region=region) for region in regions}
    return active_commitments(aws_client(server, "savingsplans"), ec2=clients)


def test_plans_and_reservations_that_are_active_are_found(server: EmbeddedAws) -> None:
    compute, instance, reservation = held(server, "us-east-1", "eu-west-1")

    assert (compute.kind, compute.usd_per_hour) == (CommitmentKind.COMPUTE_SAVINGS_PLAN, 1.5)
    assert (compute.region, compute.instance_family) == (None, None)
    assert compute.ends_at == STARTED + timedelta(days=365)
    assert instance.kind is CommitmentKind.INSTANCE_SAVINGS_PLAN
    assert (instance.region, instance.instance_family) == ("us-east-1", "m5")
    assert reservation.kind is CommitmentKind.RESERVED_INSTANCE
    assert (reservation.instance_type, reservation.count) == ("c5.large", 3)
    assert reservation.product == "Windows"
    # 3 x (0.02 an hour + 175.20 over the 8,760 hours of a year)
    assert reservation.usd_per_hour == pytest.approx(3 * (0.02 + 0.02))


def test_a_reservation_in_a_region_that_is_not_looked_at_is_not_seen(server: EmbeddedAws) -> None:
    assert [one.kind for one in held(server, "eu-west-1")] == [
        CommitmentKind.COMPUTE_SAVINGS_PLAN,
        CommitmentKind.INSTANCE_SAVINGS_PLAN,
    ]


def test_a_reservation_in_a_private_cloud_is_of_the_same_product() -> None:
    (reserved,) = HELD.reservations
    old = replace(reserved, product="Linux/UNIX (Amazon VPC)")
    config = EmbeddedAwsConfig(
        clock=Clock(NOW), commitments=EmbeddedCommitments(reservations=(old,))
    )
    with serve_aws(config) as server:
        (found,) = held(server, "us-east-1")
    assert found.product == LINUX


def test_an_account_without_commitments_has_none() -> None:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW))) as empty:
        assert held(empty, "us-east-1") == ()


def test_the_small_plan_is_active(server: EmbeddedAws) -> None:
    (plan,) = small_plan(NOW).plans

    assert plan.started_at < NOW < plan.ends_at


def test_a_rate_is_the_stated_share_of_the_on_demand_price(server: EmbeddedAws) -> None:
    client = aws_client(server, "savingsplans")

    found = plan_rates(
        client, region="us-east-1", product=LINUX, instance_types=["m5.large", "m4.large", "x.y"]
    )

    assert found == pytest.approx({"m5.large": 0.096 * 0.725, "m4.large": 0.1 * 0.815})


def test_every_type_has_a_rate_below_on_demand(server: EmbeddedAws) -> None:
    client = aws_client(server, "savingsplans")

    found = plan_rates(client, region="us-east-1", product=LINUX, instance_types=on_demand_types())

    assert found.keys() == on_demand_types().keys()
    assert all(0 < rate < on_demand_types()[kind].usd_per_hour for kind, rate in found.items())


@pytest.mark.parametrize(
    ("region", "product", "kinds"),
    [
        ("mars-1", LINUX, ["m5.large"]),
        ("us-east-1", "Windows", ["m5.large"]),
        ("us-east-1", LINUX, []),
    ],
)
def test_an_unknown_rate_is_left_out(
    server: EmbeddedAws, region: str, product: str, kinds: list[str]
) -> None:
    client = aws_client(server, "savingsplans")

    assert plan_rates(client, region=region, product=product, instance_types=kinds) == {}


def test_rates_come_once_each_over_pages(server: EmbeddedAws) -> None:
    owner = seeding_client(server, "savingsplans")
    query: dict[str, Any] = {
        "savingsPlanTypes": ["EC2Instance"],
        "filters": [
            {"name": "instanceFamily", "values": ["m5", "c5"]},
            {"name": "region", "values": ["us-east-1"]},
        ],
        "maxResults": 20,
    }
    rows: list[dict[str, Any]] = []
    page = owner.describe_savings_plans_offering_rates(**query)
    rows += page["searchResults"]
    while page.get("nextToken"):
        page = owner.describe_savings_plans_offering_rates(**query, nextToken=page["nextToken"])
        rows += page["searchResults"]

    keys = {(row["savingsPlanOffering"]["offeringId"], row["usageType"]) for row in rows}
    families = {kind.partition(".")[0] for kind in on_demand_types()} & {"m5", "c5"}
    kinds = [kind for kind in on_demand_types() if kind.partition(".")[0] in families]
    assert len(rows) == len(keys) == len(kinds) * 2 * 3  # two terms, three ways to pay


@pytest.mark.parametrize(
    "arguments",
    [
        {"maxResults": 1001},
        {"filters": [{"name": "productId", "values": ["x"]}]},
        {"nextToken": "bWFkZSB1cA=="},
    ],
)
def test_what_is_not_embedded_of_rates_is_refused(
    server: EmbeddedAws, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        seeding_client(server, "savingsplans").describe_savings_plans_offering_rates(**arguments)


def test_throttling_is_worth_another_try() -> None:
    config = EmbeddedAwsConfig(clock=Clock(NOW), commitments=HELD)
    rule = FaultRule(operation="savingsplans:*", kind=FaultKind.THROTTLE)
    with serve_aws(replace(config, faults=(rule,))) as server, pytest.raises(TransientError):
        held(server, "us-east-1")
