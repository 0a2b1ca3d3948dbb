"""The spot forecaster as a family of models: one for each horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.models.family import (
    Residuals,
    RollingErrors,
    Window,
    residuals_of,
    rolling_errors_of,
    sha256_of,
)
from tasks.domain.models.live import sampled
from tasks.domain.models.quality import QualityPolicy
from tasks.domain.spot.forecaster import HorizonForecaster, forecast_panel, forecast_pools
from tasks.domain.spot.paths import moved_pools
from tasks.domain.spot.pools import PricePanel, hourly_panel
from tasks.domain.spot.stored import KIND, forecaster_from_state, forecaster_state

STILL, MOVING = "still", "moving"
HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Announced prices up to an instant.

    Attributes:
        changes: Frame with PRICE_CHANGE_COLUMNS.
        cutoff: Aware UTC; what was announced later is not known.
        hours: Length of the window.
    """

    changes: pd.DataFrame
    cutoff: datetime
    hours: int

    def panel(self) -> PricePanel:
        """Return the window on an hourly grid."""
        return hourly_panel(self.changes, cutoff=self.cutoff, hours=self.hours)


class SpotFamily:
    """Forecasters of spot prices for one horizon. See `tasks.domain.models.family.Family`."""

    kind = KIND
    # A third of all pools does not move in a month, and zones often have one price.
    quality = QualityPolicy(max_constant_share=0.9, max_duplicate_share=1.0)

    def __init__(self, horizon_hours: int) -> None:
        self.horizon_hours = horizon_hours

    def window(self, data: Prices) -> Window:
        """Return prices, and how far they move in an hour: they wander, their moves do not."""
        panel = data.panel()
        moves = np.full(panel.prices.shape, np.nan)
        moves[:, 1:] = np.abs(np.diff(np.log(panel.prices), axis=1))
        series = tuple(str(pool) for pool in panel.pools)
        changed = panel.last_change_at.astype("datetime64[s]").astype(np.float64)
        return Window(
            series=series,
            values=panel.prices,
            moves=moves,
            end=panel.cutoff,
            sha256=sha256_of(series, panel.prices, changed),
        )

    def fit(self, data: Prices, *, seed: int) -> HorizonForecaster:
        """Return a forecaster of the window; it holds the last value where there is too little."""
        panel = data.panel()
        fitted, _ = forecast_panel(panel, horizon_hours=self.horizon_hours, seed=seed, threads=1)
        return fitted

    def state(self, model: HorizonForecaster) -> dict[str, Any]:
        """Return a forecaster as plain values."""
        return forecaster_state(model)

    def read(self, state: Mapping[str, Any]) -> HorizonForecaster:
        """Return the forecaster of a state.

        Raises:
            ValueError: It is for another horizon.
        """
        found = forecaster_from_state(state)
        if found.horizon_hours != self.horizon_hours:
            message = f"it forecasts {found.horizon_hours} h, not {self.horizon_hours} h"
            raise ValueError(message)
        return found

    def before(self, data: Prices, *, hours: int) -> Prices:
        """Return what was announced so many hours before the end, in a window that began as early."""
        return replace(
            data, cutoff=data.cutoff - timedelta(hours=hours), hours=max(data.hours - hours, 1)
        )

    def rolling_errors(
        self, data: Prices, model: HorizonForecaster, *, hours_back: Sequence[int]
    ) -> RollingErrors:
        """Return errors in units of each pool's mean price; the naive forecast is the last value.

        Only pools that had a price at the earliest origin are judged.
        """
        first, known = self.before(data, hours=max(hours_back)).panel(), data.panel()
        row = {pool: at for at, pool in enumerate(known.pools)}
        truth = known.prices[[row[pool] for pool in first.pools]]
        actual, quantiles, naive = [], [], []
        for back in hours_back:
            found = forecast_pools(_of(self.before(data, hours=back).panel(), first), model)
            actual.append(_ahead(truth, back=back, horizon=self.horizon_hours))
            quantiles.append(found.quantiles)
            naive.append(np.repeat(found.last_value[:, None], self.horizon_hours, axis=1))
        moved = moved_pools(first.prices)
        return rolling_errors_of(
            series=[str(pool) for pool in first.pools],
            groups=[MOVING if one else STILL for one in moved],
            actual=actual,
            quantiles=quantiles,
            naive=naive,
            scale=np.nanmean(first.prices, axis=1),
        )

    def residuals(
        self,
        data: Prices,
        model: HorizonForecaster,
        *,
        hours_back: Sequence[int],
        most_series: int,
    ) -> Residuals:
        """Return truth minus median as shares of the price at the origin: prices themselves wander.

        Only pools that had a price at the earliest origin are looked at.
        """
        first, known = self.before(data, hours=max(hours_back)).panel(), data.panel()
        kept = sampled([str(pool) for pool in first.pools], most=most_series)
        some = first.take(kept.tolist())
        truth = _of(known, some).prices
        actual, median = [], []
        for back in hours_back:
            found = forecast_pools(_of(self.before(data, hours=back).panel(), some), model)
            price = found.last_value[:, None]
            actual.append(_ahead(truth, back=back, horizon=HOURS_PER_DAY) / price)
            median.append(found.quantiles[:, :HOURS_PER_DAY, 1] / price)
        series = [str(pool) for pool in some.pools]
        return residuals_of(series=series, actual=actual, median=median)


def _of(panel: PricePanel, wanted: PricePanel) -> PricePanel:
    row = {pool: at for at, pool in enumerate(panel.pools)}
    return panel.take([row[pool] for pool in wanted.pools])


def _ahead(truth: FloatArray, *, back: int, horizon: int) -> FloatArray:
    """Return (n, horizon) values after an origin; NaN where they have not come yet."""
    found = np.full((len(truth), horizon), np.nan)
    first = truth.shape[1] - back
    known = truth[:, first : first + horizon]
    found[:, : known.shape[1]] = known
    return found
