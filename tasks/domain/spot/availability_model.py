"""How likely capacity can be had some hours ahead, fitted on recorded traces.

One ridge logistic regression for all pools, per horizon. It starts from each pool's transition
table and learns the departure from it, so that with little history the table is what remains. How
far the departure is to be trusted is measured: fitted on the first part of the history, scored on
the rest, and blended with the table in the proportion that would have been best there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from scipy.special import expit

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.spot.availability import AvailabilityPanel, Question, outcomes
from tasks.domain.spot.availability_features import availability_features

BURN_IN = timedelta(hours=48)
"""Ticks at the beginning that nothing is learned from: the recent shares mean nothing yet."""
PENALTY = 300.0
"""Ridge penalty on standardised features; heavy, because neighbouring ticks repeat each other."""
TRIAL_FRACTION = 0.7
"""Share of the history that the trial fit sees; the rest measures what it is worth."""
TRIAL_DOUBT = 0.3
"""Weight of the prior belief that half table, half model is best, over the trial's evidence."""
MIN_HOURS = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonModel:
    """The model of one horizon.

    Attributes:
        steps: Horizon in ticks.
        center: (k,) means of the features.
        scale: (k,) their standard deviations, above 0.
        weights: (k + 1,) intercept first.
        trust: Share of the model in the blend with the transition table, 0 to 1.
    """

    steps: int
    center: FloatArray
    scale: FloatArray
    weights: FloatArray
    trust: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityModel:
    """Models by horizon, and what they were fitted on."""

    horizons: Mapping[timedelta, HorizonModel]
    question: Question
    tick: timedelta
    fitted_ticks: int
    fitted_pools: int


def fit_availability_model(
    panel: AvailabilityPanel,
    *,
    horizons: Sequence[timedelta],
    question: Question = Question.AVAILABLE,
) -> AvailabilityModel:
    """Return the model fitted on everything in the panel.

    Args:
        panel: At least four days and the longest horizon; pass `panel.until(tick)` for a fit that
            knows nothing later.
        horizons: Each above 0.
        question: What is foretold about each horizon.

    Raises:
        InsufficientHistoryError: When the panel is shorter.
    """
    needed = timedelta(hours=MIN_HOURS) + max(horizons, default=timedelta(0))
    if panel.ticks * panel.tick < needed:
        raise InsufficientHistoryError(
            found_hours=int(panel.ticks * panel.tick / timedelta(hours=1)),
            needed_hours=int(needed / timedelta(hours=1)),
            subject="availability model",
        )
    models = {horizon: _horizon_model(panel, horizon, question) for horizon in horizons}
    return AvailabilityModel(
        horizons=models,
        question=question,
        tick=panel.tick,
        fitted_ticks=panel.ticks,
        fitted_pools=len(panel.pools),
    )


def predict_availability(
    model: AvailabilityModel,
    panel: AvailabilityPanel,
    *,
    at: Sequence[int] | None = None,
) -> dict[timedelta, FloatArray]:
    """Return P(the model's question is answered yes) per horizon, (n, len(at)), strictly between 0 and 1.

    Args:
        model: Fitted before any of the ticks in `at`, if the forecasts are to be out of sample.
        panel: History; forecasts for a tick use nothing after it.
        at: Ticks from which to look ahead; None for the last one.
    """
    ticks = np.array([panel.ticks - 1] if at is None else at, dtype=np.int64)
    known = panel.until(int(ticks.max(initial=-1)) + 1)
    found = {}
    for horizon, fitted in model.horizons.items():
        start, features = availability_features(known, steps=fitted.steps, question=model.question)
        table, departed = _probabilities(fitted, start[:, ticks], features[:, ticks])
        found[horizon] = fitted.trust * departed + (1.0 - fitted.trust) * table
    return found


def _horizon_model(
    panel: AvailabilityPanel, horizon: timedelta, question: Question
) -> HorizonModel:
    steps = panel.steps(horizon)
    start, features = availability_features(panel, steps=steps, question=question)
    happened = outcomes(panel, steps=steps, question=question)
    data = _Data(start=start, features=features, happened=happened, steps=steps)
    first = panel.steps(BURN_IN)
    middle = int(first + (panel.ticks - first) * TRIAL_FRACTION)
    trial = data.fitted(np.arange(first, middle - steps), trust=1.0)
    trust = data.best_trust(trial, np.arange(middle, panel.ticks - steps))
    return data.fitted(np.arange(first, panel.ticks - steps), trust=trust)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Data:
    start: FloatArray
    features: FloatArray
    happened: BoolArray
    steps: int

    def fitted(self, ticks: IntArray, *, trust: float) -> HorizonModel:
        rows = self.features[:, ticks].reshape(-1, self.features.shape[-1])
        center, scale = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
        if len(rows):
            center, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
        design = np.column_stack([np.ones(len(rows)), (rows - center) / scale])
        offset, target = (
            self.start[:, ticks].ravel(),
            self.happened[:, ticks].ravel().astype(np.float64),
        )
        weights = _ridge_logistic(design, target, offset=offset)
        return HorizonModel(
            steps=self.steps, center=center, scale=scale, weights=weights, trust=trust
        )

    def best_trust(self, trial: HorizonModel, ticks: IntArray) -> float:
        """Return the blend that minimises the Brier score on these ticks, drawn toward a half."""
        table, departed = _probabilities(trial, self.start[:, ticks], self.features[:, ticks])
        gap = departed - table
        evidence = float(np.sum(gap * gap))
        if evidence == 0.0:
            return 0.5
        gain = float(np.sum(gap * (self.happened[:, ticks] - table)))
        raw = (gain + 0.5 * TRIAL_DOUBT * evidence) / ((1.0 + TRIAL_DOUBT) * evidence)
        return float(np.clip(raw, 0.0, 1.0))


def _probabilities(
    model: HorizonModel, start: FloatArray, features: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the table's and the model's probabilities."""
    departure = ((features - model.center) / model.scale) @ model.weights[1:] + model.weights[0]
    # Beyond 7 the odds are past a thousand to one, which no trace of weeks can support.
    return expit(start), expit(np.clip(start + departure, -7.0, 7.0))


def _ridge_logistic(design: FloatArray, target: FloatArray, *, offset: FloatArray) -> FloatArray:
    """Return the penalised maximum-likelihood weights, by Newton's method."""
    weights = np.zeros(design.shape[1])
    ridge = np.diag(np.full(len(weights), PENALTY))
    for _ in range(25):
        probability = expit(offset + design @ weights)
        curvature = probability * (1.0 - probability)
        gradient = design.T @ (target - probability) - PENALTY * weights
        step = np.linalg.solve((design * curvature[:, None]).T @ design + ridge, gradient)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return np.asarray(weights, dtype=np.float64)
