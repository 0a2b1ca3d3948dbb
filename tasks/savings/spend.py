"""What was spent: read from Cost Explorer with few requests, since each one is charged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from blocks import AwsAccount
from tasks.adapters.aws import regional_client
from tasks.adapters.cost_explorer import BY_SERVICE_AND_USAGE, REGION, CostGroup, daily_costs
from tasks.chunks import Sealed
from tasks.domain.errors import PermanentError
from tasks.domain.savings.spend.anomalies import spend_anomalies
from tasks.domain.savings.spend.forecast import spend_outlook
from tasks.domain.savings.spend.panel import SpendAnomaly, SpendOutlook
from tasks.retries import remote_task

SPEND_DAYS = 120


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Daily cost of an account.

    Attributes:
        by_service: day, group, usd, is_estimated.
        details: The same with the usage type as `part`.
        by_tag: By value of the tag; None where no tag was asked for.
    """

    by_service: pd.DataFrame
    details: pd.DataFrame
    by_tag: pd.DataFrame | None


@dataclass(frozen=True, kw_only=True)
class SpendFindings:
    """What the bill will be, and what was unusual about it."""

    outlook: SpendOutlook
    anomalies: tuple[SpendAnomaly, ...]
    by_tag: SpendOutlook | None


@remote_task("fetch-costs")
def fetch_costs(account: AwsAccount, today: date, tag: str) -> Costs:
    """Return the last months' cost by service and by tag.

    Args:
        account: Where to ask.
        today: Costs up to the day before.
        tag: Cost allocation tag; empty for none.
    """
    client = regional_client(
        account.session(), "ce", region=REGION, endpoint_url=account.endpoint_url
    )
    start = today - timedelta(days=SPEND_DAYS)
    details = daily_costs(client, start=start, end=today, group_by=BY_SERVICE_AND_USAGE)
    tagged = (
        daily_costs(client, start=start, end=today, group_by=(CostGroup.tag(tag),)) if tag else None
    )
    services = details.groupby(["day", "group"], as_index=False).agg(
        usd=("usd", "sum"), is_estimated=("is_estimated", "max")
    )
    return Costs(by_service=services, details=details, by_tag=tagged)


@task(name="forecast-spend", timeout_seconds=300, cache_policy=NO_CACHE)
def forecast_spend(costs: Sealed[Costs | None], today: date, *, seed: int) -> SpendFindings | None:
    """Return the outlook of the bill; None where too little is known to say anything."""
    found = costs.value
    if found is None:
        return None
    try:
        outlook = spend_outlook(found.by_service, today=today, seed=seed)
        tagged = (
            None if found.by_tag is None else spend_outlook(found.by_tag, today=today, seed=seed)
        )
    except PermanentError as error:
        get_run_logger().warning("savings.spend.unknown reason=%s", error)
        return None
    return SpendFindings(
        outlook=outlook,
        anomalies=spend_anomalies(found.by_service, today=today, details=found.details),
        by_tag=tagged,
    )
