"""Which naive rule speaks for a series that no model was fitted for: the one that its own past favours.

A lone series has too few cases for trees. Its rules are tried at rolling origins of its last two weeks,
near and far hours apart, and weighed by what they erred there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecasts import LEVEL
from tasks.domain.load.members import Member, last_known, local_forecasts
from tasks.domain.load.panel import HOUR, LoadPanel
from tasks.domain.load.selection import LEAST_ORIGINS, member_weights

ORIGINS = 24
STEP_HOURS = 13
"""Between origins; no divisor of a day."""
NEAR_HOURS = 4
LEAST_STEPS_OF_DAYS = 2
RULES = (Member.LAST_VALUE, Member.SEASONAL_DAY, Member.DAY_MEDIAN, Member.SEASONAL_WEEK)
CARRIED = "carried-day"
"""The day before, moved by what the last value is off it; half of the move where hours are far."""
NAMES = (*(rule.value for rule in RULES), CARRIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveChoice:
    """What naive rules expect of n series.

    Attributes:
        quantiles: (n, H, 3); NaN where too little of a series is known to try any rule.
        method: (n,) the rule with the most weight, over all hours.
    """

    quantiles: FloatArray
    method: NDArray[np.object_]


def chosen_naive(panel: LoadPanel, *, steps: int) -> NaiveChoice:
    """Return weighed naive rules with intervals as wide as their own errors were.

    Args:
        panel: What is known.
        steps: H, at least 1.
    """
    each = HOUR // panel.step
    spans = [slice(0, min(NEAR_HOURS * each, steps)), slice(min(NEAR_HOURS * each, steps), steps)]
    now = _rules(panel, steps)
    tried = [
        (_rules(known, steps), panel.values[:, known.steps : known.steps + steps], _level(known))
        for known in (panel.until(origin) for origin in _origins(panel, steps))
    ]
    quantiles = np.full((len(panel), steps, 3), np.nan)
    total = np.zeros((len(panel), len(NAMES)))
    if len(tried) < LEAST_ORIGINS:
        return NaiveChoice(quantiles=quantiles, method=_named(total))
    forecasts, truth, level = (np.stack(part) for part in zip(*tried, strict=True))
    off = np.abs(truth[..., None] - forecasts)  # origins, n, H, rules
    for span in spans:
        if span.stop <= span.start:
            continue
        errors = _means(off[:, :, span]).transpose(1, 0, 2)
        # Each by itself: a series' forecast does not depend on the others of a chunk.
        weights = member_weights(errors, np.arange(len(panel)).astype(np.str_))
        expected = (now[:, span] * weights[:, None]).sum(axis=-1)
        ours = np.abs(truth[:, :, span] - (forecasts[:, :, span] * weights[:, None]).sum(axis=-1))
        half = _upper(ours / level[..., None]) * _level(panel)
        # Fewer origins would have a series follow the record of its neighbours.
        enough = np.isfinite(errors).any(axis=2).sum(axis=1) >= LEAST_ORIGINS
        known = np.isfinite(half) & enough
        found = np.stack([expected - half[:, None], expected, expected + half[:, None]], axis=-1)
        quantiles[known, span] = found[known]
        total += (span.stop - span.start) * weights
    return NaiveChoice(quantiles=quantiles, method=_named(total))


def _origins(panel: LoadPanel, steps: int) -> list[int]:
    """Return the steps known at each origin, the newest first; two days are needed before each."""
    stride = STEP_HOURS * (HOUR // panel.step)
    least = LEAST_STEPS_OF_DAYS * panel.steps_per_day
    return list(range(panel.steps - steps, least - 1, -stride))[:ORIGINS]


def _rules(panel: LoadPanel, steps: int) -> FloatArray:
    """Return (n, H, rules) what each rule expects."""
    found = local_forecasts(panel, horizon_steps=steps, members=RULES)
    day = panel.steps_per_day
    before = last_known(panel.values[:, :-day]) if panel.steps > day else last_known(panel.values)
    move = (last_known(panel.values) - before)[:, None]
    near = NEAR_HOURS * (HOUR // panel.step)
    share = np.where(np.arange(steps) < near, 1.0, 0.5)
    carried = np.maximum(found[Member.SEASONAL_DAY] + share * move, 0.0)
    return np.stack([*(found[rule] for rule in RULES), carried], axis=-1)


def _means(off: FloatArray) -> FloatArray:
    """Return means over hours of (origins, n, hours, rules); NaN where no hour is known."""
    known = np.isfinite(off)
    count = known.sum(axis=2)
    total = np.where(known, off, 0.0).sum(axis=2)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _level(panel: LoadPanel) -> FloatArray:
    """Return (n,) what errors grow with: the mean of the last day; NaN where that is unknown or 0."""
    recent = panel.values[:, -panel.steps_per_day :]
    known = ~np.isnan(recent)
    mean = np.where(known, recent, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(mean > 0.0, mean, np.nan)


def _upper(off: FloatArray) -> FloatArray:
    """Return (n,) what LEVEL of the errors at origins and hours are below; NaN where none is known.

    Errors of one origin go together, so that the sample is as large as the number of origins (split
    conformal correction; Vovk, 2005).
    """
    level = min(LEVEL * (1.0 + 1.0 / len(off)), 1.0)
    flat = off.transpose(1, 0, 2).reshape(off.shape[1], -1)
    found = np.full(len(flat), np.nan)
    for row, errors in enumerate(flat):
        known = errors[np.isfinite(errors)]
        if known.size:
            found[row] = np.quantile(known, level)
    return found


def _named(total: FloatArray) -> NDArray[np.object_]:
    return np.array([NAMES[at] for at in total.argmax(axis=1).tolist()], dtype=object)
