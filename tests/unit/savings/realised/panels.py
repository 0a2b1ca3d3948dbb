"""Small cost panels with a known change, for tests of what it saved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.values import AppliedChange, CostPanel

START = datetime(2026, 2, 2, tzinfo=UTC)  # a Monday
DAYS_BEFORE, DAYS_AFTER = 28, 14
CUT = DAYS_BEFORE * 24
HOURS = (DAYS_BEFORE + 1 + DAYS_AFTER) * 24
APPLIED = START + timedelta(hours=CUT + 10)
CHANGED = "web"


def change(
    *,
    expected: float = 73.0,
    kind: Kind = Kind.RIGHT_SIZE,
    series: str = CHANGED,
    applied_at: datetime = APPLIED,
    before: float | None = None,
    after: float | None = None,
    name: str = "hs-1",
) -> AppliedChange:
    return AppliedChange(
        change_id=name,
        kind=kind,
        resource=series,
        series=series,
        applied_at=applied_at,
        expected=Usd.exactly(expected),
        usd_per_hour_before=before,
        usd_per_hour_after=after,
    )


def steady(price: float = 0.2, *, hours: int = HOURS) -> FloatArray:
    return np.full(hours, price)


def since(cost: FloatArray, factor: float, *, hour: int = CUT + 10) -> FloatArray:
    """The same, times a factor from an hour on."""
    return np.where(np.arange(len(cost)) >= hour, factor, 1.0) * cost


def panel(
    rows: Mapping[str, FloatArray],
    *,
    touched: Mapping[str, tuple[datetime, ...]] | None = None,
    peers: Mapping[str, str] | None = None,
) -> CostPanel:
    return CostPanel(
        series=tuple(rows),
        start=START,
        usd=np.array(list(rows.values())),
        touched=touched or {},
        peers=peers or {},
    )


def fleet(
    *,
    seed: int = 1,
    others: int = 12,
    own: float = 0.02,
    shared: float = 0.1,
    shift: float = 1.0,
    hours: int = HOURS,
) -> dict[str, FloatArray]:
    """Groups with a working week, movements by the day that all share, and noise of their own.

    Args:
        seed: Of everything that is drawn.
        others: Beside the changed one, which comes first and costs about 1 USD an hour.
        own: Standard deviation of a day's own noise, as a share.
        shared: The same of what all share.
        shift: What everything is multiplied by from the change on.
        hours: Of the panel.
    """
    rng = np.random.default_rng(seed)
    days = -(-hours // 24)
    hour = np.arange(hours)
    week = 1.0 + 0.4 * ((hour % 24 >= 8) & (hour % 24 < 18) & (hour % 168 < 120))
    together = np.repeat(np.exp(shared * rng.standard_normal(days)), 24)[:hours]
    rows = {}
    for name in (CHANGED, *(f"other-{number}" for number in range(others))):
        noise = np.repeat(np.exp(own * rng.standard_normal(days)), 24)[:hours]
        size = 1.0 if name == CHANGED else float(rng.uniform(0.3, 3.0))
        rows[name] = since(size * week * together * noise, shift)
    return rows
