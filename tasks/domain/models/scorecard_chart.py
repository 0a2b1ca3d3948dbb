"""The chart of live scores: by day, how many values the 80 % interval held, and the skill."""

from __future__ import annotations

import io
from collections.abc import Callable

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tasks.domain.load.forecasts import LEVEL as NOMINAL
from tasks.domain.models.live import Role
from tasks.domain.models.scorecard import SUMS

# Its own light ground, so that it reads the same on a light and on a dark page. The hues differ
# in lightness too, for readers who do not tell them apart.
GROUND, INK, MUTED, GRID = "#fbfbfd", "#1f2430", "#6b7280", "#e3e6ec"
HUES = ("#1d4ed8", "#c2570c", "#15803d", "#93b4f5", "#7e22ce", "#a16207")
LOWEST_SKILL = -1.0
"""A day on which the naive forecast was almost right would hide all others."""


def scorecard_chart(daily: pd.DataFrame, *, title: str) -> bytes:
    """Return a PNG with coverage above skill, one line a model; dashed for challengers.

    Args:
        daily: Frame with DAILY_COLUMNS, at least one row.
        title: Over both.
    """
    figure = Figure(figsize=(11, 6.2), dpi=110, facecolor=GROUND, layout="constrained")
    figure.suptitle(title, color=INK, fontsize=12, x=0.01, ha="left", fontweight="bold")
    above, below = figure.subplots(2, 1, sharex=True)
    by_day = daily.groupby(["model", "role", "day"], sort=True)[SUMS].sum()
    _draw(above, by_day, coverage_by_day)
    _draw(below, by_day, skill_by_day)
    above.axhline(NOMINAL, color=MUTED, lw=1.0, ls=":")
    below.axhline(0.0, color=MUTED, lw=1.0, ls=":")
    above.set_ylim(0.0, 1.03)
    above.set_title("Share of values inside the 80 % interval", color=INK, fontsize=10, loc="left")
    below.set_title(
        "Skill over the naive forecast: 1 is perfect, 0 as good as it, below 0 worse",
        color=INK,
        fontsize=10,
        loc="left",
    )
    figure.legend(
        *above.get_legend_handles_labels(),
        loc="outside lower left",
        ncols=4,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=GROUND)
    return buffer.getvalue()


def coverage_by_day(sums: pd.DataFrame) -> pd.Series[float]:
    """Return the share of values inside the interval, for each row of sums."""
    return sums["covered"] / sums["count"]


def skill_by_day(sums: pd.DataFrame) -> pd.Series[float]:
    """Return the skill for each row of sums, at least -1; NaN where it is undefined."""
    naive = sums["paired_naive_error"].where(sums["paired_naive_error"] > 0.0)
    return (1.0 - sums["paired_abs_error"] / naive).clip(lower=LOWEST_SKILL)


def _draw(
    axis: Axes, by_day: pd.DataFrame, figure: Callable[[pd.DataFrame], pd.Series[float]]
) -> None:
    models = list(dict.fromkeys(by_day.index.get_level_values("model")))
    for (model, role), sums in by_day.groupby(level=["model", "role"], sort=True):
        days = pd.DatetimeIndex(sums.index.get_level_values("day")).tz_localize(None)
        leads = role == Role.CHAMPION
        axis.plot(
            days.to_numpy(),
            figure(sums).to_numpy(np.float64),
            color=HUES[models.index(model) % len(HUES)],
            lw=1.6 if leads else 1.2,
            ls="-" if leads else "--",
            marker="o",
            ms=3,
            label=model if leads else f"{model} ({role})",
        )
    _style(axis)


def _style(axis: Axes) -> None:
    axis.set_facecolor(GROUND)
    axis.grid(color=GRID, lw=0.7)
    axis.tick_params(colors=MUTED, labelsize=8, length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=2, maxticks=8))
    axis.xaxis.set_major_formatter(
        mdates.ConciseDateFormatter(axis.xaxis.get_major_locator(), show_offset=False)
    )
    axis.yaxis.set_major_formatter("{x:.2f}")
