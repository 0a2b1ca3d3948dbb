"""What people see of use in the Prefect UI: summary, tables, chart."""

from __future__ import annotations

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from blocks import AwsAccount
from tasks.charts import show_chart
from tasks.chunks import Sealed
from tasks.domain.usage.chart import profile_chart
from tasks.domain.usage.report import usage_markdown, usage_rows, week_chart
from tasks.domain.usage.resource_rows import resource_rows
from tasks.usage.archetypes import Found, Observed

SUMMARY_KEY = "usage-summary"
ARCHETYPES_KEY = "usage-archetypes"
RESOURCES_KEY = "usage-resources"
CHART_KEY = "usage-profiles"
HOURS_PER_DAY = 24


@task(name="show-usage", timeout_seconds=300, cache_policy=NO_CACHE)
def show_usage(account: AwsAccount, observed: Sealed[Observed], found: Sealed[Found]) -> None:
    """Create the run's artifacts. A chart that cannot be stored is left out, with a warning."""
    archetypes, features = found.value.archetypes, found.value.features
    instances, end = observed.value.inventory.instances, observed.value.panel.end
    create_markdown_artifact(
        usage_markdown(
            archetypes,
            end=end,
            days=features.history_hours / HOURS_PER_DAY,
            chart=week_chart(archetypes),
        ),
        key=SUMMARY_KEY,
        description="How resources are used, how sure that is, and what to look at.",
    )
    if archetypes.profiles:
        create_table_artifact(
            usage_rows(archetypes), key=ARCHETYPES_KEY, description="Archetypes of use"
        )
    rows = resource_rows(
        archetypes,
        features,
        names={one.instance_id: one.tags.get("Name", one.instance_id) for one in instances},
        types={one.instance_id: one.instance_type for one in instances},
    )
    create_table_artifact(rows, key=RESOURCES_KEY, description="Instances and their archetype")
    if not archetypes.profiles:
        return
    show_chart(
        account,
        profile_chart(
            archetypes.profiles, title=f"A mean week of each archetype, to {end:%d %b %H:%M} UTC"
        ),
        place=f"usage/{end:%Y%m%dT%H}-{flow_run.id}.png",
        key=CHART_KEY,
        description="The mean week of each archetype.",
    )
