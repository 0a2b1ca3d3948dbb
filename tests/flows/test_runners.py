"""Chunks run alike on threads and on Dask workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from prefect import flow

from flows.runners import Executor, RunnerSettings, chosen_runner
from tasks.domain.spot.catalogue import synthetic_pools
from tasks.domain.spot.forecasts import PoolForecasts
from tasks.domain.spot.pools import hourly_panel
from tasks.domain.spot.simulator import simulate_price_changes
from tasks.spot.forecasts import forecast_in_chunks

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]

END = datetime(2026, 1, 31, tzinfo=UTC)


def forecast_on(executor: Executor, pools: int) -> PoolForecasts:
    changes = simulate_price_changes(
        pools=synthetic_pools(pools), start=END - timedelta(days=15), end=END, seed=1
    )
    panel = hourly_panel(changes, cutoff=END, hours=361)
    settings = RunnerSettings(executor=executor, workers=2)

    @flow(name=f"on-{executor}", task_runner=chosen_runner(settings))
    def forecast() -> PoolForecasts:
        _, (day,) = forecast_in_chunks(panel, horizons=[24], pools_per_chunk=30, seed=1)
        return day

    return forecast()


# Dask's own sockets and event loops, closed when the interpreter gets round to it.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_dask_workers_forecast_what_threads_do() -> None:
    on_threads = forecast_on(Executor.THREADS, 60)
    on_dask = forecast_on(Executor.DASK, 60)

    assert on_dask.pools == on_threads.pools
    np.testing.assert_array_equal(on_dask.quantiles, on_threads.quantiles)


def test_the_executor_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEOSTAT_EXECUTOR", "dask")
    monkeypatch.setenv("HOMEOSTAT_DASK_ADDRESS", "tcp://scheduler:8786")

    assert type(chosen_runner()).__name__ == "DaskTaskRunner"
