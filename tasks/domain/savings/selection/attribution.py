"""Who gets which part of a saving that several changes make together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.domain.savings.bill import Spend
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.selection.alternatives import Alternative, Stage
from tasks.domain.savings.selection.choice import Choice

LAST = frozenset({Kind.SPOT})
"""Attributed after all else but the commitment."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attributed:
    """A change and the part of the total saving that is its own.

    Attributes:
        net_usd: The bill before this step less the bill after it, USD a month.
    """

    alternative: Alternative
    stage: Stage
    net_usd: float


def attributed(choice: Choice, taken: Sequence[int]) -> list[Attributed]:
    """Return every change of the taken alternatives with its part, without a new commitment.

    The parts add up to the difference of the bills before and after, because each is the
    difference that one step makes on top of all steps before it.
    """
    ledger = choice.ledger
    eligible = ledger.eligible(unit.spend for unit in choice.units)
    other_usd = sum(unit.spend.other_usd for unit in choice.units)
    bill = ledger.bill(eligible, other_usd=other_usd).usd
    found = []
    for alternative, stage, earlier in _ordered(choice, taken):
        eligible = eligible + ledger.eligible([stage.spend]) - ledger.eligible([earlier])
        eligible = eligible.clip(min=0.0)
        other_usd += stage.spend.other_usd - earlier.other_usd
        after = ledger.bill(eligible, other_usd=other_usd).usd
        found.append(Attributed(alternative=alternative, stage=stage, net_usd=bill - after))
        bill = after
    return found


def _ordered(choice: Choice, taken: Sequence[int]) -> list[tuple[Alternative, Stage, Spend]]:
    """Return changes in the order of attribution, each with the spend before it."""
    steps = []
    for at in taken:
        alternative = choice.alternatives[at]
        earlier = choice.before_of(alternative.resources)
        for place, stage in enumerate(alternative.stages):
            late = stage.opportunity.kind in LAST
            steps.append(((late, alternative.name, place), (alternative, stage, earlier)))
            earlier = stage.spend
    return [step for _, step in sorted(steps, key=lambda pair: pair[0])]
