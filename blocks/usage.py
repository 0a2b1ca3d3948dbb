"""The state of the usage area."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from blocks.state import ObjectPointer, StateBlock


class ArchetypeSize(BaseModel):
    """One archetype in short."""

    name: str = Field(description="For example business-hours.")
    resources: int = Field(ge=0)
    stability: float | None = Field(
        None, ge=0, le=1, description="Agreement of its members when resources are drawn again."
    )


class UsageProfile(StateBlock):
    """How an account's resources are used: archetypes, and pointers to what they rest on.

    Written by `cluster-usage` only. The data lies in the storage block, under keys made from its
    content.
    """

    _block_type_name = "Usage Profile"
    _block_type_slug = "usage-profile"
    _description = "Usage archetypes of an account, with their stability."

    window_start: datetime | None = Field(None, description="First hour that was observed.")
    window_end: datetime | None = Field(None, description="End of the last hour observed.")
    regions: list[str] = Field(default_factory=list, description="Regions observed.")
    resources: int = Field(0, ge=0, description="Instances observed.")
    memory_unknown: int = Field(0, ge=0, description="Of these, without any memory metric.")
    stability: float | None = Field(
        None,
        ge=-1,
        le=1,
        description="Agreement of all assignments when resources are drawn again.",
    )
    archetypes: list[ArchetypeSize] = Field(default_factory=list)
    moved: int = Field(0, ge=0, description="Resources whose archetype changed in the last run.")
    inventory: ObjectPointer | None = Field(None, description="What the account runs, JSON.")
    metrics: ObjectPointer | None = Field(None, description="Hourly use of each, Parquet.")
    membership: ObjectPointer | None = Field(None, description="Archetype of each, JSON.")
