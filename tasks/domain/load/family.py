"""Load forecasters as a family of models: one for each kind of load, a day ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.load.forecaster import (
    LoadModel,
    fit_load_model,
    forecast_load,
    load_model_from_state,
)
from tasks.domain.load.groups import behaviour_groups
from tasks.domain.load.panel import HOUR, Load, LoadPanel
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
from tasks.domain.models.scales import load_scales

KIND = "load/1"
"""What this release writes and reads."""
HORIZON_HOURS = 24
THREADS = 2
"""The result does not depend on them."""
HIGHEST = {Load.CPU: 100.5, Load.MEMORY: 100.5, Load.REQUESTS: None}
"""Rounding takes a full processor a little above 100 %."""


class LoadFamily:
    """Forecasters of one kind of load. See `tasks.domain.models.family.Family`."""

    kind = KIND
    horizon_hours = HORIZON_HOURS

    def __init__(self, load: Load) -> None:
        self.load = load
        # Idle machines often report the same value for weeks, and members of a group alike ones.
        self.quality = QualityPolicy(
            max_constant_share=0.9, max_duplicate_share=0.5, highest=HIGHEST[load]
        )

    def window(self, data: LoadPanel) -> Window:
        """Return the load of every hour, which is also what has to stay alike."""
        return Window(
            series=data.series,
            values=data.values,
            moves=data.values,
            end=data.end,
            sha256=sha256_of(data.series, data.values),
        )

    def fit(self, data: LoadPanel, *, seed: int) -> LoadModel:
        """Return a model of a panel.

        Raises:
            InsufficientHistoryError: There are less than two days.
        """
        return fit_load_model(data, horizon_steps=self._steps(data), seed=seed, threads=THREADS)

    def state(self, model: LoadModel) -> dict[str, Any]:
        """Return a model as plain values."""
        return model.to_state()

    def read(self, state: Mapping[str, Any]) -> LoadModel:
        """Return the model of a state.

        Raises:
            PermanentError: It is something else, or of another load.
        """
        found = load_model_from_state(state)
        if found.load is not self.load:
            msg = f"it forecasts {found.load}, not {self.load}"
            raise PermanentError(msg)
        return found

    def before(self, data: LoadPanel, *, hours: int) -> LoadPanel:
        """Return the panel as it was so many hours before its end."""
        return data.until(data.steps - hours * (HOUR // data.step))

    def rolling_errors(
        self, data: LoadPanel, model: LoadModel, *, hours_back: Sequence[int]
    ) -> RollingErrors:
        """Return errors in units of each series' daily move; the naive forecast is the day before."""
        first = self.before(data, hours=max(hours_back))
        scale = load_scales(first)
        rows = np.flatnonzero(scale > 0.0).tolist()
        known = data.take(rows)
        each = [forecast_load(self.before(known, hours=back), model) for back in hours_back]
        steps = HOUR // data.step
        return rolling_errors_of(
            series=known.series,
            groups=behaviour_groups(first.take(rows)).tolist(),
            actual=[
                _ahead(known.values, back=back * steps, horizon=self._steps(data))
                for back in hours_back
            ],
            quantiles=[one.quantiles for one in each],
            naive=[one.naive for one in each],
            scale=scale[rows],
        )

    def residuals(
        self, data: LoadPanel, model: LoadModel, *, hours_back: Sequence[int], most_series: int
    ) -> Residuals:
        """Return truth minus median in the load's own unit."""
        known = data.take(sampled(data.series, most=most_series).tolist())
        each = [forecast_load(self.before(known, hours=back), model) for back in hours_back]
        day, steps = known.steps_per_day, HOUR // data.step
        return residuals_of(
            series=known.series,
            actual=[_ahead(known.values, back=back * steps, horizon=day) for back in hours_back],
            median=[one.quantiles[:, :day, 1] for one in each],
        )

    def _steps(self, data: LoadPanel) -> int:
        return self.horizon_hours * (HOUR // data.step)


def _ahead(values: FloatArray, *, back: int, horizon: int) -> FloatArray:
    """Return (n, horizon) values after an origin; NaN where they have not come yet."""
    found = np.full((len(values), horizon), np.nan)
    first = values.shape[1] - back
    known = values[:, first : first + horizon]
    found[:, : known.shape[1]] = known
    return found
