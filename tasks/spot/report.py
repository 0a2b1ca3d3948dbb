"""What people see of a run in the Prefect UI: summary, table, chart."""

from __future__ import annotations

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from blocks import AwsAccount
from tasks.charts import show_chart
from tasks.chunks import Sealed
from tasks.domain.spot.chart import interval_chart
from tasks.domain.spot.forecasts import PoolForecasts
from tasks.domain.spot.pools import PricePanel
from tasks.domain.spot.report import (
    SpotReport,
    chart_pools,
    mermaid_chart,
    moving_pool,
    pool_rows,
    summary_markdown,
)

SUMMARY_KEY = "spot-outlook"
TABLE_KEY = "spot-pools"
CHART_KEY = "spot-chart"


@task(name="show-report", timeout_seconds=300, cache_policy=NO_CACHE)
def show_report(
    account: AwsAccount,
    report: Sealed[SpotReport],
    panel: Sealed[PricePanel],
    forecasts: Sealed[list[PoolForecasts]],
) -> None:
    """Create the run's artifacts. A chart that cannot be stored is left out, with a warning."""
    found, prices = report.value, panel.value
    if found.assessment is None:
        return
    day, longest = forecasts.value[0], forecasts.value[-1]
    pools = chart_pools(found.assessment, day)
    create_markdown_artifact(
        summary_markdown(found, chart=mermaid_chart(prices, day, moving_pool(pools, day))),
        key=SUMMARY_KEY,
        description="Forecast, its worth against the last value, and where to run.",
    )
    rows = pool_rows(found.assessment, prices)
    if rows:
        create_table_artifact(rows, key=TABLE_KEY, description="Best capacity pools")
    title = f"Spot prices to {prices.cutoff:%d %b %H:%M} UTC, next {longest.horizon_hours} h"
    image = interval_chart(prices, longest, pools, title=title)
    show_chart(
        account,
        image,
        place=f"spot/{prices.cutoff:%Y%m%dT%H}-{flow_run.id}.png",
        key=CHART_KEY,
        description="Intervals of the best pools, and the last value.",
    )
