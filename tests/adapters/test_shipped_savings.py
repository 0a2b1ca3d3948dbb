"""The account that is shipped, read over the wire: it has something to save of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.instance_types import type_facts
from tasks.adapters.inventory import region_inventory
from tasks.adapters.metrics import Window
from tasks.adapters.price_list import function_price, on_demand_offers, volume_prices
from tasks.adapters.savings_plans import plan_rates
from tasks.adapters.usage_metrics import (
    Reader,
    group_panel,
    instance_panel,
    joined_panel,
    reported_metrics,
    service_panel,
)
from tasks.domain.inventory import Inventory
from tasks.domain.savings.money import PriceBook, SpotQuote
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.plan import find_savings
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.selection.selection import Selection
from tasks.domain.savings.sizing.capacity_needs import capacity_needs
from tasks.domain.usage.panel import UsagePanel
from tests.support.embedded_aws import Clock, aws_client

pytestmark = [pytest.mark.slow, pytest.mark.embedded("aws")]

REGION = "us-east-1"
LINUX = "Linux/UNIX"
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
END = NOW.replace(minute=0)


class Account:
    """Reads one region of an embedded account."""

    def __init__(self, server: EmbeddedAws) -> None:
        self._server = server
        self.inventory = region_inventory(self.client, region=REGION, observed_at=NOW)
        self.panel = self._panel(self.inventory)
        self.book = self._book(self.inventory)

    def client(self, service: str) -> Any:
        return aws_client(self._server, service, attempts=3)

    def _panel(self, inventory: Inventory) -> UsagePanel:
        window = Window(start=END - timedelta(days=28), end=END)
        reader = Reader(client=self.client("cloudwatch"), region=REGION, window=window)
        reported = reported_metrics(reader.client, region=REGION)
        ids = [one.instance_id for one in inventory.instances]
        return joined_panel(
            [
                instance_panel(reader, ids, reported),
                group_panel(reader, inventory.groups),
                service_panel(reader, inventory.services),
            ]
        )

    def _book(self, inventory: Inventory) -> PriceBook:
        prices, plans = self.client("pricing"), self.client("savingsplans")
        offers = {
            (REGION, product): on_demand_offers(prices, region=REGION, product=product)
            for product in sorted({one.product for one in inventory.instances})
        }
        zones = sorted({one.availability_zone for one in inventory.instances})
        functions = function_price(prices, region=REGION)
        assert functions is not None
        return PriceBook(
            offers=offers,
            types=type_facts(self.client("ec2"), region=REGION),
            volumes={(REGION, k): v for k, v in volume_prices(prices, region=REGION).items()},
            functions={REGION: functions},
            plan_usd_per_hour={
                key: plan_rates(plans, region=REGION, product=key[1], instance_types=found)
                for key, found in offers.items()
            },
            # Stand for a forecast, which takes longer than all the rest.
            spot={
                (REGION, kind): tuple(_quote(kind, z, one.price_usd_per_hour) for z in zones)
                for kind, one in offers[REGION, LINUX].items()
            },
        )


def _quote(kind: str, zone: str, price: float) -> SpotQuote:
    return SpotQuote(
        region=REGION,
        availability_zone=zone,
        instance_type=kind,
        usd_per_hour=0.45 * price,
        high_usd_per_hour=0.5 * price,
        interruptions_per_month=0.15,
    )


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as running:
        yield Account(running)


@pytest.fixture(scope="module")
def found(account: Account) -> Selection:
    policy = SavingsPolicy()
    return find_savings(
        account.inventory,
        account.panel,
        archetypes={},
        needs=capacity_needs(account.panel, account.inventory, account.book.types, policy),
        prices=account.book,
        policy=policy,
        now=NOW,
    )


def names(account: Account, found: Selection, kind: Kind) -> set[str]:
    called = {one.instance_id: one.tags["Name"] for one in account.inventory.instances}
    called |= {one.volume_id: one.tags.get("Name", "") for one in account.inventory.volumes}
    chosen = [one.opportunity for one in found.chosen if one.opportunity.kind is kind]
    return {called.get(one.resource, one.resource) for one in chosen}


def test_something_of_every_kind_is_proposed(found: Selection) -> None:
    assert {one.opportunity.kind for one in found.chosen} == set(Kind)


def test_idle_machines_are_stopped_but_for_the_one_that_works_every_week(
    account: Account, found: Selection
) -> None:
    stopped = names(account, found, Kind.STOP)
    assert {"proof-of-concept-1", "proof-of-concept-2", "forgotten"} <= stopped
    assert not stopped & {"proof-of-concept-3", "license-server", "new-search", "reports"}


def test_a_production_group_is_on_spot_only_where_its_tag_allows_it(
    account: Account, found: Selection
) -> None:
    spot = names(account, found, Kind.SPOT)
    assert "transcoder" in spot
    assert "storefront" not in spot


def test_nothing_of_production_is_stopped_or_scheduled(account: Account, found: Selection) -> None:
    live = {i.instance_id for i in account.inventory.instances if i.tags.get("env") == "prod"}
    touched = {
        one.opportunity.resource
        for one in found.chosen
        if one.opportunity.kind in {Kind.STOP, Kind.SCHEDULE}
    }
    assert touched
    assert not touched & live
