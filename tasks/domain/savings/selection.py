"""Which opportunities go together, and what they would really save.

What is chosen makes `bill(now) - bill(after)` less every change's hurdle as large as possible: the
hurdle is the smallest saving that the policy accepts of a change, plus what it asks for its
disruption. With both limits at 0 that is the largest saving there is.

The saving is attributed in a fixed order, each step a difference of two bills: first what changes
size and running hours (right-size, stop, schedule, scaling, volumes, serverless), then spot, then
the commitment to what is left. So the nets of all steps add up to the total exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.domain.savings.bill import Bill
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Opportunity, Rejection

ATTRIBUTION = (
    "attributed in order: right-size, stop, schedule, scaling, volumes and serverless first, "
    "then spot, then the commitment"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An opportunity to act on.

    Attributes:
        net: What it adds to the total in the order of attribution, USD a month; nets of all
            chosen add up to the total.
        alone: What it would save if nothing else were done, existing commitments counted.
        line: One sentence for a table.
    """

    opportunity: Opportunity
    net: Usd
    alone: Usd
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentLevel:
    """The Savings Plan that is proposed for what is left.

    Attributes:
        usd_per_hour: To commit to, in addition to what there is.
        existing_usd_per_hour: Of Compute Savings Plans that there are.
        floor_usd_per_hour: Spend at plan rates that the least busy hour of the week has left.
        coverage: Share of on-demand compute that is covered then; None without any.
        utilisation: Share of all plans that is used then.
        break_even_use: Share of the new plan that has to be used for it to pay, 0 to 1.
    """

    usd_per_hour: float
    existing_usd_per_hour: float
    floor_usd_per_hour: float
    coverage: float | None
    utilisation: float | None
    break_even_use: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to do, what it saves together, and what was left out and why.

    Attributes:
        before: The bill of everything that has a known price.
        after: The same when all chosen are done.
        saving: The difference; its expected value is the sum of the nets.
        chosen: Largest net first.
        rejected: Everything that was looked at and not chosen.
        unknown: Resources without a price, with the reason: never touched, in no bill.
        commitment: None where none is proposed.
        hurdle_usd: What the policy asked of the chosen changes together.
        gap_usd: How much more a better choice could save at most; 0.0 when this is the optimum.
    """

    before: Bill
    after: Bill
    saving: Usd
    chosen: tuple[Chosen, ...]
    rejected: tuple[Rejection, ...]
    unknown: tuple[str, ...]
    commitment: CommitmentLevel | None
    hurdle_usd: float
    gap_usd: float
