"""What happens after a promotion is considered: shadow periods and rollbacks, looked at every day.

Part of `python -m benchmarks.load_promotion`. Streams are seeded duels of load_promotion_data.py,
day by day: the first four weeks are the backtest, then a month and more is live. The rivals look at
the mean of the last week: promote when it is lower than the champion's, roll back when the error
over the naive's is a tenth above the backtest's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.harness import Metrics, Options, show_table
from benchmarks.load_promotion_data import GROUPS, Duel, seeded_duels
from tasks.domain.arrays import FloatArray

BACKTEST_DAYS = 28
SHADOW_DAYS = 28
LIVE_DAYS = 90
MONTH_DAYS = 30
WEEK_DAYS = 7
SHADOWS = 200
STREAMS = 200
FAULT_DAY = 15
"""Of the live days; the first is 0."""
WORSE = 0.4
UNCOVERED = 0.15

Shadow = Callable[[Duel], bool | None]
"""From the days so far to promote, turn down, or None: wait."""
Rollback = Callable[[Duel, Duel], bool]
"""From the backtest and the live days so far."""


def live_figures(
    options: Options, shadows: dict[str, Shadow], rollbacks: dict[str, Rollback], *, reported: bool
) -> Metrics:
    """Return the figures of every rule, those of "ours" without a prefix."""
    share = 4 if options.quick else 1
    seed = 101 if reported else 1
    duels = list(seeded_duels(SHADOWS // share, origins=SHADOW_DAYS, seed=seed))
    days = BACKTEST_DAYS + LIVE_DAYS
    streams = list(seeded_duels(STREAMS // share, origins=days, seed=seed + 1))
    found: Metrics = {}
    for name in [*shadows, *(one for one in rollbacks if one not in shadows)]:
        figures: Metrics = {}
        if name in shadows:
            figures |= shadow_figures(shadows[name], duels)
        if name in rollbacks:
            figures |= rollback_figures(rollbacks[name], streams)
        show_table(f"Live: {name}", ["", "value"], list(figures.items()))
        prefix = "" if name == "ours" else f"baseline_{name}_"
        found |= {prefix + key: value for key, value in figures.items()}
    return found


def shadow_figures(rule: Shadow, duels: Sequence[Duel]) -> Metrics:
    """Return how often, and how soon, challengers of known worth leave their shadow promoted."""
    null, _ = shadow_ends(rule, duels)
    better, waited = shadow_ends(rule, (duel.better(0.05) for duel in duels))
    worse, _ = shadow_ends(
        rule,
        (
            duel.better_but_for(GROUPS[number % len(GROUPS)], fraction=0.05, worse=0.1)
            for number, duel in enumerate(duels)
        ),
    )
    return {
        "null_shadow_promoted_share": null,
        "shadow_promoted_share_at_5_percent_better": better,
        "shadow_days_p50_at_5_percent_better": waited,
        "shadow_promoted_with_worse_group_share": worse,
    }


def shadow_ends(rule: Shadow, duels: Iterable[Duel]) -> tuple[float, float | None]:
    """Return the share promoted, and the median days until an answer."""
    promoted, waited = [], []
    for duel in duels:
        answer = None
        for day in range(1, SHADOW_DAYS + 1):
            answer = rule(duel.until(day))
            if answer is not None:
                break
        promoted.append(answer is True)
        waited.append(float(day) if answer is not None else math.inf)
    return float(np.mean(promoted)), _quantile(waited, 0.5)


def rollback_figures(rule: Rollback, streams: Sequence[Duel]) -> Metrics:
    """Return false rollbacks of champions that stay as they were, and delays after a fault."""
    false = [first_rollback(rule, stream) for stream in streams]
    rolled = sum(day is not None for day in false)
    lived = sum(LIVE_DAYS if day is None else day for day in false)
    found: Metrics = {"false_rollbacks_per_month": rolled / lived * MONTH_DAYS}
    for name, fault in (("error", worse_errors), ("coverage", lost_coverage)):
        days = [first_rollback(rule, fault(stream)) for stream in streams]
        late = [
            math.inf if day is None else float(day - FAULT_DAY)
            for day in days
            if day is None or day > FAULT_DAY
        ]
        found[f"rollback_delay_days_p50_{name}"] = _quantile(late, 0.5)
        found[f"rollback_delay_days_p90_{name}"] = _quantile(late, 0.9)
    return found


def first_rollback(rule: Rollback, stream: Duel) -> int | None:
    """Return the live day at whose end the champion is rolled back."""
    backtest, live = stream.until(BACKTEST_DAYS), since(stream, BACKTEST_DAYS)
    return next((day for day in range(1, LIVE_DAYS + 1) if rule(backtest, live.until(day))), None)


def since(duel: Duel, origin: int) -> Duel:
    """Return the later days alone."""
    return replace(
        duel,
        champion=duel.champion[origin:],
        challenger=duel.challenger[origin:],
        naive=duel.naive[origin:],
        champion_hits=duel.champion_hits[origin:],
        challenger_hits=duel.challenger_hits[origin:],
    )


def worse_errors(stream: Duel) -> Duel:
    """Return the stream of a champion that errs more from the fault on."""
    return replace(stream, champion=stream.champion * (1.0 + WORSE * _after(stream)))


def lost_coverage(stream: Duel) -> Duel:
    """Return the stream of a champion whose intervals cover less from the fault on."""
    return replace(
        stream,
        champion_hits=np.maximum(stream.champion_hits - UNCOVERED * _after(stream), 0.0),
    )


def _after(stream: Duel) -> FloatArray:
    days = np.arange(len(stream.champion))[:, None]
    return np.asarray(days >= BACKTEST_DAYS + FAULT_DAY, dtype=np.float64)


def shadow_by_week(duel: Duel) -> bool | None:
    """Promote when the last week's mean error is lower, turn down at the end."""
    if len(duel.champion) < WEEK_DAYS:
        return None
    if np.nanmean(duel.challenger[-WEEK_DAYS:]) < np.nanmean(duel.champion[-WEEK_DAYS:]):
        return True
    return False if len(duel.champion) >= SHADOW_DAYS else None


def rollback_by_week(backtest: Duel, live: Duel) -> bool:
    """Roll back when a week's error or coverage is a tenth off the backtest."""
    if len(live.champion) < WEEK_DAYS:
        return False
    promised = np.nanmean(backtest.champion) / np.nanmean(backtest.naive)
    now = np.nanmean(live.champion[-WEEK_DAYS:]) / np.nanmean(live.naive[-WEEK_DAYS:])
    lost = np.nanmean(backtest.champion_hits) - np.nanmean(live.champion_hits[-WEEK_DAYS:])
    return bool(now > 1.1 * promised or lost > 0.1)


def _quantile(waited: Sequence[float], level: float) -> float | None:
    if not waited:
        return None
    found = float(np.quantile(waited, level, method="inverted_cdf"))
    return found if math.isfinite(found) else None
