"""The mean day of recorded and of simulated series, for a reader to look at; nothing is judged by it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.cluster_plausibility_data import HOURLY_DAY, Weeks
from benchmarks.cluster_plausibility_statistics import DAYS
from tasks.domain.arrays import FloatArray

BLOCK_HOURS = 3
SHOWN = {"requests_hourly": "requests", "cpu_hourly": "processor"}


def mean_day(weeks: Weeks) -> FloatArray:
    """Return (8,) the median mean day of hourly series, by three hours, as a multiple of its mean.

    Each series is turned so that its highest hour is the middle of the second three: recorded machines
    are in unknown time zones.
    """
    days = weeks.values.reshape(len(weeks.values), -1, DAYS, HOURLY_DAY)
    known = np.isfinite(days)
    total = np.where(known, days, 0.0).sum(axis=(1, 2))
    profile = total / np.maximum(known.sum(axis=(1, 2)), 1)
    profile = profile / np.maximum(profile.mean(axis=1, keepdims=True), 1e-9)
    turned = np.stack([np.roll(one, BLOCK_HOURS + 1 - int(np.argmax(one))) for one in profile])
    blocks = turned.reshape(len(turned), -1, BLOCK_HOURS).mean(axis=2)
    found: FloatArray = np.median(blocks, axis=0)
    return found


def days_table(simulated: Mapping[str, Weeks], recorded: Mapping[str, Weeks]) -> list[str]:
    """Return the lines of a Markdown table of mean days; only what is there."""
    first = [
        f"{at * BLOCK_HOURS - BLOCK_HOURS - 1:+d} h" for at in range(HOURLY_DAY // BLOCK_HOURS)
    ]
    lines = [
        "| three hours from this long after the peak | " + " | ".join(first) + " |",
        "| :-- |" + " --: |" * len(first),
    ]
    for name, says in SHOWN.items():
        for side, groups in (("recorded", recorded), ("simulated", simulated)):
            if name in groups:
                cells = " | ".join(f"{value:.2f}" for value in mean_day(groups[name]))
                lines.append(f"| {says}, {side} | {cells} |")
    return lines
