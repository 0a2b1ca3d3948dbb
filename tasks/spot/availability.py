"""What recorded availability says of interruptions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from tasks.adapters.availability_traces import load_traces
from tasks.adapters.objects import Storage
from tasks.domain.errors import InsufficientHistoryError
from tasks.domain.spot.availability_scores import AvailabilityScore, availability_scores
from tasks.domain.spot.pools import Pool
from tasks.domain.spot.signals import observed_losses

JUDGED_HORIZONS = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedAvailability:
    """Losses seen per pool, and how well the model foretells availability on the same traces.

    Attributes:
        losses: Interruptions and instance hours by pool.
        scores: By horizon; empty where nothing was recorded.
    """

    losses: dict[Pool, tuple[int, float]]
    scores: tuple[AvailabilityScore, ...]


NOTHING_OBSERVED = ObservedAvailability(losses={}, scores=())


@task(name="assess-availability", timeout_seconds=600, cache_policy=NO_CACHE)
def assess_availability(storage: Storage, path: str) -> ObservedAvailability:
    """Return what a file of recorded availability says; nothing for an empty path."""
    if not path:
        return NOTHING_OBSERVED
    traces = load_traces(storage, path)
    try:
        scores = availability_scores(traces, horizons=JUDGED_HORIZONS)
    except InsufficientHistoryError as error:
        get_run_logger().warning("spot.availability.unscored reason=%s", error)
        scores = ()
    return ObservedAvailability(losses=observed_losses(traces), scores=scores)
