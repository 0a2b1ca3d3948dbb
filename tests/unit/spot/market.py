"""Small simulated panels, shared by the tests of the forecaster."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.pools import Pool, PricePanel

CUTOFF = datetime(2026, 3, 1, 12, tzinfo=UTC)


def panel_of(prices: FloatArray) -> PricePanel:
    """Return a panel whose changes happened on the hour."""
    changed = np.diff(prices, axis=1, prepend=prices[:, :1]) != 0.0
    changed &= ~np.isnan(np.diff(prices, axis=1, prepend=prices[:, :1]))
    hours = prices.shape[1]
    newest = hours - 1 - np.argmax(changed[:, ::-1], axis=1)
    at = np.datetime64(CUTOFF.replace(tzinfo=None), "s") - (hours - 1 - newest).astype(
        "timedelta64[h]"
    )
    at[~changed.any(axis=1)] = np.datetime64("NaT")
    return PricePanel(
        pools=tuple(
            Pool(availability_zone=f"us-east-1{'abcdef'[i % 6]}", instance_type=f"m{i // 6}.large")
            for i in range(len(prices))
        ),
        cutoff=CUTOFF,
        prices=prices,
        last_change_at=at,
    )


@cache
def smooth_prices(pools: int, hours: int, seed: int = 3) -> FloatArray:
    """Return prices sampled every 5 to 7 hours from a 3-day moving average of a random walk."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0.0, 0.02, size=(pools, hours + 72)), axis=1)
    path = pd.DataFrame(walk).T.rolling(72).mean().T.to_numpy()[:, 72:]
    prices = np.full((pools, hours), np.nan)
    for row in range(pools):
        at = np.concatenate([[0], np.cumsum(rng.integers(5, 8, size=hours))])
        at = at[at < hours]
        prices[row, at] = 0.1 * np.exp(path[row, at])
    filled = pd.DataFrame(prices).ffill(axis=1).to_numpy()
    filled.setflags(write=False)
    return np.asarray(filled)


@cache
def spiky_prices(pools: int, hours: int, seed: int = 4) -> FloatArray:
    """Return prices that jump up for a few hours and fall back."""
    rng = np.random.default_rng(seed)
    noise = 0.1 * np.exp(rng.normal(0.0, 0.02, size=(pools, hours)))
    spikes = rng.random(size=(pools, hours)) < 0.03
    spikes |= np.roll(spikes, 1, axis=1)
    prices = np.where(spikes, noise * 8.0, noise)
    prices.setflags(write=False)
    return np.asarray(prices)
