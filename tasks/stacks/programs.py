"""A stack's programs: generated once, kept as they are, and written where the engine reads them."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.chunks import Sealed
from tasks.domain.stacks.hourly import hourly_prices
from tasks.domain.stacks.program import StackPlan
from tasks.domain.stacks.quoted import PRICES_FILE, Quoted, prices_text
from tasks.domain.stacks.record import StackRecord, stack_record
from tasks.domain.stacks.source.project import project_files
from tasks.domain.stacks.stack_prices import StackPrices


@task(name="generate-programs", timeout_seconds=300, cache_policy=NO_CACHE)
def generate_programs(
    plan: Sealed[StackPlan], prices: Sealed[StackPrices], *, now: datetime
) -> StackRecord:
    """Return a stack with the text of its programs, and the prices it was reckoned with.

    Args:
        plan: What it is.
        prices: Of its region.
        now: Aware UTC.
    """
    day = f"{now:%Y-%m-%d}"
    files = project_files(plan.value, notes=[f"Prices were read on {day}; see {PRICES_FILE}."])
    quoted = Quoted(quoted_on=day, prices=prices.value, given=plan.value.prices)
    programs = [text.decode() for path, text in files.items() if path.endswith("__main__.py")]
    files[PRICES_FILE] = prices_text(quoted, programs).encode()
    return stack_record(
        plan.value,
        files,
        generated_at=now,
        spot_usd_per_hour=prices.value.spot,
        hourly=hourly_prices(plan.value, prices.value),
    )


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
    partial.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)
    return folder
