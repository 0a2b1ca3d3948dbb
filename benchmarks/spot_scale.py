"""The spot flow at scale, and what orchestration costs.

Run with `python -m benchmarks.spot_scale [--quick] [--json]`; `benchmarks.spot` includes it.
35,000 synthetic pools with 30 days of history are forecast for both horizons by the flow's own
chunk tasks: on threads, and on a Dask cluster of one and of two worker processes.
"""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.harness import Metrics, notice, parse_options, progress, publish, show_table
from benchmarks.servers import PeakMemory, prefect_server
from tasks.domain.spot.catalogue import synthetic_pools
from tasks.domain.spot.forecasts import HORIZONS_HOURS
from tasks.domain.spot.pools import PricePanel, hourly_panel
from tasks.domain.spot.simulator import simulate_price_changes

POOLS = 35_000
QUICK_POOLS = 2_000
POOLS_PER_CHUNK = 1_000
SEED = 20
END = datetime(2026, 1, 31, tzinfo=UTC)


def synthetic_panel(pools: int) -> PricePanel:
    """Return 30 days of simulated prices."""
    changes = simulate_price_changes(
        pools=synthetic_pools(pools), start=END - timedelta(days=30), end=END, seed=SEED
    )
    return hourly_panel(changes, cutoff=END, hours=721)


def scale_metrics(*, quick: bool) -> Metrics:
    """Measure seconds and memory of the scale run, and the speed-up of a second Dask worker."""
    pools = QUICK_POOLS if quick else POOLS
    found: Metrics = {"scale_pools": float(pools)}
    rows: list[tuple[str, float, float]] = []
    with tempfile.TemporaryDirectory() as folder, prefect_server():
        stored = Path(folder) / "panel"
        progress(f"simulating {pools} pools")
        stored.write_bytes(pickle.dumps(synthetic_panel(pools)))
        for name, runner in _runners():
            progress(f"forecasting {pools} pools on {name}")
            with PeakMemory() as memory:
                done, seconds = _timed_flow(stored, runner)
            if done != pools:
                message = f"forecast {done} pools of {pools}"
                raise RuntimeError(message)
            rows.append((name, seconds, memory.gib))
    for name, seconds, gib in rows:
        found |= {f"scale_{name}_seconds": seconds, f"scale_{name}_rss_gib": gib}
    taken = {name: seconds for name, seconds, _ in rows}
    found["dask_speedup_2"] = taken["dask_1"] / taken["dask_2"]
    show_table(f"{pools} pools, both horizons", ["runner", "seconds", "RSS GiB"], rows)
    if quick:
        notice(f"{pools} pools are too few to judge a second worker by: start-up dominates")
    return found


def _runners() -> list[tuple[str, Any]]:
    # Late: prefect reads PREFECT_API_URL when it is imported.
    from flows.runners import Executor, RunnerSettings, chosen_runner

    return [
        ("dask_1", chosen_runner(RunnerSettings(executor=Executor.DASK, workers=1))),
        ("dask_2", chosen_runner(RunnerSettings(executor=Executor.DASK, workers=2))),
        ("threads", chosen_runner(RunnerSettings(executor=Executor.THREADS, workers=2))),
    ]


def _timed_flow(stored_panel: Path, runner: Any) -> tuple[int, float]:
    from prefect import flow

    from tasks.spot.forecasts import forecast_in_chunks

    # Prefect sends a flow's function to Dask workers by value with every task: a panel in its
    # closure would travel along each time, so the function reads it from a file.
    @flow(name="forecast-at-scale", task_runner=runner)
    def forecast_at_scale(stored: str) -> int:
        _, forecasts = forecast_in_chunks(
            pickle.loads(Path(stored).read_bytes()),  # noqa: S301 - written by this process
            horizons=HORIZONS_HOURS,
            pools_per_chunk=POOLS_PER_CHUNK,
            seed=SEED,
        )
        return len(forecasts[0].pools)

    begin = time.perf_counter()
    done = forecast_at_scale(str(stored_panel))
    return done, time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parse_options("spot_scale", argv)
    publish(options, scale_metrics(quick=options.quick))


if __name__ == "__main__":
    main()
