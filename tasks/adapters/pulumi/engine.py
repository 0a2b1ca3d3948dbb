"""Previews and updates of a generated project by Pulumi's own engine."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.adapters.pulumi.environment import (
    EngineSettings,
    engine_version,
    journal_file,
    salt_file,
)
from tasks.adapters.pulumi.events import (
    Event,
    Known,
    cleaned,
    drift,
    error_text,
    operations_done,
    operations_failed,
    resource_changes,
    shortened,
    warnings,
)
from tasks.adapters.pulumi.process import Answer, run_worker, without_secrets
from tasks.adapters.pulumi.values import plain_value, secret_texts
from tasks.domain.errors import InfraError, PermanentError, TransientError
from tasks.domain.stacks.applied import Applied, Done
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import Preview, Source, Value
from tasks.domain.stacks.program import PROJECT
from tasks.domain.stacks.recovery import CutOffError, pending_operations
from tasks.domain.stacks.state_serial import state_serial

HOW_TO_GET = (
    "there is no `pulumi` command; install Pulumi 3 (https://www.pulumi.com/docs/install) or run "
    "`make tools` where Go is installed"
)
NO_WORD = "the engine ended without a word: it was killed or ran out of memory; recover the stack"
OnProgress = Callable[[Done], None]
_LOCKED_BY = re.compile(r"created by (\S+) \(pid (\d+)\) at (\S+)")


def program_path(folder: Path, phase: Phase) -> Path:
    """Return the program of a phase in a generated project."""
    within = {Phase.CHANGE: ".", Phase.ADOPT: "adopt", Phase.UNDO: "undo"}[phase]
    return folder.resolve() / within / "__main__.py"


def preview(
    settings: EngineSettings,
    folder: Path,
    *,
    stack: str,
    phase: Phase,
    region: str | None = None,
    plan: Path | None = None,
    exclude: Sequence[str] = (),
) -> Preview:
    """Return what an update would do, after looking at what the account has; nothing is changed.

    The look is the engine's refresh, in memory: the stored state, and with it the serial, stays as it
    is, and what differs is told as drift. Costs and findings are added by others.

    Args:
        settings: Of the engine.
        folder: The generated project.
        stack: Its name.
        phase: Which of its programs.
        region: For the provider; None for the one in `settings.aws`.
        plan: File to keep the engine's plan in, for `apply`; secrets in it are encrypted.
        exclude: URNs to leave as they are, with everything that depends on them.

    Raises:
        TransientError: Another update holds the stack.
        CutOffError: An earlier update was cut off, or this preview was.
        PermanentError: The engine refuses the program.
    """
    version = required_version(settings)
    request = program_request(settings, folder, stack=stack, phase=phase, region=region)
    request |= {"operation": "preview", "plan": None if plan is None else str(plan.resolve())}
    request["exclude"] = list(exclude)
    answer = run_worker(settings, request, stack=stack)
    _check(answer, settings, stack=stack)
    state = answer.result["state"]
    return Preview(
        stack=stack,
        region=request["region"],
        phase=phase,
        source=Source.ENGINE,
        program_sha256=request["program_sha256"],
        state_serial=state_serial(state),
        changes=resource_changes(answer.events, known=_known(state)),
        drift=drift(answer.events),
        engine=version,
        notes=_texts(warnings(answer.events), settings, state),
    )


def apply(
    settings: EngineSettings,
    folder: Path,
    *,
    stack: str,
    phase: Phase,
    region: str | None = None,
    plan: Path | None = None,
    expected: Preview | None = None,
    exclude: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> Applied:
    """Carry out a program and return exactly what was done, also when it ended half-way.

    Args:
        settings: Of the engine.
        folder: The generated project.
        stack: Its name.
        phase: Which of its programs.
        region: As in `preview`.
        plan: File that `preview` wrote: the engine does nothing that is not in it.
        expected: What was previewed: another program or another state is refused.
        exclude: As in that preview.
        on_progress: Called with each operation as it ends.

    Raises:
        TransientError: Another update holds the stack; nothing was done.
        CutOffError: An earlier update was cut off, or this one: recover the stack.
        PermanentError: Refused; nothing was done.
    """
    required_version(settings)
    request = program_request(settings, folder, stack=stack, phase=phase, region=region)
    request |= {"operation": "up", "plan": None if plan is None else str(plan.resolve())}
    request["exclude"] = list(exclude)
    if expected is not None:
        request |= {
            "program_sha256": expected.program_sha256,
            "state_serial": expected.state_serial,
        }
    return _update(settings, request, phase=phase, on_progress=on_progress)


def destroy(
    settings: EngineSettings,
    *,
    stack: str,
    region: str | None = None,
    on_progress: OnProgress | None = None,
) -> Applied:
    """Delete what a stack made, and let go of what it adopted, which stays as it is.

    Raises:
        TransientError: Another update holds the stack; nothing was done.
        CutOffError: An earlier update was cut off, or this one: recover the stack.
        PermanentError: Refused; nothing was done.
    """
    required_version(settings)
    request = stack_request(settings, stack=stack, region=region) | {"operation": "destroy"}
    return _update(settings, request, phase=None, on_progress=on_progress)


def forget(settings: EngineSettings, *, stack: str) -> None:
    """Remove a stack's state and leave everything in the account as it is."""
    required_version(settings)
    request = stack_request(settings, stack=stack, region=None) | {"operation": "remove"}
    _check(run_worker(settings, request, stack=stack), settings, stack=stack)


def current_serial(settings: EngineSettings, *, stack: str) -> str:
    """Return the serial of the state as it is stored now."""
    return state_serial(exported(settings, stack=stack))


def exported(settings: EngineSettings, *, stack: str) -> Mapping[str, Any]:
    """Return the state as the engine exports it, with secrets in the clear: not to be shown.

    Raises:
        PermanentError: It cannot be read.
    """
    required_version(settings)
    request = stack_request(settings, stack=stack, region=None) | {"operation": "export"}
    answer = run_worker(settings, request, stack=stack)
    if answer.error is not None:
        raise engine_error(answer, settings, stack=stack)
    state: Mapping[str, Any] = answer.result["state"]
    return state


def engine_error(answer: Answer, settings: EngineSettings, *, stack: str) -> InfraError:
    """Return our error for what ended an operation."""
    error = answer.error or answer.result.get("failure") or {}
    if error.get("type") == "ConcurrentUpdateError":
        return _locked(stack, error["message"])
    state = answer.result.get("state")
    text = error_text(answer.events) or _last_words(error.get("message", "")) or NO_WORD
    return PermanentError(f"{stack}: {_texts((text,), settings, state)[0]}")


def _update(
    settings: EngineSettings,
    request: dict[str, Any],
    *,
    phase: Phase | None,
    on_progress: OnProgress | None,
) -> Applied:
    stack = request["stack"]
    answer = run_worker(settings, request, stack=stack, on_event=_progress(on_progress))
    _check(answer, settings, stack=stack)
    before, after = answer.result["before"], answer.result["state"]
    failure = answer.result.get("failure")
    if failure is not None and failure["type"] == "ConcurrentUpdateError":
        raise engine_error(answer, settings, stack=stack)
    known = _known(before)
    return Applied(
        stack=stack,
        phase=phase,
        done=operations_done(answer.events, known=known),
        failed=operations_failed(answer.events, known=known),
        error="" if failure is None else str(engine_error(answer, settings, stack=stack)),
        pending=pending_operations(after),
        outputs=_outputs(answer.result.get("outputs")),
        serial_before=state_serial(before),
        serial_after=state_serial(after),
        notes=_texts(warnings(answer.events), settings, after),
    )


def program_request(
    settings: EngineSettings, folder: Path, *, stack: str, phase: Phase, region: str | None
) -> dict[str, Any]:
    """Return what an operation with a program is asked with.

    Raises:
        PermanentError: The program is not there.
    """
    path = program_path(folder, phase)
    try:
        source = path.read_bytes()
    except OSError as error:
        message = f"{stack}: no {phase} program at {path}: {error.strerror}; generate it first"
        raise PermanentError(message) from error
    request = stack_request(settings, stack=stack, region=region)
    # A copy: the engine writes its salt into this file, and the project is under review.
    own = folder.resolve() / f"Pulumi.{stack}.yaml"
    return request | {
        "program": str(path),
        "program_sha256": hashlib.sha256(source).hexdigest(),
        "stack_settings": own.read_text() if own.is_file() else request["stack_settings"],
    }


def stack_request(settings: EngineSettings, *, stack: str, region: str | None) -> dict[str, Any]:
    """Return what every operation is asked with."""
    found = region or (settings.aws.region if settings.aws is not None else "")
    configured = {"config": {"aws:region": found}} if found else {}
    return {
        "project": PROJECT,
        "stack": stack,
        "region": found,
        "program": None,
        "stack_settings": json.dumps(configured),  # JSON is YAML.
        "salt_file": str(salt_file(settings, stack)),
        "journal_file": str(journal_file(settings, stack)),
    }


def required_version(settings: EngineSettings) -> str:
    """Return the engine's version.

    Raises:
        PermanentError: There is no engine.
    """
    version = engine_version(settings)
    if version is None:
        raise PermanentError(HOW_TO_GET)
    return version


def _check(answer: Answer, settings: EngineSettings, *, stack: str) -> None:
    if answer.error is not None:
        raise engine_error(answer, settings, stack=stack)
    pending = pending_operations(answer.result.get("before"))
    if pending:
        message = (
            f"{stack}: an earlier update was cut off ({shortened(', '.join(pending))}); "
            "recover the stack, then try again"
        )
        raise CutOffError(message)


def _locked(stack: str, message: str) -> TransientError:
    found = _LOCKED_BY.search(message)
    holder = "another update"
    if found is not None:
        who, pid, since = found.groups()
        holder = f"an update by {who} (process {pid}) since {since}"
    return TransientError(
        f"{stack} is locked by {holder}; wait for it, or recover the stack if it was killed"
    )


def _last_words(message: str) -> str:
    # "code: 255 / stdout: ... / stderr: error: ...": the last part is what people need.
    return shortened(cleaned(message.rpartition("stderr:")[2] or message).removeprefix("error: "))


def _known(state: Mapping[str, Any]) -> dict[str, Known]:
    return {
        one["urn"]: Known(retained=bool(one.get("retainOnDelete")))
        for one in state.get("resources") or ()
    }


def _texts(
    texts: tuple[str, ...], settings: EngineSettings, state: Mapping[str, Any] | None
) -> tuple[str, ...]:
    secrets = frozenset(settings.secrets) | secret_texts(state or {})
    return tuple(without_secrets(one, secrets) for one in texts)


def _outputs(outputs: Mapping[str, Any] | None) -> dict[str, Value]:
    return {name: plain_value(value) for name, value in (outputs or {}).items()}


def _progress(on_progress: OnProgress | None) -> Callable[[Event], None] | None:
    if on_progress is None:
        return None

    def tell(event: Event) -> None:
        for done in operations_done((event,), known={}):
            on_progress(done)

    return tell
