"""The bill: a matrix of lines and days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np

from deployments.embedded.aws.cost.snapshot import Tags
from tasks.domain.arrays import FloatArray

COMPUTE = "Amazon Elastic Compute Cloud - Compute"
EC2_OTHER = "EC2 - Other"
BALANCING = "Amazon Elastic Load Balancing"
FUNCTIONS = "AWS Lambda"
API_GATEWAY = "Amazon API Gateway"
PLANS = "Savings Plans for AWS Compute usage"


class RecordType(StrEnum):
    """What kind of line it is."""

    USAGE = "Usage"
    PLAN_FEE = "SavingsPlanRecurringFee"
    COVERED = "SavingsPlanCoveredUsage"
    NEGATION = "SavingsPlanNegation"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineKey:
    """What lines are told apart by.

    Attributes:
        usage_type: With the region's prefix, for example "EU-BoxUsage:m5.large".
        unit: Of the quantity.
    """

    service: str
    usage_type: str
    region: str
    unit: str
    record: RecordType = RecordType.USAGE
    tags: Tags = ()


@dataclass(frozen=True, kw_only=True)
class CostTable:
    """Daily cost.

    Attributes:
        keys: (n,) distinct.
        first_day: Of the first column.
        usd, quantity: (n, days).
    """

    keys: tuple[LineKey, ...]
    first_day: date
    usd: FloatArray
    quantity: FloatArray

    @property
    def end(self) -> date:
        """Day after the last column."""
        return self.first_day + timedelta(days=int(self.usd.shape[1]))


class Bill:
    """Adds lines up.

    Args:
        first_day: Of the first column.
        days: Number of columns.
    """

    def __init__(self, *, first_day: date, days: int) -> None:
        self._first_day = first_day
        self._days = days
        self._lines: dict[LineKey, tuple[FloatArray, FloatArray]] = {}

    def add(self, key: LineKey, *, usd: FloatArray, quantity: FloatArray) -> None:
        """Add a line's daily cost and quantity."""
        if key not in self._lines:
            self._lines[key] = (np.zeros(self._days), np.zeros(self._days))
        total, amount = self._lines[key]
        total += usd
        amount += quantity

    def lines(self) -> Sequence[tuple[LineKey, FloatArray, FloatArray]]:
        """Return the lines so far."""
        return [(key, usd, quantity) for key, (usd, quantity) in self._lines.items()]

    def table(self) -> CostTable:
        """Return the bill."""
        shape = (len(self._lines), self._days)
        pairs = list(self._lines.values())
        return CostTable(
            keys=tuple(self._lines),
            first_day=self._first_day,
            usd=np.array([usd for usd, _ in pairs]).reshape(shape),
            quantity=np.array([amount for _, amount in pairs]).reshape(shape),
        )
