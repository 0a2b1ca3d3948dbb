"""Forecasts of load in the Prefect UI."""

from __future__ import annotations

from collections.abc import Mapping

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.chunks import Sealed
from tasks.domain.load.report import LoadReport, load_markdown


@task(name="show-loads", timeout_seconds=120, cache_policy=NO_CACHE)
def show_loads(
    reports: Sealed[Mapping[str, LoadReport]],
    without_model: Mapping[str, str],
    names: Mapping[str, str],
) -> None:
    """Create the run's artifact."""
    create_markdown_artifact(
        load_markdown(reports.value, without_model=without_model, names=names),
        key="load-forecast",
        description="What workloads will use in the next day, and by which model that is said.",
    )
