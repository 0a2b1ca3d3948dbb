"""The chart of a model card: error and coverage by hours ahead, beside champion and naive forecast."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecasts import LEVEL
from tasks.domain.models.family import RollingErrors

# Its own light ground, so that it reads the same on a light and on a dark page. The hues differ
# in lightness too, for readers who do not tell them apart.
GROUND, INK, MUTED, GRID = "#fbfbfd", "#1f2430", "#6b7280", "#e3e6ec"
CHAMPION, CHALLENGER, NAIVE = "#1d4ed8", "#c2570c", "#9aa1ac"


def card_chart(
    *, champion: RollingErrors | None, challenger: RollingErrors | None, title: str
) -> bytes:
    """Return a PNG with the error above the coverage, by hours ahead.

    Args:
        champion: Errors of the model that serves; None before the first.
        challenger: Of the one that was trained, on the same origins; None where none was. One of the
            two is needed.
        title: Over both.
    """
    known = champion or challenger
    if known is None:
        message = "there is nothing to draw: neither champion nor challenger was judged"
        raise ValueError(message)
    figure = Figure(figsize=(11, 5.6), dpi=110, facecolor=GROUND, layout="constrained")
    figure.suptitle(title, color=INK, fontsize=12, x=0.01, ha="left", fontweight="bold")
    above, below = figure.subplots(2, 1, sharex=True)
    _line(above, known.naive_by_hour, NAIVE, "naive", style=":")
    for found, hue, name in (
        (champion, CHAMPION, "champion"),
        (challenger, CHALLENGER, "challenger"),
    ):
        if found is not None:
            style = "-" if found is champion else "--"
            _line(above, found.error_by_hour, hue, name, style=style)
            _line(below, found.covered_by_hour, hue, name, style=style)
    below.axhline(LEVEL, color=MUTED, lw=1.0, ls=":")
    below.set_ylim(0.0, 1.03)
    above.set_ylim(bottom=0.0)
    above.set_title(
        "Mean absolute error, in units of what each series usually moves in a day",
        color=INK, fontsize=10, loc="left",
    )  # fmt: skip
    below.set_title("Share of values inside the 80 % interval", color=INK, fontsize=10, loc="left")
    below.set_xlabel("hours ahead", color=MUTED, fontsize=9)
    figure.legend(
        *above.get_legend_handles_labels(),
        loc="outside lower left", ncols=3, frameon=False, fontsize=9, labelcolor=INK,
    )  # fmt: skip
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=GROUND)
    return buffer.getvalue()


def _line(axis: Axes, values: FloatArray, hue: str, name: str, *, style: str) -> None:
    hours = np.arange(1, len(values) + 1)
    axis.plot(hours, values, color=hue, lw=1.6, ls=style, label=name)
    axis.set_facecolor(GROUND)
    axis.grid(color=GRID, lw=0.7)
    axis.tick_params(colors=MUTED, labelsize=8, length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.yaxis.set_major_formatter("{x:.2f}")
