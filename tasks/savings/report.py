"""What people see of savings in the Prefect UI: summary, arithmetic, tables."""

from __future__ import annotations

from collections.abc import Mapping

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from tasks.adapters.cost_explorer import UNTAGGED
from tasks.chunks import Sealed
from tasks.domain.savings.report import (
    SavingsDocument,
    audit_markdown,
    opportunity_rows,
    rejection_rows,
    summary_markdown,
)
from tasks.domain.savings.spend.report import spend_markdown, spend_rows
from tasks.savings.spend import SpendFindings

SUMMARY_KEY = "savings-summary"
OPPORTUNITIES_KEY = "savings-opportunities"
REJECTED_KEY = "savings-rejected"
AUDIT_KEY = "savings-arithmetic"
SPEND_KEY = "savings-spend"


@task(name="show-savings", timeout_seconds=300, cache_policy=NO_CACHE)
def show_savings(
    found: Sealed[SavingsDocument],
    spend: Sealed[SpendFindings | None],
    *,
    quoted_at: str,
    cost_tag: str,
) -> None:
    """Create the run's artifacts."""
    create_markdown_artifact(
        summary_markdown(
            found.value, spend=spend_part(spend.value, cost_tag=cost_tag), quoted_at=quoted_at
        ),
        key=SUMMARY_KEY,
        description="What can be saved, net of overlap, and what the bill will be.",
    )
    if rows := opportunity_rows(found.value):
        create_table_artifact(rows, key=OPPORTUNITIES_KEY, description="Opportunities")
        create_markdown_artifact(
            audit_markdown(found.value),
            key=AUDIT_KEY,
            description="Each opportunity's arithmetic, line by line.",
        )
    if rows := rejection_rows(found.value):
        create_table_artifact(rows, key=REJECTED_KEY, description="Not proposed, and why")
    if spend.value is not None:
        rows = [in_cents(row) for row in spend_rows(spend.value.outlook)]
        if spend.value.by_tag is not None:
            tagged = spend_rows(spend.value.by_tag)[1:]
            rows += [in_cents(row) | {"group": f"{cost_tag}: {row['group']}"} for row in tagged]
        create_table_artifact(
            rows, key=SPEND_KEY, description="Spend by service and tag, and ahead"
        )


def in_cents(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row whose numbers people can read."""
    return {
        key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()
    }


def spend_part(spend: SpendFindings | None, *, cost_tag: str = "") -> str:
    """Return the part of the summary about the bill; says so where it is unknown."""
    if spend is None:
        return "The bill so far is unknown: Cost Explorer does not tell it, or not long enough."
    text = spend_markdown(spend.outlook, spend.anomalies)
    if spend.by_tag is not None and {one.group for one in spend.by_tag.groups} <= {UNTAGGED}:
        text += (
            f"\n\nNo cost carries the tag `{cost_tag}`: nothing has it, or it is not activated as a "
            "cost allocation tag."
        )
    return text
