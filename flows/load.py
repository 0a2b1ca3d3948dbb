"""Forecast the load of every workload for the next day, by the model that serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, cast

import pandas as pd
from prefect import flow
from prefect.blocks.core import Block
from prefect.logging import get_run_logger
from pydantic import Field

from blocks import UsageProfile
from flows.due import reason_to_skip
from flows.parameters import BlockName, StorageName
from flows.runners import chosen_runner
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.load.forecasts import LoadForecasts
from tasks.domain.load.panel import HOUR, LoadPanel
from tasks.domain.load.report import LoadReport, last_peaks
from tasks.domain.models.family import Family
from tasks.domain.models.live import VERSION_DIGITS, Role
from tasks.models.catalogue import load_data, load_family
from tasks.models.forecasting import (
    Forecaster,
    forecast_in_chunks,
    load_challenger,
    origins,
    rows_of,
)
from tasks.models.load_report import show_loads
from tasks.models.scoring import remember_forecasts, waiting_forecasts
from tasks.models.training import load_champion, load_previous
from tasks.savings.opportunities import load_use, names_of

STALE_AFTER = timedelta(hours=12)
"""A scheduled run that starts later than this is skipped: the next one is due."""
NO_MODEL = "there is no model yet; run retrain-models"

LoadName = Literal["load-cpu", "load-memory", "load-requests"]


@dataclass(frozen=True, kw_only=True)
class ForecastReport:
    """What a run forecast, in short.

    Attributes:
        workloads: Forecast, by model.
        kept: Values that will be judged when their hour has come.
        without_model: Why nothing was forecast, by model.
        skipped: Why nothing was done; None otherwise.
    """

    workloads: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    without_model: dict[str, str] = field(default_factory=dict)
    skipped: str | None = None


def run_name() -> str:
    """Return a name that tells runs apart in a list."""
    return f"load-{datetime.now(UTC):%d%b-%H%M}".lower()


@flow(
    name="forecast-load",
    flow_run_name=run_name,
    task_runner=chosen_runner(),
    timeout_seconds=3600,
)
def forecast_loads(
    loads: Annotated[list[LoadName], Field(min_length=1)] = [  # noqa: B006 - Prefect copies it
        "load-cpu",
        "load-memory",
        "load-requests",
    ],
    replay_days: Annotated[int, Field(ge=0, le=13)] = 0,
    storage: StorageName = "local-file-system/homeostat",
    profile: BlockName = "homeostat",
    scores: BlockName = "homeostat",
    series_per_chunk: Annotated[int, Field(ge=10, le=5000)] = 500,
) -> ForecastReport:
    """Forecast what every workload will use in the next day, with intervals, and keep it to be judged.

    The champion forecasts, and beside it a challenger in its shadow, and the champion before a new
    one, which the new one is held to. Intervals are widened or narrowed
    by how often those before them held. Each forecast is stored with
    its horizon; `publish-scorecard` judges it when `cluster-usage` has seen what came. Changes
    nothing.

    Args:
        loads: Which loads.
        replay_days: Forecast also as of each of so many days before, with what was known then and
            never before the model was trained, so that there is something to judge at once.
        storage: Storage block for models, use and forecasts, as type/name.
        profile: Name of the UsageProfile block to read.
        scores: Name of the ForecastScores block to read and write.
        series_per_chunk: Workloads a task works on; the chunks run in parallel.
    """
    if (reason := reason_to_skip(STALE_AFTER)) is not None:
        get_run_logger().warning("load.run.skipped reason=%s", reason)
        return ForecastReport(skipped=reason)
    store, now = cast("Storage", Block.load(storage)), datetime.now(UTC)
    use = load_use(store, profile, load_state(UsageProfile, profile), now)
    daily = waiting_forecasts(store, scores, now).daily
    rows: list[pd.DataFrame] = []
    reports: dict[str, LoadReport] = {}
    without: dict[str, str] = {}
    for name in loads:
        panel = load_data(name, use.panel, now=now, inventory=use.inventory)
        found = forecasters_of(store, name, now=now)
        if not found or not len(panel):
            without[name] = NO_MODEL if not found else "no workload reports it"
            continue
        for one in found:
            made = forecast(
                name, panel, one, daily, replay_days=replay_days, per_chunk=series_per_chunk
            )
            rows += [rows_of(known, forecasts, one) for known, forecasts in made]
            if one.role is Role.CHAMPION:
                reports[name] = report_on(name, panel, one, made[0][1])
    kept_rows = remember(store, scores, rows, now=now)
    show_loads(Sealed(reports), without, names_of(use.inventory))
    return ForecastReport(
        workloads={name: len(one.forecasts) for name, one in reports.items()},
        kept=kept_rows,
        without_model=without,
    )


def forecasters_of(storage: Storage, name: str, *, now: datetime) -> list[Forecaster]:
    """Return champion, challenger and the champion before a new one, as far as there are any."""
    family: Sealed[Family[Any, Any]] = Sealed(load_family(name))
    champion = load_champion(storage, name, family)
    previous = load_previous(storage, name, family, now)
    if champion is not None and previous is not None and champion.version == previous.version:
        # It serves for a champion that cannot be read.
        previous = None
    roles = (
        (Role.CHAMPION, champion),
        (Role.CHALLENGER, load_challenger(storage, name, family)),
        (Role.PREVIOUS, previous),
    )
    return [
        Forecaster(
            model=one.model.model,
            version=one.version,
            role=role,
            degraded_reason=one.degraded_reason,
        )
        for role, one in roles
        if one is not None
    ]


def forecast(
    name: str,
    panel: LoadPanel,
    forecaster: Forecaster,
    daily: pd.DataFrame,
    *,
    replay_days: int,
    per_chunk: int,
) -> list[tuple[LoadPanel, LoadForecasts]]:
    """Return what was known at each origin and what was forecast from it, the newest first."""
    trained_at = forecaster.version.trained_at
    backs = origins(panel.end or trained_at, replay_days=replay_days, trained_at=trained_at)
    panels = [panel.until(panel.steps - int(back / HOUR)) for back in backs]
    return [
        (known, forecast_in_chunks(name, known, forecaster, daily, per_chunk=per_chunk))
        for known in panels
    ]


def report_on(
    name: str, panel: LoadPanel, forecaster: Forecaster, forecasts: LoadForecasts
) -> LoadReport:
    """Return the newest forecast as it is shown."""
    return LoadReport(
        forecasts=forecasts,
        last_peak=last_peaks(panel.values, steps_per_day=panel.steps_per_day),
        model=f"{name} {forecaster.version.sha256[:VERSION_DIGITS]}",
        trained_at=forecaster.version.trained_at,
        degraded_reason=forecaster.degraded_reason,
    )


def remember(storage: Storage, scores: str, rows: list[pd.DataFrame], *, now: datetime) -> int:
    """Keep forecasts until they can be judged, and return how many values were kept."""
    if not rows:
        return 0
    return remember_forecasts(storage, scores, Sealed(pd.concat(rows, ignore_index=True)), now)


if __name__ == "__main__":
    forecast_loads()
