"""Price history: read what is new, joined with what is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import pandas as pd
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.futures import as_completed
from prefect.logging import get_run_logger

from blocks import AwsAccount, HistorySpan, SpotOutlook
from tasks.adapters.aws import regional_client
from tasks.adapters.objects import (
    CorruptObjectError,
    MissingObjectError,
    Storage,
    frame_from_parquet,
    load_object,
)
from tasks.adapters.spot_market import Ec2SpotMarket, HistoryQuery
from tasks.adapters.state import stored_object
from tasks.domain.errors import PermanentError
from tasks.domain.spot.history import Slice, continues, merged_history, missing_slices
from tasks.retries import remote_task

LONGEST_SLICE = timedelta(days=6)
"""Slices are read in parallel; shorter ones repeat the prices in effect at their start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketScope:
    """Which part of the market a run looks at.

    Attributes:
        regions: At least one.
        products: At least one.
        instance_types: Empty for all.
    """

    regions: tuple[str, ...]
    products: tuple[str, ...]
    instance_types: tuple[str, ...]

    def key(self, region: str) -> str:
        """Return the name under which a region's span is kept."""
        types = ",".join(sorted(self.instance_types)) or "*"
        return f"{region}|{','.join(sorted(self.products))}|{types}"

    def select(self, history: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a history that belong to this scope."""
        zones = history["availability_zone"].astype(str)
        wanted = zones.str.startswith(self.regions)
        wanted &= history["product_description"].isin(self.products)
        if self.instance_types:
            wanted &= history["instance_type"].isin(self.instance_types)
        return history[wanted]


class NoPoolsError(PermanentError):
    """No capacity pool has a price where a run looks."""

    def __init__(self, scope: MarketScope, *, source: str) -> None:
        self.scope = scope
        types = ", ".join(scope.instance_types) or "all types"
        super().__init__(
            f"{source} has no spot prices of {types} for {', '.join(scope.products)} in "
            f"{', '.join(scope.regions)}; check instance_types, products and regions"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Announced prices, and for which spans they are complete.

    Attributes:
        changes: Frame with PRICE_CHANGE_COLUMNS; may hold more than the run's scope.
        spans: By scope key.
        rows_fetched: Read in this run.
        window_start: What lies before is dropped but for the price then in effect.
    """

    changes: pd.DataFrame
    spans: dict[str, HistorySpan]
    rows_fetched: int
    window_start: datetime


@remote_task(
    "fetch-price-changes",
    run_name="fetch {query.region} {query.start:%d %b %H:%M} to {query.end:%d %b %H:%M}",
)
def fetch_price_changes(account: AwsAccount, query: HistoryQuery) -> pd.DataFrame:
    """Return the announced prices of one slice of one region."""
    session = account.session()
    market = Ec2SpotMarket(
        lambda region: regional_client(
            session, "ec2", region=region, endpoint_url=account.endpoint_url
        )
    )
    changes = market.price_changes(query)
    get_run_logger().info("spot.history.fetched region=%s rows=%d", query.region, len(changes))
    return changes


def held_history(storage: Storage, outlook: SpotOutlook) -> pd.DataFrame | None:
    """Return the stored history; None where there is none or it cannot be trusted."""
    if outlook.history is None:
        return None
    try:
        return frame_from_parquet(load_object(storage, stored_object(outlook.history)))
    except (MissingObjectError, CorruptObjectError) as error:
        get_run_logger().warning("spot.history.lost reason=%s next=reading_all_again", error)
        return None


def bring_up_to_date(
    account: AwsAccount,
    scope: MarketScope,
    *,
    held: pd.DataFrame | None,
    spans: dict[str, HistorySpan],
    window_start: datetime,
    until: datetime,
) -> History:
    """Read what is missing from a window of history, in parallel; call it in a flow.

    Args:
        account: Where to read.
        scope: What to read.
        held: History read by earlier runs; None when there is none.
        spans: For which spans `held` is complete, by scope key.
        window_start: First instant needed.
        until: Last instant, normally now.

    Raises:
        TransientError: A slice could not be read, however often it was tried.
    """
    usable = spans if held is not None else {}
    queries = _queries(scope, usable, window_start=window_start, until=until)
    fetched = _fetch_all(account, queries)
    if held is not None and not _carries_on(held, fetched, queries, window_start):
        get_run_logger().warning(
            "spot.history.discarded reason=prices held differ from those now read, "
            "so they come from elsewhere next=reading_all_again"
        )
        return bring_up_to_date(
            account, scope, held=None, spans={}, window_start=window_start, until=until
        )
    if held is not None:
        held = _without(held, scope, _regions_read_whole(queries, window_start))
    parts = [held, *fetched] if held is not None else fetched
    new_spans = {
        scope.key(region): HistorySpan(start=window_start, end=until) for region in scope.regions
    }
    kept = {key: trimmed(span, window_start) for key, span in usable.items()}
    return History(
        changes=merged_history(parts, window_start=window_start),
        spans=kept | new_spans,
        rows_fetched=sum(map(len, fetched)),
        window_start=window_start,
    )


def _carries_on(
    held: pd.DataFrame,
    fetched: Sequence[pd.DataFrame],
    queries: Sequence[HistoryQuery],
    window_start: datetime,
) -> bool:
    """Return whether every slice that goes on from held history agrees with it."""
    going_on = [
        (query, part)
        for query, part in zip(queries, fetched, strict=True)
        if query.start > window_start and len(part) and _first_of_region(query, queries)
    ]
    return all(continues(held, part, since=query.start) for query, part in going_on)


def _first_of_region(query: HistoryQuery, queries: Sequence[HistoryQuery]) -> bool:
    return query.start == min(one.start for one in queries if one.region == query.region)


def _regions_read_whole(queries: Sequence[HistoryQuery], window_start: datetime) -> tuple[str, ...]:
    return tuple(sorted({query.region for query in queries if query.start <= window_start}))


def _without(held: pd.DataFrame, scope: MarketScope, regions: tuple[str, ...]) -> pd.DataFrame:
    """Return held rows but those of a scope that was read whole: they may be of another market."""
    if not regions:
        return held
    return held.drop(replace(scope, regions=regions).select(held).index)


def trimmed(span: HistorySpan, start: datetime) -> HistorySpan:
    """Return the part of a span that is left when history before an instant is dropped."""
    return HistorySpan(start=max(span.start, start), end=span.end)


def _queries(
    scope: MarketScope, spans: dict[str, HistorySpan], *, window_start: datetime, until: datetime
) -> list[HistoryQuery]:
    found = []
    for region in scope.regions:
        span = spans.get(scope.key(region))
        slices = missing_slices(
            window_start=window_start,
            until=until,
            held=Slice(start=span.start, end=span.end) if span is not None else None,
            longest=LONGEST_SLICE,
        )
        found += [_query(scope, region, part) for part in slices]
    return found


def _query(scope: MarketScope, region: str, part: Slice) -> HistoryQuery:
    return HistoryQuery(
        region=region,
        start=part.start,
        end=part.end,
        products=scope.products,
        instance_types=scope.instance_types,
    )


def _fetch_all(account: AwsAccount, queries: Sequence[HistoryQuery]) -> list[pd.DataFrame]:
    progress = cast(
        "UUID",  # a coroutine only inside an event loop
        create_progress_artifact(
            0.0, key="spot-history-progress", description="Price history read from EC2."
        ),
    )
    futures = [fetch_price_changes.submit(account, query) for query in queries]
    for done, _ in enumerate(as_completed(futures), start=1):
        update_progress_artifact(progress, progress=100.0 * done / len(futures))
    return [future.result() for future in futures]
