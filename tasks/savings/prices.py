"""Every price that savings are reckoned with, read region by region in parallel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prefect.logging import get_run_logger

from blocks import AwsAccount
from tasks.adapters.aws import regional_client
from tasks.adapters.instance_types import type_facts
from tasks.adapters.price_list import function_price, on_demand_offers, volume_prices
from tasks.adapters.savings_plans import plan_rates
from tasks.domain.inventory import Inventory
from tasks.domain.savings.money import PriceBook, SpotQuote
from tasks.retries import remote_task

PRICE_LIST_REGION = "us-east-1"
"""The price list and Savings Plans are served from a few regions, for all of them."""


@remote_task("fetch-prices", run_name="fetch prices of {region}")
def fetch_prices(account: AwsAccount, region: str, products: tuple[str, ...]) -> PriceBook:
    """Return on-demand, plan, volume and function prices of one region.

    Args:
        account: Where to read.
        region: Where things run.
        products: Operating systems that run there.
    """

    def client(service: str, *, at: str) -> Any:
        return regional_client(
            account.session(), service, region=at, endpoint_url=account.endpoint_url
        )

    price_list = client("pricing", at=PRICE_LIST_REGION)
    plans = client("savingsplans", at=PRICE_LIST_REGION)
    offers = {
        (region, product): on_demand_offers(price_list, region=region, product=product)
        for product in products
    }
    rates = {
        (region, product): plan_rates(
            plans, region=region, product=product, instance_types=offers[region, product]
        )
        for product in products
    }
    functions = function_price(price_list, region=region)
    book = PriceBook(
        offers=offers,
        types=type_facts(client("ec2", at=region), region=region),
        volumes={
            (region, kind): price
            for kind, price in volume_prices(price_list, region=region).items()
        },
        functions={} if functions is None else {region: functions},
        plan_usd_per_hour=rates,
        quoted_at=account.endpoint_url or "AWS",
    )
    get_run_logger().info(
        "savings.prices.fetched region=%s offers=%d types=%d volumes=%d functions=%s rates=%d",
        region,
        sum(map(len, offers.values())),
        len(book.types),
        len(book.volumes),
        functions is not None,
        sum(map(len, rates.values())),
    )
    return book


def price_book(
    account: AwsAccount,
    inventory: Inventory,
    spot: Mapping[tuple[str, str], tuple[SpotQuote, ...]],
) -> PriceBook:
    """Return the prices of everywhere that something runs; call it in a flow.

    Args:
        account: Where to read.
        inventory: What runs.
        spot: Quotes, from the spot outlook.
    """
    products = products_by_region(inventory)
    futures = [fetch_prices.submit(account, *item) for item in products.items()]
    return joined_book((future.result() for future in futures), spot=spot)


def products_by_region(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    """Return which operating systems run in which region."""
    found: dict[str, set[str]] = {region: set() for region in inventory.regions}
    for one in inventory.instances:
        found[one.region].add(one.product)
    return {region: tuple(sorted(products)) for region, products in found.items()}


def joined_book(
    books: Iterable[PriceBook], *, spot: Mapping[tuple[str, str], tuple[SpotQuote, ...]]
) -> PriceBook:
    """Return the prices of several regions as one book."""
    parts = list(books)
    return PriceBook(
        offers={key: found for part in parts for key, found in part.offers.items()},
        types={key: found for part in parts for key, found in part.types.items()},
        volumes={key: found for part in parts for key, found in part.volumes.items()},
        functions={key: found for part in parts for key, found in part.functions.items()},
        plan_usd_per_hour={
            key: found for part in parts for key, found in part.plan_usd_per_hour.items()
        },
        spot=spot,
        quoted_at=next((part.quoted_at for part in parts), "AWS"),
    )
