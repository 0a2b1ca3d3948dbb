"""Load forecast by the model that serves, and by the one that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from tasks.adapters.objects import Storage
from tasks.chunks import Sealed
from tasks.domain.load.forecaster import LoadModel, forecast_load
from tasks.domain.load.forecasts import LoadForecasts
from tasks.domain.load.groups import behaviour_groups
from tasks.domain.load.panel import LoadPanel
from tasks.domain.models.family import Family
from tasks.domain.models.kept import Kept, read_kept
from tasks.domain.models.live import Role, forecast_rows, made_by
from tasks.domain.models.live_widths import adapted, live_widths
from tasks.domain.models.registry import ModelVersion
from tasks.domain.models.scales import load_scales
from tasks.models.registry import Served, shadowed
from tasks.retries import remote_task

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Forecaster:
    """A version that forecasts, and in which role.

    Attributes:
        model: What forecasts.
        version: Which one it is.
        role: Whether anybody acts on it.
        degraded_reason: Why another than the champion serves; None where it does.
    """

    model: LoadModel
    version: ModelVersion
    role: Role
    degraded_reason: str | None = None


@remote_task("load-challenger", run_name="load the challenger of {name}")
def load_challenger(
    storage: Storage, name: str, family: Sealed[Family[Any, Any]]
) -> Served[Kept[Any]] | None:
    """Return the model that waits, to forecast beside the champion; None where none does."""
    kind = family.value
    return shadowed(storage, name, read=partial(read_kept, kind), kinds=(kind.kind,))


@task(name="forecast-loads", task_run_name="{name}: chunk {number}", cache_policy=NO_CACHE)
def forecast_chunk(
    name: str, number: int, chunk: Sealed[LoadPanel], model: Sealed[LoadModel]
) -> Sealed[LoadForecasts]:
    """Return the forecasts of a chunk of series."""
    del name, number  # for the run's name
    return Sealed(forecast_load(chunk.value, model.value))


def forecast_in_chunks(
    name: str, panel: LoadPanel, forecaster: Forecaster, daily: pd.DataFrame, *, per_chunk: int
) -> LoadForecasts:
    """Return the forecasts of a panel, chunk by chunk in parallel; call it in a flow.

    Intervals are as wide as the version's live scores ask for, as far as they were known when the
    panel ended.

    Args:
        name: Of the model.
        panel: What is known, with a wall clock.
        forecaster: Who forecasts.
        daily: Frame with DAILY_COLUMNS.
        per_chunk: Series of a task.
    """
    futures = [
        forecast_chunk.submit(
            name,
            number,
            Sealed(panel.take(slice(first, first + per_chunk))),
            Sealed(forecaster.model),
        )
        for number, first in enumerate(range(0, len(panel), per_chunk), start=1)
    ]
    found = LoadForecasts.concat([future.result().value for future in futures])
    return as_live(found, panel, daily, name, forecaster.version.sha256)


def as_live(
    forecasts: LoadForecasts, panel: LoadPanel, daily: pd.DataFrame, name: str, version: str
) -> LoadForecasts:
    """Return a version's forecasts of a panel with intervals as wide as its live scores ask for."""
    if panel.end is None:
        return forecasts
    widths = live_widths(daily, name=name, version=version, known_at=panel.end)
    return adapted(forecasts, behaviour_groups(panel).tolist(), widths)


def rows_of(panel: LoadPanel, forecasts: LoadForecasts, forecaster: Forecaster) -> pd.DataFrame:
    """Return forecasts as they are kept until their truth is known."""
    return forecast_rows(
        forecasts,
        made_by(forecaster.version, forecaster.role),
        scale=load_scales(panel),
        groups=behaviour_groups(panel).tolist(),
    )


def origins(end: datetime, *, replay_days: int, trained_at: datetime) -> Sequence[timedelta]:
    """Return how long before the end of the data each forecast is made, the latest first.

    Never before the model was trained: it would know what it forecasts.
    """
    days = [number * DAY for number in range(replay_days + 1)]
    kept = [back for back in days if back == timedelta(0) or end - back >= trained_at]
    if len(kept) < len(days):
        get_run_logger().info(
            "models.replay.shortened days=%d reason=trained_at_%s", len(kept) - 1, trained_at
        )
    return kept
