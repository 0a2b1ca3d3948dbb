"""From scores to alarms, and settings chosen on series other than those they are judged on.

A choice is a detector's settings, a threshold and a rest. It is chosen by the standard score on one
half of the series, averaged with the two neighbouring thresholds (a single threshold wins by
chance), and judged on the other half; both directions are summed before they are normalised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.anomalies_scoring import STANDARD, Judge, Tally, total
from tasks.domain.arrays import FloatArray, IntArray

Split = tuple[Sequence[int], Sequence[int]]
"""Positions of the series in each half."""

CURVE_LEVELS = 60
CURVE_LEAST_SHARE = 3e-4
CURVE_LARGEST_SHARE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Choice:
    """One way to raise alarms, the same for all series.

    Attributes:
        settings: Name of the detector's settings.
        threshold: Least score of an alarm.
        rest_rows: Rows after an alarm without another.
    """

    settings: str
    threshold: float
    rest_rows: int


Table = Mapping[Choice, Sequence[Tally]]
"""Tallies of each choice, by series."""


def alarm_rows(scores: FloatArray, *, threshold: float, rest_rows: int) -> IntArray:
    """Return the rows on which an `AlarmGate` raises an alarm."""
    high = np.flatnonzero(scores >= threshold)
    found, at = [], 0
    while at < len(high):
        found.append(high[at])
        at = int(np.searchsorted(high, high[at] + rest_rows, side="right"))
    return np.array(found, dtype=np.int64)


def tallies(
    scores: Sequence[FloatArray], judges: Sequence[Judge], *, threshold: float, rest_rows: int
) -> list[Tally]:
    """Return what alarms at one threshold and rest are worth, by series."""
    return [
        judge.tally(alarm_rows(one, threshold=threshold, rest_rows=rest_rows))
        for one, judge in zip(scores, judges, strict=True)
    ]


def choice_table(
    scores: Mapping[str, Sequence[FloatArray]],
    judges: Sequence[Judge],
    *,
    thresholds: Sequence[float],
    rests: Sequence[int],
) -> dict[Choice, list[Tally]]:
    """Return the tallies of every combination."""
    return {
        Choice(settings=name, threshold=threshold, rest_rows=rest): tallies(
            found, judges, threshold=threshold, rest_rows=rest
        )
        for name, found in scores.items()
        for rest in rests
        for threshold in thresholds
    }


def best_choice(table: Table, half: Sequence[int]) -> Choice:
    """Return the choice with the highest smoothed standard score on some series; ties: the first."""
    score = {choice: total(found[at] for at in half).score() for choice, found in table.items()}
    thresholds = sorted({choice.threshold for choice in table})

    def smoothed(choice: Choice) -> float:
        at = thresholds.index(choice.threshold)
        near = [score[_at(choice, one)] or 0.0 for one in thresholds[max(at - 1, 0) : at + 2]]
        return float(np.mean(near))

    return max(sorted(table), key=smoothed)


def _at(choice: Choice, threshold: float) -> Choice:
    return Choice(settings=choice.settings, threshold=threshold, rest_rows=choice.rest_rows)


def held_out(table: Table, split: Split) -> Tally:
    """Return both halves together, each under the choice that was best on the other."""
    first, second = split
    on_first, on_second = best_choice(table, first), best_choice(table, second)
    return total([*(table[on_second][at] for at in first), *(table[on_first][at] for at in second)])


def other_splits(split: Split, *, count: int, seed: int) -> list[Split]:
    """Return more splits: of every pair of neighbours by name, one goes to each half by chance."""
    rng = np.random.default_rng(seed)
    first, second = split
    pairs = list(zip(first, second, strict=False))
    rest = [*first[len(pairs) :], *second[len(pairs) :]]
    found: list[Split] = []
    for _ in range(count):
        swap = rng.random(len(pairs)) < 0.5
        halves = [
            (b, a) if swapped else (a, b) for (a, b), swapped in zip(pairs, swap, strict=True)
        ]
        found.append(([a for a, _ in halves] + rest, [b for _, b in halves]))
    return found


def recall_curve(
    scores: Sequence[FloatArray], judges: Sequence[Judge], *, rest_rows: int
) -> list[tuple[float, Tally]]:
    """Return (threshold, tally) from few alarms to many."""
    judged = np.concatenate([one[judge.first :] for one, judge in zip(scores, judges, strict=True)])
    shares = np.geomspace(CURVE_LEAST_SHARE, CURVE_LARGEST_SHARE, CURVE_LEVELS)
    levels = np.unique(np.quantile(judged, 1.0 - shares))[::-1]
    return [
        (
            float(level),
            total(tallies(scores, judges, threshold=float(level), rest_rows=rest_rows)),
        )
        for level in levels
        if level > judged.min()
    ]


def best_recall(curve: Sequence[tuple[float, Tally]], *, alarms_per_1000: float) -> float | None:
    """Return the largest share of windows found with at most so many alarms; None for no such."""
    found = [
        tally.recall
        for _, tally in curve
        if tally.alarms_per_1000 <= alarms_per_1000 and tally.recall is not None
    ]
    return max(found, default=None)


def held_out_recall(
    scores: Sequence[FloatArray],
    judges: Sequence[Judge],
    split: Split,
    *,
    rest_rows: int,
    alarms_per_1000: float,
) -> Tally:
    """Return both halves together, each at the threshold that kept the budget on the other."""
    found = []
    for chosen, judged in (split, split[::-1]):
        curve = recall_curve(
            [scores[at] for at in chosen], [judges[at] for at in chosen], rest_rows=rest_rows
        )
        kept = [level for level, one in curve if one.alarms_per_1000 <= alarms_per_1000]
        found += tallies(
            [scores[at] for at in judged],
            [judges[at] for at in judged],
            threshold=min(kept, default=np.inf),
            rest_rows=rest_rows,
        )
    return total(found)


def bootstrap_sd(found: Sequence[Tally], *, draws: int, seed: int) -> float | None:
    """Return the standard deviation of the standard score over series drawn with replacement."""
    rng = np.random.default_rng(seed)
    scores = [
        total(found[at] for at in rng.integers(0, len(found), len(found))).score(STANDARD)
        for _ in range(draws)
    ]
    known = [one for one in scores if one is not None]
    return float(np.std(known)) if len(known) > 1 else None
