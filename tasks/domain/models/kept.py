"""A model together with its backtest day by day, by which its life is judged later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.models.family import Family, Residuals, RollingErrors, mean_over
from tasks.domain.models.residuals import read_residuals, residuals_state
from tasks.domain.models.rollback import Days

Model = TypeVar("Model")
Data = TypeVar("Data")

HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[Model]):
    """What a registry stores.

    Attributes:
        model: What forecasts.
        backtest: Of the same recipe, out of sample, (days, groups); None where there was none.
        residuals: Of the same recipe, out of sample, series by series; None where the window was too
            short, and in models of an earlier release.
    """

    model: Model
    backtest: Days | None
    residuals: Residuals | None = None


def backtest_days(found: RollingErrors, *, step_hours: int) -> Days:
    """Return rolling errors day by day and group by group, (days, groups).

    Args:
        found: Origins in time order, evenly spaced.
        step_hours: Between two origins.
    """
    names = sorted(set(found.groups))
    member = np.array(found.groups)

    def by_group(values: FloatArray) -> FloatArray:
        columns = [mean_over(values[:, member == name], axis=1) for name in names]
        return _by_day(np.stack(columns, axis=1), per_day=max(HOURS_PER_DAY // step_hours, 1))

    return Days(
        errors=by_group(found.error),
        naive=by_group(found.naive_error),
        hits=by_group(found.covered),
    )


def kept_state(family: Family[Data, Model], kept: Kept[Model]) -> dict[str, Any]:
    """Return a model and its backtest as plain values."""
    days = kept.backtest
    return {
        "model": family.state(kept.model),
        "backtest": None
        if days is None
        else {"errors": days.errors, "naive": days.naive, "hits": days.hits},
        "residuals": residuals_state(kept.residuals),
    }


def read_kept(family: Family[Data, Model], state: Mapping[str, Any]) -> Kept[Model]:
    """Return what `kept_state` was given.

    Raises:
        Exception: It is something else; what a reader of another shape raises is its own matter.
    """
    days = state["backtest"]
    return Kept(
        model=family.read(state["model"]),
        backtest=None
        if days is None
        else Days(
            errors=np.asarray(days["errors"], dtype=np.float64),
            naive=np.asarray(days["naive"], dtype=np.float64),
            hits=None if days["hits"] is None else np.asarray(days["hits"], dtype=np.float64),
        ),
        residuals=read_residuals(state.get("residuals")),
    )


def _by_day(values: FloatArray, *, per_day: int) -> FloatArray:
    return np.stack(
        [
            mean_over(values[first : first + per_day], axis=0)
            for first in range(0, len(values), per_day)
        ]
    )
