"""Stored forecasts and their scores as the block points to them; what is lost is told, not raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from prefect.logging import get_run_logger

from blocks.scores import ForecastScores
from blocks.state import ObjectPointer
from tasks.adapters.objects import (
    CorruptObjectError,
    MissingObjectError,
    Storage,
    frame_from_parquet,
    frame_to_parquet,
    load_object,
    store_object,
)
from tasks.adapters.state import object_pointer, stored_object
from tasks.domain.models.held import Held, joined, nothing_held
from tasks.domain.models.live import FORECAST
from tasks.domain.models.scorecard import no_sums

PREFIX = "models/forecasts"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a block points to, read.

    Attributes:
        held: Forecasts that wait, and which were taken.
        daily: Frame with DAILY_COLUMNS.
        lost: Objects that are gone or damaged.
    """

    held: Held
    daily: pd.DataFrame
    lost: int

    @property
    def empty(self) -> bool:
        """Whether nothing waits, nothing was judged and nothing was lost."""
        return not (len(self.held.rows) or len(self.daily) or self.lost)


def read_stored(storage: Storage, state: ForecastScores, *, now: datetime) -> Stored:
    """Return what a block points to; objects that are lost count as empty.

    Raises:
        TransientError: The storage did not answer.
    """
    waiting, known, daily, *parts = (
        read_frame(storage, pointer)
        for pointer in (state.waiting, state.known, state.daily, *state.appended)
    )
    nothing = nothing_held()
    held = Held(
        rows=nothing.rows if waiting is None else waiting,
        known=nothing.known if known is None else known[FORECAST],
    )
    wanted = (state.waiting, state.known, state.daily, *state.appended)
    found = (waiting, known, daily, *parts)
    return Stored(
        held=joined(held, [part for part in parts if part is not None], now=now),
        daily=no_sums() if daily is None else daily,
        lost=sum(
            pointer is not None and frame is None
            for pointer, frame in zip(wanted, found, strict=True)
        ),
    )


def read_frame(storage: Storage, pointer: ObjectPointer | None) -> pd.DataFrame | None:
    """Return a stored frame; None where there is none, or it cannot be trusted."""
    if pointer is None:
        return None
    try:
        return frame_from_parquet(load_object(storage, stored_object(pointer)))
    except (MissingObjectError, CorruptObjectError) as error:
        get_run_logger().warning("models.forecasts.lost reason=%s next=going_on_without", error)
        return None


def store_frame(storage: Storage, frame: pd.DataFrame, *, what: str) -> ObjectPointer | None:
    """Store a frame and return its pointer; None for an empty one."""
    if frame.empty:
        return None
    content = frame_to_parquet(frame)
    return object_pointer(
        store_object(storage, content, prefix=f"{PREFIX}/{what}", suffix=".parquet")
    )
