"""Memory request and limit: by the tail of daily peaks, and by kills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.tuning.cpu import not_worth_it, offered_settings, too_little
from tasks.domain.tuning.observed import DAY, MemoryObserved, TuningBounds
from tasks.domain.tuning.outlook import DRAWS, expected_effect, level_sd, share_kept
from tasks.domain.tuning.suggestions import (
    HORIZON,
    Change,
    Evidence,
    Figure,
    Kind,
    Measure,
    NotSuggested,
    Suggestion,
)

AFTER_KILL = 1.2
"""A killed container wanted more than its limit: the Vertical Pod Autoscaler adds a fifth."""
SURE = 0.75
"""Share of the laws that the peaks allow under which a limit must be enough."""
LEAST_BYTES = 32 * 2.0**20
LEAST_SPREAD = 0.01
"""Mean relative excess of daily peaks above their median, at least."""
GROWTH = 0.01
"""A day; more is a leak or growing data, and no limit stays right."""
METHOD = (
    "daily peaks above their median fall off exponentially in the logarithm, kills count as peaks "
    "beyond the limit; never below the observed peak with its margin. Autopilot (Rzadca et al., "
    "2020) and the Vertical Pod Autoscaler start from peaks likewise"
)


def memory_limit(
    workload: str, seen: MemoryObserved, *, bounds: TuningBounds, rng: np.random.Generator
) -> Suggestion | NotSuggested:
    """Return the limit that a week's peak exceeds no more often than tolerated."""
    if seen.limit_bytes is None:
        why = "there is no limit; the request says what the container needs"
        return NotSuggested(workload=workload, kind=Kind.MEMORY_LIMIT, why=why)
    return _sized(workload, Kind.MEMORY_LIMIT, seen, seen.limit_bytes, bounds=bounds, rng=rng)


def memory_request(
    workload: str,
    seen: MemoryObserved,
    *,
    limit_bytes: float | None,
    bounds: TuningBounds,
    rng: np.random.Generator,
) -> Suggestion | NotSuggested:
    """Return the request that a week's peak exceeds no more often than tolerated.

    Memory cannot be taken back, so it is requested for the peak, not for the mean.

    Args:
        workload: Whose.
        seen: What was measured.
        limit_bytes: The limit that will be in force, which no request may exceed; None without one.
        bounds: What is tolerated.
        rng: Of the resamples.
    """
    old = seen.request_bytes
    return _sized(workload, Kind.MEMORY_REQUEST, seen, old, cap=limit_bytes, bounds=bounds, rng=rng)


def _sized(
    workload: str,
    kind: Kind,
    seen: MemoryObserved,
    old: float | None,
    *,
    cap: float | None = None,
    bounds: TuningBounds,
    rng: np.random.Generator,
) -> Suggestion | NotSuggested:
    refused = too_little(workload, kind, seen.peak_bytes, seen.step, bounds)
    if refused is not None:
        return refused
    peaks = DailyPeaks.of(seen)
    figures = _figures(seen, peaks)
    tails = peaks.tails(rng=rng)
    chosen = _chosen_bytes(seen, peaks, tails, old=old, cap=cap, bounds=bounds)
    if old is not None and chosen < old and peaks.growing:
        why = f"peaks grow by {peaks.growth_per_day:.1%} a day: a leak or growing data; look first"
        return NotSuggested(workload=workload, kind=kind, why=why, figures=figures)
    refused = not_worth_it(workload, kind, old, chosen, bounds)
    if refused is not None:
        return refused
    drawn = tails.exceeded(chosen)
    if peaks.hidden:
        # Every high day ended in a kill: nothing tells how much was wanted, any outcome is as likely.
        drawn = np.linspace(0.0, 1.0, DRAWS)
    before = 1.0 if old is None else _before(peaks, tails, old, kind)
    promised = max(bounds.oom_probability, float(drawn.mean()))
    measure = Measure.OOM if kind is Kind.MEMORY_LIMIT else Measure.PEAK_ABOVE
    return Suggestion(
        workload=workload,
        change=Change(kind=kind, before=old, after=chosen),
        effect=expected_effect(measure, before=before, drawn=drawn, rare=True),
        promised=promised,
        confidence=share_kept(drawn, promised),
        evidence=Evidence(
            window=len(seen.peak_bytes) * seen.step,
            samples=int(np.isfinite(seen.peak_bytes).sum()),
            figures=figures,
            method=METHOD,
        ),
    )


def _chosen_bytes(
    seen: MemoryObserved,
    peaks: DailyPeaks,
    tails: Tails,
    *,
    old: float | None,
    cap: float | None,
    bounds: TuningBounds,
) -> float:
    """Return the smallest size offered that is surely enough; the largest where none is."""
    floor = float(np.nanmax(seen.peak_bytes)) * bounds.memory_margin
    if seen.oom_kills.any() and seen.limit_bytes is not None:
        floor = max(floor, AFTER_KILL * seen.limit_bytes)
    offered = offered_settings(old, least=LEAST_BYTES, most=3.0 * floor, bounds=bounds, cap=cap)
    chosen = offered[-1]
    if not peaks.hidden:
        enough = (
            one for one in offered if one >= floor and _sure(tails, one, bounds.oom_probability)
        )
        chosen = next(enough, chosen)
    if old is not None and chosen > old and not seen.oom_kills.any() and not peaks.growing:
        # A tail alone, that nothing has reached yet, is no reason to raise: the margin is.
        chosen = min(max(old, floor), chosen)
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """Laws that daily peaks may follow: beyond the median, exponential in the logarithm.

    Attributes:
        medians: (draws,) logarithm of bytes.
        spreads: (draws,) mean excess above it.
        shifts: (draws,) of the week to come.
    """

    medians: FloatArray
    spreads: FloatArray
    shifts: FloatArray

    def exceeded(self, size_bytes: float) -> FloatArray:
        """Return (draws,) the probability that a week has a peak above the size."""
        excess = np.log(size_bytes) - self.medians - self.shifts
        a_day = 0.5 * np.exp(-np.maximum(excess, 0.0) / self.spreads)
        return np.asarray(1.0 - (1.0 - a_day) ** (HORIZON / DAY))


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyPeaks:
    """The highest memory of each day.

    Attributes:
        logs: (days,) logarithm of bytes.
        killed: (days,) whether the day had a kill, so that its peak is only known to be higher.
        growth_per_day: Median relative growth from day to day; 0.01 is 1 %.
    """

    logs: FloatArray
    killed: BoolArray
    growth_per_day: float

    @property
    def growing(self) -> bool:
        """Whether peaks rise from day to day by more than weeks of the same load do."""
        return self.growth_per_day > GROWTH

    @property
    def hidden(self) -> bool:
        """Whether all higher days ended in a kill, so that no peak is known."""
        upper = self.logs >= np.median(self.logs)
        return bool(self.killed[upper].all())

    @classmethod
    def of(cls, seen: MemoryObserved) -> DailyPeaks:
        """Return the peaks of whole days of which anything is known."""
        per_day = DAY // seen.step
        whole = len(seen.peak_bytes) // per_day * per_day
        peaks = np.nan_to_num(seen.peak_bytes[:whole].reshape(-1, per_day), nan=0.0).max(axis=1)
        killed = seen.oom_kills[:whole].reshape(-1, per_day).max(axis=1) > 0
        known = peaks > 0.0
        logs = np.log(peaks[known])
        return cls(logs=logs, killed=killed[known], growth_per_day=_growth(logs))

    def tails(self, *, rng: np.random.Generator) -> Tails:
        """Return the laws that the peaks allow: medians resampled, spreads from their posterior."""
        count = len(self.logs)
        medians = np.median(rng.choice(self.logs, (DRAWS, count)), axis=1)
        middle = float(np.median(self.logs))
        upper = self.logs >= middle
        excess = float((self.logs[upper] - middle).sum())
        # A kill tells of an excess beyond the limit: it counts as time at risk, not as an event.
        events = max(int((upper & ~self.killed).sum()), 1)
        spread = max(excess / events, LEAST_SPREAD)
        return Tails(
            medians=medians,
            spreads=spread * events / rng.gamma(events, 1.0, DRAWS),
            shifts=rng.normal(0.0, level_sd(np.exp(self.logs - middle)), DRAWS)
            + max(self.growth_per_day, 0.0) * (HORIZON / DAY) * self.growing,
        )


def _growth(logs: FloatArray) -> float:
    """Return the median slope of all pairs of days (Theil, 1950; Sen, 1968)."""
    first, second = np.triu_indices(len(logs), k=1)
    if len(first) == 0:
        return 0.0
    return float(np.median((logs[second] - logs[first]) / (second - first)))


def _sure(tails: Tails, size_bytes: float, tolerated: float) -> bool:
    return share_kept(tails.exceeded(size_bytes), tolerated) >= SURE


def _before(peaks: DailyPeaks, tails: Tails, old: float, kind: Kind) -> float:
    if kind is Kind.MEMORY_LIMIT and peaks.killed.any():
        return float(1.0 - (1.0 - peaks.killed.mean()) ** (HORIZON / DAY))
    return float(tails.exceeded(old).mean())


def _figures(seen: MemoryObserved, peaks: DailyPeaks) -> tuple[Figure, ...]:
    return (
        Figure(what="highest peak", value=float(np.nanmax(seen.peak_bytes)), unit="bytes"),
        Figure(what="median daily peak", value=float(np.exp(np.median(peaks.logs))), unit="bytes"),
        Figure(what="OOM kills", value=float(seen.oom_kills.sum())),
        Figure(what="growth a day", value=peaks.growth_per_day),
    )
