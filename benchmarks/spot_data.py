"""Recordings that the spot benchmark forecasts, and the origins it forecasts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.spot.pools import PricePanel, hourly_panel

T = TypeVar("T")

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
    """Return 55 days of invented prices: smooth paths sampled every 4.6 to 7.6 hours."""
    rng = np.random.default_rng(seed)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    parts = [_synthetic_pool(row, rng=rng, start=start, days=55) for row in range(pools)]
    return Recording(name="synthetic", changes=pd.concat(parts, ignore_index=True), auction=False)


def _synthetic_pool(
    row: int, *, rng: np.random.Generator, start: datetime, days: int
) -> pd.DataFrame:
    gaps = rng.uniform(4.6, 7.6, size=days * 4)
    at = np.cumsum(gaps)[np.cumsum(gaps) < 24 * days]
    volatility = 0.0 if row % 3 == 0 else float(np.exp(rng.normal(-6.5, 1.0)))
    steps = rng.normal(size=len(at) + 28)
    smooth = np.convolve(np.cumsum(steps), np.ones(28) / 28, mode="valid")[: len(at)]
    price = np.exp(rng.normal(-1.5, 1.0)) * np.exp(volatility * 6 * (smooth - smooth[0]))
    return pd.DataFrame(
        {
            "timestamp": pd.Timestamp(start) + pd.to_timedelta(np.r_[0.0, at[1:]], unit="h"),
            "instance_type": f"m{row // 6}.large",
            "availability_zone": f"us-east-1{'abcdef'[row % 6]}",
            "product_description": "Linux/UNIX",
            "price_usd_per_hour": np.maximum(np.round(price, 4), 1e-4),
        }
    )


def _whole_hour(at: pd.Timestamp) -> datetime:
    return at.floor("h").to_pydatetime()


def halves(judged: Sequence[T]) -> list[tuple[str, Sequence[T]]]:
    """Return the early and the late half of what is in time order, named."""
    middle = len(judged) // 2
    return [("early", judged[:middle]), ("late", judged[middle:])]
