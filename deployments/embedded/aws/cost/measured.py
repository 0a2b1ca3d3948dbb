"""Daily values of metrics and of spot prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from deployments.embedded.aws.cost.snapshot import DaySeries
from deployments.embedded.aws.metric_store import MetricKey, MetricStore
from deployments.embedded.aws.spot_index import RegionHistory
from tasks.domain.arrays import FloatArray

_SECONDS_PER_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


class DailyMetrics:
    """Reads metrics day by day.

    Args:
        store: What was measured.
        clock: Now, aware; the day that is not over is left out.
    """

    def __init__(self, store: MetricStore, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def keys(self, *, region: str, namespace: str, name: str) -> list[MetricKey]:
        """Return the series of one metric."""
        return self._store.keys(region=region, namespace=namespace, name=name)

    def sums(self, key: MetricKey) -> DaySeries | None:
        """Return the sum of each day's samples; None where there are none."""
        found = self._totals(key)
        return None if found is None else DaySeries(first=found[0], values=found[1])

    def means(self, key: MetricKey) -> DaySeries | None:
        """Return the mean of each day's samples; None where there are none."""
        found = self._totals(key)
        return None if found is None else DaySeries(first=found[0], values=found[1] / found[2])

    def _totals(self, key: MetricKey) -> tuple[int, FloatArray, FloatArray] | None:
        columns = self._store.read(key)
        day = columns.seconds // _SECONDS_PER_DAY
        past = day < int(self._clock().timestamp()) // _SECONDS_PER_DAY
        if not past.any():
            return None
        first = int(day[0])
        offset, days = (day[past] - first).astype(np.int64), int(day[past][-1]) - first + 1
        total, count = (
            np.bincount(offset, weights=weights[past], minlength=days).astype(np.float64)
            for weights in (columns.total, columns.count)
        )
        return _EPOCH + first, np.where(count > 0, total, np.nan), count


def noon_prices(history: RegionHistory, pool: tuple[str, str, str], days: range) -> DaySeries:
    """Return a pool's price in effect at noon, UTC; NaN before the first is announced.

    Args:
        history: Of the pool's region.
        pool: Zone, instance type, product.
        days: Ordinals.
    """
    names = [(p.availability_zone, p.instance_type, p.product_description) for p in history.pools]
    if pool not in names:
        return DaySeries(first=days.start, values=np.full(len(days), np.nan))
    noon = (np.array(days) - _EPOCH) * _SECONDS_PER_DAY + _SECONDS_PER_DAY // 2
    rows = np.flatnonzero(history.pool == names.index(pool))
    at = np.searchsorted(history.seconds[rows], noon, side="right") - 1
    prices = np.where(at >= 0, history.price[rows][np.maximum(at, 0)], np.nan)
    return DaySeries(first=days.start, values=prices)
