"""Spot forecasters from the registry, and their forecasts kept to be judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from tasks.domain.models.kept import Kept
from tasks.domain.models.live import PRICES, Role, forecast_rows, made_by
from tasks.domain.models.registry import ModelVersion
from tasks.domain.models.scales import price_scales
from tasks.domain.spot.forecasts import PoolForecasts
from tasks.domain.spot.pools import PricePanel
from tasks.models.registry import Served

OLDEST_MODEL = timedelta(days=14)
"""`benchmarks.spot_age` measures what a model is worth until then; an older one is fitted anew."""


def usable(found: Served[Kept[Any]] | None, *, now: datetime) -> bool:
    """Return whether a model is young enough to forecast prices, and not from the future of a run."""
    return found is not None and timedelta(0) <= now - found.version.trained_at <= OLDEST_MODEL


def price_rows(
    panel: PricePanel, made: Sequence[tuple[PoolForecasts, ModelVersion, Role]]
) -> pd.DataFrame:
    """Return forecasts by registered models as they are kept until their truth is known."""
    scale = price_scales(panel)
    rows = [
        forecast_rows(forecasts, made_by(version, role), scale=scale, kept=PRICES)
        for forecasts, version, role in made
    ]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
