"""What operators want of savings, and the state of the savings area."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from prefect.blocks.core import Block
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from blocks.state import ObjectPointer, StateBlock

SavingKind = Literal[
    "right-size",
    "spot",
    "commitment",
    "serverless",
    "stop",
    "schedule",
    "volume-type",
    "predictive-scaling",
]


class IgnoredResource(BaseModel):
    """Resources to leave alone, why, and until when."""

    model_config = ConfigDict(extra="forbid")

    resource: str = Field(
        min_length=1, max_length=300, description="Id or name; * and ? stand for any characters."
    )
    kinds: list[SavingKind] = Field(
        default_factory=list, description="Kinds of saving to leave out; empty for all."
    )
    reason: str = Field(min_length=3, max_length=500, description="Shown in every report.")
    expires_at: AwareDatetime | None = Field(
        None, description="When the rule ends, with its offset from UTC; empty for never."
    )


class SavingsSettings(Block):
    """What may be proposed to save money: limits, permissions and resources to leave alone.

    People edit it in the UI; flows only read it.
    """

    _block_type_name = "Savings Settings"
    _block_type_slug = "savings-settings"
    _description = "Limits of the savings that are proposed, and resources to leave alone."

    model_config = ConfigDict(validate_assignment=True)

    min_saving_usd: float = Field(
        5.0, ge=0, description="Smallest saving worth proposing, USD a month; 0 proposes all."
    )
    min_saving_per_disruption: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of its bill that an outage of a resource would have to save; a restart "
        "counts as a third of one. 0 ignores disruption.",
    )
    exceed_share: float = Field(
        0.005,
        gt=0,
        le=0.05,
        description="Share of hours in which a right-sized instance may want more than it has.",
    )
    worst_exceed_share: float = Field(
        0.05,
        gt=0,
        le=0.5,
        description="The same for any single instance, also where the fleet as a whole has room.",
    )
    min_days: int = Field(
        14, ge=7, le=60, description="Days of observation before anything is proposed."
    )
    spot_floor_share: float = Field(
        0.25, ge=0, le=1, description="Share of a group that stays on demand."
    )
    spot_pools: int = Field(3, ge=1, le=20, description="Capacity pools to spread spot over.")
    spot_interruptions_per_month: float = Field(
        0.5, ge=0, le=30, description="Most interruptions of an instance that are accepted."
    )
    allow_arm64: bool = Field(
        default=False,
        description="Propose arm64 also for what does not carry homeostat/architecture=any.",
    )
    commitment_coverage: float = Field(
        0.9, ge=0, le=1, description="Largest share of the stable floor to commit to."
    )
    kinds: list[SavingKind] = Field(
        default_factory=list, description="Kinds that may be proposed; empty for all."
    )
    ignored: list[IgnoredResource] = Field(
        default_factory=list, description="Resources to leave alone, with reason and expiry."
    )


class SavingsOutlook(StateBlock):
    """What could be saved: totals, and a pointer to every opportunity with its arithmetic.

    Written by `optimize-costs` only.
    """

    _block_type_name = "Savings Outlook"
    _block_type_slug = "savings-outlook"
    _description = "Pointer to the opportunities found last, with their total."

    usage_observed_at: datetime | None = Field(None, description="When use was last observed.")
    bill_usd_per_month: float | None = Field(
        None, ge=0, description="Of the resources looked at, as they run now."
    )
    saving_usd_per_month: float | None = Field(
        None, description="Of everything chosen together, net of overlap."
    )
    saving_low_usd_per_month: float | None = None
    saving_high_usd_per_month: float | None = None
    chosen: int = Field(0, ge=0, description="Opportunities chosen.")
    rejected: int = Field(0, ge=0, description="Looked at and not proposed, each with its reason.")
    opportunities: ObjectPointer | None = Field(None, description="All of them, JSON.")
    spend: ObjectPointer | None = Field(None, description="Daily cost read, Parquet.")
