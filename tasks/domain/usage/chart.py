"""The chart of archetypes: how busy each is through the week, in local time."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tasks.domain.usage.clock import HOURS_PER_DAY, HOURS_PER_WEEK
from tasks.domain.usage.clustering import ArchetypeProfile
from tasks.domain.usage.features import Feature

# Its own light ground, so that it reads the same on a light and on a dark page.
GROUND, INK, MUTED, GRID = "#fbfbfd", "#1f2430", "#6b7280", "#e3e6ec"
LINE, BAND = "#1d4ed8", "#dbe6fd"
COLUMNS = 2
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def profile_chart(profiles: Sequence[ArchetypeProfile], *, title: str) -> bytes:
    """Return a PNG with one panel an archetype: mean processor use by local hour of the week.

    Args:
        profiles: At least one; each panel has its own scale, from 0.
        title: Over all panels.
    """
    rows = max(1, -(-len(profiles) // COLUMNS))
    figure = Figure(figsize=(11, 1.0 + 2.1 * rows), dpi=110, facecolor=GROUND, layout="constrained")
    figure.suptitle(title, color=INK, fontsize=12, x=0.01, ha="left", fontweight="bold")
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axis, profile in zip(axes, profiles, strict=False):
        _draw(axis, profile)
    for axis in axes[len(profiles) :]:
        axis.set_visible(False)
    figure.supxlabel(
        "Mean processor use by hour of the week, local time of each region. Shaded: weekend. "
        "Dotted: what a typical one needs in its busiest 5 % of hours.",
        color=MUTED,
        fontsize=9,
        x=0.01,
        ha="left",
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=GROUND)
    return buffer.getvalue()


def _draw(axis: Axes, profile: ArchetypeProfile) -> None:
    busy = float(profile.quartiles[Feature.P95][1])
    hour = np.arange(HOURS_PER_WEEK)
    axis.axvspan(5 * HOURS_PER_DAY, HOURS_PER_WEEK, color=BAND, alpha=0.45, lw=0)
    axis.fill_between(hour, 0.0, profile.week_percent, color=LINE, alpha=0.14, lw=0)
    axis.plot(hour, profile.week_percent, color=LINE, lw=1.6)
    if np.isfinite(busy):
        axis.axhline(busy, color=MUTED, lw=1.0, ls=":")
    highest = float(np.nanmax([busy, *profile.week_percent, 1.0]))
    axis.set_ylim(0.0, 1.12 * highest)
    axis.set_xlim(0, HOURS_PER_WEEK)
    axis.set_xticks(np.arange(7) * HOURS_PER_DAY + HOURS_PER_DAY / 2, DAYS)
    number = f"{profile.resources:,} resource{'s' if profile.resources != 1 else ''}"
    axis.set_title(f"{profile.archetype}: {number}", color=INK, fontsize=10, loc="left")
    axis.yaxis.set_major_formatter("{x:.3g} %")
    _style(axis)


def _style(axis: Axes) -> None:
    axis.set_facecolor(GROUND)
    axis.grid(axis="y", color=GRID, lw=0.7)
    axis.tick_params(colors=MUTED, labelsize=8, length=0)
    axis.locator_params(axis="y", nbins=4)
    for spine in axis.spines.values():
        spine.set_visible(False)
