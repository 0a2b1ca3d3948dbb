"""Live scoring: forecasts stored when they are made, and judged when their truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from prefect.logging import get_run_logger

from blocks.scores import ForecastScores, LiveFigures
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state, publish_state
from tasks.chunks import Sealed
from tasks.domain.models.held import Held, acceptable
from tasks.domain.models.live import tidy
from tasks.domain.models.live_scores import LiveScore, live_scores
from tasks.domain.models.scorecard import judged, merged, recent
from tasks.domain.models.truth import no_truth
from tasks.models.stored_forecasts import Stored, read_stored, store_frame
from tasks.retries import remote_task

MOST_PARTS = 200
"""Objects appended before they are joined into one; a week of hourly forecasts is fewer."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a judging left.

    Attributes:
        state: As it was saved.
        daily: All daily sums, frame with DAILY_COLUMNS.
        waiting: Frame with ROW_COLUMNS.
        judged: Values judged by this run.
        lost: Stored objects that were gone or damaged.
    """

    state: ForecastScores
    daily: pd.DataFrame
    waiting: pd.DataFrame
    judged: int
    lost: int


@remote_task("remember-forecasts", run_name="remember {name}")
def remember_forecasts(
    storage: Storage, name: str, rows: Sealed[pd.DataFrame], now: datetime
) -> int:
    """Store forecasts until they can be judged, and return how many values were taken.

    Repeating it changes nothing: the same bytes have the same key, and a forecast that is in several
    calls counts once when it is judged. One that was made over two weeks ago is not taken.

    Args:
        storage: Where to.
        name: Of the ForecastScores block.
        rows: Frame with ROW_COLUMNS, from `forecast_rows`.
        now: Aware UTC.
    """
    taken = acceptable(tidy(rows.value), now=now)
    refused = len(rows.value) - len(taken)
    if refused:
        get_run_logger().warning("models.forecasts.refused rows=%d reason=not made lately", refused)
    pointer = store_frame(storage, taken, what="appended")
    if pointer is None:
        return 0

    def change(current: ForecastScores) -> ForecastScores:
        if pointer in current.appended:
            return current
        grown = current.model_copy(update={"appended": [*current.appended, pointer]})
        return grown if len(grown.appended) <= MOST_PARTS else _joined(storage, grown, now)

    publish_state(ForecastScores, name, change)
    get_run_logger().info("models.forecasts.remembered rows=%d", len(taken))
    return len(taken)


@remote_task("load-forecasts", run_name="load {name}")
def waiting_forecasts(storage: Storage, name: str, now: datetime) -> Stored:
    """Return the forecasts that wait for their truth, and the scores so far."""
    return read_stored(storage, load_state(ForecastScores, name), now=now)


@remote_task("judge-forecasts", run_name="judge {name}")
def judge_forecasts(
    storage: Storage, name: str, truth: Sealed[pd.DataFrame], now: datetime, window_days: int
) -> Judged:
    """Judge what waits by what is known, and publish what is left and how good it was.

    Two runs at once judge each value once: what a run stores is made from the block as it is found
    under the lock. Repeating it changes nothing.

    Args:
        storage: Where forecasts lie.
        name: Of the ForecastScores block.
        truth: Frame with series, target_at and truth.
        now: Aware UTC.
        window_days: Days of the headline figures.
    """
    known = load_state(ForecastScores, name)
    done = _judged(storage, known, truth.value, now=now, window_days=window_days)

    def change(current: ForecastScores) -> ForecastScores:
        nonlocal done
        if _pointers(current) != _pointers(known):
            # Another run stored or judged meanwhile. What it left is judged, not what we read.
            done = _judged(storage, current, truth.value, now=now, window_days=window_days)
        return done.state

    publish_state(ForecastScores, name, change)
    get_run_logger().info(
        "models.forecasts.judged rows=%d waiting=%d expired_ever=%d lost=%d",
        done.judged,
        len(done.waiting),
        done.state.expired,
        done.lost,
    )
    return done


def _pointers(state: ForecastScores) -> tuple[object, ...]:
    return state.waiting, state.known, state.daily, tuple(state.appended)


def _judged(
    storage: Storage, state: ForecastScores, truth: pd.DataFrame, *, now: datetime, window_days: int
) -> Judged:
    stored = read_stored(storage, state, now=now)
    found = judged(stored.held.rows, truth, now=now)
    daily = recent(merged([stored.daily, found.daily]), now=now)
    left = Held(rows=found.waiting, known=stored.held.known)
    counted = live_scores(recent(daily, now=now, days=window_days))
    update = {
        **_held(storage, left),
        "observed_at": max(now, state.observed_at or now),
        "daily": store_frame(storage, daily, what="daily"),
        "judged": state.judged + found.judged,
        "expired": state.expired + found.expired,
        "figures": [figures_of(one) for one in counted],
    }
    return Judged(
        state=state.model_copy(update=update),
        daily=daily,
        waiting=found.waiting,
        judged=found.judged,
        lost=stored.lost,
    )


def _joined(storage: Storage, state: ForecastScores, now: datetime) -> ForecastScores:
    """Return a state whose many parts are one; what is too old to be judged expires meanwhile."""
    stored = read_stored(storage, state, now=now)
    found = judged(stored.held.rows, no_truth(), now=now)
    left = Held(rows=found.waiting, known=stored.held.known)
    return state.model_copy(
        update={**_held(storage, left), "expired": state.expired + found.expired}
    )


def _held(storage: Storage, held: Held) -> dict[str, object]:
    """Store what waits, and return the fields that point to it."""
    last = None if held.rows.empty else held.rows["target_at"].max().to_pydatetime()
    return {
        "appended": [],
        "waiting": store_frame(storage, held.rows, what="waiting"),
        "known": store_frame(storage, held.known, what="known"),
        "waiting_rows": len(held.rows),
        "last_due_at": last,
    }


def figures_of(score: LiveScore) -> LiveFigures:
    """Return a score as the block keeps it."""
    skill_low, skill_high = score.skill_interval or (None, None)
    low, high = score.coverage_interval or (None, None)
    return LiveFigures(
        model=score.model,
        role=score.role,
        count=score.count,
        days=score.days,
        enough=score.enough,
        skill=score.skill,
        skill_low=skill_low,
        skill_high=skill_high,
        coverage_80=score.coverage,
        coverage_80_low=low,
        coverage_80_high=high,
        bias=score.bias,
    )
