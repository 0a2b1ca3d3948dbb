"""The interval chart: what the price was, where it may go, and what the last value would say."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.forecasts import PoolForecasts
from tasks.domain.spot.pools import Pool, PricePanel

# Its own light ground, so that it reads the same on a light and on a dark page. The hues differ
# in lightness too, for readers who do not tell them apart.
GROUND, INK, MUTED, GRID = "#fbfbfd", "#1f2430", "#6b7280", "#e3e6ec"
MODEL, BAND, NAIVE = "#1d4ed8", "#93b4f5", "#c2570c"

HISTORY_HOURS = 7 * 24
COLUMNS = 2


def interval_chart(
    panel: PricePanel, forecasts: PoolForecasts, pools: Sequence[Pool], *, title: str
) -> bytes:
    """Return a PNG with one panel a pool.

    Args:
        panel: Prices up to the cutoff.
        forecasts: Of the same pools, in the same order, or of more.
        pools: Which to draw, at most eight; each must be in both.
        title: Over all panels.
    """
    rows = max(1, -(-len(pools) // COLUMNS))
    figure = Figure(figsize=(11, 1.1 + 2.5 * rows), dpi=110, facecolor=GROUND, layout="constrained")
    figure.suptitle(title, color=INK, fontsize=12, x=0.01, ha="left", fontweight="bold")
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    in_panel = {pool: row for row, pool in enumerate(panel.pools)}
    in_forecast = {pool: row for row, pool in enumerate(forecasts.pools)}
    for axis, pool in zip(axes, pools, strict=False):
        _draw_pool(axis, panel, forecasts, in_panel[pool], in_forecast[pool])
        axis.set_title(str(pool), color=INK, fontsize=10, loc="left")
    for axis in axes[len(pools) :]:
        axis.set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower left",
        ncols=5,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=GROUND)
    return buffer.getvalue()


def _draw_pool(
    axis: Axes, panel: PricePanel, forecasts: PoolForecasts, row: int, forecast_row: int
) -> None:
    past = panel.prices[row, -HISTORY_HOURS:]
    cutoff = pd.Timestamp(panel.cutoff).tz_localize(None)
    before = cutoff + pd.to_timedelta(np.arange(1 - len(past), 1), unit="h")
    after = cutoff + pd.to_timedelta(np.arange(forecasts.horizon_hours + 1), unit="h")
    last = forecasts.last_value[forecast_row]
    low, middle, high = (_from_now(last, forecasts.quantiles[forecast_row, :, k]) for k in range(3))
    naive_low, naive_high = (
        _from_now(last, forecasts.naive_quantiles[forecast_row, :, k]) for k in (0, 2)
    )
    axis.step(before, past, where="post", color=INK, lw=1.4, label="announced price")
    axis.fill_between(after, low, high, color=BAND, alpha=0.65, lw=0, label="80 % interval")
    axis.plot(after, middle, color=MODEL, lw=1.8, label="forecast median")
    axis.plot(after, np.full(len(after), last), color=NAIVE, lw=1.2, ls="--", label="last value")
    axis.plot(after, naive_low, color=NAIVE, lw=0.9, ls=":", label="its empirical 80 % interval")
    axis.plot(after, naive_high, color=NAIVE, lw=0.9, ls=":")
    axis.axvline(float(mdates.date2num(cutoff)), color=MUTED, lw=0.8)
    _style(axis)


def _from_now(last: float, ahead: FloatArray) -> FloatArray:
    return np.concatenate([[last], ahead])


def _style(axis: Axes) -> None:
    axis.set_facecolor(GROUND)
    axis.grid(color=GRID, lw=0.7)
    axis.tick_params(colors=MUTED, labelsize=8, length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=7))
    axis.xaxis.set_major_formatter(
        mdates.ConciseDateFormatter(axis.xaxis.get_major_locator(), show_offset=False)
    )
    axis.yaxis.set_major_formatter("${x:.4f}")
    axis.margins(x=0.01)
