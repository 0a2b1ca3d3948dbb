"""The last lines of an opportunity's arithmetic: from what it saves at list prices to its net."""

from __future__ import annotations

from tasks.domain.savings.evidence import usd_step
from tasks.domain.savings.opportunity import Opportunity, Step

COMMITMENTS = "less what commitments already pay for"
WHOLE_BILL = "as the whole bill has it"
COMMITMENTS_AND_OTHERS = "less what commitments and the other changes already take off"
OTHERS = "less what the other changes already save"
BESIDE = "with what it saves only beside the other changes"


def net_steps(
    opportunity: Opportunity, *, alone_usd: float | None, net_usd: float, committed: bool
) -> tuple[Step, ...]:
    """Return the lines that lead from the last step to the net; none where that is the net already.

    Args:
        opportunity: Its last step is what it saves by itself, at list prices.
        alone_usd: What it saves by itself, existing commitments counted, USD a month; None of a
            change on top of others, whose last step counts from what they leave.
        net_usd: What it adds to the total, USD a month.
        committed: Whether there are commitments.
    """
    steps = opportunity.steps
    listed = steps[-1].value if steps else opportunity.saving.expected
    found = []
    if alone_usd is not None and _differ(listed, alone_usd):
        covered = committed and alone_usd < listed
        found.append(_step(COMMITMENTS if covered else WHOLE_BILL, listed, alone_usd))
    before = found[-1].value if found else listed
    if _differ(before, net_usd):
        less = COMMITMENTS_AND_OTHERS if committed and alone_usd is None else OTHERS
        found.append(_step(less if net_usd < before else BESIDE, before, net_usd))
    return tuple(found)


def _differ(one: float, other: float) -> bool:
    return round(one, 2) != round(other, 2)


def _step(what: str, before: float, after: float) -> Step:
    """Return a difference that adds up to the cent as it is written."""
    off = round(before, 2) - round(after, 2)
    return usd_step(what, f"{before:.2f} {'-' if off > 0.0 else '+'} {abs(off):.2f}", after)
