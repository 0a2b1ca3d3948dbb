"""What came since a model was trained, beside what it was trained on."""

from __future__ import annotations

from datetime import datetime, timedelta

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.models.drift import DriftReport, Observed, check_drift
from tasks.domain.models.family import Window

HOURS_PER_DAY = 24
HOUR = timedelta(hours=1)


def hours_since(window: Window, trained_at: datetime) -> int | None:
    """Return the hours of the window that came after a training; None without a wall clock."""
    if window.end is None:
        return None
    hours = int((window.end - trained_at) / HOUR)
    return min(max(hours, 0), int(window.values.shape[1]))


def drift_since(
    window: Window,
    trained_at: datetime,
    *,
    now: datetime,
    residuals: tuple[FloatArray, FloatArray] | None = None,
) -> DriftReport | None:
    """Return whether what came since a training differs from what was there before it.

    Args:
        window: All that is known.
        trained_at: Aware UTC.
        now: Aware UTC.
        residuals: Daily errors of the backtest and of the forecasts since, each (n, features, days),
            see `tasks.domain.models.residuals`; None where either is not known.

    Returns:
        None where too little is known of either side, or there is no wall clock: then nothing can be
        said, which is not the same as no drift. Errors are enough: a window reaches back four weeks,
        and two weeks after the training too little of what was before it is left to compare loads.
    """
    since = hours_since(window, trained_at)
    if since is None:
        return None
    moves = window.moves
    before, after = moves[:, : moves.shape[1] - since], moves[:, moves.shape[1] - since :]
    # Whole days on both sides of the training.
    after = after[:, : after.shape[1] // HOURS_PER_DAY * HOURS_PER_DAY]
    before = before[:, before.shape[1] % HOURS_PER_DAY :]
    try:
        return check_drift(
            Observed(values=before, residuals=None if residuals is None else residuals[0]),
            Observed(values=after, residuals=None if residuals is None else residuals[1]),
            steps_per_day=HOURS_PER_DAY,
            trained_at=trained_at,
            now=now,
        )
    except InsufficientHistoryError:
        return None
