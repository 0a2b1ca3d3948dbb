"""What a Savings Plan has to become before it counts as made: a provider that is fixed, or one that waits.

The official provider waits for `active` and gives up after 30 minutes, so that a plan for a later time
ends in an error and stays in the account outside of the state
(https://github.com/hashicorp/terraform-provider-aws/issues/47519, #49263).
`HOMEOSTAT_STANDIN_SAVINGS_PLAN=waits` does the same, sooner; without it a queued plan is made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from deployments.embedded.pulumi_aws.errors import StandInError

PLAN_VARIABLE = "HOMEOSTAT_STANDIN_SAVINGS_PLAN"
WAIT_VARIABLE = "HOMEOSTAT_STANDIN_SAVINGS_PLAN_SECONDS"
WAIT_SECONDS = 3.0
MOST_WAIT_SECONDS = 1800.0
"""As long as the official provider waits."""


class PlanWait(StrEnum):
    """Which provider the stand-in is like."""

    FIXED = "fixed"
    WAITS = "waits"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWaits:
    """When a plan counts as made.

    Attributes:
        like: A provider that takes a queued plan for made, or one that waits for an active one.
        seconds: Waited for it, above 0 and at most 1800.
    """

    like: PlanWait = PlanWait.FIXED
    seconds: float = WAIT_SECONDS

    @property
    def made(self) -> frozenset[str]:
        """States in which a plan counts as made."""
        queued = {"queued"} if self.like is PlanWait.FIXED else set()
        return frozenset({"active", *queued})


def plan_waits_from(environ: Mapping[str, str]) -> PlanWaits:
    """Return what an environment asks for.

    Raises:
        StandInError: It is nothing that there is; names what is allowed.
    """
    like, text = environ.get(PLAN_VARIABLE) or PlanWait.FIXED, environ.get(WAIT_VARIABLE) or ""
    if like not in set(PlanWait):
        message = f"{PLAN_VARIABLE} is {like!r} and has to be one of {', '.join(PlanWait)}"
        raise StandInError(message)
    try:
        seconds = float(text or WAIT_SECONDS)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds <= MOST_WAIT_SECONDS:
        message = (
            f"{WAIT_VARIABLE} is {text!r}; above 0 and at most {MOST_WAIT_SECONDS:g} is allowed"
        )
        raise StandInError(message)
    return PlanWaits(like=PlanWait(like), seconds=seconds)
