"""How well interruptions are foretold, alone and together, on recorded traces."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np

from benchmarks.spot_traces import origins, rolling_forecasts
from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.spot.allocation import LossCorrelation, PoolHolding, loss_distribution
from tasks.domain.spot.availability import (
    AvailabilityPanel,
    Question,
    brier_score,
    outcomes,
    transition_table,
)
from tasks.domain.spot.coincidence import mean_loss_correlation

ORIGIN_STEP = 3
"""Joint losses are scored at every third tick: neighbouring ticks say nearly the same."""


def loss_metrics(
    panel: AvailabilityPanel, *, horizons: Mapping[str, timedelta], pace: timedelta
) -> dict[str, float | None]:
    """Return scores of interruption forecasts for pools that are up, out of sample.

    All but our correlations is: their defaults were measured on the whole recording.

    Args:
        panel: Traces.
        horizons: By label, "1h" among them.
        pace: How often the model is fitted again.

    Returns:
        `interruption_brier_<label>` and that of the two-state table; for the number of pools lost
        within an hour, one instance in each that is up, the ranked probability score and the
        logarithmic score (Gneiting and Raftery, 2007) with our correlation and with none; and the
        latent correlations measured over the whole recording.
    """
    question = Question.UNINTERRUPTED
    model = rolling_forecasts(
        panel, horizons=tuple(horizons.values()), refit_every=pace, question=question
    )
    found: dict[str, float | None] = {}
    for label, horizon in horizons.items():
        steps = panel.steps(horizon)
        table = transition_table(panel, steps=steps, question=question)
        for prefix, survival in (("", model[horizon]), ("baseline_two_state_", table)):
            found[f"{prefix}interruption_brier_{label}"] = _brier_of_up(panel, survival, steps)
    hour = horizons["1h"]
    independent = LossCorrelation(same_type=0.0, same_region=0.0)
    for prefix, given in (("", LossCorrelation()), ("baseline_independent_", independent)):
        found |= {
            f"{prefix}losses_{name}_1h": value
            for name, value in _joint_scores(panel, model[hour], panel.steps(hour), given).items()
        }
    for label, same_type in (("same_type", True), ("other", False)):
        found[f"loss_correlation_{label}_1h"] = mean_loss_correlation(
            panel, horizon=hour, same_type=same_type
        )
    return found


def _brier_of_up(panel: AvailabilityPanel, survival: FloatArray, steps: int) -> float | None:
    ticks = origins(panel, steps=steps)
    lasted = outcomes(panel, steps=steps, question=Question.UNINTERRUPTED)[:, ticks]
    up: BoolArray = panel.up[:, ticks]
    return brier_score(survival[:, ticks][up], lasted[up])


def _joint_scores(
    panel: AvailabilityPanel, survival: FloatArray, steps: int, correlation: LossCorrelation
) -> dict[str, float | None]:
    lasted = outcomes(panel, steps=steps, question=Question.UNINTERRUPTED)
    ranked, logarithmic = [], []
    for tick in origins(panel, steps=steps)[::ORIGIN_STEP]:
        rows = np.flatnonzero(panel.up[:, tick])
        holdings = [
            PoolHolding(
                pool=panel.pools[row], instances=1, loss_probability=1.0 - survival[row, tick]
            )
            for row in rows
        ]
        chances = loss_distribution(holdings, correlation=correlation)
        lost = int((~lasted[rows, tick]).sum())
        ranked.append(np.sum((chances.cumsum() - (np.arange(len(chances)) >= lost)) ** 2))
        logarithmic.append(-np.log(chances[lost]))
    return {"crps": _mean(ranked), "log_score": _mean(logarithmic)}


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
