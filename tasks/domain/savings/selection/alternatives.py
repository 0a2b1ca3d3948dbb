"""What could be done with a resource instead of leaving it as it is: exclusive alternatives."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tasks.domain.savings.bill import Spend
from tasks.domain.savings.opportunity import Kind, Opportunity

ResourceKey = tuple[str, str]
"""Region and id; the same id may stand in two regions."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unit:
    """A resource with a known price, as it is.

    Attributes:
        spend: What it costs now.
    """

    key: ResourceKey
    spend: Spend


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """One change of an alternative, on top of those before it.

    Attributes:
        spend: Of all the alternative's resources together when it is done.
    """

    opportunity: Opportunity
    spend: Spend


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alternative:
    """Changes that go together, instead of leaving some resources as they are.

    Attributes:
        resources: That it touches; of two alternatives that share one, at most one is chosen.
        stages: At least one, in the order in which they are done.
    """

    resources: tuple[ResourceKey, ...]
    stages: tuple[Stage, ...]

    @property
    def spend(self) -> Spend:
        """What the resources cost when everything is done."""
        return self.stages[-1].spend

    @property
    def disruption(self) -> float:
        """Of all changes, as if they were independent: 0 to 1."""
        return 1.0 - math.prod(1.0 - stage.opportunity.disruption for stage in self.stages)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Of its changes, in order."""
        return tuple(stage.opportunity.kind for stage in self.stages)

    @property
    def name(self) -> str:
        """Identities of its changes, in order: what sorts alternatives."""
        return " + ".join(stage.opportunity.identity for stage in self.stages)


def single(key: ResourceKey, opportunity: Opportunity, spend: Spend) -> Alternative:
    """Return the alternative of one change to one resource."""
    return Alternative(resources=(key,), stages=(Stage(opportunity=opportunity, spend=spend),))
