"""Whether forecasts stay near the best naive rule when loads change their nature after the fit.

Run with `python -m benchmarks.load_stress [--data DIR] [--quick] [--json]`. The recorded development half
is changed: from an hour on that differs from series to series and lies between three days before the
first origin and the last one, half of the series do what a last value forecasts best. So most of a
series' history, or all of it, says nothing of what comes. The series' own
record (`tasks/domain/load/own_record.py`) was shaped with these scores in view; nothing of the later
half was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.harness import Metrics, parse_options, publish, show_table
from benchmarks.load import QUICK, judge, show_groups
from benchmarks.load_data import HORIZON, Recording, load_recordings
from benchmarks.load_scoring import group_scores, summary
from tasks.domain.arrays import FloatArray, IntArray

EVERY = 3
"""Origins of the development half that are judged."""
SHARE = 0.5
SEED = 1717
BEFORE_HOURS = 72
MOST_PERCENT = 100.0
STAY_HOURS = 60.0
"""Mean time at a level."""
BURST_HOURS = (5, 15)
BURST_EVERY = 50.0
RIPPLE = 0.02
"""Noise of a level, as a share of it."""

Regime = Callable[[np.random.Generator, np.random.Generator, FloatArray], FloatArray]
"""From a source of times, one of sizes, and (hours,) of recorded load, to what happens instead."""


def main(argv: Sequence[str] | None = None) -> None:
    """Judge every regime on every recording."""
    options = parse_options("load_stress", argv)
    every = QUICK.every if options.quick else EVERY
    publish(options, measure(load_recordings(options.data), every=every))


def measure(recordings: Sequence[Recording], *, every: int) -> Metrics:
    """Return the worst ratio to the best naive rule by regime, and over all, and print the groups."""
    found: Metrics = {}
    rows = []
    for name in REGIMES:
        judged = {
            one.name: judge(stressed(one, name), every=every, later=False) for one in recordings
        }
        groups = {f"{name} {key}": list(group_scores(ones)) for key, ones in judged.items()}
        show_groups(groups)
        ratios = [one.ratio for scores in groups.values() for one in scores]
        found[f"{name}_worst_group_vs_best_naive"] = max(ratios) if ratios else None
        rows += [
            (name, key, one["mase_skill_4h"], one["mase_skill_24h"], one["coverage_80_24h"])
            for key, one in ((key, summary(ones)) for key, ones in judged.items())
        ]
    columns = ["regime", "recording", "skill 4 h", "24 h", "80 % covers"]
    show_table("Forecasts under regimes that begin late", columns, rows)
    found["worst_group_vs_best_naive"] = max(
        (value for value in found.values() if value is not None), default=None
    )
    return found


def stressed(recording: Recording, name: str) -> Recording:
    """Return a recording in which a regime takes over half of the series, one by one.

    What is unknown stays unknown. Equal arguments give equal recordings.
    """
    regime = REGIMES[name]
    values = recording.panel.values.copy()
    rng = np.random.default_rng([SEED, list(REGIMES).index(name)])
    rows = np.flatnonzero(rng.random(len(values)) < SHARE)
    begin = _begins(recording, rng, len(rows))
    common = int(rng.integers(1 << 31))
    for row, first in zip(rows.tolist(), begin.tolist(), strict=True):
        load = values[row]
        taken = ~np.isnan(load)
        taken[:first] = False
        times = np.random.default_rng([common] if name == "together" else [common, row, 0])
        instead = regime(times, np.random.default_rng([common, row, 1]), load)
        values[row] = np.where(taken, np.clip(instead, 0.0, MOST_PERCENT), load)
    panel = replace(recording.panel, values=values, closing=_closing(recording, values))
    return replace(recording, panel=panel)


def _begins(recording: Recording, rng: np.random.Generator, count: int) -> IntArray:
    """Return (count,) hours at which a regime begins."""
    origins = recording.origins(later=False)
    return rng.integers(max(origins[0] - BEFORE_HOURS, 1), origins[-1] + HORIZON, count)


def _closing(recording: Recording, values: FloatArray) -> FloatArray | None:
    """Return how hours closed: as they went, where they were changed."""
    closing = recording.panel.closing
    if closing is None:
        return None
    return np.where(values == recording.panel.values, closing, values)


def _steps(times: np.random.Generator, own: np.random.Generator, load: FloatArray) -> FloatArray:
    """Return levels that are jumped to, and kept for some days."""
    jumps = times.random(len(load)) < 1.0 / STAY_HOURS
    levels = _usual(load) * own.uniform(0.3, 3.0, len(load))
    return _rippled(own, levels[np.maximum.accumulate(np.where(jumps, np.arange(len(load)), 0))])


def _walk(_: np.random.Generator, own: np.random.Generator, load: FloatArray) -> FloatArray:
    """Return a walk that is pushed back from 0 and from four times the usual load."""
    usual = _usual(load)
    path = usual + np.cumsum(own.normal(0.0, 0.05 * usual, len(load)))
    return np.abs((path + 4.0 * usual) % (8.0 * usual) - 4.0 * usual)


def _bursts(times: np.random.Generator, own: np.random.Generator, load: FloatArray) -> FloatArray:
    """Return the load's low hours, and bursts of some hours at no regular time."""
    found = np.full(len(load), float(np.nanquantile(load, 0.1)))
    height = _usual(load) * own.uniform(1.0, 4.0, len(load))
    for first in np.flatnonzero(times.random(len(load)) < 1.0 / BURST_EVERY).tolist():
        found[first : first + int(times.integers(*BURST_HOURS))] = height[first]
    return _rippled(own, found)


def _usual(load: FloatArray) -> float:
    """Return what a load is at its upper hours; at least a point."""
    return max(float(np.nanquantile(load, 0.75)), 1.0)


def _rippled(own: np.random.Generator, load: FloatArray) -> FloatArray:
    return np.asarray(load * (1.0 + RIPPLE * own.normal(size=len(load))))


REGIMES: Mapping[str, Regime] = {
    "steps": _steps,
    "together": _steps,
    "walk": _walk,
    "bursts": _bursts,
}
"""What takes over: levels that stay, levels that change at the same hours everywhere, a random walk,
bursts of hours."""


if __name__ == "__main__":
    main()
