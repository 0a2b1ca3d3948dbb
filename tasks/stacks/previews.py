"""Previews with their money and the verdict of the policy pack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from tasks.adapters.policy_pack import policy_findings
from tasks.adapters.pulumi import engine as pulumi_engine
from tasks.adapters.pulumi.environment import EngineSettings
from tasks.adapters.pulumi.estimate import estimate
from tasks.chunks import Sealed
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.costs import cost_deltas
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.record import StackRecord, steady_prices
from tasks.domain.stacks.report import preview_markdown
from tasks.domain.stacks.report_data import preview_rows
from tasks.domain.stacks.stack_prices import StackPrices
from tasks.retries import remote_task

PREVIEW_KEY = "stack-preview"
LINES_KEY = "stack-changes"


@remote_task("preview-stack", run_name="preview {phase}")
def preview_stack(
    settings: EngineSettings,
    folder: Path,
    record: Sealed[StackRecord],
    phase: Phase,
    prices: Sealed[StackPrices],
    *,
    pack: Path,
    plan: Path | None = None,
    exclude: tuple[str, ...] = (),
) -> Preview:
    """Return what the engine would do, priced, and held against the policy pack.

    Args:
        settings: Of the engine.
        folder: With the programs.
        record: The stack.
        phase: Which program.
        prices: Of its region.
        pack: Folder of the policy pack.
        plan: File to keep the engine's plan in.
        exclude: URNs to leave as they are, with everything that depends on them.

    Raises:
        TransientError: Another update holds the stack.
        PermanentError: The engine refuses the program.
    """
    seen = pulumi_engine.preview(
        settings,
        folder,
        stack=record.value.stack,
        phase=phase,
        region=record.value.region,
        plan=plan,
        exclude=exclude,
    )
    return judged(seen, record.value, prices.value, pack=pack)


@task(name="estimate-stack", timeout_seconds=600, cache_policy=NO_CACHE)
def estimate_stack(
    settings: EngineSettings,
    folder: Path,
    record: Sealed[StackRecord],
    prices: Sealed[StackPrices],
    *,
    pack: Path,
) -> Preview:
    """Return what the change would do as far as its programs alone tell: nobody can approve it."""
    seen = estimate(
        settings,
        folder,
        stack=record.value.stack,
        phase=Phase.CHANGE,
        region=record.value.region,
    )
    return judged(seen, record.value, prices.value, pack=pack)


def judged(seen: Preview, record: StackRecord, prices: StackPrices, *, pack: Path) -> Preview:
    """Return a preview with its money and with the rules that it breaks."""
    steady = replace(prices, spot=steady_prices(record.spot_usd_per_hour, prices.spot))
    seen = replace(seen, drift=record.unexpected(seen.drift))
    priced = replace(seen, costs=cost_deltas(seen, prices=steady, given=record.prices))
    return replace(priced, findings=policy_findings(priced, pack=pack))


@task(name="show-preview", timeout_seconds=120, cache_policy=NO_CACHE)
def show_preview(preview: Sealed[Preview], record: Sealed[StackRecord]) -> None:
    """Create the artifacts that a reviewer reads."""
    seen = preview.value
    create_markdown_artifact(
        preview_markdown(seen, changes=record.value.changes),
        key=PREVIEW_KEY,
        description=f"Preview of {seen.stack}, with money.",
    )
    if rows := preview_rows(seen):
        create_table_artifact(rows, key=LINES_KEY, description="What is done with each resource")
    get_run_logger().info(
        "stacks.previewed stack=%s phase=%s source=%s acting=%d delta_usd=%.2f findings=%d",
        seen.stack,
        seen.phase,
        seen.source,
        len(seen.acting),
        seen.delta_usd,
        len(seen.findings),
    )
