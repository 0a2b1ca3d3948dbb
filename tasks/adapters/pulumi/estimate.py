"""What an update would do, from the programs alone: for where there is no engine.

The program that adopts what exists says how things are, and the program under review how they will
be; both are run against a recorder in place of the engine, and compared. Neither the state nor the
account is looked at, so nobody can approve the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tasks.adapters.pulumi.engine import engine_error, program_path, program_request
from tasks.adapters.pulumi.environment import EngineSettings
from tasks.adapters.pulumi.process import run_worker
from tasks.adapters.pulumi.values import plain_inputs
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.diffs import property_diffs
from tasks.domain.stacks.preview import Operation, Preview, ResourceChange, Source, Value

MODULE = "tasks.adapters.pulumi.mock_worker"
NOT_LOOKED_AT = "unknown"
"""Serial in an estimate: the state was not looked at."""
NOTE = (
    "An estimate from the programs alone: neither the state nor the account was looked at, and only "
    "the engine can say what is replaced. It cannot be approved; install Pulumi 3 for a preview."
)
BEFORE: Mapping[Phase, Phase | None] = {
    Phase.ADOPT: None,
    Phase.CHANGE: Phase.ADOPT,
    Phase.UNDO: Phase.CHANGE,
}
"""What was applied before each program."""
Registered = Mapping[str, Mapping[str, Any]]


def estimate(
    settings: EngineSettings, folder: Path, *, stack: str, phase: Phase, region: str | None = None
) -> Preview:
    """Return what an update would do if the state is what the program before it leaves.

    Args:
        settings: Of the engine; it is not called.
        folder: The generated project.
        stack: Its name.
        phase: Which of its programs.
        region: For the provider; None for the one in `settings.aws`.

    Raises:
        PermanentError: A program is missing, or fails.
    """
    earlier = BEFORE[phase]
    has_earlier = earlier is not None and program_path(folder, earlier).is_file()
    phases = [phase, *([earlier] if has_earlier and earlier is not None else [])]
    requests = [
        program_request(settings, folder, stack=stack, phase=one, region=region) for one in phases
    ]
    with ThreadPoolExecutor(2) as pool:
        after, *rest = pool.map(lambda one: _registered(settings, one), requests)
    before: Registered = rest[0] if rest else {}
    return Preview(
        stack=stack,
        region=requests[0]["region"],
        phase=phase,
        source=Source.ESTIMATE,
        program_sha256=requests[0]["program_sha256"],
        state_serial=NOT_LOOKED_AT,
        changes=compared(before, after),
        notes=(NOTE,),
    )


def compared(before: Registered, after: Registered) -> tuple[ResourceChange, ...]:
    """Return a line for each resource of either of two programs, by URN."""
    return tuple(_line(urn, before.get(urn), after.get(urn)) for urn in sorted({**before, **after}))


def _registered(settings: EngineSettings, request: Mapping[str, Any]) -> Registered:
    answer = run_worker(settings, request, stack=request["stack"], module=MODULE)
    if answer.error is not None:
        raise engine_error(answer, settings, stack=request["stack"])
    return {one["urn"]: one for one in answer.result["registered"] if _counts(one)}


def _counts(one: Mapping[str, Any]) -> bool:
    return not str(one["type"]).startswith("pulumi:")


def _line(urn: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> ResourceChange:
    one = new or old or {}
    before, after = _inputs(old), _inputs(new)
    if before is not None and after is not None:
        for name in one["ignore"]:
            after[name] = before.get(name)
    diffs = property_diffs(before, after) if old is not None and new is not None else ()
    return ResourceChange(
        name=one["name"],
        token=one["type"],
        urn=urn,
        operation=_operation(old, new, changed=bool(diffs)),
        resource_id=one["id"],
        diffs=diffs,
        inputs_before=before,
        inputs_after=after,
        protected=one["protect"],
    )


def _operation(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, *, changed: bool
) -> Operation:
    if new is None:
        retained = old is not None and (old["retain"] or old["id"] is not None)
        return Operation.FORGET if retained else Operation.DELETE
    if old is None:
        return Operation.CREATE if new["id"] is None else Operation.IMPORT
    return Operation.UPDATE if changed else Operation.SAME


def _inputs(one: Mapping[str, Any] | None) -> dict[str, Value] | None:
    return None if one is None else plain_inputs(one["inputs"])
