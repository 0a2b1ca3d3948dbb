"""The whole spot flow on recorded prices, over the wire, and what its orchestration costs.

Run with `python -m benchmarks.spot_flow [--data DIR] [--quick] [--json]`. The embedded AWS replays the
recording, a Prefect server of its own keeps runs and blocks, and the flow reads prices through
boto3, once undisturbed and once with 30 % of all calls throttled and 5 % answered with a fault.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

from benchmarks.harness import Metrics, notice, parse_options, progress, publish, show_table
from benchmarks.servers import embedded_aws, prefect_server
from tasks.domain.spot.forecaster import (
    PANEL_ROWS,
    draw_training_sample,
    fit_forecaster,
    forecast_pools,
    merge_samples,
)
from tasks.domain.spot.forecasts import HORIZONS_HOURS
from tasks.domain.spot.pools import PricePanel, hourly_panel

RECORDING = Path("spot_prices") / "us-east-1_2021.parquet"
FAULTS = [
    {"operation": "*", "kind": "throttle", "probability": 0.3, "seed": 1},
    {"operation": "*", "kind": "error", "probability": 0.05, "seed": 2},
]
SEED = 20
WORKERS = 3
POOLS_PER_CHUNK = 60
REPEATS = 3
MOVING_ROWS = 10
"""Announcements that a pool makes in 30 days, at the least."""


def flow_metrics(data: Path | None, *, quick: bool) -> Metrics:
    """Measure the flow over the wire; without a recording, on the extract that ships."""
    recording = data / RECORDING if data is not None else None
    if recording is None or not recording.exists():
        notice("no recording of 2021 found: the flow replays the shipped extract")
        recording = None
    # Shifted to end now: like AWS, the endpoint tells nothing that is older than 90 days.
    arguments = ["--replay-ends", "now"]
    arguments += ["--spot-history", str(recording)] if recording is not None else []
    with tempfile.TemporaryDirectory() as folder, prefect_server(), embedded_aws(arguments) as aws:
        _register(aws, folder)
        health = httpx.get(f"{aws}/_homeostat/health", trust_env=False).json()
        end = pd.Timestamp(health["history"]["last"]).to_pydatetime()
        found: Metrics = {
            "flow_pools": float(health["history"]["pools"]),
            "flow_rows": float(health["history"]["rows"]),
        }
        found["flow_645_seconds"] = _timed(lambda: _run_flow(end, outlook="calm"))
        httpx.put(f"{aws}/_homeostat/faults", json=FAULTS, trust_env=False).raise_for_status()
        found["flow_645_throttled_seconds"] = _timed(lambda: _run_flow(end, outlook="disturbed"))
        fired = httpx.get(f"{aws}/_homeostat/faults", trust_env=False).json()
        found["flow_645_faults_fired"] = float(sum(rule["fired"] for rule in fired["rules"]))
        found["flow_645_same_when_throttled"] = float(_same("calm", "disturbed"))
        if not quick and recording is not None:
            changes = pd.read_parquet(recording)
            last = changes["timestamp"].max().to_pydatetime()
            found |= orchestration_metrics(hourly_panel(changes, cutoff=last, hours=721))
    rows = [(name, value) for name, value in found.items()]
    show_table("The spot flow over the wire", ["", "value"], rows)
    return found


def _register(aws: str, folder: str) -> None:
    command = ["-m", "deployments.register", "--aws-url", aws, "--objects-folder", folder]
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)


def _run_flow(end: Any, *, outlook: str) -> None:
    from flows.spot import forecast_spot_prices

    progress(f"running the flow: {outlook}")
    report = forecast_spot_prices(as_of=end, outlook=outlook)
    # A market without changes would be fast, and prove nothing.
    pools = 0 if report.assessment is None else len(report.assessment.summaries)
    if report.rows_fetched <= MOVING_ROWS * pools:
        message = f"read {report.rows_fetched} prices only: the recording is not in the window"
        raise RuntimeError(message)


def _same(one: str, other: str) -> bool:
    from blocks import SpotOutlook
    from tasks.adapters.state import load_state

    return load_state(SpotOutlook, one).forecast == load_state(SpotOutlook, other).forecast


def orchestration_metrics(panel: PricePanel) -> Metrics:
    """Return what Prefect adds to the same chunks run by a plain thread pool, medians of three."""
    from prefect import flow

    from flows.runners import Executor, RunnerSettings, chosen_runner
    from tasks.spot.forecasts import forecast_in_chunks

    settings = RunnerSettings(executor=Executor.THREADS, workers=WORKERS)

    @flow(name="orchestrated", task_runner=chosen_runner(settings))
    def orchestrated() -> None:
        forecast_in_chunks(
            panel, horizons=HORIZONS_HOURS, pools_per_chunk=POOLS_PER_CHUNK, seed=SEED
        )

    pairs = [(_timed(orchestrated), _timed(lambda: plain_chunks(panel))) for _ in range(REPEATS)]
    overhead = statistics.median(with_prefect - plain for with_prefect, plain in pairs)
    chunks = -(-len(panel) // POOLS_PER_CHUNK)
    return {
        "flow_chunks": float(chunks),
        "flow_645_plain_seconds": statistics.median(plain for _, plain in pairs),
        "flow_645_orchestration_seconds": overhead,
        "flow_645_orchestration_limit_seconds": 3.0 + 0.010 * chunks,
    }


def plain_chunks(panel: PricePanel) -> None:
    """Do what the flow's chunk tasks do, without Prefect."""
    chunks = [
        panel.take(slice(first, first + POOLS_PER_CHUNK))
        for first in range(0, len(panel), POOLS_PER_CHUNK)
    ]
    rows = -(-PANEL_ROWS // len(chunks))

    def drawn(hours: int, number: int) -> Any:
        return draw_training_sample(
            chunks[number], horizon_hours=hours, max_rows=rows, seed=SEED + number + 1
        )

    def fitted(hours: int, samples: Sequence[Any]) -> Any:
        return fit_forecaster(merge_samples(samples), horizon_hours=hours, seed=SEED)

    with ThreadPoolExecutor(WORKERS) as pool:
        samples = {
            hours: [pool.submit(drawn, hours, number) for number in range(len(chunks))]
            for hours in HORIZONS_HOURS
        }
        fits = [
            pool.submit(fitted, hours, [one.result() for one in parts])
            for hours, parts in samples.items()
        ]
        list(pool.map(lambda chunk: [forecast_pools(chunk, fit.result()) for fit in fits], chunks))


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parse_options("spot_flow", argv)
    publish(options, flow_metrics(options.data, quick=options.quick))


if __name__ == "__main__":
    main()
