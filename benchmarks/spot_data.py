"""Recordings that the spot benchmark forecasts, and the origins it forecasts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.pools import Pool, PricePanel, hourly_panel
from tasks.domain.spot.simulator import simulate_price_changes

T = TypeVar("T")

TYPES = tuple(
    f"{family}.{size}"
    for family in ("c5", "c6g", "m5", "m6g", "r5", "r6g", "c5d", "m5d", "r5d")
    for size in ("large", "xlarge", "2xlarge", "4xlarge")
)
WINDOW_HOURS = 721
"""30 days of hour marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Price changes of one market over some weeks.

    Attributes:
        name: Name of the file without its suffix.
        changes: Frame with PRICE_CHANGE_COLUMNS.
        auction: Whether it is from the auction market, which ended in November 2017.
    """

    name: str
    changes: pd.DataFrame
    auction: bool

    @property
    def first(self) -> datetime:
        """First whole hour of the recording."""
        return _whole_hour(self.changes["timestamp"].min() + timedelta(hours=1))

    @property
    def last(self) -> datetime:
        """Last whole hour of the recording."""
        return _whole_hour(self.changes["timestamp"].max())

    def window(self, cutoff: datetime) -> PricePanel:
        """Return what was known at the cutoff: 30 days of hourly prices."""
        return hourly_panel(self.changes, cutoff=cutoff, hours=WINDOW_HOURS)

    def truth(self, panel: PricePanel, *, horizon_hours: int) -> FloatArray:
        """Return the (n, H) prices that came after the panel's cutoff, in its pools' order."""
        later = hourly_panel(
            self.changes, cutoff=panel.cutoff + timedelta(hours=horizon_hours), hours=horizon_hours
        )
        rows = {pool: row for row, pool in enumerate(later.pools)}
        return later.prices[[rows[pool] for pool in panel.pools]]

    def origins(self, *, horizon_hours: int, step_hours: int) -> list[datetime]:
        """Return the cutoffs with a full window before and a full horizon after them."""
        cutoff = self.first + timedelta(hours=WINDOW_HOURS - 1)
        end = self.last - timedelta(hours=horizon_hours)
        steps = (
            max(0, int((end - cutoff) / timedelta(hours=step_hours)) + 1) if end >= cutoff else 0
        )
        return [cutoff + timedelta(hours=step_hours * i) for i in range(steps)]


def load_recordings(folder: Path | None, *, quick: bool) -> list[Recording]:
    """Return the recordings in folder/spot_prices, or a synthetic one when there is no folder."""
    if folder is None:
        return [synthetic_recording(pools=60 if quick else 200, seed=7)]
    files = sorted((folder / "spot_prices").glob("*.parquet"))
    if not files:
        message = f"no *.parquet in {folder / 'spot_prices'}; see the layout of the data README"
        raise SystemExit(message)
    return [
        Recording(name=f.stem, changes=pd.read_parquet(f), auction=f.stem.startswith("auction"))
        for f in files
    ]


def synthetic_recording(*, pools: int, seed: int) -> Recording:
    """Return 55 simulated days of today's market."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    chosen = [
        Pool(
            availability_zone=f"us-east-1{'abcdef'[i % 6]}",
            instance_type=TYPES[i // 6 % len(TYPES)],
        )
        for i in range(min(pools, 6 * len(TYPES)))
    ]
    changes = simulate_price_changes(
        pools=chosen, start=start, end=start + timedelta(days=55), seed=seed
    )
    return Recording(name="synthetic", changes=changes, auction=False)


def _whole_hour(at: pd.Timestamp) -> datetime:
    return at.floor("h").to_pydatetime()


def halves(judged: Sequence[T]) -> list[tuple[str, Sequence[T]]]:
    """Return the early and the late half of what is in time order, named."""
    middle = len(judged) // 2
    return [("early", judged[:middle]), ("late", judged[middle:])]
