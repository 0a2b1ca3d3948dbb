"""What is known of pools besides their prices: on-demand offers and placement scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prefect.logging import get_run_logger

from blocks import AwsAccount
from tasks.adapters.aws import regional_client
from tasks.adapters.placement import placement_scores, zone_names
from tasks.adapters.price_list import on_demand_offers
from tasks.domain.errors import InfraError, PermanentError
from tasks.domain.instances import Offer
from tasks.domain.spot.pools import Pool
from tasks.retries import remote_task

PRICE_LIST_REGION = "us-east-1"
"""The price list is served from a few regions only, for all of them."""

MOST_SCORED_TYPES = 8
"""AWS limits how many different requests an account may have scored in a day."""


@remote_task("fetch-on-demand-offers", run_name="fetch on-demand prices of {product} in {region}")
def fetch_on_demand_offers(account: AwsAccount, region: str, product: str) -> dict[str, Offer]:
    """Return what a region sells on demand, by instance type; empty where that is unknown."""
    client = regional_client(
        account.session(), "pricing", region=PRICE_LIST_REGION, endpoint_url=account.endpoint_url
    )
    offers = on_demand_offers(client, region=region, product=product)
    get_run_logger().info("spot.offers.fetched region=%s types=%d", region, len(offers))
    return offers


def fetch_offers(account: AwsAccount, pools: Sequence[Pool]) -> dict[Pool, Offer]:
    """Return the offer of each pool's type, where it is known; call it in a flow."""
    sold_in = sorted({(pool.region, pool.product_description) for pool in pools})
    futures = {place: fetch_on_demand_offers.submit(account, *place) for place in sold_in}
    offers: dict[tuple[str, str], dict[str, Offer]] = {}
    for place, future in futures.items():
        try:
            offers[place] = future.result()
        except InfraError as error:
            # Prices are forecast all the same; what is not known is not ranked.
            get_run_logger().warning("spot.offers.unknown place=%s reason=%s", place, error)
            offers[place] = {}
    return {
        pool: offer
        for pool in pools
        if (offer := offers[pool.region, pool.product_description].get(pool.instance_type))
    }


@remote_task("fetch-placement-scores", run_name="fetch placement scores in {region}")
def fetch_placement_scores(
    account: AwsAccount, region: str, capacity: Mapping[str, int]
) -> dict[tuple[str, str], int]:
    """Return placement scores by type and zone; empty where AWS refuses to score.

    Args:
        account: Where to ask.
        region: Zones of this region.
        capacity: Instances wanted, by type; at most `MOST_SCORED_TYPES` types are asked for.
    """
    client = regional_client(
        account.session(), "ec2", region=region, endpoint_url=account.endpoint_url
    )
    found: dict[tuple[str, str], int] = {}
    try:
        names = zone_names(client, region=region)
        for kind, count in list(capacity.items())[:MOST_SCORED_TYPES]:
            scores = placement_scores(
                client, instance_type=kind, capacity=count, region=region, names=names
            )
            found |= {(kind, zone): score for zone, score in scores.items()}
    except PermanentError as error:
        # A score is evidence, not a condition: without it the risk's interval is wider.
        get_run_logger().warning("spot.placement.unknown region=%s reason=%s", region, error)
    return found
