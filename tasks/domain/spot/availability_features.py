"""What the availability model looks at: the pool's own past, and the rest of the market.

All columns are causal and on the logit scale or within [-1, 1], so that one model serves every
pool and tick length.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from scipy.signal import lfilter

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.availability import (
    AvailabilityPanel,
    Question,
    long_run_rate,
    transition_table,
)

HALF_LIVES = (
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=24),
    timedelta(hours=72),
)
DAY = timedelta(hours=24)
CLOCK_WINDOW = timedelta(hours=3)
CLOCK_HALF_LIFE_DAYS = 4.0


def logit(probability: FloatArray) -> FloatArray:
    """Return the log odds, with probabilities kept .002 away from 0 and 1."""
    safe = np.clip(probability, 0.002, 0.998)
    return np.asarray(np.log(safe / (1.0 - safe)), dtype=np.float64)


def availability_features(
    panel: AvailabilityPanel, *, steps: int, question: Question = Question.AVAILABLE
) -> tuple[FloatArray, FloatArray]:
    """Return the log odds to start from, (n, ticks), and the features, (n, ticks, k).

    Args:
        panel: Availability so far.
        steps: Horizon in ticks.
        question: What the transition table answers.

    Returns:
        The transition table's log odds. Then: state; recent shares of ticks up over five half-lives
        against the long-run rate; the table against the long-run rate; what this hour of the day
        used to be; the state of the other pools; the market's strain over three days.
    """
    signed = 2.0 * panel.up.astype(np.float64) - 1.0
    long_run = long_run_rate(panel)
    start = logit(transition_table(panel, steps=steps, question=question))
    recent = [recent_rate(panel, half_life) for half_life in HALF_LIVES]
    columns = [
        signed,
        *(logit(rate) - logit(long_run) for rate in recent),
        start - logit(long_run),
        logit(clock_rate(panel, steps=steps)) - logit(long_run),
        _others(signed),
        np.broadcast_to((recent[-1] - long_run).mean(axis=0), signed.shape),
    ]
    return start, np.stack(columns, axis=-1)


def recent_rate(panel: AvailabilityPanel, half_life: timedelta) -> FloatArray:
    """Return the share of ticks up, older ones fading, (n, ticks); one tick of 50 % is added."""
    fade = 0.5 ** (panel.tick / half_life)
    up = panel.up.astype(np.float64)
    weighted = lfilter([1.0], [1.0, -fade], up, axis=1)
    weight = lfilter([1.0], [1.0, -fade], np.ones(panel.ticks))
    return np.asarray((weighted + 0.5) / (weight + 1.0), dtype=np.float64)


def clock_rate(panel: AvailabilityPanel, *, steps: int) -> FloatArray:
    """Return the share up around the target's hour on earlier days, (n, ticks).

    Averages three hours around the same time of day, newer days weighing more, and half a day's
    weight of the long-run rate. Windows that reach beyond the present tick are left out.
    """
    day, half = panel.steps(DAY), panel.steps(CLOCK_WINDOW) // 2
    up = panel.up.astype(np.float64)
    window = 2 * half + 1
    mean = lfilter(np.full(window, 1.0 / window), [1.0], up, axis=1)
    total, weight = 0.5 * long_run_rate(panel), np.full(panel.ticks, 0.5)
    ticks = np.arange(panel.ticks)
    for days in range(1, panel.ticks // day + 2):
        offset = steps - day * days + half  # of the window's last tick
        known = (ticks + offset >= window - 1) & (offset <= 0)
        fade = 0.5 ** ((days - 1) / CLOCK_HALF_LIFE_DAYS)
        total[:, known] += fade * mean[:, ticks[known] + offset]
        weight[known] += fade
    return np.asarray(total / weight, dtype=np.float64)


def _others(signed: FloatArray) -> FloatArray:
    """Return the mean state of the other pools; 0 when there are none."""
    count = len(signed) - 1
    if count < 1:
        return np.zeros_like(signed)
    return np.asarray((signed.sum(axis=0) - signed) / count, dtype=np.float64)
