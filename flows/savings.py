"""Find what could be saved in an account, net of overlap, with the arithmetic and the risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, cast

from prefect import flow
from prefect.blocks.core import Block
from prefect.futures import PrefectFuture
from prefect.logging import get_run_logger
from pydantic import Field

from blocks import AwsAccount, SavingsSettings, SpotOutlook, UsageProfile
from flows.blocks import block_of
from flows.due import reason_to_skip
from flows.parameters import BlockName, StorageName
from flows.runners import chosen_runner
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.errors import InfraError
from tasks.domain.models.family import Family
from tasks.domain.savings.sizing.expected_use import ExpectedUse
from tasks.models.catalogue import load_data, load_family
from tasks.models.expected import expect_use
from tasks.models.registry import Served
from tasks.models.scoring import waiting_forecasts
from tasks.models.training import load_champion
from tasks.savings.opportunities import (
    ObservedUse,
    find_opportunities,
    load_spot_quotes,
    load_use,
    publish_savings,
    savings_policy,
)
from tasks.savings.prices import price_book
from tasks.savings.report import show_savings
from tasks.savings.spend import Costs, fetch_costs, forecast_spend

STALE_AFTER = timedelta(hours=12)
"""A scheduled run that starts later than this is skipped: the next one is due."""
CPU_MODEL = "load-cpu"


@dataclass(frozen=True, kw_only=True)
class SavingsReport:
    """What a run found, in short; the rest is in artifacts and in the SavingsOutlook block.

    Attributes:
        bill_usd_per_month: Of the resources with a known price.
        saving_usd_per_month: Of everything chosen together, net of overlap.
        chosen: Opportunities chosen.
        rejected: Looked at and not chosen.
        month_end_usd: What this month will cost; None where Cost Explorer does not say enough.
        skipped: Why nothing was done; None otherwise.
    """

    bill_usd_per_month: float = 0.0
    saving_usd_per_month: float = 0.0
    chosen: int = 0
    rejected: int = 0
    month_end_usd: float | None = None
    skipped: str | None = None


def run_name() -> str:
    """Return a name that tells runs apart in a list."""
    return f"savings-{datetime.now(UTC):%d%b-%H%M}".lower()


@flow(
    name="optimize-costs",
    flow_run_name=run_name,
    task_runner=chosen_runner(),
    timeout_seconds=3600,
)
def optimize_costs(
    account: BlockName = "homeostat",
    storage: StorageName = "local-file-system/homeostat",
    profile: BlockName = "homeostat",
    outlook: BlockName = "homeostat",
    settings: BlockName = "homeostat",
    savings: BlockName = "homeostat",
    scores: BlockName = "homeostat",
    cost_tag: Annotated[str | None, Field(max_length=128)] = "team",
    seed: Annotated[int, Field(ge=0)] = 20,
) -> SavingsReport:
    """Find savings in what `cluster-usage` observed, and say what they are worth together.

    Right-sizing, spot, commitments, serverless, stopping, schedules, volume types and predictive
    scaling are looked at; alternatives for one resource exclude each other, and every amount is a
    difference of two whole bills. Where a model of load serves, a smaller type must also hold what it
    expects of the next day. Reads prices and costs, and changes nothing.

    Args:
        account: Name of the AwsAccount block.
        storage: Storage block for what was observed and found, as type/name.
        profile: Name of the UsageProfile block to read.
        outlook: Name of the SpotOutlook block to read; without a fresh one spot is not proposed.
        settings: Name of the SavingsSettings block: limits, permissions, ignored resources.
        savings: Name of the SavingsOutlook block to write.
        scores: Name of the ForecastScores block, by which intervals of the load forecast are as wide.
        cost_tag: Cost allocation tag to tell the bill apart by; empty for none.
        seed: Same seed and costs, same forecast of the bill.
    """
    if (reason := reason_to_skip(STALE_AFTER)) is not None:
        get_run_logger().warning("savings.run.skipped reason=%s", reason)
        return SavingsReport(skipped=reason)
    now = datetime.now(UTC)
    aws = block_of(AwsAccount, account)
    store = cast("Storage", Block.load(storage))
    policy = savings_policy(block_of(SavingsSettings, settings))

    costs = fetch_costs.submit(aws, now.date(), cost_tag or "")
    quotes = load_spot_quotes.submit(store, outlook, load_state(SpotOutlook, outlook), now)
    use = load_use(store, profile, load_state(UsageProfile, profile), now)
    prices = price_book(aws, use.inventory, quotes.result())
    expected = expected_of(store, use, scores=scores, now=now)
    found = find_opportunities(Sealed(use), Sealed(prices), policy, Sealed(expected))
    paid = costs_or_none(costs)
    spend = forecast_spend(Sealed(paid), now.date(), seed=seed)
    publish_savings(store, savings, found, Sealed(None if paid is None else paid.details))
    show_savings(Sealed(found), Sealed(spend), quoted_at=prices.quoted_at, cost_tag=cost_tag or "")
    return SavingsReport(
        bill_usd_per_month=found.before_usd,
        saving_usd_per_month=found.saving.expected,
        chosen=len(found.chosen),
        rejected=len(found.rejected),
        month_end_usd=None if spend is None else spend.outlook.total.month_end.expected,
    )


def expected_of(
    storage: Storage, use: ObservedUse, *, scores: str, now: datetime
) -> Mapping[str, ExpectedUse]:
    """Return what the load forecast expects of instances; nothing where there is no model yet."""
    family: Sealed[Family[Any, Any]] = Sealed(load_family(CPU_MODEL))
    champion = load_champion(storage, CPU_MODEL, family)
    served = None
    if champion is not None:
        served = Served(model=champion.model.model, version=champion.version)
    panel = load_data(CPU_MODEL, use.panel, now=now, inventory=use.inventory)
    daily = waiting_forecasts(storage, scores, now).daily
    return expect_use(CPU_MODEL, Sealed(panel), Sealed(served), Sealed(daily))


def costs_or_none(future: PrefectFuture[Costs]) -> Costs | None:
    """Return the costs; None where they could not be read: savings do not need them."""
    try:
        return future.result()
    except InfraError as error:
        get_run_logger().warning("savings.costs.unknown reason=%s", error)
        return None


if __name__ == "__main__":
    optimize_costs()
