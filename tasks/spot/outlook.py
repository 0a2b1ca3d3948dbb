"""The outlook that a run leaves behind: bytes first, then the pointer, under a lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd
from prefect.logging import get_run_logger

from blocks import HorizonScores, ObjectPointer, SpotOutlook
from tasks.adapters.objects import Storage, frame_to_parquet, store_object
from tasks.adapters.state import object_pointer, publish_state
from tasks.chunks import Sealed
from tasks.domain.spot.forecasts import BacktestScores, PoolForecasts
from tasks.domain.spot.history import merged_history
from tasks.domain.spot.interruption import InterruptionRisk
from tasks.domain.spot.pools import Pool
from tasks.retries import remote_task
from tasks.spot.history import History, MarketScope, held_history, trimmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a run has to leave behind.

    Attributes:
        observed_at: When the run looked at the world.
        history: What it read and what it held.
        based_on: The pointer to the history that it started from.
        scope: What was forecast.
        forecasts: By horizon.
        scores: By horizon.
        risks: Interruption risk by pool; pools left out have none in the stored forecast.
    """

    observed_at: datetime
    history: History
    based_on: ObjectPointer | None
    scope: MarketScope
    forecasts: Sequence[PoolForecasts]
    scores: Sequence[BacktestScores]
    risks: Mapping[Pool, InterruptionRisk] = field(default_factory=dict)


@remote_task("publish-outlook", run_name="publish {name}")
def publish_findings(storage: Storage, name: str, findings: Sealed[Findings]) -> SpotOutlook:
    """Store a run's history and forecasts, then point the outlook at them.

    Repeating it changes nothing: the same bytes have the same key. A run that ends after a newer
    one leaves its history, which is joined with the newer one's, but not its forecast.
    """
    found = findings.value
    forecast = object_pointer(
        store_object(
            storage,
            frame_to_parquet(forecast_frame(found.forecasts, risks=found.risks)),
            prefix="spot/forecasts",
            suffix=".parquet",
        )
    )

    def change(current: SpotOutlook) -> SpotOutlook:
        changed = _with_history(storage, current, found)
        if current.cutoff is not None and current.cutoff > found.forecasts[0].cutoff:
            get_run_logger().info("spot.outlook.kept newer_cutoff=%s", current.cutoff)
            return changed
        return changed.model_copy(
            update={
                "observed_at": found.observed_at,
                "cutoff": found.forecasts[0].cutoff,
                "horizons_hours": [one.horizon_hours for one in found.forecasts],
                "pools": len(found.forecasts[0].pools),
                "regions": list(found.scope.regions),
                "products": list(found.scope.products),
                "instance_types": list(found.scope.instance_types),
                "forecast": forecast,
                "scores": [_scores(one) for one in found.scores],
            }
        )

    return publish_state(SpotOutlook, name, change)


def _with_history(storage: Storage, current: SpotOutlook, found: Findings) -> SpotOutlook:
    changes, spans = found.history.changes, found.history.spans
    if current.history is not None and current.history != found.based_on:
        # Another run published meanwhile: what it read is kept too.
        theirs = held_history(storage, current)
        parts = [changes] if theirs is None else [theirs, changes]
        changes = merged_history(parts, window_start=found.history.window_start)
        if theirs is not None:
            start = found.history.window_start
            kept = {key: trimmed(span, start) for key, span in current.history_spans.items()}
            spans = kept | spans
    stored = store_object(
        storage, frame_to_parquet(changes), prefix="spot/history", suffix=".parquet"
    )
    return current.model_copy(update={"history": object_pointer(stored), "history_spans": spans})


def _scores(score: BacktestScores) -> HorizonScores:
    names = HorizonScores.model_fields
    return HorizonScores(**{name: getattr(score, name) for name in names})


def forecast_frame(
    forecasts: Sequence[PoolForecasts], *, risks: Mapping[Pool, InterruptionRisk]
) -> pd.DataFrame:
    """Return forecasts as a table: one row a pool and horizon, hourly values as lists."""
    return pd.concat([_horizon_frame(one, risks) for one in forecasts], ignore_index=True)


def _horizon_frame(one: PoolForecasts, risks: Mapping[Pool, InterruptionRisk]) -> pd.DataFrame:
    known = [risks.get(pool) for pool in one.pools]
    rates = [np.nan if risk is None else risk.rate_per_hour for risk in known]
    return pd.DataFrame(
        {
            "availability_zone": [pool.availability_zone for pool in one.pools],
            "instance_type": [pool.instance_type for pool in one.pools],
            "product_description": [pool.product_description for pool in one.pools],
            "cutoff": pd.Timestamp(one.cutoff),
            "horizon_hours": one.horizon_hours,
            "source": one.source,
            "interruptions_per_hour": rates,
            "risk_evidence": [None if risk is None else str(risk.evidence.kind) for risk in known],
            "last_value": one.last_value,
            "mean": list(one.mean.astype("float32")),
            "q10": list(one.quantiles[:, :, 0].astype("float32")),
            "q50": list(one.quantiles[:, :, 1].astype("float32")),
            "q90": list(one.quantiles[:, :, 2].astype("float32")),
            "naive_q10": list(one.naive_quantiles[:, :, 0].astype("float32")),
            "naive_q90": list(one.naive_quantiles[:, :, 2].astype("float32")),
        }
    )
