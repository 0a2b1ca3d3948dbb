"""What the engine does to an account: adopt, change, go back; one at a time, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency
from prefect.logging import get_run_logger

from tasks.adapters.interrupted_instances import started_again
from tasks.adapters.pulumi import engine as pulumi_engine
from tasks.adapters.pulumi.environment import EngineSettings
from tasks.adapters.pulumi.recover import recover
from tasks.adapters.tagged_resources import found_by_tags
from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.stacks.applied import Applied, Done
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.recovery import Recovery
from tasks.stacks.site import Site

UPDATES_LOCK = "homeostat-updates"
"""Global concurrency limit of one: whoever holds it is the only one who changes an account."""
LOCK_TIMEOUT_SECONDS = 3600
LEASE_SECONDS = 60.0


@contextmanager
def only_update() -> Iterator[None]:
    """Let one run at a time change the account.

    Raises:
        TransientError: Another run held the lock for an hour.
        PermanentError: The lock does not exist.
    """
    try:
        with concurrency(
            UPDATES_LOCK,
            occupy=1,
            strict=True,
            timeout_seconds=LOCK_TIMEOUT_SECONDS,
            lease_duration=LEASE_SECONDS,
        ):
            yield
    except TimeoutError as error:
        message = f"another run held {UPDATES_LOCK!r} for {LOCK_TIMEOUT_SECONDS} s; try again"
        raise TransientError(message) from error
    except ConcurrencySlotAcquisitionError as error:
        message = (
            f"global concurrency limit {UPDATES_LOCK!r} does not exist; "
            "`homeostat up` or `python -m deployments.register` creates it"
        )
        raise PermanentError(message) from error


@task(name="update-stack", task_run_name="{seen.phase}", cache_policy=NO_CACHE)
def update_stack(
    settings: EngineSettings,
    folder: Path,
    seen: Preview,
    *,
    plan: Path | None,
    exclude: tuple[str, ...] = (),
) -> Applied:
    """Carry out exactly what was previewed, and return what was done.

    Never retried: what a half-done update left is looked at first.

    Args:
        settings: Of the engine.
        folder: With the programs.
        seen: What was previewed a moment ago: another program or state is refused.
        plan: The engine's plan from that preview.
        exclude: As in that preview.
    """
    logger = get_run_logger()

    def tell(done: Done) -> None:
        logger.info(
            "stacks.done stack=%s operation=%s resource=%s id=%s",
            seen.stack,
            done.operation,
            done.name,
            done.resource_id,
        )

    applied = pulumi_engine.apply(
        settings,
        folder,
        stack=seen.stack,
        phase=seen.phase,
        region=seen.region,
        plan=plan,
        expected=seen,
        exclude=exclude,
        on_progress=tell,
    )
    for one in applied.failed:
        logger.error(
            "stacks.failed stack=%s operation=%s resource=%s reason=%s",
            seen.stack,
            one.operation,
            one.name,
            one.message,
        )
    return applied


@task(name="recover-stack", task_run_name="recover {stack}", cache_policy=NO_CACHE)
def recover_stack(site: Site, stack: str, region: str) -> Recovery:
    """Bring a stack whose update was cut off back to a known state.

    Only called under the lock of updates.
    """
    found = recover(
        site.engine(region),
        stack=stack,
        find_by_tags=found_by_tags(site.client, region=region),
        start_again=started_again(site.changing_client, region=region),
        region=region,
    )
    get_run_logger().info(
        "stacks.recovered stack=%s needed=%s resolutions=%s stopped=%d restored_from=%s",
        stack,
        found.needed,
        [f"{one.operation} {one.name}: {one.outcome}" for one in found.resolutions],
        found.stopped,
        found.restored_from,
    )
    return found
