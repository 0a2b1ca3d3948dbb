"""How forecasts of spot prices are judged: errors per pool and origin, skills over naive ones.

Errors are in units of each pool's mean price over its window, known at the cutoff, so that an
expensive pool counts as much as a cheap one; the same in dollars is reported beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.scores import covered, interval_scores, pinball_losses, skill
from tasks.domain.spot.forecasts import QUANTILES

LEVEL = 0.8
"""Nominal coverage between the outer quantiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Mean errors of one forecaster per pool, USD per hour; coverage as a share."""

    absolute: FloatArray
    pinball: FloatArray
    interval: FloatArray
    coverage: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One origin's forecasts of n pools against what happened.

    Attributes:
        cutoff: The origin.
        model: Errors of the forecast judged.
        last: Errors of the last value, its quantiles all the same.
        empirical: Errors of the last value with empirical h-step quantiles.
        scale: (n,) mean price over the window, USD per hour.
        moved: (n,) whether the price changed in the window.
    """

    cutoff: datetime
    model: Errors
    last: Errors
    empirical: Errors
    scale: FloatArray
    moved: BoolArray


def errors(actual: FloatArray, quantiles: FloatArray) -> Errors:
    """Return errors per pool of (n, H, 3) quantiles against (n, H) prices."""
    low, median, high = (quantiles[..., i] for i in range(3))
    losses = [
        pinball_losses(actual, quantiles[..., i], quantile=level)
        for i, level in enumerate(QUANTILES)
    ]
    return Errors(
        absolute=np.abs(actual - median).mean(axis=1),
        pinball=np.mean(losses, axis=(0, 2)),
        interval=interval_scores(actual, low=low, high=high, level=LEVEL).mean(axis=1),
        coverage=covered(actual, low=low, high=high).mean(axis=1),
    )


def point_errors(actual: FloatArray, point: FloatArray) -> Errors:
    """Return errors per pool of a point forecast, taken for every quantile."""
    return errors(actual, np.repeat(point[..., None], len(QUANTILES), axis=2))


def summary(judged: Sequence[Judgement]) -> dict[str, float | None]:
    """Return the scores over all origins and pools; None where undefined."""
    per_origin = [_mae_skill([one]) for one in judged]
    defined = [value for value in per_origin if value is not None]
    moved = np.concatenate([one.moved for one in judged])
    coverage = np.concatenate([one.model.coverage for one in judged])
    return {
        "mae_skill": _mae_skill(judged),
        "mae_skill_usd": _skill(judged, lambda e: e.absolute, in_usd=True),
        "min_origin_mae_skill": min(defined) if defined else None,
        "pinball_skill": _skill(judged, lambda e: e.pinball),
        "pinball_skill_usd": _skill(judged, lambda e: e.pinball, in_usd=True),
        "pinball_skill_vs_empirical": _skill(judged, lambda e: e.pinball, against="empirical"),
        "coverage_80": float(coverage.mean()),
        "coverage_80_moved": float(coverage[moved].mean()) if moved.any() else None,
        "interval_score_percent": 100 * _error(judged, "model", lambda e: e.interval),
        "interval_score_empirical_percent": 100 * _error(judged, "empirical", lambda e: e.interval),
        "win_share": _win_share(judged),
    }


def _mae_skill(judged: Sequence[Judgement]) -> float | None:
    return _skill(judged, lambda e: e.absolute)


def _skill(
    judged: Sequence[Judgement],
    error: Callable[[Errors], FloatArray],
    *,
    against: str = "last",
    in_usd: bool = False,
) -> float | None:
    return skill(
        _error(judged, "model", error, in_usd=in_usd),
        reference_error=_error(judged, against, error, in_usd=in_usd),
    )


def _error(
    judged: Sequence[Judgement],
    whose: str,
    error: Callable[[Errors], FloatArray],
    *,
    in_usd: bool = False,
) -> float:
    parts = [error(getattr(one, whose)) / (1.0 if in_usd else one.scale) for one in judged]
    return float(np.concatenate(parts).mean())


def _win_share(judged: Sequence[Judgement]) -> float | None:
    """Return the share of pools better than the last value, of those where the two differ."""
    gain = np.concatenate([one.last.absolute - one.model.absolute for one in judged])
    differs = gain != 0.0
    return float((gain[differs] > 0.0).mean()) if differs.any() else None
