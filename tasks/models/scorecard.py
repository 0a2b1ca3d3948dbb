"""What people see of live scores in the Prefect UI: summary and chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from blocks import AwsAccount
from tasks.charts import show_chart
from tasks.chunks import Sealed
from tasks.domain.models.scorecard import recent
from tasks.domain.models.scorecard_chart import scorecard_chart
from tasks.domain.models.scorecard_report import Scorecard, scorecard_markdown

SUMMARY_KEY = "scorecard"
CHART_KEY = "scorecard-days"


@task(name="show-scorecard", timeout_seconds=300, cache_policy=NO_CACHE)
def show_scorecard(card: Scorecard) -> None:
    """Create the run's summary."""
    create_markdown_artifact(
        scorecard_markdown(card),
        key=SUMMARY_KEY,
        description="How good forecasts were, against what came true.",
    )


@task(name="show-scorecard-chart", timeout_seconds=300, cache_policy=NO_CACHE)
def show_scorecard_chart(
    account: AwsAccount, daily: Sealed[pd.DataFrame], *, now: datetime, window_days: int
) -> None:
    """Show coverage and skill by day. A chart that cannot be stored is left out, with a warning."""
    counted = recent(daily.value, now=now, days=window_days)
    if counted.empty:
        return
    show_chart(
        account,
        scorecard_chart(counted, title=f"Live forecasts by day, to {now:%d %b %H:%M} UTC"),
        place=f"models/{now:%Y%m%dT%H}-{flow_run.id}.png",
        key=CHART_KEY,
        description="Share of values inside the 80 % interval, and skill, by day.",
    )


def lost_notes(lost: int, notes: Sequence[str]) -> tuple[str, ...]:
    """Return what a run has to say besides its figures."""
    if not lost:
        return tuple(notes)
    objects = "1 stored object is" if lost == 1 else f"{lost} stored objects are"
    return (f"{objects} gone or damaged; what was in them counts nowhere.", *notes)
