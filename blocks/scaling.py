"""What is remembered of groups that are scaled ahead of demand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from blocks.state import StateBlock


class ScalingTrial(BaseModel):
    """One predictive policy: how long it is tried, and the last step, with what was before."""

    model_config = ConfigDict(extra="ignore")

    stage: Literal["none", "forecasting", "scaling"]
    since: datetime
    begun_here: bool = False
    reverts: int = Field(0, ge=0, description="How often scaling was switched off again.")
    paused_until: datetime | None = None
    acting: bool = Field(
        False, description="A step was begun and its end is not recorded: the next run looks."
    )
    action: str = Field("", description="Of the last step.")
    acted_at: datetime | None = None
    before: dict[str, Any] | None = Field(
        None, description="Configuration before the last step; None for no policy."
    )
    after: dict[str, Any] | None = Field(None, description="The same that the step wanted.")


class ScalingTrials(StateBlock):
    """Every predictive policy that is tried. Written by `scale-ahead` only."""

    _block_type_name = "Scaling Trials"
    _block_type_slug = "scaling-trials"
    _description = "Predictive policies: stage, since when, last step and the way back."

    trials: dict[str, ScalingTrial] = Field(
        default_factory=dict, description="By region/group/policy."
    )
