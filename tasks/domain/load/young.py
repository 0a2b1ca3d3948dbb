"""Forecasts of a panel's young series by archetype, as far as a model can tell them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.load.cold_start import (
    ANY,
    FEWEST_SERIES,
    RECENT_DAYS,
    ArchetypeProfiles,
    archetype_profiles,
    cold_start_confidence,
    cold_start_forecast,
)
from tasks.domain.load.forecasts import QUANTILES
from tasks.domain.load.panel import Load, LoadPanel

ARCHETYPE = "archetype"
"""Name of the method."""
HIGHEST = {Load.CPU: 100.0, Load.MEMORY: 100.0}
"""Per cent; errors of others in units of one's own level know no ceiling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YoungForecasts:
    """Forecasts of some rows of a panel.

    Attributes:
        rows: (m,) positions.
        quantiles: (m, H, 3) of QUANTILES.
        confidence: (m,) share of values that such intervals held in the rehearsal; NaN where that
            was not measured.
    """

    rows: IntArray
    quantiles: FloatArray
    confidence: FloatArray


def profiles_of(panel: LoadPanel) -> ArchetypeProfiles | None:
    """Return the profiles of a panel's archetypes; None where fewer than five series tell of any."""
    try:
        found = archetype_profiles(panel, _archetypes(panel))
    except InsufficientHistoryError:
        return None
    return found if found.of(ANY).series >= FEWEST_SERIES else None


def young_forecasts(
    panel: LoadPanel, profiles: ArchetypeProfiles, young: BoolArray, *, horizon_steps: int
) -> YoungForecasts:
    """Return the forecasts of those young series that profiles tell something of.

    These are the ones with a known value in the last two days, and those without any value at all
    whose archetype has a profile of its own: what runs somewhere says nothing of the level of
    something that nobody knows anything of. None are told where the hour of the day is unknown.

    Args:
        panel: The history up to the cutoff, in the step of the profiles.
        profiles: Of an earlier panel, or of this one.
        young: (n,) series to be looked at.
        horizon_steps: H, at least 1.
    """
    since = profiles.steps_since(panel)
    names = _archetypes(panel)
    recent = panel.values[:, -RECENT_DAYS * panel.steps_per_day :]
    told = (names != ANY) & np.isin(names, list(profiles.by_name))
    seen = ~np.isnan(recent).all(axis=1)
    rows = np.flatnonzero(young & (seen | (told & (panel.known == 0))))
    if since is None or not rows.size:
        return YoungForecasts(
            rows=np.empty(0, dtype=np.int64),
            quantiles=np.empty((0, horizon_steps, len(QUANTILES))),
            confidence=np.empty(0),
        )
    found = cold_start_forecast(
        profiles, recent[rows], names[rows], horizon_steps=horizon_steps, steps_since=since
    )
    return YoungForecasts(
        rows=rows,
        quantiles=np.minimum(found, HIGHEST.get(panel.load, np.inf)),
        confidence=cold_start_confidence(profiles, recent[rows], names[rows]),
    )


def _archetypes(panel: LoadPanel) -> NDArray[np.str_]:
    return np.array(panel.archetypes or [ANY] * len(panel), dtype=np.str_)
