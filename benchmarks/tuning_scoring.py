"""How tuning suggestions are scored against what happens in the week after.

A suggestion harms when the share that its kind is about ends above what is tolerated and above what
it would have been without the change. Its interval is honest when it holds the outcome nine times
in ten; its confidence is honest when "held with confidence .8" holds eight times in ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Metrics
from benchmarks.tuning_cases import Case
from tasks.domain.tuning.suggestions import Change, Effect, Kind, Suggestion

TOLERATED = {
    Kind.CPU_REQUEST: 0.10,
    Kind.CPU_LIMIT: 0.02,
    Kind.MEMORY_REQUEST: 0.10,
    Kind.MEMORY_LIMIT: 0.10,
    Kind.CACHE_SIZE: 0.0,
    Kind.CONNECTION_POOL: 0.02,
    Kind.KEEP_ALIVE: 0.0,
}
"""Twice of what the default bounds aim at: room for luck, not for a wrong setting."""
SLACK = 0.01
"""Differences of one point are luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A change and what it led to.

    Attributes:
        change: What was set.
        before: Share in the week after with the old setting, 0 to 1.
        after: Share in the week after with the new one, 0 to 1.
        effect: What was expected; None where nothing was promised.
        confidence: In the effect, 0 to 1; None where none was stated.
    """

    change: Change
    before: float
    after: float
    effect: Effect | None = None
    confidence: float | None = None

    @property
    def harmful(self) -> bool:
        """Whether the workload is worse off, and noticeably so."""
        return self.after > max(self.before + SLACK, TOLERATED[self.change.kind])

    @property
    def covered(self) -> bool | None:
        """Whether the interval held the outcome."""
        if self.effect is None:
            return None
        return self.effect.low - 1e-9 <= self.after <= self.effect.high + 1e-9


def judge(case: Case, suggestion: Suggestion) -> Judged:
    """Return what a suggestion leads to."""
    return judge_change(
        case, suggestion.change, effect=suggestion.effect, confidence=suggestion.confidence
    )


def judge_change(
    case: Case, change: Change, *, effect: Effect | None = None, confidence: float | None = None
) -> Judged:
    """Return what a change leads to, with or without a promise."""
    truth = case.truth[change.kind]
    return Judged(
        change=change,
        before=truth(change.before),
        after=truth(change.after),
        effect=effect,
        confidence=confidence,
    )


def summary(judged: Sequence[Judged]) -> Metrics:
    """Return coverage, width and error of intervals, share that harms, and what is saved.

    The saving is that of the settings changed, both ways counted, and of those lowered alone; None
    where a setting was or is not set, for then there is nothing to compare.
    """
    # A limit taken away throttles nothing: true by construction, so it would only flatter.
    promised = [one for one in judged if one.effect and one.change.after is not None]
    sized = [
        (one.change.before, one.change.after)
        for one in judged
        if one.change.before is not None and one.change.after is not None
    ]
    return {
        "suggestions": float(len(judged)),
        "coverage_90": _mean([float(bool(one.covered)) for one in promised]),
        "interval_width": _mean(
            [one.effect.high - one.effect.low for one in promised if one.effect]
        ),
        "effect_mae": _mean(
            [abs(one.effect.expected - one.after) for one in promised if one.effect]
        ),
        "before": _mean([one.before for one in judged]),
        "after": _mean([one.after for one in judged]),
        "harm_fraction": _mean([float(one.harmful) for one in judged]),
        "saving_fraction": _saving(sized),
        "lowered_saving_fraction": _saving([pair for pair in sized if pair[1] < pair[0]]),
    }


def confidence_error(stated: Sequence[float], held: Sequence[bool]) -> float | None:
    """Return the mean confidence minus the share that held; above 0 is overconfident."""
    if not stated:
        return None
    return float(np.mean(stated)) - float(np.mean(held))


def _saving(sized: Sequence[tuple[float, float]]) -> float | None:
    before = sum(pair[0] for pair in sized)
    return 1.0 - sum(pair[1] for pair in sized) / before if before else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
