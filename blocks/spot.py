"""The state of the spot area."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from blocks.state import ObjectPointer, StateBlock


class HorizonScores(BaseModel):
    """Rolling backtest of one horizon, out of sample; None where undefined."""

    horizon_hours: int = Field(ge=1)
    origins: int = Field(ge=0, description="Forecast origins that were scored.")
    mae_skill: float | None = Field(None, description="1 - MAE / MAE of the last value.")
    pinball_skill: float | None = Field(None, description="The same for quantiles .1, .5, .9.")
    pinball_skill_vs_empirical: float | None = Field(
        None, description="Against the last value with empirical h-step quantiles."
    )
    coverage_80: float | None = Field(None, ge=0, le=1)
    coverage_80_moved: float | None = Field(
        None, ge=0, le=1, description="On pools that moved in the window."
    )
    fallback_fraction: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Pools on which the model's error was over twice the last value's.",
    )


class HistorySpan(BaseModel):
    """A span of time for which every announced price is held."""

    start: datetime
    end: datetime


class SpotOutlook(StateBlock):
    """What is known of the spot market: pointers to history and forecasts, and their scores.

    Written by `forecast-spot-prices` only. The data lies in the storage block, under keys made
    from its content.
    """

    _block_type_name = "Spot Outlook"
    _block_type_slug = "spot-outlook"
    _description = "Pointer to the newest spot price forecast, with its backtest scores."

    cutoff: datetime | None = Field(None, description="Last hour of prices that the forecast saw.")
    horizons_hours: list[int] = Field(default_factory=list, description="Forecast horizons.")
    pools: int = Field(0, ge=0, description="Capacity pools forecast.")
    regions: list[str] = Field(default_factory=list, description="Regions forecast.")
    products: list[str] = Field(default_factory=list, description="Products forecast.")
    instance_types: list[str] = Field(
        default_factory=list, description="Types forecast; empty for all."
    )
    forecast: ObjectPointer | None = Field(None, description="Hourly quantiles per pool, Parquet.")
    history: ObjectPointer | None = Field(None, description="Announced prices, Parquet.")
    history_spans: dict[str, HistorySpan] = Field(
        default_factory=dict,
        description="Per region, products and types asked for: the span that is complete.",
    )
    scores: list[HorizonScores] = Field(default_factory=list)
