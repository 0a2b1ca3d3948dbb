"""Forecasts of workloads that are younger than two days, from what their kind does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.errors import InsufficientHistoryError, PermanentError
from tasks.domain.load.forecasts import QUANTILES
from tasks.domain.load.panel import HOUR, LoadPanel
from tasks.domain.load.rehearsal import (
    age_of,
    horizon_ranges,
    level_scale,
    outlook_of,
    rehearsed,
    rehearsed_coverage,
)

ANY = ""
"""Name of the profile of all series together."""
FEWEST_SERIES = 5
"""Fewer tell nothing of the next one of their kind; ANY stands in for them."""
MOST_SERIES = 300
MOST_ARCHETYPES = 24
"""The largest ones: each takes a tenth of a second or more."""
WINDOW_DAYS = 28
RECENT_DAYS = 2
AMPLITUDES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the shape that are tried: workloads that only look alike have days of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchetypeProfile:
    """What workloads of one kind have in common.

    Attributes:
        shape: (steps of a day,) mean day over each series' mean, as much flatter as was better in the
            rehearsal; the first value belongs to the step after the panel's end.
        level: Median of the series' means.
        carry: (ages, ranges) share of the last value's deviation from the shape that is still there.
        own: (ages, ranges) share of the same step a day before, where that is known.
        quantiles: (ages, ranges, 3) errors at QUANTILES, in units of a workload's level.
        coverage: (ages,) share of values that such intervals held in the rehearsal, of series and at
            times that they were not made of; NaN where there were too few of either.
        series: Number that it rests on.
    """

    shape: FloatArray
    level: float
    carry: FloatArray
    own: FloatArray
    quantiles: FloatArray
    coverage: FloatArray
    series: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchetypeProfiles:
    """Profiles by archetype; ANY is always among them.

    Attributes:
        step: Of the panel that they were made from.
        end: Its end, aware UTC; None without a wall clock.
        steps: Its length.
        by_name: The profiles.
    """

    step: timedelta
    end: datetime | None
    steps: int
    by_name: Mapping[str, ArchetypeProfile]

    def of(self, archetype: str) -> ArchetypeProfile:
        """Return the profile of an archetype, that of all series where it is unknown."""
        return self.by_name.get(archetype, self.by_name[ANY])

    def steps_since(self, panel: LoadPanel) -> int | None:
        """Return the steps of a day from the end of their panel to that of another, rounded down.

        Without a wall clock a panel of the same length is taken for the same one, and None is
        returned for all others: nobody knows what hour of the day they end in.
        """
        if self.end is not None and panel.end is not None:
            return ((panel.end - self.end) // self.step) % panel.steps_per_day
        unknown = self.end is not None or panel.end is not None
        return None if unknown or panel.steps != self.steps else 0


def archetype_profiles(panel: LoadPanel, archetypes: NDArray[np.str_]) -> ArchetypeProfiles:
    """Return the profiles of the largest archetypes of at least five series, and of all together.

    Errors are rehearsed: each series is forecast as if it were hours old, by the shape of the others,
    at up to sixteen times of the last four weeks. Intervals are meant to be wide: their levels are those
    of a sample no larger than the number of these times allows.

    Args:
        panel: History up to some cutoff. Series with an hour of the day that was never seen, or
            without any load, are left out.
        archetypes: (n,) names; ANY where none is known.

    Raises:
        InsufficientHistoryError: When no series is known for two days.
        PermanentError: When there is not one archetype a series.
    """
    if archetypes.shape != (len(panel),):
        msg = f"{len(archetypes)} archetypes for {len(panel)} series; give one for each"
        raise PermanentError(msg)
    day = panel.steps_per_day
    values = panel.values[:, -WINDOW_DAYS * day :]
    usable = _usable(values, day)
    if not usable.any():
        raise InsufficientHistoryError(
            found_hours=panel.steps * panel.step // HOUR,
            needed_hours=48,
            subject="profiles of archetypes",
        )
    profiles = {
        name: _profile(values[usable & (archetypes == name)], day)
        for name in _largest(archetypes[usable])
    }
    return ArchetypeProfiles(
        step=panel.step,
        end=panel.end,
        steps=panel.steps,
        by_name={**profiles, ANY: _profile(values[usable], day)},
    )


def cold_start_forecast(
    profiles: ArchetypeProfiles,
    recent: FloatArray,
    archetypes: NDArray[np.str_] | None = None,
    *,
    horizon_steps: int,
    steps_since: int = 0,
) -> FloatArray:
    """Return (m, H, 3) quantiles of the load of young workloads, at least 0.

    The archetype's day, scaled to the mean of what is known of the workload, plus the part of the last
    value's deviation that such workloads keep at that horizon; mixed with the same step a day before,
    where it is known, by as much as was better in the rehearsal; then the errors that the rehearsal
    made at this age and horizon. With nothing known at all, the archetype's usual level.

    Args:
        profiles: Of the panel's archetypes.
        recent: (m, r) values up to the cutoff, newest last, NaN where unknown; r may be 0. At most
            two days are looked at.
        archetypes: (m,) names, as far as somebody knows them; ANY where not. None is ANY for all.
        horizon_steps: H, at least 1.
        steps_since: Steps from the end of the profiles' panel to the cutoff.
    """
    names = np.full(len(recent), ANY) if archetypes is None else archetypes
    found = np.empty((len(recent), horizon_steps, len(QUANTILES)))
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        found[rows] = _quantiles(
            profiles.of(str(name)), recent[rows], profiles.step, horizon_steps, steps_since
        )
    return found


def cold_start_confidence(
    profiles: ArchetypeProfiles, recent: FloatArray, archetypes: NDArray[np.str_] | None = None
) -> FloatArray:
    """Return (m,) the share of values that intervals at each workload's age held in the rehearsal.

    NaN where too few series or times were rehearsed to tell. Arguments as for `cold_start_forecast`.
    """
    names = np.full(len(recent), ANY) if archetypes is None else archetypes
    found = np.empty(len(recent))
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        profile = profiles.of(str(name))
        looked_at = recent[rows, -RECENT_DAYS * len(profile.shape) :]
        found[rows] = profile.coverage[_age(looked_at, profiles.step)]
    return found


def _age(recent: FloatArray, step: timedelta) -> IntArray:
    return age_of((~np.isnan(recent)).sum(axis=1) * (step / HOUR))


def _quantiles(
    profile: ArchetypeProfile, recent: FloatArray, step: timedelta, ahead: int, begin: int
) -> FloatArray:
    recent = recent[:, -RECENT_DAYS * len(profile.shape) :]
    outlook = outlook_of(profile.shape[None], recent, begin, ahead, profile.level)
    age = _age(recent, step)
    reach = horizon_ranges(ahead, step)
    median = outlook.median(profile.carry[age][:, reach], profile.own[age][:, reach])
    scale = level_scale(outlook.level, profile.level)[:, None, None]
    errors = scale * profile.quantiles[age][:, reach]
    return np.maximum(median[..., None] + errors, 0.0)


def _largest(archetypes: NDArray[np.str_]) -> list[str]:
    """Return the names of archetypes that get a profile, by their names where they are as large."""
    names, counts = np.unique(archetypes[archetypes != ANY], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_ARCHETYPES]
    return [str(names[at]) for at in order if counts[at] >= FEWEST_SERIES]


def _usable(values: FloatArray, day: int) -> BoolArray:
    """Return (n,) where two days are known, each hour of the day, and some load."""
    shapes = _day_means(values, day)
    known = (~np.isnan(values)).sum(axis=1)
    enough = (known >= RECENT_DAYS * day) & ~np.isnan(shapes).any(axis=1)
    return np.asarray(enough & (np.nan_to_num(shapes).mean(axis=1) > 0.0))


def _day_means(values: FloatArray, day: int) -> FloatArray:
    """Return (n, day) means of each step of the day, the last column ending the history."""
    days = max(-(-values.shape[1] // day), 1)
    padded = np.full((len(values), days * day), np.nan)
    padded[:, padded.shape[1] - values.shape[1] :] = values
    cells = padded.reshape(len(values), days, day)
    known = (~np.isnan(cells)).sum(axis=1)
    return np.asarray(np.nansum(cells, axis=1) / np.where(known > 0, known, np.nan))


def _profile(values: FloatArray, day: int) -> ArchetypeProfile:
    chosen = np.linspace(0, len(values) - 1, min(len(values), MOST_SERIES)).astype(np.int64)
    values = values[chosen]
    means = _day_means(values, day)
    levels = means.mean(axis=1)
    shapes = means / levels[:, None]
    others = (shapes.sum(axis=0) - shapes) / (len(shapes) - 1) if len(shapes) > 1 else shapes
    level = float(np.median(levels))
    tried = [rehearsed(values, _damped(others, share), level) for share in AMPLITUDES]
    best = int(np.argmin([fit.loss for fit in tried]))
    fit, amplitude = tried[best], AMPLITUDES[best]
    return ArchetypeProfile(
        shape=_damped(shapes.mean(axis=0), amplitude),
        level=level,
        carry=fit.carry,
        own=fit.own,
        quantiles=fit.quantiles,
        coverage=rehearsed_coverage(values, _damped(others, amplitude), level, fit),
        series=len(values),
    )


def _damped(shape: FloatArray, share: float) -> FloatArray:
    return np.asarray(1.0 + share * (shape - 1.0))
