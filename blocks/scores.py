"""The state of live scoring."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from blocks.state import ObjectPointer, StateBlock


class LiveFigures(BaseModel):
    """How good one model's forecasts were lately; None where undefined or not yet known."""

    model: str = Field(description="For example load-cpu or spot-24h.")
    role: str = Field(description="champion, challenger or previous.")
    count: int = Field(ge=0, description="Values judged.")
    days: int = Field(ge=0, description="Days with any.")
    enough: bool = Field(description="Whether anything can be said yet.")
    skill: float | None = Field(None, description="1 - error / error of the naive, both scaled.")
    skill_low: float | None = None
    skill_high: float | None = None
    coverage_80: float | None = Field(
        None, ge=0, le=1, description="Share of values inside the 80 % interval."
    )
    coverage_80_low: float | None = Field(None, ge=0, le=1)
    coverage_80_high: float | None = Field(None, ge=0, le=1)
    bias: float | None = Field(
        None, description="Forecast less truth, in units of what a series moves in a day."
    )


class ForecastScores(StateBlock):
    """Forecasts that wait for their truth, and how good those were that met it.

    Written by whatever forecasts (what waits) and by `publish-scorecard` (what was judged), under
    one lock. The data lies in the storage block, under keys made from its content.
    """

    _block_type_name = "Forecast Scores"
    _block_type_slug = "forecast-scores"
    _description = "Pointers to stored forecasts and their daily scores, with headline figures."

    appended: list[ObjectPointer] = Field(
        default_factory=list, description="Forecasts stored since the last judging, Parquet."
    )
    waiting: ObjectPointer | None = Field(
        None, description="Older forecasts that wait for their truth, Parquet."
    )
    known: ObjectPointer | None = Field(
        None, description="Which forecasts were taken, so that each counts once, Parquet."
    )
    daily: ObjectPointer | None = Field(None, description="Daily sums of scores, Parquet.")
    waiting_rows: int = Field(0, ge=0, description="Values that waited after the last judging.")
    judged: int = Field(0, ge=0, description="Values judged, ever.")
    expired: int = Field(0, ge=0, description="Values of which no truth came, ever.")
    last_due_at: datetime | None = Field(
        None, description="When the last value that waits is due; None where none waits."
    )
    figures: list[LiveFigures] = Field(default_factory=list, description="By model and role.")
