"""What the load forecast expects of instances, for whoever sizes them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from tasks.chunks import Sealed
from tasks.domain.load.forecaster import LoadModel, forecast_load
from tasks.domain.load.panel import LoadPanel
from tasks.domain.models.live import VERSION_DIGITS
from tasks.domain.savings.sizing.expected_use import ExpectedUse
from tasks.models.forecasting import as_live
from tasks.models.registry import Served


@task(name="expect-use", cache_policy=NO_CACHE)
def expect_use(
    name: str,
    panel: Sealed[LoadPanel],
    served: Sealed[Served[LoadModel] | None],
    daily: Sealed[pd.DataFrame],
) -> Mapping[str, ExpectedUse]:
    """Return the highest hour that the next day is expected to stay below, nine times in ten.

    Args:
        name: Of the model.
        panel: What was observed, in per cent of what each instance has.
        served: The model; None where there is none, and nothing is expected then.
        daily: Frame with DAILY_COLUMNS, which intervals are as wide as.
    """
    found, model = panel.value, served.value
    if model is None or not len(found):
        get_run_logger().info("savings.expected.unknown model=%s next=run_retrain-models", name)
        return {}
    version = model.version.sha256
    forecasts = as_live(forecast_load(found, model.model), found, daily.value, name, version)
    peaks = forecasts.quantiles[..., 2].max(axis=1)
    called = f"{name} {model.version.sha256[:VERSION_DIGITS]}"
    return {
        series: ExpectedUse(
            peak_percent=float(peak),
            horizon_hours=forecasts.horizon_steps // (found.steps_per_day // 24),
            confidence=None if np.isnan(sure) else float(sure),
            model=called,
        )
        for series, peak, sure in zip(found.series, peaks, forecasts.confidence, strict=True)
    }
