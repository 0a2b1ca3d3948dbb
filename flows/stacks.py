"""Apply savings: from opportunities to a reviewed stack, to the account, and back where it must."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, cast

from prefect import flow
from prefect.blocks.core import Block
from prefect.flow_runs import suspend_flow_run
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import Field

from blocks import AwsAccount, Guardrails, PulumiBackend, SavingsOutlook, SpotOutlook, UsageProfile
from flows.blocks import block_of
from flows.due import reason_to_skip
from flows.parameters import BlockName, StorageName
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.errors import InfraError
from tasks.domain.stacks.approval import Given
from tasks.domain.stacks.live import PURCHASE_REGION
from tasks.domain.stacks.stack_prices import StackPrices, stack_prices
from tasks.guardrails import guardrail_policy
from tasks.savings.opportunities import load_spot_quotes, load_use
from tasks.savings.prices import price_book
from tasks.stacks.applying import apply_answered, apply_unasked
from tasks.stacks.finishing import finish
from tasks.stacks.form import Approval, given_answer
from tasks.stacks.ledger import entry_of, ledger_of, stack_of_run
from tasks.stacks.outcome import StackReport
from tasks.stacks.planning import PURCHASES, load_opportunities, plan_stack, read_live, wanted
from tasks.stacks.proposing import Proposal, propose, waiting_proposal
from tasks.stacks.settling import is_unsettled, settle
from tasks.stacks.site import Site
from tasks.stacks.undoing import undo
from tasks.stacks.updates import only_update

STALE_AFTER = timedelta(hours=12)
OLDEST_INVENTORY = timedelta(days=30)
MOST_ANSWERS = 5
"""Answers that a request takes before the run gives up: signatures may be missing at first."""

Place = Annotated[
    str, Field(pattern=rf"^({PURCHASES}|[a-z]{{2}}(-[a-z]+)+-\d+)$", examples=["us-east-1"])
]


def run_name() -> str:
    """Return a name that tells runs apart in a list."""
    return f"stack-{datetime.now(UTC):%d%b-%H%M%S}".lower()


@flow(name="apply-savings", flow_run_name=run_name, timeout_seconds=4 * 3600)
def apply_savings(
    region: Place = "us-east-1",
    only: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=300)]], Field(max_length=200)
    ]
    | None = None,
    account: BlockName = "homeostat",
    apply_account: BlockName = "homeostat-apply",
    storage: StorageName = "local-file-system/homeostat",
    savings: BlockName = "homeostat",
    profile: BlockName = "homeostat",
    outlook: BlockName = "homeostat",
    backend: BlockName = "homeostat",
    guardrails: BlockName = "homeostat",
    ledger: BlockName = "homeostat",
) -> StackReport:
    """Turn what `optimize-costs` chose into a reviewed stack, and apply exactly what is approved.

    The guardrails say first what may be changed at all. A Pulumi program is generated, what exists is
    adopted without any change to it, the change is previewed by the engine with its money, and the run
    waits for approval. What is applied is what was approved: it is previewed again, compared, applied,
    verified, and taken back where it does not prove itself.

    Args:
        region: Where to change something; "account" for what is bought for the whole account.
        only: Kinds, ids or names to look at; nothing for everything that was chosen there.
        account: Name of the AwsAccount block that reads.
        apply_account: Name of the AwsAccount block that may change what a stack changes.
        storage: Storage block for programs, previews and approvals, as type/name.
        savings: Name of the SavingsOutlook block to read.
        profile: Name of the UsageProfile block: what runs, for prices.
        outlook: Name of the SpotOutlook block, for prices.
        backend: Name of the PulumiBackend block.
        guardrails: Name of the Guardrails block.
        ledger: Name of the StackLedger block to write.
    """
    if (reason := reason_to_skip(STALE_AFTER)) is not None:
        get_run_logger().warning("stacks.run.skipped reason=%s", reason)
        return StackReport(status="skipped", message=reason)
    site = site_of(account, apply_account, storage, backend, guardrails, ledger)
    market = market_of(site, region, profile=profile, outlook=outlook)
    settle(site, market.prices)
    proposal = resumed(site)
    if proposal is None:
        found = proposed(site, market, region=region, only=only or [], savings=savings)
        if isinstance(found, StackReport):
            return found
        proposal = found
    return decided(site, proposal, market)


def resumed(site: Site) -> Proposal | None:
    """Return what this run asked before it was suspended; None where it has not asked yet."""
    stack = stack_of_run(ledger_of(site.ledger), site.run_id, status="waiting")
    return None if stack is None else waiting_proposal(site, stack)


def proposed(
    site: Site, market: Market, *, region: str, only: list[str], savings: str
) -> Proposal | StackReport:
    """Return a previewed stack that can be decided about; a report where it ends before that."""
    now = datetime.now(UTC)
    found = load_opportunities(site.store, savings, load_state(SavingsOutlook, savings), now)
    chosen = wanted(found, region=region, only=only)
    if not chosen:
        return StackReport(status="nothing", message=f"nothing was chosen in {region}")
    live = read_live(site.account, region, Sealed(chosen))
    planned = plan_stack(
        Sealed(chosen),
        Sealed(live),
        site.policy,
        Sealed(ledger_of(site.ledger)),
        population=market.population,
        names=found.names,
        now=now,
    )
    return propose(site, planned, market.prices, names=found.names, now=now)


def decided(site: Site, proposal: Proposal, market: Market) -> StackReport:
    """Apply a proposal, or not, as the guardrails and people say."""
    prices, population = market.prices, market.population
    if proposal.request is None:
        with only_update():
            report = apply_unasked(site, proposal, prices, population=population)
        return finish(site, report, prices)
    report = StackReport(status="refused")
    for number in range(1, MOST_ANSWERS + 1):
        given = asked(proposal, number=number)
        # Read again: what was switched off or narrowed while it waited counts at once.
        fresh = site.with_policy(guardrail_policy(block_of(Guardrails, site.guardrails)))
        with only_update():
            report = apply_answered(
                fresh,
                proposal,
                given,
                prices,
                population=population,
                last=number == MOST_ANSWERS,
            )
        if report.status != "waiting":
            return finish(fresh, report, prices)
    return report


def asked(proposal: Proposal, *, number: int) -> Given:
    """Suspend the run until somebody answers; resumed, return the answer.

    The run's process ends while it waits. When it is resumed the flow begins again, comes here with
    the same key, and gets what was filled in.
    """
    assert proposal.request is not None  # noqa: S101 - for the type checker
    form = Approval.with_initial_data(description=proposal.text, hash=proposal.request.hash)
    key = f"{proposal.request.request_id}-{number}"
    answer = suspend_flow_run(wait_for_input=form, key=key, timeout=None)
    return given_answer(answer, now=datetime.now(UTC))


@flow(name="undo-stack", flow_run_name=run_name, timeout_seconds=4 * 3600)
def undo_stack(
    stack: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")],
    account: BlockName = "homeostat",
    apply_account: BlockName = "homeostat-apply",
    storage: StorageName = "local-file-system/homeostat",
    profile: BlockName = "homeostat",
    outlook: BlockName = "homeostat",
    backend: BlockName = "homeostat",
    guardrails: BlockName = "homeostat",
    ledger: BlockName = "homeostat",
    insist: bool = False,
) -> StackReport:
    """Bring back what a stack changed, by the undo program that was generated with it, and verify it.

    Args:
        stack: Its name, as in the ledger.
        account: Name of the AwsAccount block that reads.
        apply_account: Name of the AwsAccount block that may change what a stack changes.
        storage: Storage block for programs, previews and approvals, as type/name.
        profile: Name of the UsageProfile block: what runs, for prices.
        outlook: Name of the SpotOutlook block, for prices.
        backend: Name of the PulumiBackend block.
        guardrails: Name of the Guardrails block.
        ledger: Name of the StackLedger block to write.
        insist: Also where somebody changed something since: it is overwritten with what was there
            before the stack.
    """
    site = site_of(account, apply_account, storage, backend, guardrails, ledger)
    entry = entry_of(ledger_of(site.ledger), stack)
    prices = known_prices(site, entry.region, profile=profile, outlook=outlook)
    with only_update():
        return undo(site, stack, prices, why="a person asked for it", insist=insist)


@flow(name="settle-stacks", flow_run_name=run_name, timeout_seconds=4 * 3600)
def settle_stacks(
    account: BlockName = "homeostat",
    apply_account: BlockName = "homeostat-apply",
    storage: StorageName = "local-file-system/homeostat",
    profile: BlockName = "homeostat",
    outlook: BlockName = "homeostat",
    backend: BlockName = "homeostat",
    guardrails: BlockName = "homeostat",
    ledger: BlockName = "homeostat",
) -> int:
    """Bring stacks that a run left half-way to a known state; return how many were verified or undone.

    Args:
        account: Name of the AwsAccount block that reads.
        apply_account: Name of the AwsAccount block that may change what a stack changes.
        storage: Storage block for programs, previews and approvals, as type/name.
        profile: Name of the UsageProfile block: what runs, for prices.
        outlook: Name of the SpotOutlook block, for prices.
        backend: Name of the PulumiBackend block.
        guardrails: Name of the Guardrails block.
        ledger: Name of the StackLedger block to write.
    """
    if not is_unsettled(ledger):
        return 0
    site = site_of(account, apply_account, storage, backend, guardrails, ledger)
    region = site.account.regions[0]
    return len(settle(site, known_prices(site, region, profile=profile, outlook=outlook)))


def site_of(
    account: str, apply_account: str, storage: str, backend: str, guardrails: str, ledger: str
) -> Site:
    """Return what a run works with.

    Raises:
        NoSuchBlockError: A block is missing.
    """
    limits = block_of(Guardrails, guardrails)
    return Site(
        account=block_of(AwsAccount, account),
        apply_account=block_of(AwsAccount, apply_account),
        store=cast("Storage", Block.load(storage)),
        backend=block_of(PulumiBackend, backend),
        guardrails=guardrails,
        notify=tuple(limits.notify),
        policy=guardrail_policy(limits),
        ledger=ledger,
        run_id=str(flow_run.id),
        address=flow_run.ui_url,
    )


@dataclass(frozen=True, kw_only=True)
class Market:
    """What a region's resources cost now, and how many there are.

    Attributes:
        population: Resources that were looked at when use was observed.
    """

    prices: StackPrices
    population: int


def market_of(site: Site, region: str, *, profile: str, outlook: str) -> Market:
    """Return the prices of a region as they are now."""
    now = datetime.now(UTC)
    quotes = load_spot_quotes(site.store, outlook, load_state(SpotOutlook, outlook), now)
    # Only what runs where is taken from it, so that it may be older than for finding savings.
    use = load_use(site.store, profile, load_state(UsageProfile, profile), now, OLDEST_INVENTORY)
    book = price_book(site.account, use.inventory, quotes)
    products = {one.instance_id: one.product for one in use.inventory.instances}
    members = {one.name: one.instance_ids for one in use.inventory.groups}
    groups = {
        name: found
        for name, ids in members.items()
        if (found := next((products[i] for i in ids if i in products), None)) is not None
    }
    regions = [one.region for one in use.inventory.instances]
    regions += [one.region for one in use.inventory.volumes]
    everywhere = region == PURCHASES
    at = PURCHASE_REGION if everywhere else region
    return Market(
        prices=stack_prices(book, at, products=products | groups),
        population=len(regions) if everywhere else regions.count(region),
    )


def known_prices(site: Site, region: str, *, profile: str, outlook: str) -> StackPrices:
    """Return prices as far as they are known: nothing is left undone for want of them."""
    try:
        return market_of(site, region, profile=profile, outlook=outlook).prices
    except InfraError as error:
        get_run_logger().warning("stacks.prices.unknown reason=%s", error)
        return StackPrices()


if __name__ == "__main__":
    apply_savings()
