"""Whether only what is better is promoted, and only what became bad is rolled back.

Run with `python -m benchmarks.load_promotion [--data DIR] [--quick] [--json]`. Errors of known
worth are those of load_promotion_data.py, which also says what is kept apart for reporting.

- `null_promoted_share`: the challenger is a refit of the champion; at most .05 is asked for.
- `promoted_share_at_<p>_percent_better`: it errs so much less, everywhere.
- `promoted_with_worse_group_share`: 5 % better on average, 10 % worse on one critical group.
- `promoted_with_narrow_intervals_share`: 5 % better, but its 80 % intervals cover 70 %.
- Rivals: the lower mean error wins; a paired t test at .05 over all errors as if independent.
- `null_shadow_promoted_share` and its kin: the same in a shadow period, looked at every day.
- `false_rollbacks_per_month`: of champions that stay what their backtest promised, looked at every
  day; `rollback_delay_days_*` after errors grow by 40 %, or intervals cover .15 less, on day 15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.stats import ttest_1samp

from benchmarks.harness import Metrics, Options, parse_options, progress, publish, show_table
from benchmarks.load_promotion_data import GROUPS, Duel, recorded_duels, seeded_duels
from benchmarks.load_promotion_live import (
    Rollback,
    Shadow,
    live_figures,
    rollback_by_week,
    shadow_by_week,
)
from tasks.domain.arrays import FloatArray
from tasks.domain.models.promotion import Trial, judge_challenger
from tasks.domain.models.rollback import Days, should_roll_back
from tasks.domain.models.shadow import Step, judge_shadow

START = datetime(2026, 3, 2, tzinfo=UTC)
ORIGINS = 28
SEEDED = 400
RECORDED = 200
BETTER_PERCENT = (2, 5, 10)
WORSE = 0.10
NARROWER = 0.10

Rule = Callable[[Duel], bool]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("load_promotion", argv)
    publish(options, measure(options))


def measure(options: Options, *, reported: bool = True) -> Metrics:
    """Return the figures of every rule, ours without a prefix."""
    share = 4 if options.quick else 1
    seed = 100 if reported else 0
    seeded = list(seeded_duels(SEEDED // share, origins=ORIGINS, seed=seed))
    recorded = list(recorded_duels(options.data, RECORDED // share, reported=reported))
    progress(f"{len(seeded)} seeded and {len(recorded)} recorded duels")
    found: Metrics = {}
    for name, rule in rules().items():
        figures = promotion_figures(rule, seeded)
        figures |= {f"recorded_{k}": v for k, v in promotion_figures(rule, recorded).items()}
        found |= figures if name == OURS else _prefixed(name, figures)
        show_table(f"Promotion: {name}", ["", "value"], list(figures.items()))
    return found | live_figures(options, shadows(), rollbacks(), reported=reported)


OURS = "ours"


def rules() -> dict[str, Rule]:
    """Return the rules by name, ours first."""
    return {OURS: ours, "lower_mean": lower_mean, "t_test": t_test}


def shadows() -> dict[str, Shadow]:
    """Return the rules of shadow periods by name."""
    return {OURS: our_shadow, "week": shadow_by_week}


def rollbacks() -> dict[str, Rollback]:
    """Return the rules of rollbacks by name."""
    return {OURS: our_rollback, "week": rollback_by_week}


def promotion_figures(rule: Rule, duels: Sequence[Duel]) -> Metrics:
    """Return how often the rule promotes challengers of known worth; None without duels."""
    found = {"null_promoted_share": promoted_share(rule, duels)}
    for percent in BETTER_PERCENT:
        better = (duel.better(percent / 100.0) for duel in duels)
        found[f"promoted_share_at_{percent}_percent_better"] = promoted_share(rule, better)
    worse = (
        duel.better_but_for(GROUPS[number % len(GROUPS)], fraction=0.05, worse=WORSE)
        for number, duel in enumerate(duels)
    )
    found["promoted_with_worse_group_share"] = promoted_share(rule, worse)
    narrow = (narrower(duel.better(0.05)) for duel in duels)
    found["promoted_with_narrow_intervals_share"] = promoted_share(rule, narrow)
    return found


def promoted_share(rule: Rule, duels: Iterable[Duel]) -> float | None:
    """Return the share of duels after which the challenger is promoted."""
    answers = [rule(duel) for duel in duels]
    return float(np.mean(answers)) if answers else None


def narrower(duel: Duel) -> Duel:
    """Return the duel with a challenger whose intervals cover less."""
    return replace(duel, challenger_hits=np.maximum(duel.challenger_hits - NARROWER, 0.0))


def ours(duel: Duel) -> bool:
    """Return the verdict with every group critical."""
    return judge_challenger(
        Trial(errors=duel.champion, hits=duel.champion_hits),
        Trial(errors=duel.challenger, hits=duel.challenger_hits),
        groups=duel.groups,
        critical_groups=GROUPS,
    ).promote


def our_shadow(duel: Duel) -> bool | None:
    """Return the verdict on the days of a shadow period so far; None to wait."""
    found = judge_shadow(
        Trial(errors=duel.champion, hits=duel.champion_hits),
        Trial(errors=duel.challenger, hits=duel.challenger_hits),
        groups=duel.groups,
        critical_groups=GROUPS,
        started_at=START,
        now=START + timedelta(days=len(duel.champion)),
    )
    return None if found.step is Step.WAIT else found.step is Step.PROMOTE


def our_rollback(backtest: Duel, live: Duel) -> bool:
    """Return the verdict on the live days so far; the challenger plays the earlier champion."""
    before, now = (
        Days(errors=one.champion, naive=one.naive, hits=one.champion_hits, previous=one.challenger)
        for one in (backtest, live)
    )
    return should_roll_back(now, backtest=before).roll_back


def lower_mean(duel: Duel) -> bool:
    """Return whether the challenger errs less on average."""
    return bool(np.nanmean(duel.challenger) < np.nanmean(duel.champion))


def t_test(duel: Duel) -> bool:
    """Return whether a paired t test over all errors says so, as if they were independent."""
    gain: FloatArray = (duel.champion - duel.challenger).ravel()
    found = ttest_1samp(gain[np.isfinite(gain)], 0.0, alternative="greater")
    return bool(found.pvalue <= 0.05)


def _prefixed(name: str, figures: Metrics) -> Metrics:
    return {f"baseline_{name}_{key}": value for key, value in figures.items()}


if __name__ == "__main__":
    main()
