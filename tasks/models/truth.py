"""What came true of forecasts that wait, from what other flows observed and stored."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from blocks import SpotOutlook, UsageProfile
from tasks.adapters.objects import Storage
from tasks.chunks import Sealed
from tasks.domain.models.truth import load_truth, no_truth, price_span, price_truth
from tasks.domain.usage.panel_frames import panel_from_frame
from tasks.models.stored_forecasts import read_frame
from tasks.retries import remote_task


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What came true of forecasts that wait.

    Attributes:
        values: Frame with TRUTH_COLUMNS.
        notes: What could not be read, as whole sentences.
    """

    values: pd.DataFrame
    notes: tuple[str, ...] = ()


@remote_task("read-truth")
def read_truth(
    storage: Storage,
    waiting: Sealed[pd.DataFrame],
    *,
    profile: UsageProfile,
    outlook: SpotOutlook,
) -> Truth:
    """Return what other flows observed of what waits.

    Args:
        storage: Where they stored it.
        waiting: Frame with ROW_COLUMNS.
        profile: Points to the hourly use that loads are judged by.
        outlook: Points to the announced prices.
    """
    rows, notes, parts = waiting.value, [], [no_truth()]
    prices = rows["series"].str.startswith("spot/")
    if not prices.all():
        metrics = read_frame(storage, profile.metrics)
        if metrics is None:
            notes.append("No observed use could be read: run cluster-usage; loads wait until then.")
        else:
            parts.append(load_truth(rows[~prices], panel_from_frame(metrics)))
    if prices.any():
        changes = read_frame(storage, outlook.history)
        if changes is None:
            notes.append(
                "No announced prices could be read: run forecast-spot-prices; prices wait until then."
            )
        else:
            spans = [
                price_span(key, start=span.start, end=span.end)
                for key, span in outlook.history_spans.items()
            ]
            parts.append(price_truth(rows[prices], changes, spans))
    filled = [part for part in parts if len(part)]
    values = pd.concat(filled, ignore_index=True) if filled else no_truth()
    return Truth(values=values, notes=tuple(notes))
