"""What a commitment saved: what it covered at on-demand prices, less what was paid for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.domain.errors import PermanentError
from tasks.domain.savings.money import HOURS_PER_MONTH
from tasks.domain.savings.realised.values import AppliedChange, Interval, Method, Realised, Verdict
from tasks.domain.savings.realised.verdicts import verdict_of
from tasks.domain.savings.realised.windows import LEAST_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentUse:
    """What one commitment was used for, as the bill has it.

    Attributes:
        begin: Of the period, aware UTC; not before the commitment began.
        end: Of the period, after `begin`.
        on_demand_usd: What it covered would have cost on demand in the period (Cost Explorer:
            OnDemandCostEquivalent).
        paid_usd: For the commitment in the period, used or not, upfront payments spread over the
            term (AmortizedCommitment).
    """

    begin: datetime
    end: datetime
    on_demand_usd: float
    paid_usd: float

    def __post_init__(self) -> None:
        if self.end <= self.begin:
            msg = f"the use of a commitment ends at {self.end}, not after it begins: {self.begin}"
            raise PermanentError(msg)


def measured_commitment(change: AppliedChange, use: CommitmentUse) -> Realised:
    """Return what a commitment saved, without an interval: the bill knows both amounts.

    It is the saving with the load that there was. That the same load would have been there without
    the commitment is taken for granted, as nothing else of it changes.

    Args:
        change: The purchase.
        use: Of that commitment alone; in whole weeks, or its weekends count too much or too little.
    """
    days = (use.end - use.begin) // timedelta(days=1)
    if days < LEAST_DAYS:
        return Realised(
            change=change,
            verdict=Verdict.TOO_EARLY,
            method=Method.NONE,
            days_after=days,
            known_at=use.begin + timedelta(days=LEAST_DAYS),
            notes=(f"{days} of {LEAST_DAYS} whole days have passed",),
        )
    per_month = HOURS_PER_MONTH / ((use.end - use.begin) / timedelta(hours=1))
    usd = (use.on_demand_usd - use.paid_usd) * per_month
    saving = Interval(low=usd, expected=usd, high=usd)
    return Realised(
        change=change,
        verdict=verdict_of(saving, change.expected),
        method=Method.EXACT,
        saving=saving,
        bill_usd=use.on_demand_usd * per_month,
        days_after=days,
        notes=("from the bill: what it covered at on-demand prices, less what was paid for it",),
    )
