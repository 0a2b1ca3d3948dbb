"""From an update that was killed back to a state that is known.

Only who holds the lock of the stack may call this: whatever still works on the stack is ended, and
the engine's own lock is taken away.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.adapters.pulumi.checkpoint import drop_broken_attributes, locks, restored_checkpoint
from tasks.adapters.pulumi.engine import engine_error, required_version, stack_request
from tasks.adapters.pulumi.environment import EngineSettings
from tasks.adapters.pulumi.process import run_worker, stop_leftovers
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.recovery import (
    FindByTags,
    Recovery,
    Resolution,
    StartAgain,
    Wanted,
    pending_creates,
    pending_operations,
    perhaps_left_stopped,
    resolved,
)
from tasks.domain.stacks.state_serial import state_serial

LOOK_AGAIN_SECONDS = 10.0
"""A call that was under way when its provider was killed may still be carried out, and AWS lists what
it made only a few seconds later."""


LATE_WRITE_SECONDS = 1.0


def recover(
    settings: EngineSettings,
    *,
    stack: str,
    find_by_tags: FindByTags,
    start_again: StartAgain,
    region: str | None = None,
    look_again_seconds: float = LOOK_AGAIN_SECONDS,
) -> Recovery:
    """Leave a state that is readable, has nothing pending and agrees with the account.

    Calling it again is harmless, also when it was killed itself: nothing is forgotten before what
    takes its place is written. Where nothing had happened it only reads.

    Args:
        settings: Of the engine.
        stack: Its name.
        find_by_tags: Looks in the account for what may have been created.
        start_again: Starts instances that were stopped for a change that was cut off.
        region: For the provider; None for the one in `settings.aws`.
        look_again_seconds: After which what was not found is looked for once more; 0 for never.

    Raises:
        PermanentError: The state cannot be read and there is no backup, the account has something
            more than once, or the provider cannot read what is there.
    """
    required_version(settings)
    request = stack_request(settings, stack=stack, region=region)
    stopped, unlocked, restored_from, state = _readable(settings, request, stack=stack)
    # Backends other than of files are unlocked in any case: that says nothing, and a refresh would
    # take what somebody else changed since into the state.
    seen_lock = bool(unlocked) and settings.backend_folder is not None
    interrupted = bool(stopped or seen_lock or restored_from or pending_operations(state))
    resolutions: tuple[Resolution, ...] = ()
    restarted: tuple[str, ...] = ()
    if interrupted:
        # First of all: it makes an outage shorter, and once nothing is pending nobody would know.
        restarted = start_again(perhaps_left_stopped(state))
        found = _found(pending_creates(state), find_by_tags, look_again_seconds)
        after, resolutions = resolved(state, found)
        # A state without anything pending is written by the refresh alone.
        given = after if resolutions else None
        state = _ask(settings, request | {"operation": "settle", "state": given})
    return Recovery(
        stack=stack,
        serial=state_serial(state),
        resolutions=resolutions,
        restarted=restarted,
        stopped=stopped,
        unlocked=unlocked,
        restored_from=restored_from,
    )


def _readable(
    settings: EngineSettings, request: Mapping[str, Any], *, stack: str
) -> tuple[int, tuple[str, ...], str | None, Mapping[str, Any]]:
    """Return processes stopped, locks found, backup used, and the state.

    What was being started while the others were ended may still have written: then once more.
    """
    stopped, restored_from = 0, None
    for last in (False, False, True):
        stopped += stop_leftovers(settings, stack=stack)
        drop_broken_attributes(settings, stack=stack)
        unlocked = locks(settings, stack=stack)
        restored_from = restored_checkpoint(settings, stack=stack) or restored_from
        try:
            operation = {"operation": "unlock" if unlocked else "export"}
            return stopped, unlocked, restored_from, _ask(settings, {**request, **operation})
        except PermanentError:
            if last:
                raise
            time.sleep(LATE_WRITE_SECONDS)
    raise AssertionError


def _found(
    wanted: Sequence[Wanted], find_by_tags: FindByTags, look_again_seconds: float
) -> dict[str, tuple[str, ...]]:
    found = {one.urn: find_by_tags(one) for one in wanted}
    missing = [one for one in wanted if not found[one.urn]]
    if missing and look_again_seconds > 0.0:
        time.sleep(look_again_seconds)
        found |= {one.urn: find_by_tags(one) for one in missing}
    return found


def _ask(settings: EngineSettings, request: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = run_worker(settings, request, stack=request["stack"])
    if answer.error is not None:
        raise engine_error(answer, settings, stack=request["stack"])
    state: Mapping[str, Any] = answer.result["state"]
    return state
