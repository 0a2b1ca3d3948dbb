"""A stack's programs: generated once, kept as they are, and written where the engine reads them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.chunks import Sealed
from tasks.domain.stacks.program import StackPlan
from tasks.domain.stacks.record import StackRecord, stack_record
from tasks.domain.stacks.source.project import project_files


@task(name="generate-programs", timeout_seconds=300, cache_policy=NO_CACHE)
def generate_programs(
    plan: Sealed[StackPlan],
    *,
    now: datetime,
    spot_usd_per_hour: Mapping[str, float],
    quoted_at: str,
) -> StackRecord:
    """Return a stack with the text of its programs.

    Args:
        plan: What it is.
        now: Aware UTC.
        spot_usd_per_hour: By instance type, as quoted now.
        quoted_at: Where prices were read, for the README.
    """
    files = project_files(plan.value, notes=[f"Prices: {quoted_at}."] if quoted_at else ())
    return stack_record(plan.value, files, generated_at=now, spot_usd_per_hour=spot_usd_per_hour)


def write_programs(record: StackRecord, folder: Path) -> Path:
    """Write a stack's project to a folder, in the place of what lies there, and return the folder.

    The folder is ours: a file that was edited there is not what was generated and shown.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for path, text in record.files.items():
        target = partial / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)
    return folder
