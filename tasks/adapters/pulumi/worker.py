"""One operation of the engine, in a process of its own: `python -m tasks.adapters.pulumi.worker`.

The Automation API runs an inline program in the process that calls it, where the SDK keeps settings,
configuration, the registry of types and the root resource in globals, and where the program would
need its folder as working directory and on `sys.path`. Flows call from several threads at once; an
operation has to be stopped when it takes too long; and a program under review must not reach what
the flow's process holds. So each operation is a process: it costs two seconds and shares nothing.

The request is the first line of stdin, as JSON. stdin stays open: when it ends, so has the caller,
and the engine is asked to stop in order, which writes down what it did. Messages are JSON lines on
the first stdout; whatever else prints goes to stderr.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import psutil
import yaml

from tasks.adapters.pulumi.journal import Journal, as_in_state
from tasks.domain.stacks.preview import SECRET
from tasks.domain.stacks.recovery import pending_operations, with_begun
from tasks.domain.stacks.state_serial import state_serial

Request = Mapping[str, Any]
PARALLEL = 8
SALT = "encryptionsalt"


def main() -> int:
    """Answer one request; return 0 also when the engine refuses."""
    os.umask(0o077)  # State, plans and backups hold what launch templates and tags hold.
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_stop_with_caller, daemon=True).start()
    writer = Writer(messages)
    try:
        writer.tell({"result": _OPERATIONS[request["operation"]](request, writer)})
    except BaseException as error:  # noqa: BLE001 - the edge of the process: all of it is told
        writer.tell({"error": _told(error)})
    return 0


class Writer:
    """Messages to the caller, from any thread, one a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Write one message."""
        with self._lock:
            self._file.write(json.dumps(message, default=str) + "\n")

    def event(self, event: Any) -> None:
        """Write one event of the engine, where it says anything of interest."""
        for found in _events(event):
            self.tell({"event": found})


def _stop_with_caller() -> None:
    sys.stdin.read()
    for child in psutil.Process().children():
        child.send_signal(signal.SIGINT)


class ChangedError(Exception):
    """The program or the state is not the one that was previewed."""


def _preview(request: Request, writer: Writer) -> Any:
    stack = _stack(request)
    state = _state(stack, request)
    # With something pending nothing is run: a refresh forgets pending creates without a word, and
    # what they made would be lost.
    if not pending_operations(state):
        stack.preview(
            on_event=writer.event,
            refresh=True,
            plan=request.get("plan"),
            parallel=PARALLEL,
            **_left_out(request),
        )
    return {"before": state, "state": state}


def _up(request: Request, writer: Writer) -> Any:
    def up(stack: Any) -> Any:
        done = stack.up(
            on_event=tell,
            refresh=True,
            plan=request.get("plan"),
            parallel=PARALLEL,
            show_secrets=False,  # Of the history, which nobody reads.
            **_left_out(request),
        )
        return done.outputs

    tell = _journalled(request, writer)
    return _update(request, up)


def _left_out(request: Request) -> dict[str, Any]:
    urns = request.get("exclude") or []
    return {"exclude": urns, "exclude_dependents": True} if urns else {}


def _destroy(request: Request, writer: Writer) -> Any:
    def destroy(stack: Any) -> None:
        _unprotect_retained(stack)
        stack.destroy(on_event=tell, refresh=True, parallel=PARALLEL, show_secrets=False)

    tell = _journalled(request, writer)
    return _update(request, destroy)


def _update(request: Request, action: Callable[[Any], Any]) -> Any:
    stack = _stack(request)
    before = _state(stack, request)
    if pending_operations(before):
        return {"before": before, "state": before}
    expected = request.get("state_serial")
    if expected is not None and state_serial(before) != expected:
        message = "the state changed after it was previewed; preview it again"
        raise ChangedError(message)
    outputs, failure = _attempt(lambda: action(stack))
    return {
        "before": before,
        "state": _state(stack, request),
        # Asking for them anew starts the engine twice.
        "outputs": _plain(stack.outputs() if outputs is None else outputs),
        "failure": failure,
    }


def _unprotect_retained(stack: Any) -> None:
    # Protection keeps the engine from a deletion; what is retained is not deleted, only let go.
    deployment = stack.export_stack()
    held = [
        one
        for one in (deployment.deployment or {}).get("resources") or ()
        if one.get("protect") and one.get("retainOnDelete")
    ]
    for one in held:
        one["protect"] = False
    if held:
        stack.import_stack(deployment)


def _remove(request: Request, _: Writer) -> Any:
    stack = _stack(request)
    stack.workspace.remove_stack(request["stack"], force=True)
    _journal(request).clear()
    return {}


def _export(request: Request, _: Writer) -> Any:
    return {"state": _state(_stack(request), request)}


def _unlock(request: Request, _: Writer) -> Any:
    stack = _stack(request)
    _, error = _attempt(stack.cancel)
    return {"state": _state(stack, request), "failure": error}


def _settle(request: Request, writer: Writer) -> Any:
    from pulumi import automation

    stack = _stack(request)
    if request["state"] is not None:
        stack.import_stack(automation.Deployment(version=3, deployment=request["state"]))
    _journal(request).clear()
    stack.refresh(on_event=writer.event, parallel=PARALLEL, show_secrets=False)
    return {"state": _state(stack, request)}


_OPERATIONS: Mapping[str, Callable[[Request, Writer], Any]] = {
    "preview": _preview,
    "up": _up,
    "destroy": _destroy,
    "remove": _remove,
    "export": _export,
    "unlock": _unlock,
    "settle": _settle,
}


def _stack(request: Request) -> Any:
    # Late: a request that cannot be read is answered without a second of imports.
    from pulumi import automation

    folder = Path(request["work_folder"])
    file = folder / f"Pulumi.{request['stack']}.yaml"
    kept = Path(request["salt_file"])
    file.write_text(_with_salt(request["stack_settings"], kept))
    project = automation.ProjectSettings(name=request["project"], runtime="python")
    stack = automation.create_or_select_stack(
        request["stack"],
        project_name=request["project"],
        program=lambda: run_program(request),
        opts=automation.LocalWorkspaceOptions(work_dir=str(folder), project_settings=project),
    )
    _keep_salt(file, kept)
    return stack


def _with_salt(settings: str, kept: Path) -> str:
    # The engine makes up a salt where the settings have none, and a plan that was encrypted with
    # one cannot be carried out with another.
    parsed = yaml.safe_load(settings) or {}
    if SALT not in parsed and kept.is_file():
        parsed[SALT] = kept.read_text()
    return yaml.safe_dump(parsed)


def _keep_salt(file: Path, kept: Path) -> None:
    salt = (yaml.safe_load(file.read_text()) or {}).get(SALT)
    if salt and not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(f".{os.getpid()}")
        new.write_text(salt)
        new.replace(kept)


def run_program(request: Request) -> None:
    """Run the very bytes whose hash is compared: a file read twice could be two programs.

    Nor is its folder searched for modules: a `pulumi_aws.py` beside it would run unseen.
    """
    path = Path(request["program"])
    source = path.read_bytes()
    if hashlib.sha256(source).hexdigest() != request["program_sha256"]:
        message = f"{path.name} changed after it was previewed; preview it again"
        raise ChangedError(message)
    os.chdir(path.parent)
    code = compile(source, str(path), "exec", dont_inherit=True)
    exec(code, {"__name__": "__main__", "__file__": str(path)})  # noqa: S102 - the reviewed program


def _state(stack: Any, request: Request) -> dict[str, Any]:
    begun = _journal(request).read()
    return with_begun(stack.export_stack().deployment or {}, begun)


def _journal(request: Request) -> Journal:
    return Journal(Path(request["journal_file"]))


def _journalled(request: Request, writer: Writer) -> Callable[[Any], None]:
    journal = _journal(request)

    def tell(event: Any) -> None:
        failed = event.res_op_failed_event
        if failed is not None:
            step = failed.metadata
            journal.add(str(getattr(step.op, "value", step.op)), _resource(step))
        writer.event(event)

    return tell


def _resource(step: Any) -> dict[str, Any]:
    state = step.new or step.old
    return {
        "urn": step.urn,
        "custom": bool(state.custom),
        "type": step.type,
        "inputs": as_in_state(state.inputs or {}),
        "parent": state.parent,
        "provider": state.provider,
        "protect": bool(state.protect),
        "retainOnDelete": bool(state.retain_on_delete),
    }


def _plain(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: SECRET if one.secret else one.value for name, one in sorted(outputs.items())}


def _attempt(action: Callable[[], Any]) -> tuple[Any, Mapping[str, str] | None]:
    try:
        return action(), None
    except Exception as error:  # noqa: BLE001 - told with what had been done before
        return None, _told(error)


def _told(error: BaseException) -> dict[str, str]:
    return {"type": type(error).__name__, "message": str(error)}


def _events(event: Any) -> Iterator[dict[str, Any]]:
    message = event.diagnostic_event
    if message is not None and message.severity in {"warning", "error"} and not message.ephemeral:
        yield {
            "kind": "message",
            "severity": message.severity,
            "urn": message.urn,
            "message": message.message,
        }
    for kind, step in (
        ("pre", event.resource_pre_event),
        ("outputs", event.res_outputs_event),
        ("failed", event.res_op_failed_event),
    ):
        if step is not None:
            yield {"kind": kind, **_step(step.metadata)}


def _step(step: Any) -> dict[str, Any]:
    detailed = step.detailed_diff or {}
    replaces = [path for path, diff in detailed.items() if "replace" in str(diff.diff_kind.value)]
    return {
        "op": str(getattr(step.op, "value", step.op)),
        "urn": step.urn,
        "type": step.type,
        "replaces": [*replaces, *(step.keys or ())],
        "differs": [*detailed, *(step.diffs or ())],
        "old": _side(step.old),
        "new": _side(step.new),
    }


def _side(state: Any) -> dict[str, Any] | None:
    if state is None:
        return None
    return {"id": state.id, "protect": bool(state.protect), "inputs": dict(state.inputs or {})}


if __name__ == "__main__":
    sys.exit(main())
