"""What the embedded account has bought, what plans cost, and what was spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from deployments.embedded.aws.commitments import Commitments, EmbeddedCommitments
from deployments.embedded.aws.cost.account import AccountReader
from deployments.embedded.aws.cost.explorer import CostExplorer
from deployments.embedded.aws.metric_store import MetricStore
from deployments.embedded.aws.overlay import Handler
from deployments.embedded.aws.plan_rates import describe_offering_rates
from deployments.embedded.aws.spot_index import RegionHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing:
    """Everything about money but list prices.

    Attributes:
        commitments: What was bought.
        metrics: What was measured, for what is billed by use.
        spot: Price history by region.
        clock: Now, aware.
        seed: Of the bill's invented past.
    """

    commitments: EmbeddedCommitments
    metrics: MetricStore
    spot: Mapping[str, RegionHistory]
    clock: Callable[[], datetime]
    seed: int

    def handlers(self) -> dict[str, Handler]:
        """Return what answers, by "service:Operation"; the account counts as opened now."""
        held = Commitments(self.commitments, clock=self.clock)
        account = AccountReader(
            metrics=self.metrics,
            spot=self.spot,
            plans=self.commitments.plans,
            clock=self.clock,
        )
        costs = CostExplorer(account.snapshot, clock=self.clock, seed=self.seed)
        return {
            "ce:GetCostAndUsage": costs.get_cost_and_usage,
            "ec2:DescribeReservedInstances": held.describe_reserved_instances,
            "savingsplans:DescribeSavingsPlans": held.describe_savings_plans,
            "savingsplans:DescribeSavingsPlansOfferingRates": describe_offering_rates,
        }
