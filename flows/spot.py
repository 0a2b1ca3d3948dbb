"""Forecast spot prices and interruption risk, and rank capacity pools for a need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, cast

from prefect import flow
from prefect.blocks.core import Block
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import AwareDatetime, Field

from blocks import AwsAccount, SpotOutlook
from flows.blocks import block_of
from flows.due import reason_to_skip
from flows.instants import instant
from flows.parameters import BlockName, Region, StorageName
from flows.runners import chosen_runner
from flows.spot_parameters import CapacityRequest, InstanceType, Product
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.errors import TransientError
from tasks.domain.models.family import Family
from tasks.domain.models.kept import Kept
from tasks.domain.models.live import Role
from tasks.domain.models.registry import ModelVersion
from tasks.domain.spot.assessment import Assessment, assess_pools, forecasts_for
from tasks.domain.spot.forecaster import HorizonForecaster
from tasks.domain.spot.forecasts import HORIZONS_HOURS, PoolForecasts
from tasks.domain.spot.pools import Pool, PricePanel, hourly_panel, window_start
from tasks.domain.spot.report import SpotReport, source_counts
from tasks.models.catalogue import SPOT, spot_family
from tasks.models.forecasting import load_challenger
from tasks.models.prices import price_rows, usable
from tasks.models.registry import Served
from tasks.models.scoring import remember_forecasts
from tasks.models.training import load_champion, load_previous
from tasks.spot.availability import assess_availability
from tasks.spot.forecasts import forecast_in_chunks
from tasks.spot.history import MarketScope, NoPoolsError, bring_up_to_date, held_history
from tasks.spot.market import fetch_offers, fetch_placement_scores
from tasks.spot.outlook import Findings, publish_findings
from tasks.spot.report import show_report

STALE_AFTER = timedelta(minutes=45)
"""A scheduled run that starts later than this is skipped: the next one is due."""

Registered = Served[Kept[Any]]


def run_name() -> str:
    """Return a name that tells runs apart in a list."""
    given = flow_run.parameters
    where = "+".join(given.get("regions") or ["all-regions"])
    return f"spot-{where}-{datetime.now(UTC):%d%b-%H%M}".lower()


@flow(
    name="forecast-spot-prices",
    flow_run_name=run_name,
    task_runner=chosen_runner(),
    timeout_seconds=3600,
)
def forecast_spot_prices(
    regions: Annotated[list[Region], Field(max_length=40)] = [],  # noqa: B006 - Prefect copies it
    instance_types: Annotated[list[InstanceType], Field(max_length=1000)] = [],  # noqa: B006
    products: Annotated[list[Product], Field(min_length=1, max_length=6)] = ["Linux/UNIX"],  # noqa: B006
    window_days: Annotated[int, Field(ge=15, le=90)] = 30,
    need: CapacityRequest = CapacityRequest(),  # noqa: B008 - frozen
    as_of: AwareDatetime | None = None,
    availability_traces: Annotated[str, Field(max_length=500)] = "",
    account: BlockName = "homeostat",
    storage: StorageName = "local-file-system/homeostat",
    outlook: BlockName = "homeostat",
    scores: BlockName = "homeostat",
    pools_per_chunk: Annotated[int, Field(ge=10, le=20_000)] = 1000,
    seed: Annotated[int, Field(ge=0)] = 20,
) -> SpotReport:
    """Forecast every capacity pool for the next day and week, and rank pools for a need.

    Reads spot price history (only what is new since the last run), takes one global model per
    horizon from the registry or fits and backtests it, gives a pool the last value where the model
    erred more than twice as much, and publishes the result as artifacts and in the SpotOutlook block. Changes nothing in AWS but
    one chart in the report bucket.

    Args:
        regions: For example us-east-1; empty for the regions of the account block.
        instance_types: For example m5.large; empty for all.
        products: Operating systems, as EC2 describes them.
        window_days: Days of history that the forecast sees; 30 is what was benchmarked.
        need: Capacity that the ranked pools should provide.
        as_of: Forecast as if it were this instant, with its offset from UTC, not in the future;
            empty for now.
        availability_traces: Parquet file in the storage block with recorded availability
            (timestamp, availability_zone, instance_type, instances); empty for none, and the
            interruption risk is a stated prior then.
        account: Name of the AwsAccount block.
        storage: Storage block for history and forecasts, as type/name.
        outlook: Name of the SpotOutlook block to read and write.
        scores: Name of the ForecastScores block to write; forecasts are judged when prices are known.
        pools_per_chunk: Pools a task works on; the chunks run in parallel.
        seed: Same seed and history, same forecast.
    """
    now = instant(as_of, clock=datetime.now(UTC))
    aws = block_of(AwsAccount, account)
    store = cast("Storage", Block.load(storage))
    scope = MarketScope(
        regions=tuple(regions or aws.regions),
        products=tuple(products),
        instance_types=tuple(instance_types),
    )
    source = aws.endpoint_url or "AWS"
    if (reason := reason_to_skip(STALE_AFTER)) is not None:
        get_run_logger().warning("spot.run.skipped reason=%s", reason)
        return SpotReport(cutoff=None, price_source=source, regions=scope.regions, skipped=reason)

    known = load_state(SpotOutlook, outlook)
    hours = window_days * 24 + 1
    history = bring_up_to_date(
        aws,
        scope,
        held=held_history(store, known),
        spans=known.history_spans,
        window_start=window_start(now, hours=hours + 1),
        until=now,
    )
    panel = hourly_panel(scope.select(history.changes), cutoff=now, hours=hours)
    if len(panel) == 0:
        raise NoPoolsError(scope, source=source)
    registered = registered_of(store, now=now)
    served = models_in(registered, Role.CHAMPION, young_at=now)
    forecasters, forecasts = forecast_in_chunks(
        panel,
        horizons=HORIZONS_HOURS,
        pools_per_chunk=pools_per_chunk,
        seed=seed,
        served=served,
    )
    observed = assess_availability(store, availability_traces)
    assessment = assess(aws, panel, forecasts, need, observed=observed.losses)
    report = SpotReport(
        cutoff=panel.cutoff,
        price_source=source,
        regions=scope.regions,
        rows_fetched=history.rows_fetched,
        window_days=window_days,
        scores=tuple(forecaster.backtest for forecaster in forecasters),
        sources={one.horizon_hours: source_counts(one) for one in forecasts},
        assessment=assessment,
        availability=observed.scores,
    )
    found = Findings(
        observed_at=now,
        history=history,
        based_on=known.history,
        scope=scope,
        forecasts=forecasts,
        scores=report.scores,
        risks=assessment.risks,
    )
    publish_findings(store, outlook, Sealed(found))
    acted_on = {
        hours: one for hours, one in zip(HORIZONS_HOURS, forecasts, strict=True) if hours in served
    }
    made = forecasts_of(registered, acted_on, panel, pools_per_chunk=pools_per_chunk)
    if made:
        remember_forecasts(store, scores, Sealed(price_rows(panel, made)), now)
    show_report(aws, Sealed(report), Sealed(panel), Sealed(forecasts))
    return report


def registered_of(storage: Storage, *, now: datetime) -> dict[tuple[Role, int], Registered]:
    """Return the registered models by role and horizon: those that serve, wait, and served before."""
    found: dict[tuple[Role, int], Registered | None] = {}
    for name, hours in SPOT.items():
        family: Sealed[Family[Any, Any]] = Sealed(spot_family(name))
        champion = load_champion(storage, name, family)
        previous = load_previous(storage, name, family, now)
        if champion is not None and previous is not None and champion.version == previous.version:
            # It serves for a champion that cannot be read.
            previous = None
        found[Role.CHAMPION, hours] = champion
        found[Role.CHALLENGER, hours] = load_challenger(storage, name, family)
        found[Role.PREVIOUS, hours] = previous
    return {key: one for key, one in found.items() if one is not None}


def models_in(
    registered: Mapping[tuple[Role, int], Registered],
    role: Role,
    *,
    young_at: datetime | None = None,
) -> dict[int, HorizonForecaster]:
    """Return the models of a role by horizon; with an instant, only those young enough to act on then.

    Horizons without one are fitted by the run.
    """
    return {
        hours: one.model.model
        for (of, hours), one in registered.items()
        if of is role and (young_at is None or usable(one, now=young_at))
    }


def forecasts_of(
    registered: Mapping[tuple[Role, int], Registered],
    acted_on: Mapping[int, PoolForecasts],
    panel: PricePanel,
    *,
    pools_per_chunk: int,
) -> list[tuple[PoolForecasts, ModelVersion, Role]]:
    """Return what every registered model forecasts, to be judged when its hours have come.

    Also those that nobody acts on: a challenger is judged by them, and a champion that is too old
    to act on is still what it has to beat.

    Args:
        registered: By role and horizon.
        acted_on: What champions forecast already, by horizon.
        panel: What is known.
        pools_per_chunk: Of a task.
    """
    found = [
        (one, registered[Role.CHAMPION, hours].version, Role.CHAMPION)
        for hours, one in acted_on.items()
    ]
    for role in Role:
        known = acted_on if role is Role.CHAMPION else {}
        models = {h: one for h, one in models_in(registered, role).items() if h not in known}
        if models:
            _, forecasts = forecast_in_chunks(
                panel, horizons=list(models), pools_per_chunk=pools_per_chunk, seed=0, served=models
            )
            versions = [registered[role, hours].version for hours in models]
            found += [(one, at, role) for one, at in zip(forecasts, versions, strict=True)]
    return found


def assess(
    account: AwsAccount,
    panel: PricePanel,
    forecasts: Sequence[PoolForecasts],
    request: CapacityRequest,
    *,
    observed: Mapping[Pool, tuple[int, float]],
) -> Assessment:
    """Assess every pool, then once more with placement scores of the types that came out best."""
    offers = fetch_offers(account, panel.pools)
    need = request.need()
    chosen = forecasts_for(need, forecasts)

    def assessed(scores: dict[Pool, int]) -> Assessment:
        return assess_pools(
            panel,
            chosen,
            offers=offers,
            need=need,
            product=request.product,
            placement_scores=scores,
            observed=observed,
        )

    first = assessed({})
    scores = placement_scores_of_best(account, first, panel.pools)
    return assessed(scores) if scores else first


def placement_scores_of_best(
    account: AwsAccount, assessment: Assessment, pools: Sequence[Pool]
) -> dict[Pool, int]:
    """Return placement scores for the types of the allocation, in the regions where it is."""
    if assessment.allocation is None:
        return {}
    wanted: dict[str, Counter[str]] = {}
    for part in assessment.allocation.pools:
        pool = part.candidate.pool
        wanted.setdefault(pool.region, Counter())[pool.instance_type] += part.instances
    futures = [
        fetch_placement_scores.submit(account, region, dict(kinds))
        for region, kinds in wanted.items()
    ]
    scores: dict[tuple[str, str], int] = {}
    for future in futures:
        # Evidence, not a condition: without a score the risk counts as a middling pool's.
        with suppress(TransientError):
            scores |= future.result()
    return {
        pool: scores[pool.instance_type, pool.availability_zone]
        for pool in pools
        if (pool.instance_type, pool.availability_zone) in scores
    }


if __name__ == "__main__":
    forecast_spot_prices()
