"""What the embedded account has bought, what plans cost, and what was spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from deployments.embedded.aws.commitments import (
    Commitments,
    EmbeddedCommitments,
    PlanPurchases,
)
from deployments.embedded.aws.cost.account import AccountReader
from deployments.embedded.aws.cost.explorer import CostExplorer
from deployments.embedded.aws.metric_store import MetricStore
from deployments.embedded.aws.overlay import Handler
from deployments.embedded.aws.plan_offerings import describe_offerings
from deployments.embedded.aws.plan_rates import describe_offering_rates
from deployments.embedded.aws.reservations import Reservations
from deployments.embedded.aws.spot_index import RegionHistory


class Billing:
    """Everything about money but list prices.

    Args:
        commitments: What was bought.
        metrics: What was measured, for what is billed by use.
        spot: Price history by region.
        clock: Now, aware; the account counts as opened now.
        seed: Of the bill's invented past.
    """

    def __init__(
        self,
        commitments: EmbeddedCommitments,
        *,
        metrics: MetricStore,
        spot: Mapping[str, RegionHistory],
        clock: Callable[[], datetime],
        seed: int,
    ) -> None:
        self._bought = PlanPurchases(commitments.plans, clock=clock)
        self.account = AccountReader(
            metrics=metrics, spot=spot, plans=self._bought.charged, clock=clock
        )
        self._held = Commitments(commitments, self._bought, clock=clock)
        self._reserved = Reservations(clock=clock)
        self._costs = CostExplorer(self.account.snapshot, clock=clock, seed=seed)

    def handlers(self) -> dict[str, Handler]:
        """Return what answers, by "service:Operation"."""
        return {
            "ce:GetCostAndUsage": self._costs.get_cost_and_usage,
            "ec2:DescribeReservedInstances": self._held.describe_reserved_instances,
            "savingsplans:CreateSavingsPlan": self._bought.create,
            "savingsplans:DeleteQueuedSavingsPlan": self._bought.delete_queued,
            "savingsplans:DescribeSavingsPlans": self._held.describe_savings_plans,
            "savingsplans:DescribeSavingsPlansOfferingRates": describe_offering_rates,
            "savingsplans:DescribeSavingsPlansOfferings": describe_offerings,
            "savingsplans:TagResource": self._bought.tag,
            "savingsplans:UntagResource": self._bought.untag,
            **self._reserved.handlers(),
        }
