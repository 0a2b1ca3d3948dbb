"""What people read of a forecast of load: what is expected, by which model, and where it gets tight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecasts import LoadForecasts
from tasks.domain.load.panel import Load

MOST_ROWS = 12
WORDS = {
    Load.CPU: ("processor", "%"),
    Load.MEMORY: ("memory", "%"),
    Load.REQUESTS: ("requests", "/s"),
}
HEAD = (
    "| workload | last day, highest hour | next day, highest hour | 9 in 10 below | by |\n"
    "| :-- | --: | --: | --: | :-- |"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """One load of one run.

    Attributes:
        forecasts: Of n series.
        last_peak: (n,) highest hour of the last day, in the load's unit; NaN where unknown.
        model: Name and version of the model.
        trained_at: When it was trained, aware UTC.
        degraded_reason: Why it is not the champion; None where it is.
    """

    forecasts: LoadForecasts
    last_peak: FloatArray
    model: str
    trained_at: datetime
    degraded_reason: str | None = None


def load_markdown(
    reports: Mapping[str, LoadReport], *, without_model: Mapping[str, str], names: Mapping[str, str]
) -> str:
    """Return the summary of a run.

    Args:
        reports: By model name.
        without_model: Why there is no forecast, by model name.
        names: What people call each series; its id where it is left out.
    """
    parts = ["# Load of the next day"]
    parts += [_part(one, names) for one in reports.values()]
    parts += [f"## `{name}`\n\nNothing was forecast: {why}." for name, why in without_model.items()]
    return "\n\n".join(parts) + "\n"


def _part(report: LoadReport, names: Mapping[str, str]) -> str:
    found = report.forecasts
    what, unit = WORDS[found.load]
    methods = Counter(found.method.tolist())
    said = ", ".join(f"{count:,} by {method}" for method, count in methods.most_common())
    covered = found.confidence[~np.isnan(found.confidence)]
    sure = (
        ""
        if not covered.size
        else (
            f" Live, or else in the backtest, {covered.min():.0%} to {covered.max():.0%} of all values "
            "of their groups lay inside the 80 % intervals."
        )
    )
    until = "" if found.cutoff is None else f", after {found.cutoff:%d %b %Y %H:%M} UTC"
    lines = [
        f"## {what.capitalize()} of {len(found):,} workloads{until}",
        f"By `{report.model}`, trained {report.trained_at:%d %b %Y %H:%M}: {said}.{sure}",
    ]
    if report.degraded_reason is not None:
        lines.append(f"**{report.degraded_reason}.**")
    lines.append(_table(report, names, unit))
    return "\n\n".join(lines)


def _table(report: LoadReport, names: Mapping[str, str], unit: str) -> str:
    found = report.forecasts
    middle, high = (found.quantiles[..., at].max(axis=1) for at in (1, 2))
    growth = np.nan_to_num(high - report.last_peak, nan=-np.inf)
    first = np.lexsort((np.array(found.series), -growth))[:MOST_ROWS]
    rows = [
        f"| {names.get(found.series[at], found.series[at])} | {_number(report.last_peak[at])} {unit} "
        f"| {middle[at]:.1f} {unit} | {high[at]:.1f} {unit} | {found.method[at]} |"
        for at in first
    ]
    return "\n".join(["Where the most is to be expected beyond the last day:", "", HEAD, *rows])


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.1f}"


def last_peaks(values: FloatArray, *, steps_per_day: int) -> FloatArray:
    """Return (n,) the highest value of the last day; NaN where nothing is known of it."""
    recent = values[:, -steps_per_day:]
    known = np.where(np.isnan(recent), -np.inf, recent).max(axis=1, initial=-np.inf)
    return np.where(np.isinf(known), np.nan, known)
