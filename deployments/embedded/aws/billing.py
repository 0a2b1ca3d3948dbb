"""What the embedded account has bought, what plans cost, and what was spent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from deployments.embedded.aws.commitments import Commitments, EmbeddedCommitments
from deployments.embedded.aws.overlay import Handler
from deployments.embedded.aws.plan_rates import describe_offering_rates


def billing_handlers(
    commitments: EmbeddedCommitments, *, clock: Callable[[], datetime]
) -> dict[str, Handler]:
    """Return what answers, by "service:Operation"."""
    held = Commitments(commitments, clock=clock)
    return {
        "ec2:DescribeReservedInstances": held.describe_reserved_instances,
        "savingsplans:DescribeSavingsPlans": held.describe_savings_plans,
        "savingsplans:DescribeSavingsPlansOfferingRates": describe_offering_rates,
    }
