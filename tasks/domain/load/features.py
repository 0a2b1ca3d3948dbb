"""What the global model knows about a series at an origin, and about each hour ahead.

Everything is relative to the median of the last day and divided by the series' recent spread, so that
all series, busy and idle, teach one model.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.load.features_local import LocalPaths, joined_paths, local_paths
from tasks.domain.load.history import DAY, LEVEL_SHARE, WEEK, History

Matrix = NDArray[np.float32]

REACH = 192
"""Hours that features look back: a week and a day."""
RECENT_LAGS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
MEANS = (3, 6, 12, 24, 48, 168)
RULES = (1, 2, 3, 4, 6, 8, 12, 24)
"""Lags whose recent error tells what a series repeats."""
PHASES = (6, 8, 12)
DAYS = 7
JUMP = 2.0
"""Spreads in an hour."""
LARGEST = 1e4
DECIMALS = 3
"""Of features and targets: what only rounding tells apart must not decide where a tree splits."""
FARTHEST = 4.0
"""Spreads that the newest value can be from the level. After a jump the usual changes say little: what
was a jump of 50 of them is a jump of four, whatever its size, and staying there is something that trees
can learn, which know no values beyond those that they have seen."""
CHUNK = 512
"""Origins at a time: what they look back at stays in the processor's cache."""
RULES_OF_SHAPE = np.array([0, 1, 2, *range(9, 18)])
"""Columns of the shape that are forecasts in themselves: newest values, means, the week's median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Pairs of series and origin.

    Attributes:
        row: (m,) series.
        seen: (m,) hours known; the last of them is column seen - 1.
        level: (m,) median of the last day.
        spread: (m,) what changes are divided by.
        last: (m,) newest value.
        shape: (m, k) features that do not depend on the horizon.
        paths: How the series goes on by its own past.
    """

    row: IntArray
    seen: IntArray
    level: FloatArray
    spread: FloatArray
    last: FloatArray
    shape: Matrix
    paths: LocalPaths

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Features of m cases, each an origin and hours ahead; in spreads about the level.

    Attributes:
        features: (m, k) for trees.
        rules: (m, r) what simple rules expect: last value, means, medians, the same hour of days.
        anchors: (m, 3) of ANCHORS.
        naive: (m, 3) of NAIVES.
    """

    features: Matrix
    rules: FloatArray
    anchors: FloatArray
    naive: FloatArray


ANCHORS = ("level", "alike", "last")
"""What the trees of one ensemble correct: the median of the last day, what followed the most alike days,
or the newest value. The same hour's median was no better an anchor anywhere."""

NAIVES = ("last-value", "seasonal-day", "seasonal-week")


def padded(history: History) -> FloatArray:
    """Return (n, REACH + T) values, their first day repeated before them."""
    first = history.values[:, :DAY]
    if first.shape[1] < DAY:
        first = np.pad(first, ((0, 0), (DAY - first.shape[1], 0)), mode="edge")
    return np.concatenate([np.tile(first, REACH // DAY), history.values], axis=1)


def origins_of(
    history: History, row: IntArray, seen: IntArray, *, horizon: int, threads: int = 1
) -> Origins:
    """Return what is known of series `row` after `seen` hours each, for so many hours ahead.

    Threads work side by side, and change nothing.
    """
    values = padded(history)

    def known(first: int) -> Origins:
        part = slice(first, first + CHUNK)
        return _origins(history, values, row[part], seen[part], horizon)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        return _joined(list(pool.map(known, range(0, len(row), CHUNK))))


def _joined(parts: Sequence[Origins]) -> Origins:
    if len(parts) == 1:
        return parts[0]
    return Origins(
        row=np.concatenate([one.row for one in parts]),
        seen=np.concatenate([one.seen for one in parts]),
        level=np.concatenate([one.level for one in parts]),
        spread=np.concatenate([one.spread for one in parts]),
        last=np.concatenate([one.last for one in parts]),
        shape=np.concatenate([one.shape for one in parts]),
        paths=joined_paths([one.paths for one in parts]),
    )


def _origins(
    history: History, values: FloatArray, row: IntArray, seen: IntArray, horizon: int
) -> Origins:
    window = values[row[:, None], seen[:, None] + np.arange(REACH)]
    level = np.median(window[:, -DAY:], axis=1)
    week = window[:, -WEEK:]
    daily = np.abs(window[:, DAY:] - window[:, :-DAY]).mean(axis=1)
    hourly = np.abs(np.diff(week, axis=1)).mean(axis=1)
    least = np.maximum(LEVEL_SHARE * week.mean(axis=1), history.floor)
    away = np.abs(window[:, -1] - level) / FARTHEST
    spread = np.maximum(0.5 * (daily + hourly), np.maximum(least, away))
    turned = (window - level[:, None]) / spread[:, None]
    paths = local_paths(history, row, seen, window, horizon=horizon)
    parts = [
        *_recent(turned),
        *_distribution(turned),
        *_habits(turned),
        np.log(spread),
        np.log(spread / history.scale[row]),
        level / spread,
        paths.distance / spread,
        paths.lag_error / spread,
        paths.lag,
        *_closings(history, row, seen, level, spread),
    ]
    return Origins(
        row=row,
        seen=seen,
        level=level,
        spread=spread,
        last=window[:, -1],
        shape=_matrix(parts),
        paths=paths,
    )


def _recent(turned: FloatArray) -> list[FloatArray]:
    """Return newest values and means: the first RULES_OF_SHAPE columns are rules of their own."""
    return [
        *(turned[:, -lag] for lag in RECENT_LAGS),
        *(turned[:, -hours:].mean(axis=1) for hours in MEANS),
        _smoothed(turned, 0.5),
        _smoothed(turned, 0.15),
    ]


def _distribution(turned: FloatArray) -> list[FloatArray]:
    day, week = np.sort(turned[:, -DAY:], axis=1), np.sort(turned[:, -WEEK:], axis=1)
    return [
        week[:, WEEK // 2],
        *(day[:, at] for at in (0, 2, 21, DAY - 1)),
        *(week[:, at] for at in (17, 42, 126, 151)),
        turned[:, -6:].std(axis=1),
        day.std(axis=1),
        week.std(axis=1),
    ]


def _habits(turned: FloatArray) -> list[FloatArray]:
    """Return how often it jumps, and what it repeats."""
    jumps = np.abs(np.diff(turned, axis=1)) > JUMP
    week = turned[:, -WEEK:]
    return [
        jumps[:, -DAY:].sum(axis=1),
        jumps.sum(axis=1),
        _since(jumps),
        *(np.abs(week[:, lag:] - week[:, :-lag])[:, -3 * DAY :].mean(axis=1) for lag in RULES),
        np.abs(turned[:, -DAY:] - turned[:, :DAY]).mean(axis=1),
        np.abs(turned[:, -6:] - turned[:, -6 - DAY : -DAY]).mean(axis=1),
    ]


def _closings(
    history: History, row: IntArray, seen: IntArray, level: FloatArray, spread: FloatArray
) -> list[FloatArray]:
    """Return how the newest two hours closed, and how far from the newest mean."""
    if history.closing is None:
        return []
    newest = history.closing[row, seen - 1]
    before = history.closing[row, np.maximum(seen - 2, 0)]
    mean = history.values[row, seen - 1]
    return [(newest - level) / spread, (before - level) / spread, (newest - mean) / spread]


def ahead_of(history: History, origins: Origins, pair: IntArray, horizon: IntArray) -> Ahead:
    """Return features of cases: origin `pair` at its own hours ahead, at least 1."""
    values = padded(history)
    row, seen = origins.row[pair], origins.seen[pair]
    level, spread = origins.level[pair], origins.spread[pair]
    target, newest = REACH + seen + horizon - 1, REACH + seen - 1

    def at(column: IntArray) -> FloatArray:
        clipped = np.clip(column, 0, newest[:, None])
        return (values[row[:, None], clipped] - level[:, None]) / spread[:, None]

    skipped = -(-horizon // DAY)
    days = target[:, None] - DAY * (skipped[:, None] + np.arange(DAYS))
    same, before, after = at(days), at(days - 1), at(days + 1)
    then = at(newest[:, None] - DAY * (skipped[:, None] + np.arange(3)))
    middle = np.median(same, axis=1)
    now = (origins.last[pair] - level) / spread
    moved = now[:, None] + same[:, :3] - then
    alike = (origins.paths.alike[pair, horizon - 1] - level) / spread
    rules = [
        *same.T,
        *before[:, :2].T,
        *after[:, :2].T,
        middle,
        same.mean(axis=1),
        np.median(same[:, :3], axis=1),
        np.median(np.concatenate([before, same, after], axis=1), axis=1),
        moved[:, 0],
        moved.mean(axis=1),
        *(np.median(at(_phase(target, horizon, period)), axis=1) for period in PHASES),
        alike,
        (origins.paths.lagged[pair, horizon - 1] - level) / spread,
    ]
    others = [horizon, same.min(axis=1), same.max(axis=1), same.std(axis=1)]
    if history.hour is not None:
        week = (history.hour + seen + horizon - 1) % WEEK
        others += [week % DAY, week // DAY]
    shape = origins.shape[pair]
    expected = _matrix(rules)
    return Ahead(
        features=np.concatenate([shape, expected, _matrix(others)], axis=1),
        rules=np.concatenate([shape[:, RULES_OF_SHAPE], expected], axis=1, dtype=np.float64),
        anchors=np.column_stack([np.zeros(len(pair)), alike, now]),
        naive=np.column_stack([now, same[:, 0], same[:, -1]]),
    )


def _phase(target: IntArray, horizon: IntArray, period: int) -> IntArray:
    """Return (m, 8) columns of the same phase of a period, the newest known first."""
    skipped = -(-horizon // period)
    return target[:, None] - period * (skipped[:, None] + np.arange(8))


def _smoothed(turned: FloatArray, rate: float) -> FloatArray:
    weights = (1.0 - rate) ** np.arange(REACH)[::-1]
    return np.asarray(turned @ (weights / weights.sum()))


def _since(jumps: BoolArray) -> FloatArray:
    """Return hours since the last jump, REACH when there was none."""
    back = np.argmax(jumps[:, ::-1], axis=1)
    return np.where(jumps.any(axis=1), back, REACH).astype(np.float64)


def _matrix(parts: Sequence[FloatArray | IntArray]) -> Matrix:
    whole = np.clip(np.column_stack(parts), -LARGEST, LARGEST)
    return np.round(whole, DECIMALS).astype(np.float32)
