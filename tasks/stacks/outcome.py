"""How a run of the stacks area ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StackReport:
    """A run in short; the rest is in artifacts and in the StackLedger.

    Attributes:
        status: As in the ledger; "nothing" where there is no stack, "skipped" where it was too late.
        stack: Its name; empty where there is none.
        changes: Opportunities in it.
        delta_usd_per_month: Of the preview; negative for a saving.
        message: Why it ended so.
    """

    status: str
    stack: str = ""
    changes: int = 0
    delta_usd_per_month: float | None = None
    message: str = ""
