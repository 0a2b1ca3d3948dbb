"""Forecasts by chunks of pools, with one global model per horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from tasks.chunks import Sealed
from tasks.domain.spot.forecaster import (
    PANEL_ROWS,
    HorizonForecaster,
    TrainingSample,
    draw_training_sample,
    fit_forecaster,
    forecast_pools,
    merge_samples,
)
from tasks.domain.spot.forecasts import PoolForecasts
from tasks.domain.spot.pools import PricePanel


@task(
    name="draw-training-samples",
    task_run_name="draw training samples, chunk {chunk_number}",
    cache_policy=NO_CACHE,
)
def draw_samples(
    chunk: Sealed[PricePanel],
    *,
    chunk_number: int,
    horizons: Sequence[int],
    max_rows: int,
    seed: int,
) -> dict[int, TrainingSample]:
    """Return one training sample per horizon from a chunk of pools."""
    return {
        hours: draw_training_sample(
            chunk.value, horizon_hours=hours, max_rows=max_rows, seed=seed + chunk_number
        )
        for hours in horizons
    }


@task(
    name="fit-forecaster",
    task_run_name="fit the {horizon_hours} h forecaster",
    cache_policy=NO_CACHE,
)
def fit_horizon(
    samples: Sequence[Mapping[int, TrainingSample]], *, horizon_hours: int, seed: int
) -> HorizonForecaster:
    """Fit one global model to the samples of all chunks, and backtest it."""
    merged = merge_samples([sample[horizon_hours] for sample in samples])
    return fit_forecaster(merged, horizon_hours=horizon_hours, seed=seed, threads=1)


@task(
    name="forecast-chunk",
    task_run_name="forecast chunk {chunk_number}",
    cache_policy=NO_CACHE,
)
def forecast_chunk(
    chunk: Sealed[PricePanel], forecasters: Sequence[HorizonForecaster], *, chunk_number: int
) -> list[PoolForecasts]:
    """Return the forecasts of a chunk of pools, one per forecaster."""
    del chunk_number  # for the run's name
    return [forecast_pools(chunk.value, forecaster) for forecaster in forecasters]


def forecast_in_chunks(
    panel: PricePanel,
    *,
    horizons: Sequence[int],
    pools_per_chunk: int,
    seed: int,
    served: Mapping[int, HorizonForecaster] = MappingProxyType({}),
) -> tuple[list[HorizonForecaster], list[PoolForecasts]]:
    """Forecast a panel with one global model per horizon, chunk by chunk; call it in a flow.

    Chunks run on the flow's task runner: threads, or Dask workers on other machines.

    Args:
        panel: All pools, at least one.
        horizons: Hours ahead, one model each.
        pools_per_chunk: At least 1.
        seed: Same seed, same forecast.
        served: By horizon, models that are used as they are; the others are fitted here.

    Returns:
        Forecasters and forecasts, in the order of the horizons.
    """
    chunks = [
        Sealed(panel.take(slice(first, first + pools_per_chunk)))
        for first in range(0, len(panel), pools_per_chunk)
    ]
    fits = _fits(chunks, horizons, served=served, seed=seed)
    fitted = cast("list[HorizonForecaster]", fits)
    parts = [
        forecast_chunk.submit(chunk, fitted, chunk_number=number)
        for number, chunk in enumerate(chunks, start=1)
    ]
    forecasts = [future.result() for future in parts]
    joined = [
        PoolForecasts.concat([part[position] for part in forecasts])
        for position in range(len(horizons))
    ]
    found = [one.result() if isinstance(one, PrefectFuture) else one for one in fits]
    return found, joined


def _fits(
    chunks: Sequence[Sealed[PricePanel]],
    horizons: Sequence[int],
    *,
    served: Mapping[int, HorizonForecaster],
    seed: int,
) -> list[HorizonForecaster | PrefectFuture[HorizonForecaster]]:
    missing = [hours for hours in horizons if hours not in served]
    if not missing:
        return [served[hours] for hours in horizons]
    samples = [
        draw_samples.submit(
            chunk,
            chunk_number=number,
            horizons=missing,
            max_rows=-(-PANEL_ROWS // len(chunks)),
            seed=seed,
        )
        for number, chunk in enumerate(chunks, start=1)
    ]
    # Futures stand for their results: Prefect waits for them, its types do not say so.
    drawn = cast("list[dict[int, TrainingSample]]", samples)
    return [
        served[hours]
        if hours in served
        else fit_horizon.submit(drawn, horizon_hours=hours, seed=seed)
        for hours in horizons
    ]
