"""The event of a model that serves worse than it may; a trigger of `retrain-models` waits for it."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from prefect.events import emit_event
from prefect.logging import get_run_logger

from blocks.models import ModelRegistry
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.models.degraded import degraded_models
from tasks.models.documents import registry_of
from tasks.retries import remote_task

DEGRADED = "homeostat.model.degraded"
"""Of the resource homeostat.model.<name>; the payload has the model's name, version and the reason."""


@remote_task("tell-of-degraded")
def tell_of_degraded(daily: Sealed[pd.DataFrame], now: datetime) -> dict[str, str]:
    """Emit an event for each champion that has degraded, and return the reasons by model name.

    Told again by the next scorecard as long as it lasts. Telling twice does no harm: while a challenger
    waits, no other is trained.
    """
    names = sorted({str(name) for name in daily.value["model"]})
    serving = {name: registry_of(load_state(ModelRegistry, name)).champion for name in names}
    champions = {name: one.sha256 for name, one in serving.items() if one is not None}
    found = degraded_models(daily.value, champions, now=now)
    for name, reason in found.items():
        get_run_logger().warning("models.champion.degraded name=%s reason=%s", name, reason)
        emit_event(
            DEGRADED,
            resource={
                "prefect.resource.id": f"homeostat.model.{name}",
                "prefect.resource.name": name,
            },
            payload={"model": name, "version": champions[name], "reason": reason},
        )
    return found
