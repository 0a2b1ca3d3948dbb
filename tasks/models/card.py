"""Model cards in the Prefect UI: the decision with its evidence, and a chart."""

from __future__ import annotations

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from blocks import AwsAccount
from tasks.charts import show_chart
from tasks.chunks import Sealed
from tasks.domain.models.card import ModelCard, card_markdown
from tasks.domain.models.card_chart import card_chart


@task(name="show-model-card", timeout_seconds=300, cache_policy=NO_CACHE)
def show_card(account: AwsAccount, card: Sealed[ModelCard]) -> None:
    """Create a model's artifacts. A chart that cannot be stored is left out, with a warning."""
    found = card.value
    create_markdown_artifact(
        card_markdown(found),
        key=f"model-card-{found.name}",
        description=f"{found.name}: what serves, what was tried, and why it was decided so.",
    )
    if found.champion is None and found.challenger is None:
        return
    image = card_chart(
        champion=found.champion,
        challenger=found.challenger,
        title=f"{found.name}, out of sample, to {found.made_at:%d %b %H:%M} UTC",
    )
    show_chart(
        account,
        image,
        place=f"models/{found.name}-{found.made_at:%Y%m%dT%H}-{flow_run.id}.png",
        key=f"model-chart-{found.name}",
        description="Error and coverage by hours ahead.",
    )
