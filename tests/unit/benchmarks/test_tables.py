from __future__ import annotations

import pytest

from benchmarks.harness import Metrics
from benchmarks.tables import spot
from benchmarks.tables.markdown import figure, table
from benchmarks.tables.targets import Target, of, targets_table


def cells(markdown: str, first: str) -> list[str]:
    """Return the cells behind the first of one row."""
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in markdown.splitlines()
        if "|" in line
    ]
    [row] = [row for row in rows if row[0] == first]
    return row[1:]


def target(low: float | None = None, high: float | None = None) -> Target:
    return Target(what="skill", measured=of("skill"), low=low, high=high)


def test_unknown_figures_are_a_dash_and_zero_is_a_figure() -> None:
    assert figure(None) == "-"
    assert figure(0.0) == "0.000"
    assert figure(0.7985, "{:.1%}") == "79.8%"


def test_a_row_without_any_figure_was_not_measured() -> None:
    text = table(["", "x", "y"], [["a", "-", "-"], ["b", "-", "1"]])
    assert text.splitlines() == [
        "|  | x | y |",
        "| :-- | --: | --: |",
        "| a | not measured yet | - |",
        "| b | - | 1 |",
    ]


@pytest.mark.parametrize(
    ("limits", "value", "verdict"),
    [
        ({"low": 0.2}, 0.2, "reached"),
        ({"low": 0.2}, 0.188, "**missed by 0.012**"),
        ({"low": 0.2}, 0.1999, "**just missed**"),
        ({"high": 0.105}, 0.1, "reached"),
        ({"high": 0.105}, 0.11, "**missed by 0.005**"),
        ({"low": 0.77, "high": 0.83}, 0.8, "reached"),
        ({"low": 0.77, "high": 0.83}, 0.83, "reached"),
        ({"low": 0.77, "high": 0.83}, 0.76, "**missed by 0.010**"),
        ({"low": 0.77, "high": 0.83}, 0.85, "**missed by 0.020**"),
        ({"low": 0.2}, None, "not measured yet"),
    ],
)
def test_a_verdict_says_by_how_much_a_target_was_missed(
    limits: dict[str, float], value: float | None, verdict: str
) -> None:
    assert target(**limits).verdict(value) == verdict


def test_a_strict_limit_is_missed_by_the_limit_itself() -> None:
    above = Target(what="worst", measured=of("worst"), low=0.0, strict=True)
    assert above.verdict(0.0) == "**just missed**"
    assert above.verdict(1e-9) == "reached"
    assert above.demand() == "above 0.000"


def test_a_target_is_one_row_with_demand_and_measurement() -> None:
    text = targets_table([target(low=0.2)], {"skill": 0.188})
    assert cells(text, "skill") == ["at least 0.200", "0.188", "**missed by 0.012**"]
    assert target(high=0.2).demand() == "at most 0.200"
    assert target(low=0.1, high=0.2).demand() == "0.100 to 0.200"


def test_the_summary_puts_rivals_beside_the_forecaster() -> None:
    metrics: Metrics = {
        "mae_skill_24h": 0.211,
        "pinball_skill_24h": 0.46,
        "pinball_skill_vs_empirical_24h": 0.26,
        "coverage_80_moved_24h": 0.7985,
        "min_origin_mae_skill_24h": -0.004,
        "sample_homeostat_mae_skill_24h": 0.19,
        "sample_seasonal_naive_mae_skill_24h": -0.9,
        "baseline_random_forest_mae_skill_24h": -10.4,
    }
    text = spot.summary(metrics)

    assert cells(text, "24 h") == ["0.211", "0.460", "0.260", "79.8%", "-0.004"]
    assert cells(text, "168 h") == ["not measured yet", *["-"] * 4]
    assert cells(text, "Homeostat") == ["0.190", "-"]
    assert cells(text, "daily seasonal naive") == ["-0.900", "-"]
    assert cells(text, "RandomForest on hour, weekday, month") == ["-10.400", "-"]


def test_availability_is_beside_the_two_state_table() -> None:
    metrics: Metrics = {
        "availability_brier_1h": 0.104,
        "baseline_two_state_brier_1h": 0.108,
        "baseline_two_state_brier_6h_300s": 0.12,
    }
    text = spot.availability(metrics)
    assert cells(text, "Homeostat") == ["0.104", "-", "-"]
    assert cells(text, "two-state table") == ["0.108", "-", "-"]
    assert cells(text, "two-state table, ticks read as 300 s") == ["-", "0.120", "-"]


def test_the_scale_table_says_how_many_pools_there_were() -> None:
    metrics: Metrics = {
        "scale_pools": 2000.0,
        "scale_threads_seconds": 12.4,
        "pools_per_second": 134.2,
        "dask_speedup_2": 1.714,
        "flow_pools": 645.0,
        "flow_645_orchestration_seconds": 1.26,
    }
    text = spot.scale(metrics)
    assert cells(text, "2,000 pools, in process") == ["12 s"]
    assert cells(text, "Pools per second, fit and both horizons") == ["134"]
    assert cells(text, "Speed-up by the second Dask worker") == ["1.71"]
    assert cells(text, "Flow on 645 recorded pools over HTTP") == ["not measured yet"]
    assert cells(text, "Orchestration of its chunks") == ["1.26 s"]


def test_a_target_about_35000_pools_is_not_judged_on_fewer() -> None:
    full: Metrics = {
        "scale_pools": 35_000.0,
        "scale_threads_seconds": 640.0,
        "scale_threads_rss_gib": 5.8,
    }
    text = spot.targets(full)
    assert cells(text, "35,000 pools") == ["at most 600 s", "640 s", "**missed by 40 s**"]
    memory = ["at most 6.00 GB", "6.23 GB", "**missed by 0.23 GB**"]
    assert cells(text, "35,000 pools: memory") == memory
    fewer = spot.targets(full | {"scale_pools": 2000.0})
    assert cells(fewer, "35,000 pools")[1:] == ["-", "not measured yet"]


def test_orchestration_is_allowed_ten_milliseconds_a_chunk() -> None:
    metrics: Metrics = {
        "flow_pools": 645.0,
        "flow_645_orchestration_seconds": 3.1,
        "flow_chunks": 11.0,
    }
    row = "Orchestration of it, less 10 ms a chunk"
    assert cells(spot.targets(metrics), row) == ["at most 3.00 s", "2.99 s", "reached"]
    del metrics["flow_chunks"]
    assert cells(spot.targets(metrics), row)[-1] == "**missed by 0.10 s**"


def test_the_worst_half_of_the_auctions_counts() -> None:
    metrics: Metrics = {
        "auction_2010_early_mae_skill_24h": 0.01,
        "auction_2016_late_mae_skill_24h": -0.03,
        "auction_2016_late_mae_skill_168h": -0.5,
        "auction_2016_mae_skill_24h": -0.9,
        "auction_2010_late_mae_skill_24h": None,
    }
    assert spot.worst_auction_half(metrics, 24) == -0.03
    assert spot.worst_auction_half({}, 24) is None
