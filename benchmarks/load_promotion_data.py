"""Errors of a champion and of a challenger whose worth is known.

Under the null the challenger is the champion fitted again: which of two errors is whose is decided
by a coin, but errors are heavy-tailed, bad days are bad for all series and for both models, days
follow each other, and one fit is better on some series, a little even on a whole group, for as long
as it lives: as much as refits differ on development machines, day by day twice as much. A better or
worse challenger is such a refit with its errors multiplied.

Constants are chosen on development series and seeds; figures are reported on the others:

- Seeded: development seeds are below 100, reported seeds are 100 and above.
- Bitbrains: development is machines of even ids, reported of odd ids. Models are fitted on
  the first four weeks, each on a resample of its own; errors are those of the days after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from benchmarks.load_drift_data import BITBRAINS, HOURS, WEEK, sources
from tasks.domain.arrays import FloatArray

GROUPS = ("idle", "steady", "periodic", "bursty")
GROUP_SHARES = (0.25, 0.3, 0.3, 0.15)
LEVEL = 0.8
REFITS = 10
FIT_DAYS = 28
FIT_ROWS = 12_000
SERIES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """What a champion and a challenger made of the same days.

    Attributes:
        champion: (origins, series) mean absolute errors by each series' scale, NaN unknown.
        challenger: The same of the other.
        naive: The same of the daily seasonal naive.
        champion_hits: (origins, series) share of values within the 80 % interval.
        challenger_hits: The same of the other.
        groups: (series,) what each behaves like, of GROUPS.
    """

    champion: FloatArray
    challenger: FloatArray
    naive: FloatArray
    champion_hits: FloatArray
    challenger_hits: FloatArray
    groups: NDArray[np.str_]

    def better(self, fraction: float) -> Duel:
        """Return the duel with a challenger that errs by so much less."""
        return replace(self, challenger=self.challenger * (1.0 - fraction))

    def better_but_for(self, group: str, *, fraction: float, worse: float) -> Duel:
        """Return one whose challenger is so much better on average, and worse on one group."""
        ours = self.groups == group
        part = np.nansum(self.challenger[:, ours]) / np.nansum(self.challenger)
        others = (1.0 - fraction - part * (1.0 + worse)) / (1.0 - part)
        return replace(self, challenger=self.challenger * np.where(ours, 1.0 + worse, others))

    def until(self, origins: int) -> Duel:
        """Return the first days alone."""
        return replace(
            self,
            champion=self.champion[:origins],
            challenger=self.challenger[:origins],
            naive=self.naive[:origins],
            champion_hits=self.champion_hits[:origins],
            challenger_hits=self.challenger_hits[:origins],
        )


def seeded_duels(count: int, *, origins: int, seed: int) -> Iterator[Duel]:
    """Yield pairs of exchangeable errors."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        groups = rng.choice(GROUPS, size=SERIES, p=GROUP_SHARES)
        common = 0.4 * _following(rng, origins, memory=0.5)[:, None]
        common = common + np.log(1.0 + 2.0 * (rng.random((origins, 1)) < 0.05))
        own = 0.6 * rng.standard_t(4.0, size=(origins, SERIES))
        scale = np.exp(0.5 * rng.standard_normal(SERIES))
        both = scale * np.exp(np.clip(common + own, -4.0, 4.0))
        champion, challenger = (both * _of_one_fit(rng, groups, origins) for _ in range(2))
        naive = both * 1.4 * _of_one_fit(rng, groups, origins)
        hits = [_hits(rng, origins) for _ in range(2)]
        unknown = rng.random((origins, SERIES)) < 0.05
        for one in (champion, challenger, naive, *hits):
            one[unknown] = np.nan
        yield Duel(
            champion=champion,
            challenger=challenger,
            naive=naive,
            champion_hits=hits[0],
            challenger_hits=hits[1],
            groups=groups,
        )


def _of_one_fit(rng: np.random.Generator, groups: NDArray[np.str_], origins: int) -> FloatArray:
    by_day = 0.01 * _following(rng, origins, memory=0.5)[:, None]
    by_series = 0.045 * rng.standard_normal(SERIES)
    by_group = {
        group: 0.006 * rng.standard_normal() + 0.01 * _following(rng, origins, memory=0.5)
        for group in GROUPS
    }
    of_group = np.stack([by_group[str(group)] for group in groups], axis=1)
    own = 0.08 * rng.standard_t(3.0, size=(origins, SERIES))
    return np.asarray(np.exp(np.clip(by_day + by_series + of_group + own, -1.5, 1.5)))


def _hits(rng: np.random.Generator, origins: int) -> FloatArray:
    centre = LEVEL + 0.02 * _following(rng, origins, memory=0.5)[:, None]
    return np.asarray(np.clip(centre + 0.12 * rng.standard_normal((origins, SERIES)), 0.0, 1.0))


def _following(rng: np.random.Generator, steps: int, *, memory: float) -> FloatArray:
    drawn = rng.standard_normal(steps)
    for at in range(1, steps):
        drawn[at] = memory * drawn[at - 1] + np.sqrt(1.0 - memory**2) * drawn[at]
    return drawn


def recorded_duels(data: Path | None, count: int, *, reported: bool) -> Iterator[Duel]:
    """Yield pairs of refits on recorded load, each over other series; none without a recording."""
    if data is None or not (data / BITBRAINS).exists():
        return
    source = sources(data, reported=reported)[0]
    values = source.values[:, source.good]
    scale = _scale(values[:, :FIT_DAYS])
    values = values / scale[:, None, None]
    groups = _behaviours(values[:, :FIT_DAYS], scale)
    rng = np.random.default_rng(int(reported))
    errors, hits = zip(*(_refit(values, rng) for _ in range(REFITS)), strict=True)
    naive = np.abs(values[:, FIT_DAYS:] - values[:, FIT_DAYS - 1 : -1]).mean(axis=2).T
    for _ in range(count):
        one, other = rng.permutation(REFITS)[:2]
        rows = np.sort(rng.permutation(len(values))[:SERIES])
        yield Duel(
            champion=errors[one][:, rows],
            challenger=errors[other][:, rows],
            naive=naive[:, rows],
            champion_hits=hits[one][:, rows],
            challenger_hits=hits[other][:, rows],
            groups=groups[rows],
        )


def _scale(values: FloatArray) -> FloatArray:
    change = np.nanmean(np.abs(values[:, 1:] - values[:, :-1]), axis=(1, 2))
    level = np.nanmean(np.abs(values), axis=(1, 2))
    return np.asarray(np.maximum.reduce([change, 0.05 * level, np.full_like(level, 0.1)]))


def _behaviours(values: FloatArray, scale: FloatArray) -> NDArray[np.str_]:
    level = np.nanmean(values, axis=(1, 2)) * scale
    profile = np.nanvar(np.nanmean(values, axis=1), axis=1)
    whole = np.nanvar(values, axis=(1, 2))
    top, middle = np.nanquantile(values, 0.99, axis=(1, 2)), np.nanmedian(values, axis=(1, 2))
    chosen = np.select(
        [level < 2.0, profile > 0.3 * whole, top > 4.0 * middle],
        ["idle", "periodic", "bursty"],
        "steady",
    )
    return np.asarray(chosen, dtype=np.str_)


def _refit(values: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return errors and hits, (origins, series), of one fit after the days that it saw."""
    features, truth, anchor = _rows(values)
    day = np.arange(truth.shape[1])[None, :, None]
    seen = np.isfinite(truth - anchor) & (day < FIT_DAYS - WEEK)
    flat, target = features.reshape(-1, features.shape[-1]), (truth - anchor).ravel()
    drawn = rng.choice(np.flatnonzero((seen & (day < FIT_DAYS - 2 * WEEK)).ravel()), size=FIT_ROWS)
    model = HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=60, random_state=int(rng.integers(2**31))
    ).fit(flat[drawn], target[drawn])
    # Widths by series, on a week that the fit did not see.
    off = np.abs(target - model.predict(flat)).reshape(truth.shape)
    held = np.where(seen & (day >= FIT_DAYS - 2 * WEEK), off, np.nan)
    width = np.nanquantile(held, LEVEL, axis=(1, 2))[:, None, None]
    miss = off[:, FIT_DAYS - WEEK :]
    hits = np.where(np.isnan(miss), np.nan, miss <= width)
    # A day with an unknown hour is unknown: both models are judged on the same values.
    return miss.mean(axis=2).T, hits.mean(axis=2).T


def _rows(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return features (series, days, 24, k) known at midnight, the truth, and a plain forecast.

    Days begin after a first week; features are relative to the plain forecast.
    """
    days = values.shape[1]
    past = np.stack([values[:, WEEK - lag : days - lag] for lag in range(1, WEEK + 1)])
    anchor = np.median(past, axis=0)
    by_day = [past[0][..., -1], past[0].mean(axis=2), past.mean(axis=(0, 3))]
    whole = [np.broadcast_to(one[..., None], anchor.shape) for one in by_day]
    spread = np.broadcast_to(past[0].std(axis=2)[..., None], anchor.shape)
    clock = np.broadcast_to(np.arange(HOURS, dtype=np.float64), anchor.shape)
    relative = [one - anchor for one in (past[0], past[-1], past.mean(axis=0), *whole)]
    return np.stack([*relative, spread, clock], axis=-1), values[:, WEEK:], anchor
