"""Processes of an update, killed where its scenario says."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.stacks_kill_account import Before
from benchmarks.stacks_kill_bench import Bench
from benchmarks.stacks_kill_scenarios import Moment, Scenario, Victim
from tasks.adapters.pulumi.environment import STACK_VARIABLE, EngineSettings, stack_mark
from tasks.domain.stacks.recovery import pending_operations

LONGEST_HOLD_SECONDS = 8.0
"""For which the provider holds an answer back: the kill comes long before."""
POLL_SECONDS = 0.05
GIVE_UP_SECONDS = 40.0
_WORDS = {
    Victim.ENGINE: "pulumi",
    Victim.PROVIDER: "deployments.embedded.pulumi_aws",
    Victim.PYTHON: "tasks.adapters.pulumi.worker",
}


def faults(scenario: Scenario) -> list[dict[str, Any]]:
    """Return what holds the provider up, so that the kill comes in time."""
    if not scenario.is_aimed:
        return []
    when = "after" if scenario.moment is Moment.CALL_DONE else "before"
    hold = LONGEST_HOLD_SECONDS if when == "after" else 2.0
    return [
        {"operation": one, "name": scenario.resource, "when": when, "delay_seconds": hold}
        for one in ("create", "update")
    ]


@contextmanager
def killing(
    bench: Bench,
    settings: EngineSettings,
    stack: str,
    scenario: Scenario,
    before: Before,
    change_id: str,
) -> Iterator[list[int]]:
    """Kill processes of the update that the block carries out; the ids of those that were hit."""
    hits: list[int] = []
    ended = threading.Event()

    def wait_and_kill() -> None:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        if not scenario.is_aimed:
            ended.wait(scenario.at_fraction * bench.usual_seconds[scenario.phase])
        else:
            while not ended.is_set() and time.monotonic() < deadline:
                if _reached(bench, settings, stack, scenario, before, change_id):
                    break
                ended.wait(POLL_SECONDS)
        # A moment before the victim lives counts from when it does.
        while not hits and time.monotonic() < deadline:
            hits.extend(_kill_processes(settings, stack, scenario.victim))
            if ended.wait(POLL_SECONDS):
                break

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    try:
        yield hits
    finally:
        ended.set()
        thread.join()


def _reached(
    bench: Bench,
    settings: EngineSettings,
    stack: str,
    scenario: Scenario,
    before: Before,
    change_id: str,
) -> bool:
    if scenario.moment is Moment.CALL_DONE:
        return bench.account.has(scenario.resource, before=before, change_id=change_id)
    folder = settings.backend_folder
    assert folder is not None  # noqa: S101 - a backend of files
    try:
        written = json.loads((folder / f".pulumi/stacks/homeostat/{stack}.json").read_bytes())
    except (OSError, ValueError):
        return False
    state = written["checkpoint"].get("latest") or {}
    return any(one.endswith(f" {scenario.resource}") for one in pending_operations(state))


def _kill_processes(settings: EngineSettings, stack: str, victim: Victim) -> list[int]:
    killed = []
    mark = stack_mark(settings, stack)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid == os.getpid() or process.environ().get(STACK_VARIABLE) != mark:
                continue
            words = " ".join(process.cmdline())
            wanted = victim is Victim.ALL or _is_victim(words, victim)
            if wanted:
                process.kill()
                killed.append(process.pid)
    return killed


def _is_victim(words: str, victim: Victim) -> bool:
    if victim is Victim.ENGINE:
        return Path(words.split(" ", 1)[0]).name == _WORDS[victim]
    return _WORDS[victim] in words
