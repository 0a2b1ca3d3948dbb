"""Running one operation of the engine in a process, and ending what is left of such processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from tasks.adapters.pulumi.environment import (
    STACK_VARIABLE,
    EngineSettings,
    engine_environment,
    prepare_folders,
    stack_mark,
)
from tasks.adapters.pulumi.events import Event
from tasks.adapters.pulumi.values import LEAST_SECRET
from tasks.domain.stacks.preview import SECRET
from tasks.domain.stacks.recovery import CutOffError

STOP_SECONDS = 60
"""How long an engine that was asked to stop may take: it waits for the calls that are under way."""
LAST_LINES = 5
OnEvent = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a worker said.

    Attributes:
        events: Of the engine, in order.
        result: Of the operation; empty when it ended with an error.
        error: Type and message; None where there is none.
    """

    events: tuple[Event, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] | None = None


def run_worker(
    settings: EngineSettings,
    request: Mapping[str, Any],
    *,
    stack: str,
    on_event: OnEvent | None = None,
    module: str = "tasks.adapters.pulumi.worker",
) -> Answer:
    """Run one operation and return what came of it.

    Args:
        settings: Of the engine.
        request: Operation and what it needs, as JSON.
        stack: On which it works.
        on_event: Called with each event as it comes.
        module: What answers.

    Raises:
        CutOffError: It took longer than it may and was stopped, or ended without an answer.
    """
    prepare_folders(settings)
    with tempfile.TemporaryDirectory(prefix="homeostat-engine-") as folder:
        words = Path(folder) / "words.txt"
        work = Path(folder) / "work"
        work.mkdir()
        with words.open("w") as file, _started(settings, module, stack, work, file) as process:
            answer = _conversation(
                process, {**request, "work_folder": str(work)}, settings, on_event or _ignore
            )
        if answer is not None:
            return answer
        lines = words.read_text(errors="replace").splitlines()[-LAST_LINES:]
        said = without_secrets(" / ".join(lines), settings.secrets)
        message = (
            f"{stack}: the engine's process ended with {process.returncode} and no answer "
            f"({said or 'it said nothing'}); recover the stack before anything else"
        )
        raise CutOffError(message)


def stop_leftovers(settings: EngineSettings, *, stack: str) -> int:
    """Kill every process that works on a stack and return how many there were.

    An engine that is killed leaves its provider running, in a process group of its own, and the
    provider finishes the call it is at. Only who holds the lock of the stack may call this.
    """
    mark = stack_mark(settings, stack)
    found = [one for one in psutil.process_iter() if _works_on(one, mark)]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=STOP_SECONDS)
    return len(found)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return a text with every secret replaced, but for those too short to be looked for."""
    for one in secrets:
        text = text.replace(one, SECRET) if len(one) >= LEAST_SECRET else text
    return text


def _started(
    settings: EngineSettings, module: str, stack: str, work: Path, words: IO[str]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=words,
        text=True,
        cwd=work,
        env=engine_environment(settings, stack=stack),
        # Its own session: Ctrl-C reaches the caller alone, who then closes stdin.
        start_new_session=True,
    )


def _conversation(
    process: subprocess.Popen[str],
    request: Mapping[str, Any],
    settings: EngineSettings,
    on_event: OnEvent,
) -> Answer | None:
    late = threading.Event()
    timer = threading.Timer(settings.timeout_seconds, _stop_late, (process, late))
    timer.daemon = True
    timer.start()
    try:
        with suppress(BrokenPipeError):
            assert process.stdin is not None  # noqa: S101 - for the type checker
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        answer = _listen(process, on_event)
    except BaseException:
        _stop(process)
        raise
    finally:
        # What was not taken any more when the process died would be written once more on leaving.
        with suppress(BrokenPipeError):
            assert process.stdin is not None  # noqa: S101 - for the type checker
            process.stdin.close()
        timer.cancel()
    if late.is_set():
        message = (
            f"{request['operation']} took longer than {settings.timeout_seconds:.0f} s and was "
            "stopped; recover the stack, then try again"
        )
        raise CutOffError(message)
    return answer


def _listen(process: subprocess.Popen[str], on_event: OnEvent) -> Answer | None:
    events: list[Event] = []
    for line in process.stdout or ():
        try:
            message = json.loads(line)
        except ValueError:
            return None  # Killed in the middle of a line.
        if "event" in message:
            events.append(message["event"])
            on_event(message["event"])
        else:
            return Answer(
                events=tuple(events),
                result=message.get("result") or {},
                error=message.get("error"),
            )
    return None


def _stop_late(process: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    """Let the engine write down what it did; after a while, kill it."""
    with suppress(OSError, ValueError):
        if process.stdin is not None:
            process.stdin.close()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _works_on(process: psutil.Process, mark: str) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get(STACK_VARIABLE) == mark
    except psutil.Error:
        return False


def _ignore(_: Event) -> None:
    pass
