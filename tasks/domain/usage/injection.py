"""Known archetypes laid over recorded series: the pattern is ours, the irregularity is real.

What is kept of a recorded series is its irregular part: what the median of its hour of the week
and its slow level (a median of 7 days) do not explain, spikes and level shifts within a week
included, and the hours that are missing. Its size is set to a share of the pattern's, because a
spike that is twice the pattern would be the truth then. Memory is treated alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tasks.domain.arrays import IntArray
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.clock import HOURS_PER_DAY, HOURS_PER_WEEK, Clock
from tasks.domain.usage.fleet import (
    DEFAULT_MIX,
    OFFSETS_HOURS,
    Fleet,
    drawn_archetypes,
    patterns_of,
    without_agent,
)
from tasks.domain.usage.panel import Float32Array, Metric, UsagePanel

IRREGULAR_SHARE = (0.05, 0.25)
"""Range of the irregular part's standard deviation, as a share of the pattern's 95th percentile."""
MEMORY_IRREGULAR_POINTS = 1.5
"""Standard deviation of the irregular part that memory keeps, percentage points."""


def injected_fleet(
    recorded: UsagePanel,
    *,
    seed: int,
    copies: int = 1,
    mix: Mapping[Archetype, float] = DEFAULT_MIX,
) -> Fleet:
    """Return recorded series with a known archetype laid over each.

    Args:
        recorded: CPU_MEAN, and MEMORY_MEAN where it is known. Rows with less than two weeks of
            processor use in the last four are left out: nobody could tell what they are.
        seed: Of archetypes, parameters and time zones.
        copies: How often each series is used, each time with another archetype or parameters.
        mix: Shares by archetype.
    """
    cpu = recorded.of(Metric.CPU_MEAN)
    known = (~np.isnan(cpu[:, -4 * HOURS_PER_WEEK :])).sum(axis=1)
    rows = np.tile(np.flatnonzero(known >= 2 * HOURS_PER_WEEK), copies)
    rng = np.random.default_rng([seed, 1])
    archetypes = drawn_archetypes(len(rows), mix=mix, rng=rng)
    offsets: IntArray = rng.choice(np.array(OFFSETS_HOURS, dtype=np.int64), size=len(rows))
    clock = Clock.local(recorded.start, recorded.hours, offsets)
    processor, level = patterns_of(archetypes, clock, rng)
    unknown = without_agent(archetypes, rng)
    values = {
        Metric.CPU_MEAN: inject(cpu[rows], processor, rng=rng),
        Metric.MEMORY_MEAN: _memory(recorded.of(Metric.MEMORY_MEAN)[rows], level, cpu[rows]),
    }
    values[Metric.MEMORY_MEAN][unknown] = np.nan
    names = tuple(f"{recorded.resources[row]}#{at}" for at, row in enumerate(rows.tolist()))
    panel = UsagePanel(resources=names, start=recorded.start, values=values)
    return Fleet(panel=panel, archetypes=archetypes, utc_offsets=offsets)


def inject(
    recorded: Float32Array, pattern_percent: Float32Array, *, rng: np.random.Generator
) -> Float32Array:
    """Return patterns with the irregular parts of recorded series, within 0 to 100.

    Args:
        recorded: (n, hours) percent; NaN stays NaN.
        pattern_percent: (n, hours) percent, known everywhere.
        rng: Draws each row's share.
    """
    share = rng.uniform(*IRREGULAR_SHARE, (len(recorded), 1))
    size = share * np.percentile(pattern_percent, 95.0, axis=1, keepdims=True)
    kept = pattern_percent + size * irregular_part(recorded)
    return np.clip(kept, 0.0, 100.0).astype(np.float32)


def irregular_part(recorded: Float32Array) -> Float32Array:
    """Return (n, hours) of mean 0 and standard deviation 1; 0 for a series that never moves."""
    frame = pd.DataFrame(recorded.T.astype(np.float64))
    slow = frame.rolling(HOURS_PER_WEEK, center=True, min_periods=HOURS_PER_DAY).median()
    rest = frame - slow
    rest -= rest.groupby(np.arange(len(frame)) % HOURS_PER_WEEK).transform("median")
    rest -= rest.mean()
    spread = rest.std()
    scaled = rest / spread.where(spread > 1e-9)
    # A series that stands still has no irregular part; what was missing stays missing.
    return scaled.fillna(0.0).where(frame.notna()).to_numpy(dtype=np.float32).T


def _memory(recorded: Float32Array, level: Float32Array, cpu: Float32Array) -> Float32Array:
    """Return memory percent at a level; where memory was not recorded the level itself is known."""
    measured = ~np.isnan(cpu)
    moved = np.nan_to_num(irregular_part(recorded), nan=0.0) * MEMORY_IRREGULAR_POINTS
    level_percent = np.clip(level[:, None] + moved, 0.5, 99.5)
    return np.where(measured, level_percent, np.nan).astype(np.float32)
