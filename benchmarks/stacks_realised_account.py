"""Accounts whose resources follow recorded load, and share what happens to their services.

What is drawn, and how often, is said in `benchmarks.stacks_realised_data`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.savings.realised.values import CostPanel

ROW_KNOWN_SHARE = 0.93
"""Of the hours from four weeks before the change: machines with fewer are not drawn at all."""


class Shape(StrEnum):
    """How cost follows load."""

    GROUP = "group"
    WORKED = "worked"
    STEADY = "steady"


class Account:
    """Draws resources that share what happens to their services."""

    def __init__(self, *, load: FloatArray, cut: int, rng: np.random.Generator) -> None:
        self.load = load
        self.cut = cut
        self.rng = rng
        self.hours = load.shape[1]
        known = np.isfinite(load[:, max(cut - 28 * 24, 0) :]).mean(axis=1)
        self.rows = np.flatnonzero(known > ROW_KNOWN_SHARE)
        self.services = [self._movement() for _ in range(2)]
        self.last_service = 0

    def drawn(self, shape: Shape | None = None) -> FloatArray:
        """Return the hourly cost of one more resource, (hours,)."""
        rng = self.rng
        shape = Shape(rng.choice(list(Shape), p=[0.55, 0.3, 0.15])) if shape is None else shape
        self.last_service = int(rng.integers(2))
        moved = self._own() * (1.0 + rng.uniform(0.7, 1.3) * self.services[self.last_service])
        price = float(np.exp(rng.uniform(np.log(0.05), np.log(1.5))))
        if shape is Shape.GROUP:
            return price * self._group(moved)
        row = self.load[int(rng.choice(self.rows))]
        if shape is Shape.WORKED:
            return price * _worked(row * moved, self.cut)
        steady: FloatArray = np.where(np.isfinite(row), price, np.nan)
        return steady

    def _group(self, moved: FloatArray) -> FloatArray:
        rows = self.rng.choice(self.rows, size=int(self.rng.integers(3, 13)), replace=False)
        together = self.load[rows].sum(axis=0) * moved
        usual = self.rng.uniform(2.0, 12.0)
        target = max(float(np.nanmean(together[: self.cut])), 1e-6) / usual
        smallest, largest = max(round(usual / 3.0), 1), np.ceil(2.5 * usual)
        instances: FloatArray = np.clip(np.ceil(together / target), smallest, largest)
        return instances

    def _movement(self) -> FloatArray:
        """Return (hours,) by how much a service differs from its level, as a share."""
        rng, hours = self.rng, np.arange(self.hours)
        growth = rng.uniform(-0.03, 0.03) * (hours - self.cut) / 168.0
        steps = rng.normal(0.0, 0.015, self.hours // 24 + 1)
        walk = np.repeat(_autoregression(steps, 0.8), 24)[: self.hours]
        found = growth + walk
        if rng.random() < 0.5:
            at = self.cut + int(rng.integers(-7 * 24, 5 * 24))
            found = found + rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 0.35) * (hours >= at)
        return np.asarray(found, dtype=np.float64)

    def _own(self) -> FloatArray:
        """Return (hours,) what a resource's own fate multiplies its load by."""
        rng, hours = self.rng, np.arange(self.hours)
        found = np.ones(self.hours)
        if rng.random() < 0.25:
            found *= np.exp(rng.uniform(-0.05, 0.05) * (hours - self.cut) / 168.0)
        if rng.random() < 0.3:
            begin = int(rng.integers(self.cut - 28 * 24 if self.cut > 28 * 24 else 0, self.hours))
            lasts = int(rng.integers(6, 49))
            found[begin : begin + lasts] *= rng.uniform(1.5, 3.0)
        return found


def _autoregression(steps: FloatArray, memory: float) -> FloatArray:
    path = np.empty_like(steps)
    level = 0.0
    for at, step in enumerate(steps.tolist()):
        level = memory * level + step
        path[at] = level
    return path


def _worked(load: FloatArray, cut: int) -> FloatArray:
    """Return (hours,) 1 from the first to the last busy hour of a day; NaN where not recorded."""
    usual = float(np.nanmedian(load[:cut]))
    days = -(-len(load) // 24)
    laid_out = np.full(days * 24, np.nan)
    laid_out[: len(load)] = load
    busy: BoolArray = laid_out.reshape(days, 24) > usual
    some = np.maximum.accumulate(busy, axis=1)
    rest = np.maximum.accumulate(busy[:, ::-1], axis=1)[:, ::-1]
    runs = (some & rest).astype(float).ravel()[: len(load)]
    found: FloatArray = np.where(np.isfinite(load), runs, np.nan)
    return found


def made_panel(
    start: datetime, seen: FloatArray, account: Account, controls: int, service: int
) -> CostPanel:
    """Return the costs of an account: those of the changed resource, and of candidates.

    Args:
        start: First hour.
        seen: (hours,) cost of the changed resource.
        account: To draw candidates from.
        controls: How many.
        service: That the changed resource belongs to.
    """
    rng, hours = account.rng, np.arange(account.hours)
    rows, services = [seen], [service]
    touched: dict[str, tuple[datetime, ...]] = {}
    ends, secretly, openly = (rng.random() < 0.2 for _ in range(3))
    for number in range(controls):
        cost = account.drawn()
        services.append(account.last_service)
        at = account.cut + int(rng.integers(24, max(account.hours - account.cut, 25)))
        if ends and rng.random() < 0.15:
            cost = np.where(hours >= at, np.nan, cost)
        if secretly and rng.random() < 0.15:
            cost = np.where(hours >= at, 0.6 * cost, cost)
        if openly and rng.random() < 0.3:
            cost = np.where(hours >= at, 0.3 * cost, cost)
            touched[f"other-{number}"] = (start + timedelta(hours=at),)
        rows.append(cost)
    names = ("changed", *(f"other-{number}" for number in range(controls)))
    known = rng.random() < 0.5
    return CostPanel(
        series=names,
        start=start,
        usd=np.array(rows),
        touched=touched,
        peers=dict(zip(names, map(str, services), strict=True)) if known else {},
    )
