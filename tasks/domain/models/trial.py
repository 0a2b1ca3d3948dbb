"""A challenger tried against the champion, on days that neither of them was fitted on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.models.family import Family, RollingErrors
from tasks.domain.models.promotion import PromotionPolicy, PromotionVerdict, Trial, judge_challenger

Data = TypeVar("Data")
Model = TypeVar("Model")

LONGEST_SPAN_HOURS = 144
"""From the first origin to the last: a week in which the shortest horizon comes true."""
SHORTEST_SPAN_HOURS = 48
ORIGINS_PER_HORIZON = 4
SHORTEST_STEP_HOURS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a trial.

    Attributes:
        champion: Its errors; None where there is none, or where it has seen too much of the window.
        challenger: Errors of the recipe, fitted before the first origin; None where there is too
            little history for that.
        verdict: Of the comparison; None where there was none.
        reason: Why there was none; empty otherwise.
    """

    champion: RollingErrors | None = None
    challenger: RollingErrors | None = None
    verdict: PromotionVerdict | None = None
    reason: str = ""


def trial_origins(*, horizon_hours: int, champion_age_hours: float | None) -> tuple[int, ...]:
    """Return how many hours before the end each origin lies, the earliest first.

    Every origin's horizon has come true, and the champion was trained before the first.

    Args:
        horizon_hours: Longest horizon, at least 1.
        champion_age_hours: Between the end of its data and the end of the window; None without one.

    Returns:
        Empty where the champion is too young.
    """
    oldest = horizon_hours + LONGEST_SPAN_HOURS
    if champion_age_hours is not None:
        oldest = min(oldest, int(champion_age_hours))
    if oldest < horizon_hours + SHORTEST_SPAN_HOURS:
        return ()
    step = step_hours(horizon_hours)
    first = horizon_hours + (oldest - horizon_hours) // step * step
    return tuple(range(first, horizon_hours - 1, -step))


def step_hours(horizon_hours: int) -> int:
    """Return the hours between two origins."""
    return max(SHORTEST_STEP_HOURS, horizon_hours // (2 * ORIGINS_PER_HORIZON))


def run_trial(
    family: Family[Data, Model],
    data: Data,
    champion: Model | None,
    *,
    champion_age_hours: float | None,
    critical_groups: Collection[str] = (),
    policy: PromotionPolicy | None = None,
    seed: int,
) -> Tried:
    """Return how champion and challenger forecast the same days, and who did better.

    Args:
        family: What they are.
        data: All that is known.
        champion: The model that serves; None where there is none.
        champion_age_hours: See `trial_origins`; None where it is not known or there is no champion.
        critical_groups: Groups that a challenger may not make worse; those without series are left out.
        policy: What it has to show.
        seed: Of the challenger's fit.
    """
    horizon = family.horizon_hours
    age = None if champion is None else champion_age_hours
    origins = trial_origins(horizon_hours=horizon, champion_age_hours=age)
    compared = bool(origins) and champion is not None
    if not origins:
        origins = trial_origins(horizon_hours=horizon, champion_age_hours=None)
    try:
        challenger = _challenger(family, data, origins, seed=seed)
    except InsufficientHistoryError as error:
        return Tried(reason=f"there is too little history for a backtest ({error})")
    if not compared or champion is None:
        reason = "there is no champion yet"
        if champion is not None:
            needed = horizon + SHORTEST_SPAN_HOURS
            reason = (
                f"the champion knows all but {age or 0:.0f} h of the window, {needed} h are needed"
            )
        return Tried(challenger=challenger, reason=reason)
    ours = family.rolling_errors(data, champion, hours_back=origins)
    return Tried(
        champion=ours,
        challenger=challenger,
        verdict=judge_challenger(
            Trial(errors=ours.error, hits=ours.covered),
            Trial(errors=challenger.error, hits=challenger.covered),
            groups=challenger.groups,
            critical_groups=set(critical_groups) & set(challenger.groups),
            overlap=-(-horizon // step_hours(horizon)),
            policy=policy,
        ),
    )


def _challenger(
    family: Family[Data, Model], data: Data, origins: Sequence[int], *, seed: int
) -> RollingErrors:
    model = family.fit(family.before(data, hours=max(origins)), seed=seed)
    return family.rolling_errors(data, model, hours_back=origins)
