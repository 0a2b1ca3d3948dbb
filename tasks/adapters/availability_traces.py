"""Recorded availability of pools, read from the storage block."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from tasks.adapters.objects import MissingObjectError, Storage, frame_from_parquet
from tasks.domain.errors import PermanentError
from tasks.domain.spot.availability import AvailabilityPanel
from tasks.domain.spot.pools import Pool

COLUMNS = ("timestamp", "availability_zone", "instance_type", "instances")


def load_traces(storage: Storage, path: str) -> AvailabilityPanel:
    """Return recorded availability as a panel.

    Args:
        storage: A Prefect filesystem block.
        path: A Parquet file with COLUMNS: how many instances could be had at regular ticks, the
            same ones for every pool.

    Raises:
        MissingObjectError: There is no such file.
        PermanentError: A column or a tick is missing, or ticks are not regular.
    """
    try:
        frame = frame_from_parquet(storage.read_path(path))
    except (ValueError, FileNotFoundError) as error:
        raise MissingObjectError(path) from error
    absent = [name for name in COLUMNS if name not in frame.columns]
    if absent:
        message = f"{path} has no column {', '.join(absent)}; needed are {', '.join(COLUMNS)}"
        raise PermanentError(message)
    table = frame.pivot_table(
        index=["availability_zone", "instance_type"], columns="timestamp", values="instances"
    )
    return AvailabilityPanel(
        pools=tuple(_pool(*key) for key in table.index),
        tick=_tick(table, path),
        up=table.to_numpy() > 0,
    )


def _pool(zone: str, kind: str) -> Pool:
    return Pool(availability_zone=zone, instance_type=kind)


def _tick(table: pd.DataFrame, path: str) -> timedelta:
    missing = int(table.isna().to_numpy().sum())
    if missing:
        message = f"{path} lacks {missing} of {table.size} observations; give every pool every tick"
        raise PermanentError(message)
    steps = np.unique(np.diff(table.columns.to_numpy("datetime64[s]")))
    if len(steps) != 1:
        message = f"{path} has ticks {len(steps)} different distances apart; resample it first"
        raise PermanentError(message)
    return timedelta(seconds=int(steps[0].astype("int64")))
