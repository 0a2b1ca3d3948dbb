from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tasks.domain.instances import Architecture
from tasks.domain.spot.assessment import assess_pools
from tasks.domain.spot.capacity import CapacityNeed
from tasks.domain.spot.chart import interval_chart
from tasks.domain.spot.forecasts import BacktestScores
from tasks.domain.spot.report import (
    SpotReport,
    chart_pools,
    mermaid_chart,
    pool_rows,
    source_counts,
    summary_markdown,
)
from tests.unit.spot.builders import (
    CUTOFF,
    POOLS,
    small_forecasts,
    small_offers,
    small_panel,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "spot_outlook.md"


def small_report(**need: object) -> SpotReport:
    asked = CapacityNeed(**{"vcpu": 8.0, "memory_gib": 16.0, **need})  # type: ignore[arg-type]
    scores = BacktestScores(
        horizon_hours=24,
        origins=9,
        pools=3,
        mae_skill=0.204,
        pinball_skill=-0.031,
        pinball_skill_vs_empirical=None,
        coverage_80=0.86,
        coverage_80_moved=0.79,
        fallback_fraction=0.1,
    )
    return SpotReport(
        cutoff=CUTOFF,
        price_source="http://127.0.0.1:4290",
        regions=("us-east-1",),
        rows_fetched=12,
        window_days=3,
        scores=(scores,),
        sources={24: source_counts(small_forecasts())},
        assessment=assess_pools(
            small_panel(),
            small_forecasts(),
            offers=small_offers(),
            need=asked,
            product="Linux/UNIX",
            placement_scores={},
            observed={},
        ),
    )


def test_the_summary_reads_as_reviewed() -> None:
    chart = mermaid_chart(small_panel(), small_forecasts(), POOLS[1])

    assert summary_markdown(small_report(), chart=chart) == GOLDEN.read_text()


def test_a_worse_forecast_is_called_worse_and_an_undefined_score_is_not_perfect() -> None:
    text = summary_markdown(small_report(), chart="")

    assert "| 24 h | 20% better | 3% worse | undefined | 86% (79%) |" in text


def test_a_need_that_nothing_serves_says_why() -> None:
    text = summary_markdown(small_report(architecture=Architecture.ARM64), chart="")

    assert "**No pools for 8 vCPU and 16 GiB (arm64) for 24 h:** " in text


def test_a_skipped_run_says_why() -> None:
    report = SpotReport(cutoff=None, price_source="AWS", regions=(), skipped="it was due 2 h ago")

    assert "Skipped: it was due 2 h ago" in summary_markdown(report, chart="")


def test_the_table_puts_chosen_pools_first_and_keeps_their_rank() -> None:
    report = small_report()
    assert report.assessment is not None

    rows = pool_rows(report.assessment, small_panel())

    assert rows[0]["pool"] == "m5.xlarge/us-east-1a"
    assert (rows[0]["run here"], rows[1]["run here"]) == (2, None)
    assert {row["evidence"] for row in rows} == {"prior"}


def test_the_chart_shows_chosen_pools_first_then_those_that_move() -> None:
    report = small_report()
    assert report.assessment is not None

    assert chart_pools(report.assessment, small_forecasts(), most=2) == [POOLS[1], POOLS[2]]


def test_the_mermaid_chart_joins_past_and_forecast_on_one_axis() -> None:
    text = mermaid_chart(small_panel(hours=40), small_forecasts(horizon_hours=6), POOLS[0])

    (line, *_) = [row for row in text.splitlines() if row.startswith("  line [")]
    assert '"hours from now" -39 --> 6' in text
    assert line.count(",") + 1 == 40 + 6


def test_hours_before_a_pools_first_price_are_not_drawn() -> None:
    panel = small_panel(hours=40)
    prices = panel.prices.copy()
    prices[0, :30] = np.nan

    text = mermaid_chart(replace(panel, prices=prices), small_forecasts(horizon_hours=6), POOLS[0])

    assert '"hours from now" -9 --> 6' in text
    assert "nan" not in text


def test_the_interval_chart_is_a_png_for_any_number_of_pools() -> None:
    for count in (1, 3):
        image = interval_chart(small_panel(), small_forecasts(), POOLS[:count], title="Spot")
        assert image.startswith(b"\x89PNG")
