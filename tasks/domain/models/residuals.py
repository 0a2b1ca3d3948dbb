"""What a model's forecasts were off by before it was kept and since, for the look at drift.

A look compares two weeks of forecasts of the day ahead with two weeks, one forecast a day, each by a
model that was trained before the first of them:

- Before: the recipe is fitted without the last two weeks of what the model is trained on, and
  forecasts them. Errors of the fit would be too small, and the backtest by which a challenger is
  compared is too short: two whole weeks are needed to tell what is usual. This costs a fit more
  where a model is kept, and the daily errors are kept with it, so that they are known for as long as
  it serves, also when the window no longer reaches back to its training.
- Since: the model itself forecasts the last two weeks, or what of them came after its training.

Origins have as much history before them on both sides. The model that serves was fitted on two weeks
more than the one of the backtest and may err a little less for that, which counts as drift only if
it makes `min_share` of the series differ, each by itself. Where the window is too short for a fit and
two weeks, nothing is kept, and load alone is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.models.family import Family, Residuals

Model = TypeVar("Model")
Data = TypeVar("Data")

HOURS_PER_DAY = 24
DAYS = 14
FEWEST_DAYS = 7
"""Since the training; fewer are not compared."""
MOST_SERIES = 350
"""A look forecasts each of them on each of the days: 3 s of processor time."""


def backtest_residuals(
    family: Family[Data, Model], data: Data, *, hours: int, seed: int
) -> Residuals | None:
    """Return what the recipe is off by on the last two weeks of a window, fitted without them.

    Args:
        family: What it is.
        data: What a model is trained on.
        hours: Length of the window.
        seed: Of the fit.

    Returns:
        None where the window is too short.
    """
    origins = _origins(family, hours=hours, since_hours=hours)
    if len(origins) < DAYS:
        return None
    try:
        model = family.fit(family.before(data, hours=max(origins)), seed=seed)
        return family.residuals(data, model, hours_back=origins, most_series=MOST_SERIES)
    except InsufficientHistoryError:
        return None


def residuals_since(
    family: Family[Data, Model], data: Data, model: Model, *, hours: int, since_hours: int
) -> Residuals | None:
    """Return what a model is off by on the days since its training, the last two weeks of them.

    Args:
        family: What it is.
        data: What is known by now.
        model: What serves.
        hours: Length of the window.
        since_hours: Of the window that came after the model was trained.

    Returns:
        None where these are less than a week.
    """
    origins = _origins(family, hours=hours, since_hours=since_hours)
    if len(origins) < FEWEST_DAYS:
        return None
    try:
        return family.residuals(data, model, hours_back=origins, most_series=MOST_SERIES)
    except InsufficientHistoryError:
        return None


def of_both(before: Residuals, since: Residuals) -> tuple[FloatArray, FloatArray] | None:
    """Return the days of the series that both know, in one order; None where there is none."""
    row = {name: at for at, name in enumerate(before.series)}
    pairs = [(row[name], at) for at, name in enumerate(since.series) if name in row]
    if not pairs:
        return None
    ours, theirs = np.array(pairs, dtype=np.int64).T
    return before.days[ours], since.days[theirs]


def residuals_state(found: Residuals | None) -> dict[str, Any] | None:
    """Return residuals as plain values; single precision, for they are many and only compared."""
    if found is None:
        return None
    return {"series": list(found.series), "days": found.days.astype(np.float32)}


def read_residuals(state: Mapping[str, Any] | None) -> Residuals | None:
    """Return what `residuals_state` was given."""
    if state is None:
        return None
    days = np.asarray(state["days"], dtype=np.float64)
    return Residuals(series=tuple(str(one) for one in state["series"]), days=days)


def _origins(family: Family[Data, Model], *, hours: int, since_hours: int) -> tuple[int, ...]:
    """Return how many hours before the end each origin lies, a day apart, the earliest first.

    Each has as much history before it as a training asks for.
    """
    most = hours // HOURS_PER_DAY - int(family.quality.min_days)
    days = max(min(DAYS, most, since_hours // HOURS_PER_DAY), 0)
    return tuple(day * HOURS_PER_DAY for day in range(days, 0, -1))
