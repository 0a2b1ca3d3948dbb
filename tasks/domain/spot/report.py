"""What people read of a run: a Markdown summary with a chart in it, and a table of pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tasks.domain.spot.assessment import Assessment
from tasks.domain.spot.availability_scores import AvailabilityScore
from tasks.domain.spot.forecasts import BacktestScores, PoolForecasts, Source
from tasks.domain.spot.pools import Pool, PricePanel

MOST_TABLE_ROWS = 40
CHART_HISTORY_HOURS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotReport:
    """What a run found; the same whether anything was published or not.

    Attributes:
        cutoff: Last hour of prices seen; None when the run was skipped.
        price_source: Where prices were read.
        regions: Looked at.
        rows_fetched: Price announcements read in this run.
        window_days: Of history.
        scores: Rolling backtest, by horizon.
        sources: Pools by where their forecast comes from, by horizon in hours.
        assessment: None when the run was skipped.
        availability: Scores of availability forecasts, where traces were given.
        skipped: Why nothing was done; None otherwise.
    """

    cutoff: datetime | None
    price_source: str
    regions: tuple[str, ...]
    rows_fetched: int = 0
    window_days: int = 0
    scores: tuple[BacktestScores, ...] = ()
    sources: Mapping[int, Mapping[Source, int]] | None = None
    assessment: Assessment | None = None
    availability: tuple[AvailabilityScore, ...] = ()
    skipped: str | None = None


def source_counts(forecasts: PoolForecasts) -> dict[Source, int]:
    """Return how many pools have their forecast from where."""
    counts = Counter(Source(name) for name in forecasts.source.tolist())
    return {source: counts.get(source, 0) for source in Source}


def summary_markdown(report: SpotReport, *, chart: str) -> str:
    """Return the summary of a run.

    Args:
        report: Of a run that was not skipped.
        chart: Mermaid text, from `mermaid_chart`.
    """
    assessment = report.assessment
    if assessment is None or report.cutoff is None:
        return f"# Spot outlook\n\nSkipped: {report.skipped}\n"
    parts = [
        f"# Spot outlook, {report.cutoff:%d %b %Y %H:%M} UTC",
        f"{len(assessment.summaries)} capacity pools in {', '.join(report.regions)}, "
        f"{report.window_days} days of prices from {report.price_source}.",
        _recommendation(assessment),
        "## Better than doing nothing?",
        _scores_table(report),
        "Rolling backtest on the last days of the window, which the fit had not seen. Doing nothing "
        "is the last price, held; its empirical interval is made of the pool's own past changes. "
        "Interval loss is the pinball loss of the quantiles .1, .5, .9. Moved are pools whose price "
        "changed in the window, the others are still. A pool is given the last value where the model's error was more "
        "than twice that of doing nothing.",
        *_availability_part(report),
        "## Price ahead",
        chart,
        "The best ranked pool that moves, by the 24 h forecaster. Dark: announced price, then the "
        "median. Light: 80 % interval. Orange: the last value, held.",
    ]
    return "\n\n".join(parts) + "\n"


def _recommendation(assessment: Assessment) -> str:
    need = assessment.need
    asked = (
        f"{need.vcpu:g} vCPU and {need.memory_gib:g} GiB ({need.architecture}) "
        f"for {_hours(need.horizon)}"
    )
    allocation = assessment.allocation
    if allocation is None:
        return f"**No pools for {asked}:** {assessment.problem}."
    where = ", ".join(f"{part.instances} x `{part.candidate.pool}`" for part in allocation.pools)
    per_hour = allocation.cost_usd / (need.horizon / timedelta(hours=1))
    lines = [
        f"**For {asked}:** {where}. ${per_hour:.3f} an hour, interruptions included"
        + _saving_text(assessment)
        + "."
    ]
    odds = "; ".join(
        f"at least {one.at_least} of {one.of}: {_small(one.probability)}"
        for one in assessment.losses
    )
    kinds = {part.candidate.risk.evidence.kind.value for part in allocation.pools}
    lines.append(
        f"\nChance of losing instances within {_hours(need.horizon)}: {odds}. "
        f"The risk is a {' and '.join(sorted(kinds))}"
        + (
            ": too little, or nothing, was observed of these pools' interruptions."
            if kinds == {"prior"}
            else "."
        )
    )
    return "\n".join(lines)


def _saving_text(assessment: Assessment) -> str:
    saving = assessment.allocation.saving if assessment.allocation is not None else None
    if saving is None:
        return "; the on-demand price is unknown"
    return f", {saving.expected:.0%} under on-demand ({saving.low:.0%} to {saving.high:.0%})"


def _scores_table(report: SpotReport) -> str:
    head = (
        "| horizon | error vs last value | interval loss vs last value | vs its empirical interval "
        "| 80 % interval covers (moved) | pools by source |\n|---|---|---|---|---|---|"
    )
    return "\n".join([head, *(_score_row(score, report) for score in report.scores)])


def _score_row(score: BacktestScores, report: SpotReport) -> str:
    counts = (report.sources or {}).get(score.horizon_hours, {})
    sources = ", ".join(f"{count} {source}" for source, count in counts.items() if count)
    covers = f"{_share(score.coverage_80)} ({_share(score.coverage_80_moved)})"
    return (
        f"| {score.horizon_hours} h | {_gain(score.mae_skill)} | {_gain(score.pinball_skill)} "
        f"| {_gain(score.pinball_skill_vs_empirical)} | {covers} | {sources} |"
    )


def _availability_part(report: SpotReport) -> list[str]:
    if not report.availability:
        return []
    rows = [
        f"| {_hours(one.horizon)} | {_brier(one.brier)} | {_brier(one.table_brier)} |"
        for one in report.availability
    ]
    head = ["| horizon | Brier score | two-state table |", "|---|---|---|"]
    return [
        "## Availability forecasts",
        "\n".join(head + rows),
        "Fitted on the first 70 % of the recorded traces, scored on the rest; lower is better.",
    ]


def _brier(score: float | None) -> str:
    return "-" if score is None else f"{score:.3f}"


def _gain(skill: float | None) -> str:
    if skill is None:
        return "undefined"
    return f"{skill:.0%} better" if skill >= 0 else f"{-skill:.0%} worse"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _small(probability: float) -> str:
    return "below 0.1%" if probability < 0.001 else f"{probability:.1%}"


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):g} h"


def mermaid_chart(panel: PricePanel, forecasts: PoolForecasts, pool: Pool) -> str:
    """Return a Mermaid chart of one pool: two days back, the forecast's horizon ahead.

    It shows where no bucket for the PNG is at hand. Colours are set for the theme-less ground
    that Prefect gives it.
    """
    row = panel.pools.index(pool)
    ahead = forecasts.pools.index(pool)
    past = panel.prices[row, -CHART_HISTORY_HOURS - 1 :]
    past = past[~np.isnan(past)]
    last = forecasts.last_value[ahead]
    lines = [
        np.concatenate([past, forecasts.quantiles[ahead, :, position]]) for position in range(3)
    ]
    naive = np.concatenate([past, np.full(forecasts.horizon_hours, last)])
    lowest, highest = min(map(np.min, lines)), max(map(np.max, lines))
    margin = max(0.08 * (highest - lowest), 1e-4)
    series = [("low", lines[0]), ("high", lines[2]), ("last value", naive), ("median", lines[1])]
    drawn = "\n".join(f"  line [{', '.join(f'{v:.5f}' for v in values)}]" for _, values in series)
    theme = (
        '%%{init: {"theme": "base", "themeVariables": {"xyChart": {"backgroundColor": "#fbfbfd", '
        '"titleColor": "#1f2430", "xAxisLabelColor": "#4b5563", "yAxisLabelColor": "#4b5563", '
        '"xAxisTitleColor": "#4b5563", "yAxisTitleColor": "#4b5563", '
        '"xAxisLineColor": "#9ca3af", "yAxisLineColor": "#9ca3af", '
        '"xAxisTickColor": "#9ca3af", "yAxisTickColor": "#9ca3af", '
        '"plotColorPalette": "#93b4f5, #93b4f5, #c2570c, #1d4ed8"}}}}%%'
    )
    return "\n".join(
        [
            "```mermaid",
            theme,
            "xychart-beta",
            f'  title "{pool}, USD per hour"',
            f'  x-axis "hours from now" {1 - len(past)} --> {forecasts.horizon_hours}',
            f"  y-axis {max(lowest - margin, 0.0):.5f} --> {highest + margin:.5f}",
            drawn,
            "```",
        ]
    )


def pool_rows(assessment: Assessment, panel: PricePanel) -> list[dict[str, object]]:
    """Return the table of the best pools, chosen ones first; at most 40 rows."""
    allocation = assessment.allocation
    if allocation is None:
        return []
    now = dict(zip(panel.pools, panel.prices[:, -1].tolist(), strict=True))
    instances = {part.candidate.pool: part.instances for part in allocation.pools}
    ranked = [place.candidate.pool for place in allocation.ranking]
    places = {pool: position for position, pool in enumerate(ranked, start=1)}
    order = sorted(ranked, key=lambda pool: (pool not in instances, places[pool]))
    return [
        _pool_row(
            pool, assessment, price_now=now[pool], place=places[pool], count=instances.get(pool)
        )
        for pool in order[:MOST_TABLE_ROWS]
    ]


def _pool_row(
    pool: Pool, assessment: Assessment, *, price_now: float, place: int, count: int | None
) -> dict[str, object]:
    summary, risk = assessment.summaries[pool], assessment.risks[pool]
    low, high = risk.interval(assessment.need.horizon)
    probability = risk.probability(assessment.need.horizon)
    saving = summary.saving_fraction
    return {  # the most telling first: a narrow terminal shows as many as fit
        "rank": place,
        "pool": str(pool),
        "run here": count,
        "expected $/h": round(summary.mean_usd_per_hour, 5),
        "saving": None if saving is None else f"{saving:.0%}",
        "interruption": f"{probability:.1%} ({low:.1%} to {high:.1%})",
        "evidence": risk.evidence.kind.value,
        "lowest 10 % to highest 90 %": (
            f"{summary.low_usd_per_hour:.4f} to {summary.high_usd_per_hour:.4f}"
        ),
        "cheapest hour (UTC)": f"{summary.cheapest_at:%d %b %H:%M}",
        "forecast": summary.source.value,
        "now $/h": round(price_now, 5),
        "on demand $/h": summary.on_demand_usd_per_hour,
    }


def moving_pool(pools: Sequence[Pool], forecasts: PoolForecasts) -> Pool:
    """Return the first of these pools whose price moves; the first of all when none does."""
    moves = dict(zip(forecasts.pools, forecasts.moved.tolist(), strict=True))
    return next((pool for pool in pools if moves[pool]), pools[0])


def chart_pools(assessment: Assessment, forecasts: PoolForecasts, *, most: int = 4) -> list[Pool]:
    """Return the pools worth a chart: the chosen ones, then the best ranked that move."""
    allocation = assessment.allocation
    if allocation is None:
        moved = [
            pool for pool, moves in zip(forecasts.pools, forecasts.moved, strict=True) if moves
        ]
        return (moved or list(forecasts.pools))[:most]
    moves = dict(zip(forecasts.pools, forecasts.moved.tolist(), strict=True))
    chosen = [part.candidate.pool for part in allocation.pools]
    rest = [place.candidate.pool for place in allocation.ranking]
    order: Sequence[Pool] = [*chosen, *(pool for pool in rest if moves[pool]), *rest]
    return list(dict.fromkeys(order))[:most]
