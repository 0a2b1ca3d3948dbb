"""An opportunity to save, with everything an auditor would ask; and a rejection with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tasks.domain.savings.money import Usd

Fact = str | int | float
"""A value of a change or a reason; whole numbers are kept apart, since they are stored as they are."""


class Kind(StrEnum):
    """What would be done."""

    RIGHT_SIZE = "right-size"
    SPOT = "spot"
    COMMITMENT = "commitment"
    SERVERLESS = "serverless"
    STOP = "stop"
    SCHEDULE = "schedule"
    VOLUME_TYPE = "volume-type"
    PREDICTIVE_SCALING = "predictive-scaling"


class Effort(StrEnum):
    """Work for people before it can be applied."""

    LOW = "low"
    """Review and approve."""
    MEDIUM = "medium"
    """Also test, or tell users."""
    HIGH = "high"
    """Also change code or architecture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the arithmetic, to be followed with a pocket calculator.

    Attributes:
        what: What the line gives, for example "on demand today".
        formula: With its inputs, for example "0.192 USD/h x 730 h".
        value: Its result.
        unit: For example "USD/month".
    """

    what: str
    formula: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """Something that would save money, taken by itself: as if nothing else were done.

    Attributes:
        resource: Id of the instance, group, volume or service; "account" for a commitment.
        region: Empty for the whole account.
        change: One sentence in the imperative.
        target: The change as data, for whoever generates it: strings and numbers by name.
        evidence_from: Start of the window that it rests on.
        evidence_to: End of that window.
        steps: The arithmetic; the last step is the expected saving by itself, at list prices, and
            of what is chosen its net.
        saving: USD a month.
        restart: Whether something has to restart.
        reversible: Whether it can be undone without loss.
        disruption: 0 for nothing that anybody notices, to 1 for an outage.
        confidence: 0 to 1: how likely it is that the saving comes true and nothing is harmed,
            from how much was observed.
        notes: What else an approver should know.
    """

    kind: Kind
    resource: str
    region: str
    change: str
    target: Mapping[str, Fact]
    evidence_from: datetime
    evidence_to: datetime
    steps: tuple[Step, ...]
    saving: Usd
    effort: Effort
    restart: bool
    reversible: bool
    disruption: float
    confidence: float
    notes: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """The same in every run that finds it again: kind, region and resource."""
        return f"{self.kind}:{self.region}:{self.resource}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An opportunity that was looked at and is not one, and why.

    Attributes:
        why: One sentence with the numbers that decided it, and what would change the answer.
    """

    kind: Kind
    resource: str
    region: str
    why: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
