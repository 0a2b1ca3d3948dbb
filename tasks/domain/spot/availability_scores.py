"""How good availability forecasts are on the traces at hand, beside the naive table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.availability import (
    AvailabilityPanel,
    brier_score,
    outcomes,
    transition_table,
)
from tasks.domain.spot.availability_model import fit_availability_model, predict_availability

FITTED_FRACTION = 0.7
"""Share of the traces that the model sees; the rest judges it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityScore:
    """Brier scores of one horizon, out of sample; lower is better, None for no ticks.

    Attributes:
        horizon: How far ahead.
        brier: Of the fitted model.
        table_brier: Of the two-state transition table.
    """

    horizon: timedelta
    brier: float | None
    table_brier: float | None


def availability_scores(
    panel: AvailabilityPanel, *, horizons: Sequence[timedelta]
) -> tuple[AvailabilityScore, ...]:
    """Return scores on the last part of the traces, fitted on the first.

    Args:
        panel: Recorded availability.
        horizons: Those whose end lies beyond the traces are left out.

    Raises:
        InsufficientHistoryError: When the first part is too short to fit.
    """
    split = int(panel.ticks * FITTED_FRACTION)
    judged = [one for one in horizons if split + panel.steps(one) < panel.ticks]
    model = fit_availability_model(panel.until(split), horizons=judged)
    ticks = list(range(split, panel.ticks))
    forecasts = predict_availability(model, panel, at=ticks)
    return tuple(_score(panel, one, forecasts[one], split) for one in judged)


def _score(
    panel: AvailabilityPanel, horizon: timedelta, forecast: FloatArray, split: int
) -> AvailabilityScore:
    steps = panel.steps(horizon)
    happened = outcomes(panel, steps=steps)[:, split:]
    width = happened.shape[1]
    table = transition_table(panel, steps=steps)[:, split : split + width]
    return AvailabilityScore(
        horizon=horizon,
        brier=brier_score(forecast[:, :width], happened),
        table_brier=brier_score(table, happened),
    )
