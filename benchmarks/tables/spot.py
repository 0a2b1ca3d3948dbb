"""Tables of spot-price forecasts."""

from __future__ import annotations

import re

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import figure, table
from benchmarks.tables.targets import Target, of, targets_table

HORIZONS_HOURS = (24, 168)
AVAILABILITY_HORIZONS = ("1h", "6h", "24h")
FULL_SCALE_POOLS = 35_000
RECORDED_POOLS = 645
GB_PER_GIB = 2**30 / 1e9

SKILLS = {
    "mae_skill": ("MAE skill", "{:.3f}"),
    "pinball_skill": ("pinball skill", "{:.3f}"),
    "pinball_skill_vs_empirical": ("against empirical quantiles", "{:.3f}"),
    "coverage_80_moved": ("80 % interval covers", "{:.1%}"),
    "min_origin_mae_skill": ("worst origin", "{:.3f}"),
}
RIVALS = {
    "sample_homeostat": "Homeostat",
    "baseline_auto_ets": "AutoETS",
    "baseline_theta": "Theta",
    "sample_seasonal_naive": "daily seasonal naive",
    "baseline_random_forest": "RandomForest on hour, weekday, month",
}
"""Keys and names; all judged on one random sample of pools that moved."""
FORECASTS = (
    ("Homeostat", "availability", ""),
    ("two-state table", "baseline_two_state", ""),
    ("last state", "baseline_last_state", ""),
    ("long-run rate", "baseline_long_run", ""),
    ("Survival of a running instance: Homeostat", "interruption", ""),
    ("Survival of a running instance: two-state table", "baseline_two_state_interruption", ""),
    ("Homeostat, ticks read as 300 s", "availability", "_300s"),
    ("two-state table, ticks read as 300 s", "baseline_two_state", "_300s"),
)
"""Name, key and suffix; the recordings' files and their authors' notes differ about a tick."""


def summary(metrics: Metrics) -> str:
    """Return the forecaster's scores per horizon, then its rivals' on one sample of pools."""
    headings = [heading for heading, _ in SKILLS.values()]
    ours = table(["horizon", *headings], [_summary_row(metrics, hours) for hours in HORIZONS_HOURS])
    columns = [
        "MAE skill on one sample of moving pools",
        *(f"{hours} h" for hours in HORIZONS_HOURS),
    ]
    return f"{ours}\n\n{table(columns, _rival_rows(metrics))}"


def _summary_row(metrics: Metrics, hours: int) -> list[str]:
    ours = [figure(metrics.get(f"{key}_{hours}h"), form) for key, (_, form) in SKILLS.items()]
    return [f"{hours} h", *ours]


def _rival_rows(metrics: Metrics) -> list[list[str]]:
    return [
        [name, *(figure(metrics.get(f"{key}_mae_skill_{hours}h")) for hours in HORIZONS_HOURS)]
        for key, name in RIVALS.items()
    ]


def availability(metrics: Metrics) -> str:
    """Return Brier scores of availability per horizon: ours and the naive forecasts'."""
    columns = ["Brier score", *(label.replace("h", " h") for label in AVAILABILITY_HORIZONS)]
    rows = [
        [
            name,
            *(figure(metrics.get(f"{key}_brier_{at}{suffix}")) for at in AVAILABILITY_HORIZONS),
        ]
        for name, key, suffix in FORECASTS
    ]
    return table(columns, rows)


def scale(metrics: Metrics) -> str:
    """Return speed, the scale run on each runner, and what orchestration costs."""
    pools = metrics.get("scale_pools") or FULL_SCALE_POOLS
    recorded = metrics.get("flow_pools") or RECORDED_POOLS
    rows = [
        ["Pools per second, fit and both horizons", "pools_per_second", "{:.0f}"],
        ["The same per second of one processor", "pools_per_cpu_second", "{:.0f}"],
    ]
    for name, label in (
        ("threads", "in process"),
        ("dask_1", "one Dask worker"),
        ("dask_2", "two Dask workers"),
    ):
        rows.append([f"{pools:,.0f} pools, {label}", f"scale_{name}_seconds", "{:.0f} s"])
        rows.append([f"{pools:,.0f} pools, {label}: memory", f"scale_{name}_rss_gib", "{:.2f} GiB"])
    rows += [
        ["Speed-up by the second Dask worker", "dask_speedup_2", "{:.2f}"],
        [f"Flow on {recorded:.0f} recorded pools over HTTP", "flow_645_seconds", "{:.1f} s"],
        ["The same, 30 % throttled and 5 % faults", "flow_645_throttled_seconds", "{:.1f} s"],
        ["Orchestration of its chunks", "flow_645_orchestration_seconds", "{:.2f} s"],
    ]
    cells = [[label, figure(metrics.get(key), form)] for label, key, form in rows]
    return table(["", "measured"], cells)


def targets(metrics: Metrics) -> str:
    """Return every target with what was measured."""
    return targets_table(TARGETS, metrics)


def worst_auction_half(metrics: Metrics, hours: int) -> float | None:
    """Return the lowest MAE skill on a half of an auction recording; None when none is known."""
    halves = re.compile(rf"auction_.+_(early|late)_mae_skill_{hours}h")
    found = [v for key, v in metrics.items() if halves.fullmatch(key) and v is not None]
    return min(found, default=None)


def _at_full_scale(metrics: Metrics, key: str) -> float | None:
    return _at_size(metrics, key, of="scale_pools", at_least=FULL_SCALE_POOLS)


def _on_recording(metrics: Metrics, key: str) -> float | None:
    return _at_size(metrics, key, of="flow_pools", at_least=RECORDED_POOLS)


def _at_size(metrics: Metrics, key: str, *, of: str, at_least: int) -> float | None:
    """Return a figure unless it was measured on less than its target is about."""
    pools = metrics.get(of)
    return metrics.get(key) if pools is not None and pools >= at_least else None


def _scale_memory_gb(metrics: Metrics) -> float | None:
    gib = _at_full_scale(metrics, "scale_threads_rss_gib")
    return None if gib is None else gib * GB_PER_GIB


def _orchestration_without_chunks(metrics: Metrics) -> float | None:
    seconds = _on_recording(metrics, "flow_645_orchestration_seconds")
    # An unknown number of chunks excuses nothing.
    chunks = metrics.get("flow_chunks") or 0.0
    return None if seconds is None else seconds - 0.01 * chunks


TARGETS = (
    Target(what="MAE skill, 24 h", measured=of("mae_skill_24h"), low=0.20),
    Target(what="Pinball skill, 24 h", measured=of("pinball_skill_24h"), low=0.45),
    Target(
        what="Pinball skill against empirical quantiles, 24 h",
        measured=of("pinball_skill_vs_empirical_24h"),
        low=0.25,
    ),
    Target(
        what="MAE skill at the worst origin, 24 h",
        measured=of("min_origin_mae_skill_24h"),
        low=0.0,
        strict=True,
    ),
    Target(
        what="80 % interval covers, pools that moved, 24 h",
        measured=of("coverage_80_moved_24h"),
        low=0.77,
        high=0.83,
        template="{:.1%}",
    ),
    Target(what="MAE skill, 168 h", measured=of("mae_skill_168h"), low=0.09),
    Target(what="Pinball skill, 168 h", measured=of("pinball_skill_168h"), low=0.35),
    Target(
        what="Pinball skill against empirical quantiles, 168 h",
        measured=of("pinball_skill_vs_empirical_168h"),
        low=0.16,
    ),
    Target(
        what="Pinball skill, auction of 2016, 24 h",
        measured=of("auction_2016_pinball_skill_24h"),
        low=0.25,
    ),
    Target(
        what="MAE skill, worst half of an auction set, 24 h",
        measured=lambda metrics: worst_auction_half(metrics, 24),
        low=-0.02,
    ),
    Target(
        what="MAE skill, worst half of an auction set, 168 h",
        measured=lambda metrics: worst_auction_half(metrics, 168),
        low=-0.02,
    ),
    Target(what="Availability, Brier, 1 h", measured=of("availability_brier_1h"), high=0.105),
    Target(what="Availability, Brier, 6 h", measured=of("availability_brier_6h"), high=0.145),
    Target(what="Availability, Brier, 24 h", measured=of("availability_brier_24h"), high=0.140),
    Target(
        what="Pools per second, fit and both horizons",
        measured=of("pools_per_second"),
        low=100.0,
        template="{:.1f}",
    ),
    Target(
        what="35,000 pools",
        measured=lambda metrics: _at_full_scale(metrics, "scale_threads_seconds"),
        high=600.0,
        template="{:.0f} s",
    ),
    Target(
        what="35,000 pools: memory",
        measured=_scale_memory_gb,
        high=6.0,
        template="{:.2f} GB",
    ),
    Target(
        what="Speed-up by the second Dask worker",
        measured=of("dask_speedup_2"),
        low=1.6,
        template="{:.2f}",
    ),
    Target(
        what="Flow on 645 recorded pools over HTTP",
        measured=lambda metrics: _on_recording(metrics, "flow_645_seconds"),
        high=120.0,
        strict=True,
        template="{:.1f} s",
    ),
    Target(
        what="Orchestration of it, less 10 ms a chunk",
        measured=_orchestration_without_chunks,
        high=3.0,
        template="{:.2f} s",
    ),
    Target(
        what="Same result with 30 % throttled, 5 % faults (1 is yes)",
        measured=lambda metrics: _on_recording(metrics, "flow_645_same_when_throttled"),
        low=1.0,
        template="{:.0f}",
    ),
)
