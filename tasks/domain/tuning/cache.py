"""Cache size: at the knee of the miss ratio curve, from a trace or from two sizes seen."""

from __future__ import annotations

import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.tuning.cpu import not_worth_it, too_little
from tasks.domain.tuning.miss_ratio import GROUPS, Distances, knee, reuse_distances
from tasks.domain.tuning.observed import DAY, CacheObserved, TuningBounds
from tasks.domain.tuning.outlook import DRAWS, expected_effect, share_kept
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

LEAST_GAIN = 0.02
"""Of all lookups; a smaller gain is not worth the memory."""
NO_WORSE = 0.005
"""Lookups that may miss more often after a cache was made smaller."""
WARM_UP = 1 / 3
"""Of the trace: until then first references are due to its beginning."""
BEYOND = 1.25
LEAST_LOOKUPS = 10_000
TRACE_METHOD = (
    "miss ratio of every size from stack distances (Mattson et al., 1970) of sampled keys "
    "(Waldspurger et al., 2015), size at the knee (Satopaa et al., 2011)"
)
PAIR_METHOD = (
    "miss ratios at two sizes, continued as a power law, as a logarithm, or half again as steeply; a "
    "trace of references would say more"
)


def cache_size(
    workload: str, seen: CacheObserved, *, bounds: TuningBounds, rng: np.random.Generator
) -> Suggestion | NotSuggested:
    """Return the size at the knee of the miss ratio curve, as far as bounds allow."""
    kind = Kind.CACHE_SIZE
    refused = too_little(workload, kind, seen.lookups.astype(np.float64), seen.step, bounds)
    if refused is not None:
        return refused
    if int(seen.lookups.sum()) < LEAST_LOOKUPS:
        why = f"{int(seen.lookups.sum())} lookups were seen, {LEAST_LOOKUPS} are needed"
        return NotSuggested(workload=workload, kind=kind, why=why)
    now = int(seen.size_entries[-1])
    current = seen.size_entries == now
    before = 1.0 - float(seen.hits[current].sum() / max(seen.lookups[current].sum(), 1))
    if not seen.evictions[current].any():
        why = "nothing was evicted at this size: more would change nothing"
        return NotSuggested(workload=workload, kind=kind, why=why)
    if seen.references is not None:
        curve: _TraceCurve | _PairCurve = _TraceCurve(
            seen, seen.references, now=now, before=before, rng=rng
        )
    elif len(np.unique(seen.size_entries)) >= 2:
        curve = _PairCurve(seen, now=now, largest_step=bounds.largest_step_up, rng=rng)
    else:
        why = "one size was seen and no trace: what another would do is not known"
        return NotSuggested(workload=workload, kind=kind, why=why)
    aimed = curve.aimed()
    chosen = float(
        np.clip(round(aimed), np.ceil(now * bounds.largest_step_down), now * bounds.largest_step_up)
    )
    refused = not_worth_it(workload, kind, now, chosen, bounds)
    if refused is not None:
        return refused
    drawn = curve.misses(chosen)
    gain = before - float(drawn.mean())
    if chosen > now and gain < LEAST_GAIN:
        why = (
            f"{chosen:.0f} entries would spare {gain:.1%} of lookups a miss, too few for the memory"
        )
        return NotSuggested(workload=workload, kind=kind, why=why)
    if chosen < now and -gain > NO_WORSE:
        why = f"{chosen:.0f} entries would add misses to {-gain:.1%} of lookups"
        return NotSuggested(workload=workload, kind=kind, why=why)
    promised = before - gain / 2.0 if chosen > now else before + 2.0 * NO_WORSE
    return Suggestion(
        workload=workload,
        change=Change(kind=kind, before=now, after=chosen),
        effect=expected_effect(Measure.MISSES, before=before, drawn=drawn),
        promised=promised,
        confidence=share_kept(drawn, promised),
        evidence=Evidence(
            window=len(seen.lookups) * seen.step,
            samples=int(seen.lookups.sum()),
            figures=(
                Figure(what="lookups that missed", value=before),
                Figure(what="evictions", value=float(seen.evictions[current].sum())),
                Figure(what="knee", value=aimed, unit="entries"),
            ),
            method=curve.method,
        ),
    )


class _TraceCurve:
    """Miss ratios by size, from the distances of a trace."""

    method = TRACE_METHOD

    def __init__(
        self,
        seen: CacheObserved,
        references: IntArray,
        *,
        now: int,
        before: float,
        rng: np.random.Generator,
    ) -> None:
        warm = WARM_UP * len(references)
        found = reuse_distances(references)
        kept = found.at >= warm
        self._found = Distances(
            at=found.at[kept],
            distance=found.distance[kept],
            group=found.group[kept],
            rate=found.rate,
        )
        days = max(int(len(seen.lookups) * seen.step / DAY * (1.0 - WARM_UP)), 1)
        span = (len(references) - warm) / days
        # References of a day that are expected in the sample. Dividing by those that are in it would
        # count whether a busy key happens to be followed (the adjustment of SHARDS).
        self._expected = span * found.rate
        self._day = np.minimum(((self._found.at - warm) / span).astype(np.int64), days - 1)
        self._days = rng.integers(0, days, (DRAWS, HORIZON // DAY))
        self._groups = rng.integers(0, GROUPS, (DRAWS, GROUPS))
        if found.rate == 1.0:
            self._groups = np.tile(np.arange(GROUPS), (DRAWS, 1))
        # The cache itself says how often it misses at its present size: only differences of the
        # sample are used, whose errors cancel.
        self._now, self._before = now, before

    def aimed(self) -> float:
        """Return the knee of the whole curve."""
        known = self._found.distance[np.isfinite(self._found.distance)]
        if len(known) == 0:
            return float(self._now)
        # Past the longest distance, so that a curve that falls only there bends there.
        sizes = np.geomspace(1.0, BEYOND * float(known.max()), 60)
        counts = np.searchsorted(np.sort(known), sizes, side="right")
        return max(knee(sizes, 1.0 - counts / len(self._found.distance)), 1.0)

    def misses(self, size: float) -> FloatArray:
        """Return (draws,) the miss ratio of a week at a size."""
        moved = self._ratio(size) - self._ratio(self._now)
        noise = self._ratio(self._now, groups=False)
        drawn: FloatArray = self._before + moved + noise - noise.mean()
        return np.asarray(np.clip(drawn, 0.0, 1.0), dtype=np.float64)

    def _ratio(self, size: float, *, groups: bool = True) -> FloatArray:
        shape = (int(self._day.max()) + 1, GROUPS)
        cell = (self._day, self._found.group)
        missed = np.zeros(shape)
        np.add.at(missed, cell, self._found.distance > size)
        picked = self._groups if groups else np.tile(np.arange(GROUPS), (DRAWS, 1))
        at = (self._days[:, :, None] % shape[0], picked[:, None, :])
        weeks = self._expected * self._days.shape[1]
        found: FloatArray = np.asarray(missed[at].sum(axis=(1, 2)) / weeks, dtype=np.float64)
        return found


class _PairCurve:
    """Miss ratios by size, from steps at two sizes."""

    method = PAIR_METHOD

    def __init__(
        self, seen: CacheObserved, *, now: int, largest_step: float, rng: np.random.Generator
    ) -> None:
        self._largest_step = largest_step
        sizes = np.unique(seen.size_entries)
        other = int(sizes[np.argmax(np.abs(np.log(sizes / now)))])
        self._sizes = (other, now)
        self._drawn = [_drawn_misses(seen, size, rng=rng) for size in self._sizes]
        self._model = rng.integers(0, 3, DRAWS)

    def aimed(self) -> float:
        """Return the largest step up: two points show no knee."""
        return self._sizes[1] * self._largest_step

    def misses(self, size: float) -> FloatArray:
        """Return (draws,) the miss ratio at a size, by one of three continuations each."""
        other, now = self._sizes
        far = np.log(size / now) / np.log(now / other)
        at_other, at_now = (np.maximum(one, 1e-6) for one in self._drawn)
        power = at_now * (at_now / at_other) ** far
        log = at_now + (at_now - at_other) * far
        steep = at_now + 1.5 * (at_now - at_other) * far
        drawn: FloatArray = np.choose(self._model, [power, log, steep])
        return np.clip(drawn, 0.0, 1.0)


def _drawn_misses(seen: CacheObserved, size: int, *, rng: np.random.Generator) -> FloatArray:
    """Return (draws,) the miss ratio at a size that was set, its steps resampled."""
    at = np.flatnonzero(seen.size_entries == size)
    picked = rng.choice(at, (DRAWS, len(at)))
    found: FloatArray = 1.0 - seen.hits[picked].sum(axis=1) / seen.lookups[picked].sum(axis=1)
    return found
