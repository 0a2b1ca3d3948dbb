"""Processor request and limit: by the use to expect, and by how throttling follows from it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
from scipy.stats import norm
from sklearn.isotonic import IsotonicRegression

from tasks.domain.arrays import FloatArray
from tasks.domain.tuning.observed import DAY, CpuObserved, TuningBounds
from tasks.domain.tuning.outlook import Outlook, expected_effect, share_kept
from tasks.domain.tuning.suggestions import (
    Change,
    Evidence,
    Figure,
    Kind,
    Measure,
    NotSuggested,
    Suggestion,
)

SURE = 0.9
"""A setting is chosen when this share of drawn weeks stays within what is tolerated."""
GRID = 1.05
"""Settings tried are 5 % apart."""
LEAST_CORES = 0.01
SATURATED = 0.97
"""From this share of the limit on, use no longer tells what was wanted."""
REQUEST_METHOD = (
    "smallest request that drawn weeks exceed as rarely as tolerated; Autopilot (Rzadca et al., "
    "2020) and the Vertical Pod Autoscaler set a quantile of use likewise"
)
TAILS = 9
"""Guesses of what saturated steps wanted; odd, so that one is the middle."""
TAIL_SPREAD = 1.2
"""Standard deviation of the logarithm of true over guessed excess, on development seeds; there the
middle guess is right on average."""
LIMIT_METHOD = (
    "throttling as a rising function of use over limit, measured on this workload, read at the new "
    "limit; what saturated steps wanted is extrapolated from the steps below, the limit chosen by "
    "the middle guess and the interval taken over all"
)


def cpu_request(
    workload: str, seen: CpuObserved, *, bounds: TuningBounds, rng: np.random.Generator
) -> Suggestion | NotSuggested:
    """Return the request that use exceeds no more often than tolerated."""
    kind = Kind.CPU_REQUEST
    refused = too_little(workload, kind, seen.used_cores, seen.step, bounds)
    if refused is not None:
        return refused
    full = float(np.nanmean(_use_of_limit(seen) >= SATURATED))
    if full > bounds.above_request / 2.0:
        why = "the limit cuts use short, so what it wants is not known; raise the limit first"
        figures = (Figure(what="steps at the limit", value=full),)
        return NotSuggested(workload=workload, kind=kind, why=why, figures=figures)
    outlook = Outlook.of(seen.used_cores, step=seen.step, rng=rng)

    def above(cores: float) -> FloatArray:
        return outlook.shares(lambda level: _above(seen, cores=cores, level=level))

    offered = offered_settings(
        seen.request_cores,
        least=LEAST_CORES,
        most=1.5 * float(np.nanmax(seen.used_cores)) + LEAST_CORES,
        bounds=bounds,
        cap=seen.limit_cores,
    )
    enough = _smallest(offered, lambda cores: _sure(above(cores), bounds.above_request))
    chosen = offered[-1] if enough is None else enough
    refused = not_worth_it(workload, kind, seen.request_cores, chosen, bounds)
    if refused is not None:
        return refused
    drawn = above(chosen)
    before = float(np.nanmean(_above(seen, cores=seen.request_cores or 0.0, level=1.0)))
    promised = _promise(drawn, before=before, tolerated=bounds.above_request)
    return Suggestion(
        workload=workload,
        change=Change(kind=kind, before=seen.request_cores, after=chosen),
        effect=expected_effect(Measure.ABOVE_REQUEST, before=before, drawn=drawn),
        promised=promised,
        confidence=share_kept(drawn, promised),
        evidence=Evidence(
            window=len(seen.used_cores) * seen.step,
            samples=int(np.isfinite(seen.used_cores).sum()),
            figures=(
                Figure(what="mean use", value=float(np.nanmean(seen.used_cores)), unit="cores"),
                *(
                    Figure(
                        what=f"{level:.0%} of steps at most",
                        value=float(np.nanquantile(seen.used_cores, level)),
                        unit="cores",
                    )
                    for level in (0.95, 1.0)
                ),
            ),
            method=REQUEST_METHOD,
        ),
    )


def cpu_limit(
    workload: str, seen: CpuObserved, *, bounds: TuningBounds, rng: np.random.Generator
) -> Suggestion | NotSuggested:
    """Return a higher limit, or none, where the limit throttles more than tolerated."""
    kind = Kind.CPU_LIMIT
    if seen.limit_cores is None:
        return NotSuggested(workload=workload, kind=kind, why="there is no limit to raise")
    both = np.where(np.isfinite(seen.throttled), seen.used_cores, np.nan)
    refused = too_little(workload, kind, both, seen.step, bounds)
    if refused is not None:
        return refused
    before = float(np.nanmean(seen.throttled))
    facts = (
        Figure(what="periods throttled", value=before),
        Figure(
            what="steps at the limit",
            value=float(np.nanmean(_use_of_limit(seen) >= SATURATED)),
        ),
    )
    if before <= bounds.throttled:
        why = f"throttled in {before:.2%} of periods, {bounds.throttled:.0%} are tolerated"
        return NotSuggested(workload=workload, kind=kind, why=why, figures=facts)
    guesses = _wanted_cores(seen, rng=rng)
    middle = guesses[len(guesses) // 2]
    outlook = Outlook.of(middle, step=seen.step, rng=rng)
    curve = _throttling_curve(seen)

    def cut(cores: float, wanted: FloatArray) -> FloatArray:
        return outlook.shares(lambda level: _throttled_at(curve, wanted * level / cores))

    def cut_by_any(cores: float) -> FloatArray:
        by_guess = np.stack([cut(cores, wanted) for wanted in guesses])
        weeks = np.arange(by_guess.shape[1])
        return np.asarray(by_guess[weeks % len(guesses), weeks], dtype=np.float64)

    highest = seen.limit_cores * bounds.largest_step_up
    offered = np.append(
        np.arange(GRID * seen.limit_cores, highest, 0.05 * seen.limit_cores), highest
    )
    # By the middle guess alone: a limit that suits every guess would mostly be none at all, and a
    # step too small is seen, with more of the demand, a week later.
    chosen = _smallest(offered.tolist(), lambda cores: _sure(cut(cores, middle), bounds.throttled))
    if chosen is None and not bounds.may_remove_cpu_limit:
        chosen = highest
    # Without a quota nothing is cut short: that is how the kernel works, not an estimate.
    drawn = np.zeros(len(outlook.days)) if chosen is None else cut_by_any(chosen)
    promised = _promise(drawn, before=before, tolerated=bounds.throttled)
    return Suggestion(
        workload=workload,
        change=Change(kind=kind, before=seen.limit_cores, after=chosen),
        effect=expected_effect(Measure.THROTTLED, before=before, drawn=drawn),
        promised=promised,
        confidence=share_kept(drawn, promised),
        evidence=Evidence(
            window=len(both) * seen.step,
            samples=int(np.isfinite(both).sum()),
            figures=facts,
            method=LIMIT_METHOD,
        ),
    )


def too_little(
    workload: str, kind: Kind, values: FloatArray, step: timedelta, bounds: TuningBounds
) -> NotSuggested | None:
    """Return the refusal for too few known steps; None when they suffice."""
    days = float(np.isfinite(values).sum() * step / DAY)
    if days >= bounds.least_days:
        return None
    why = f"known for {days:.1f} days, {bounds.least_days:g} are needed; wait for more"
    return NotSuggested(
        workload=workload,
        kind=kind,
        why=why,
        figures=(Figure(what="known", value=days, unit="days"),),
    )


def not_worth_it(
    workload: str, kind: Kind, old: float | None, new: float, bounds: TuningBounds
) -> NotSuggested | None:
    """Return the refusal for a change too small for a rollout; None when it is large enough."""
    if old is None or abs(new - old) >= bounds.least_change * old:
        return None
    why = f"{new:.4g} instead of {old:.4g} changes less than {bounds.least_change:.0%}"
    return NotSuggested(workload=workload, kind=kind, why=why)


def offered_settings(
    old: float | None, *, least: float, most: float, bounds: TuningBounds, cap: float | None = None
) -> list[float]:
    """Return settings to try, rising, 5 % apart, within the largest steps; at least one."""
    if old:
        least, most = old * bounds.largest_step_down, old * bounds.largest_step_up
    most = most if cap is None else min(most, cap)
    least = min(least, most)
    count = int(np.floor(np.log(most / least) / np.log(GRID) + 1e-9))
    found = (least * GRID ** np.arange(count + 1)).tolist()
    return found if found[-1] >= most * (1.0 - 1e-9) else [*found, most]


def _above(seen: CpuObserved, *, cores: float, level: float) -> FloatArray:
    over = (seen.used_cores * level > cores).astype(np.float64)
    return np.where(np.isfinite(seen.used_cores), over, np.nan)


def _smallest(offered: Sequence[float], is_enough: Callable[[float], bool]) -> float | None:
    """Return the smallest setting that is enough; None if none is. More is never worse."""
    at = bisect_left(offered, True, key=is_enough)
    return offered[at] if at < len(offered) else None


def _sure(drawn: FloatArray, tolerated: float) -> bool:
    return share_kept(drawn, tolerated) >= SURE


def _promise(drawn: FloatArray, *, before: float, tolerated: float) -> float:
    """Return what is tolerated where that can be reached, else half of the way there."""
    if _sure(drawn, tolerated):
        return tolerated
    return max((before + float(drawn.mean())) / 2.0, tolerated)


def _use_of_limit(seen: CpuObserved) -> FloatArray:
    return seen.used_cores / (seen.limit_cores or np.inf)


def _throttling_curve(seen: CpuObserved) -> IsotonicRegression:
    """Return the throttled share as a rising function of use over limit.

    Periods differ from their step's mean in proportion to it, so what counts is the ratio.
    """
    use = _use_of_limit(seen)
    known = np.isfinite(use) & np.isfinite(seen.throttled)
    curve = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    # Nothing is throttled without use, and everything from the limit on.
    x = np.concatenate([[0.0], use[known], [1.0]])
    return curve.fit(x, np.concatenate([[0.0], seen.throttled[known], [1.0]]))


def _throttled_at(curve: IsotonicRegression, use: FloatArray) -> FloatArray:
    found = np.full(len(use), np.nan)
    known = np.isfinite(use)
    found[known] = curve.predict(use[known])
    return found


def _wanted_cores(seen: CpuObserved, *, rng: np.random.Generator) -> list[FloatArray]:
    """Return (steps,) use, with guesses of what saturated steps wanted, from little to much.

    Above the limit, demand is taken to fall off exponentially: in the middle guess as fast as just
    below it, in the others faster or slower, for nothing below the limit tells. One guess where no
    step is saturated.
    """
    full = np.flatnonzero(_use_of_limit(seen) >= SATURATED)
    if len(full) == 0 or seen.limit_cores is None:
        return [seen.used_cores]
    known = seen.used_cores[np.isfinite(seen.used_cores)]
    share = len(full) / len(known)
    wider = min(3.0 * share, 1.0)
    fall = (seen.limit_cores - float(np.quantile(known, 1.0 - wider))) / np.log(
        wider / share + 1e-9
    )
    excess = rng.exponential(max(fall, 0.05 * seen.limit_cores), len(full))
    guesses = []
    for position in norm.ppf((np.arange(TAILS) + 0.5) / TAILS):
        wanted = seen.used_cores.copy()
        wanted[full] = seen.limit_cores + excess * np.exp(TAIL_SPREAD * position)
        guesses.append(wanted)
    return guesses
