"""Load some hours ahead, for all series of a panel with one global model.

Fit once (`fit_load_model`), forecast whole panels or chunks of them (`forecast_load`).
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.errors import InsufficientHistoryError, PermanentError
from tasks.domain.load.backtest import held_hours, run_backtest
from tasks.domain.load.combine import Blend, fit_blend, group_index, unblended
from tasks.domain.load.features import NAIVES, ahead_of, origins_of
from tasks.domain.load.forecasts import LoadForecasts
from tasks.domain.load.global_linear import range_of
from tasks.domain.load.global_model import FEWEST_CASES, GlobalModel, fit_global_model
from tasks.domain.load.groups import behaviour_groups
from tasks.domain.load.history import DAY, History, history_of
from tasks.domain.load.intervals import Widths, fit_widths, interval, unmeasured
from tasks.domain.load.members import Member, local_forecasts
from tasks.domain.load.model import LoadModel, load_model_from_state
from tasks.domain.load.naive_choice import chosen_naive
from tasks.domain.load.own_record import (
    OwnRecords,
    fit_own_records,
    mixed,
    no_records,
    span_of,
)
from tasks.domain.load.panel import HOUR, LoadPanel
from tasks.domain.load.sampling import draw_cases
from tasks.domain.load.steps import to_steps, within_hour
from tasks.domain.load.young import ARCHETYPE, profiles_of, young_forecasts

__all__ = ["LoadModel", "fit_load_model", "forecast_load", "load_model_from_state"]

LEAST_HOURS = 2 * DAY
LONGEST_HOURS = 7 * DAY
NORMAL_90 = 1.2816
"""Quantile of the normal distribution, for series that no model knows."""


def fit_load_model(
    panel: LoadPanel, *, horizon_steps: int, seed: int, threads: int = 1
) -> LoadModel:
    """Return a model fitted to the last 30 days of a panel, and backtested on the newest six.

    Args:
        panel: All series of one kind; hourly, or a step that divides an hour. Unknown steps are NaN.
        horizon_steps: Longest horizon, in the panel's steps; at most a week.
        seed: Equal panels and seed give equal models, whatever the threads.
        threads: Ensembles fitted side by side, at least 1.

    Returns:
        A model without trees, which uses naive rules, where there is too little history.

    Raises:
        InsufficientHistoryError: When no series began two days ago or before.
        PermanentError: When the step does not divide an hour, or the horizon is out of bounds.
    """
    horizon = _horizon_hours(panel, horizon_steps)
    history = history_of(panel)
    if not _grown(history).any():
        raise InsufficientHistoryError(
            found_hours=int((history.hours - history.first).max(initial=0)),
            needed_hours=LEAST_HOURS,
            subject="load forecast",
        )
    cases = draw_cases(history, horizon=horizon, seed=seed, threads=threads)
    trees: GlobalModel | None = None
    blend, own, widths, count = unblended(), no_records(), unmeasured(), 0
    if cases is not None:
        early = np.flatnonzero(cases.column < history.hours - held_hours(history.hours))
        if len(early) >= FEWEST_CASES:
            first, trees = fit_global_model(cases, early, seed=seed, threads=threads)
            blend, own, widths = _measured(panel, history, first, horizon, seed, threads)
            count = len(cases)
    return LoadModel(
        load=panel.load,
        step=panel.step,
        horizon_steps=horizon_steps,
        clock=history.hour is not None,
        closing=history.closing is not None,
        trees=trees,
        blend=blend,
        own=own,
        widths=widths,
        cases=count,
        profiles=profiles_of(panel),
    )


def _measured(
    panel: LoadPanel, history: History, first: GlobalModel, horizon: int, seed: int, threads: int
) -> tuple[Blend, OwnRecords, Widths]:
    """Return how far the model is to be believed, by a backtest of its early trees.

    Widths are measured about medians that no series' own record has touched: it was made on the same
    cases, and would make the intervals look better than they are.
    """
    groups = behaviour_groups(panel)
    backtest = run_backtest(history, first, groups, horizon=horizon, seed=seed, threads=threads)
    if backtest is None:
        return unblended(), no_records(), unmeasured()
    blend = fit_blend(backtest)
    median = blend.apply(
        backtest.median, backtest.naive, group_index(backtest.group), backtest.band
    )
    own = fit_own_records(backtest, median, panel.series)
    return blend, own, fit_widths(backtest, blend)


def forecast_load(panel: LoadPanel, model: LoadModel, *, threads: int = 1) -> LoadForecasts:
    """Return forecasts of a panel, or of a chunk of one, over the model's horizon.

    Series that began less than two days ago are forecast by what the model knows of their archetype.
    Where it knows of none there are naive rules with an interval of the size of a series' own changes;
    where the model has no trees, those that the series' own past favours, as wide as they erred there.
    The confidence of either is unknown. Series without any
    known value get the usual level of their archetype, NaN where it is unknown. Below an hour the
    confidence of older series is that of hourly means.

    Raises:
        PermanentError: When the model is of another load, or reads what the panel does not have.
    """
    _check(panel, model)
    each = HOUR // panel.step
    steps = model.horizon_steps
    history = history_of(panel)
    quantiles, method = _naive_quantiles(panel, history, steps)
    confidence = np.full(len(panel), np.nan)
    if model.profiles is not None:
        young = young_forecasts(panel, model.profiles, ~_grown(history), horizon_steps=steps)
        quantiles[young.rows] = young.quantiles
        method[young.rows] = ARCHETYPE
        confidence[young.rows] = young.confidence
    rows = np.flatnonzero(_grown(history))
    if model.trees is None and rows.size:
        alone = chosen_naive(panel.take(rows.tolist()), steps=steps)
        tried = np.isfinite(alone.quantiles).all(axis=(1, 2))
        quantiles[rows[tried]] = alone.quantiles[tried]
        method[rows[tried]] = alone.method[tried]
    elif rows.size and model.trees is not None:
        group = group_index(behaviour_groups(panel))
        known = panel.take(rows.tolist())
        own = model.own.of(known.series)
        hourly = _model_quantiles(history, model, rows, group[rows], own, threads)
        newest = local_forecasts(known, horizon_steps=1)[Member.LAST_VALUE]
        within = within_hour(known)
        quantiles[rows] = to_steps(hourly, newest[:, 0], within, each=each)[:, :steps]
        method[rows] = _methods(model, group[rows], own)
        confidence[rows] = model.widths.coverage[group[rows]]
    return LoadForecasts(
        load=panel.load,
        series=panel.series,
        step=panel.step,
        cutoff=panel.end,
        quantiles=np.maximum(quantiles, 0.0),
        naive=local_forecasts(panel, horizon_steps=steps)[Member.SEASONAL_DAY],
        method=method.astype(np.str_),
        confidence=confidence,
    )


def _grown(history: History) -> BoolArray:
    """Return (n,) series that began two days ago or before, whatever gaps they have."""
    return np.asarray(history.hours - history.first >= LEAST_HOURS, dtype=np.bool_)


def _model_quantiles(
    history: History,
    model: LoadModel,
    rows: IntArray,
    group: IntArray,
    own: FloatArray,
    threads: int,
) -> FloatArray:
    """Return (r, hours, 3) quantiles of rows, given (r,) groups and (r, spans, 3) own shares."""
    hours = model.horizon_hours
    seen = np.full(len(rows), history.hours)
    origins = origins_of(history, rows, seen, horizon=hours, threads=threads)
    pair = np.repeat(np.arange(len(rows)), hours)
    horizon = np.tile(np.arange(1, hours + 1), len(rows))
    ahead = ahead_of(history, origins, pair, horizon)
    trees = cast("GlobalModel", model.trees)
    expected = trees.predict(ahead, horizon, threads=threads)
    band = range_of(horizon)
    median = model.blend.apply(expected.median, ahead.naive, group[pair], band)
    median = mixed(median, ahead.naive, own[pair, span_of(horizon)])
    factor = model.widths.factors[group[pair], band]
    low, high = interval(median, expected.low, expected.high, factor)
    turned = np.column_stack([low, median, high])
    found = origins.level[pair, None] + origins.spread[pair, None] * turned
    return found.reshape(len(rows), hours, 3)


def _methods(model: LoadModel, group: IntArray, own: FloatArray) -> list[str]:
    """Return what most of each median comes from: the model, or a naive rule that outweighs it."""
    bands = np.unique(range_of(np.arange(1, model.horizon_hours + 1)))
    blended = model.blend.shares[:, bands].mean(axis=1)[group]
    kept = 1.0 - own.mean(axis=1).sum(axis=1, keepdims=True)
    shares = own.mean(axis=1) + kept * blended
    rest = 1.0 - shares.sum(axis=1)
    return [
        NAIVES[int(share.argmax())] if share.max() > more else "global"
        for share, more in zip(shares, rest.tolist(), strict=True)
    ]


def _naive_quantiles(
    panel: LoadPanel, history: History, steps: int
) -> tuple[FloatArray, NDArray[np.object_]]:
    """Return (n, steps, 3) about the median of the same hour, or the last value in the first day."""
    found = local_forecasts(panel, horizon_steps=steps)
    young = history.known.sum(axis=1) < DAY
    median = np.where(young[:, None], found[Member.LAST_VALUE], found[Member.DAY_MEDIAN])
    half = NORMAL_90 * np.maximum(history.scale, history.floor)[:, None]
    method = np.where(young, Member.LAST_VALUE.value, Member.DAY_MEDIAN.value).astype(object)
    return np.stack([median - half, median, median + half], axis=-1), method


def _horizon_hours(panel: LoadPanel, horizon_steps: int) -> int:
    if HOUR % panel.step:
        msg = f"a step of {panel.step} does not divide an hour; give 5 minutes or 1 hour"
        raise PermanentError(msg)
    hours = -(-horizon_steps // (HOUR // panel.step))
    if not 1 <= hours <= LONGEST_HOURS:
        msg = f"a horizon of {hours} h is out of bounds; ask for 1 to {LONGEST_HOURS} h"
        raise PermanentError(msg)
    return hours


def _check(panel: LoadPanel, model: LoadModel) -> None:
    if panel.load is not model.load:
        msg = f"the model forecasts {model.load}, the panel holds {panel.load}; fit one for it"
        raise PermanentError(msg)
    if panel.step != model.step:
        msg = (
            f"the model forecasts steps of {model.step}, the panel has {panel.step}; fit one for it"
        )
        raise PermanentError(msg)
    closing = panel.step < HOUR or panel.closing is not None
    for what, needed, given in (
        ("a wall clock", model.clock, panel.start is not None),
        ("values within the hour", model.closing, closing),
    ):
        if needed != given:
            msg = (
                f"the model was fitted {'with' if needed else 'without'} {what}, the panel is not "
                "like that; forecast what it was fitted to, or fit anew"
            )
            raise PermanentError(msg)
