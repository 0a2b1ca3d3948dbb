"""The columns, rows and costs of the program that chooses alternatives and a commitment.

To keep it small, hours that are alike for every resource are one, and resources that run in the
same hours share their rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import LinearConstraint
from scipy.sparse import coo_matrix

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.bill import MONTHS_HOURS, Spend, class_of
from tasks.domain.savings.money import HOURS_PER_MONTH
from tasks.domain.savings.selection.alternatives import Alternative, ResourceKey
from tasks.domain.savings.selection.choice import Choice

Entry = tuple[int, int, float]


class Program:
    """A choice as a mixed-integer program.

    Columns are the alternatives, the amounts by (pattern, class), what plans and what narrower
    commitments cover by (hour, class), the new commitment, and whether there is one.

    Money is in shares of the bill at list prices, so that the solver's tolerances mean the same in
    every fleet and every currency.
    """

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.listed_usd = sum(choice.usd_of.values())
        self.scale = self.listed_usd if self.listed_usd > 0.0 else 1.0
        self.hourly_scale = self.scale / HOURS_PER_MONTH
        self.constant = self.listed_usd / self.scale
        self.classes = len(choice.ledger.classes) if self._coupled() else 0
        self._class_at = {found: at for at, found in enumerate(choice.ledger.classes)}
        self._pattern_of: dict[bytes, int] = {}
        self._patterns: list[FloatArray] = []
        self._unit_at = {unit.key: row for row, unit in enumerate(choice.units)}
        now = [self._amounts(unit.spend) for unit in choice.units]
        self._changes = [self._change(one, now) for one in choice.alternatives]
        self._now = _summed(now)
        self._running, self._weights = self._merged_hours()

    def _coupled(self) -> bool:
        cover = self.choice.ledger.cover
        covered = cover.everywhere_usd_per_hour > 0.0 or bool(cover.scoped_usd_per_hour)
        return covered or self.choice.floor_share > 0.0

    def _amounts(self, spend: Spend) -> dict[tuple[int, int], float]:
        """Return USD an hour by (pattern, class)."""
        found: dict[tuple[int, int], float] = {}
        if self.classes == 0:
            return found
        for line in spend.lines:
            peak = float(line.running.max())
            if peak > 0.0:
                found_class = class_of(line, self.choice.ledger.cover)
                key = (self._pattern(line.running / peak), self._class_at[found_class])
                found[key] = found.get(key, 0.0) + line.usd_per_hour * peak / self.hourly_scale
        return found

    def _pattern(self, shape: FloatArray) -> int:
        found = self._pattern_of.setdefault(shape.tobytes(), len(self._patterns))
        if found == len(self._patterns):
            self._patterns.append(shape)
        return found

    def _change(
        self, one: Alternative, now: Sequence[Mapping[tuple[int, int], float]]
    ) -> dict[tuple[int, int], float]:
        change = dict(self._amounts(one.spend))
        for key in one.resources:
            for cell, amount in now[self._unit_at[key]].items():
                change[cell] = change.get(cell, 0.0) - amount
        return change

    def _merged_hours(self) -> tuple[FloatArray, FloatArray]:
        """Return (patterns, hours) and how often each hour comes in a month."""
        if not self._patterns:
            return np.zeros((0, 1)), np.array([HOURS_PER_MONTH])
        stacked = np.array(self._patterns)
        merged, counts = np.unique(stacked, axis=1, return_counts=True)
        return merged, counts.astype(np.float64) * MONTHS_HOURS

    @property
    def hours(self) -> int:
        """Hours that differ; 0 where no commitment couples the resources."""
        return len(self._weights) if self.classes else 0

    @property
    def cells(self) -> int:
        """Amounts by pattern and class."""
        return len(self._patterns) * self.classes

    @property
    def columns(self) -> int:
        """Of the whole program."""
        return len(self.choice.alternatives) + self.cells + 2 * self.hours * self.classes + 2

    def _cell(self, pattern: int, found: int) -> int:
        return len(self.choice.alternatives) + pattern * self.classes + found

    def _plan(self, hour: int, found: int) -> int:
        return len(self.choice.alternatives) + self.cells + (hour * self.classes + found)

    def _scoped(self, hour: int, found: int) -> int:
        return self._plan(hour, found) + self.hours * self.classes

    def costs(self) -> FloatArray:
        """Return the change of the bill, less what is covered, plus the commitment."""
        cost = np.zeros(self.columns)
        for at, hurdle in enumerate(self.choice.hurdles_usd):
            cost[at] = (hurdle - self.choice.listed_saving_usd(at)) / self.scale
        for hour in range(self.hours):
            begin, end = self._plan(hour, 0), self._plan(hour, self.classes)
            cost[begin:end] = -self._weights[hour] / HOURS_PER_MONTH
            begin, end = self._scoped(hour, 0), self._scoped(hour, self.classes)
            cost[begin:end] = -self._weights[hour] / HOURS_PER_MONTH
        cost[-2] = 1.0
        cost[-1] = self.choice.commitment_hurdle_usd / self.scale
        return cost

    def integrality(self) -> FloatArray:
        """Return 1.0 for what is taken or not."""
        whole = np.zeros(self.columns)
        whole[: len(self.choice.alternatives)] = 1.0
        whole[-1] = 1.0
        return whole

    def upper(self) -> FloatArray:
        """Return upper bounds."""
        top = np.full(self.columns, np.inf)
        top[: len(self.choice.alternatives)] = 1.0
        top[-1] = 1.0 if self.choice.floor_share > 0.0 else 0.0
        for hour in range(self.hours):
            for found, cover_class in enumerate(self.choice.ledger.classes):
                if not cover_class.scope:
                    top[self._scoped(hour, found)] = 0.0
        return top

    def constraints(self) -> list[LinearConstraint]:
        """Return one alternative per resource, and what commitments can cover."""
        rows = _Rows(self.columns)
        self._exclusive(rows)
        self._add_amounts(rows)
        for hour in range(self.hours):
            self._add_hour(rows, hour)
        most = 2.0 * sum(max(v, 0.0) for v in self._now.values()) + sum(
            max(v, 0.0) for change in self._changes for v in change.values()
        )
        rows.add({self.columns - 2: 1.0, self.columns - 1: -most}, high=0.0)
        return [rows.constraint()]

    def _exclusive(self, rows: _Rows) -> None:
        touching: dict[ResourceKey, list[int]] = {}
        for at, one in enumerate(self.choice.alternatives):
            for key in one.resources:
                touching.setdefault(key, []).append(at)
        for key in sorted(touching):
            rows.add(dict.fromkeys(touching[key], 1.0), high=1.0)

    def _add_amounts(self, rows: _Rows) -> None:
        found: dict[tuple[int, int], dict[int, float]] = {}
        for at, change in enumerate(self._changes):
            for cell, amount in change.items():
                found.setdefault(cell, {})[at] = -amount
        for pattern in range(len(self._patterns)):
            for c in range(self.classes):
                row = dict(found.get((pattern, c), {}))
                row[self._cell(pattern, c)] = 1.0
                amount = self._now.get((pattern, c), 0.0)
                rows.add(row, low=amount, high=amount)

    def _add_hour(self, rows: _Rows, hour: int) -> None:
        ledger, cover = self.choice.ledger, self.choice.ledger.cover
        running = self._running[:, hour]
        floor = {
            self.columns - 2: 1.0,
            self.columns - 1: cover.everywhere_usd_per_hour / self.hourly_scale,
        }
        weights = ledger.floor_weights()
        for c in range(self.classes):
            row = {self._plan(hour, c): 1.0, self._scoped(hour, c): 1.0}
            for pattern in np.flatnonzero(running):
                row[self._cell(int(pattern), c)] = -float(running[pattern])
                if weights[c] > 0.0:
                    floor[self._cell(int(pattern), c)] = (
                        -self.choice.floor_share * weights[c] * float(running[pattern])
                    )
            rows.add(row, high=0.0)
        used = {self._plan(hour, c): found.ratio for c, found in enumerate(ledger.classes)}
        rows.add(
            used | {self.columns - 2: -1.0}, high=cover.everywhere_usd_per_hour / self.hourly_scale
        )
        if self.choice.floor_share > 0.0:
            rows.add(floor, high=0.0)
        for scope, amount in cover.scoped_usd_per_hour.items():
            inside = {
                self._scoped(hour, c): 1.0
                for c, found in enumerate(ledger.classes)
                if found.scope == scope
            }
            rows.add(inside, high=amount / self.hourly_scale)


class _Rows:
    """Constraints as they are added."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._entries: list[Entry] = []
        self._low: list[float] = []
        self._high: list[float] = []

    def add(self, row: Mapping[int, float], *, high: float, low: float = -np.inf) -> None:
        at = len(self._low)
        self._entries.extend((at, column, value) for column, value in row.items())
        self._low.append(low)
        self._high.append(high)

    def constraint(self) -> LinearConstraint:
        rows, columns, values = zip(*self._entries, strict=True)
        matrix = coo_matrix((values, (rows, columns)), shape=(len(self._low), self.columns))
        return LinearConstraint(matrix.tocsr(), np.array(self._low), np.array(self._high))


def _summed(amounts: Sequence[Mapping[tuple[int, int], float]]) -> dict[tuple[int, int], float]:
    total: dict[tuple[int, int], float] = {}
    for one in amounts:
        for cell, amount in one.items():
            total[cell] = total.get(cell, 0.0) + amount
    return total
