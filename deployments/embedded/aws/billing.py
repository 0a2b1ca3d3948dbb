"""What the embedded account has bought, what plans cost, and what was spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from deployments.embedded.aws.commitments import Commitments, EmbeddedCommitments
from deployments.embedded.aws.cost.account import AccountReader
from deployments.embedded.aws.cost.explorer import CostExplorer
from deployments.embedded.aws.metric_store import MetricStore
from deployments.embedded.aws.overlay import Handler
from deployments.embedded.aws.plan_rates import describe_offering_rates
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
        self.account = AccountReader(
            metrics=metrics, spot=spot, plans=commitments.plans, clock=clock
        )
        self._held = Commitments(commitments, clock=clock)
        self._costs = CostExplorer(self.account.snapshot, clock=clock, seed=seed)

    def handlers(self) -> dict[str, Handler]:
        """Return what answers, by "service:Operation"."""
        return {
            "ce:GetCostAndUsage": self._costs.get_cost_and_usage,
            "ec2:DescribeReservedInstances": self._held.describe_reserved_instances,
            "savingsplans:DescribeSavingsPlans": self._held.describe_savings_plans,
            "savingsplans:DescribeSavingsPlansOfferingRates": describe_offering_rates,
        }
