"""Processes of an update are killed when their moment has come, and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.stacks_kill_account import COULD_DOUBLE, Account, Before
from benchmarks.stacks_kill_bench import Bench
from benchmarks.stacks_kill_processes import killing
from benchmarks.stacks_kill_scenarios import Scenario, Victim, scenarios
from benchmarks.stacks_kill_stack import ONCE
from tasks.adapters.pulumi.environment import STACK_VARIABLE, stack_mark
from tasks.domain.stacks.changes import Phase

BEFORE = Before(instance_id="i-1", volume_id="vol-1", image_id="ami-1")
WAIT = [sys.executable, "-c", "import sys; sys.stdin.read()"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(
        folder=tmp_path,
        endpoint_url="http://127.0.0.1:9",
        account=Account("http://127.0.0.1:9"),
        cli=tmp_path / "pulumi",
        usual_seconds={Phase.CHANGE: 0.0, Phase.ADOPT: 0.0},
    )


def at_once(victim: Victim) -> Scenario:
    kills = scenarios(6, once=ONCE, could_double=COULD_DOUBLE)
    return next(kill for kill in kills if not kill.is_aimed and kill.victim is victim)


def process(bench: Bench, stack: str) -> subprocess.Popen[bytes]:
    """Return a process that waits for its input to end, with the mark of a stack's update."""
    mark = stack_mark(bench.settings(stack, []), stack)
    return subprocess.Popen(WAIT, stdin=subprocess.PIPE, env={**os.environ, STACK_VARIABLE: mark})


def test_a_moment_before_the_victim_lives_counts_from_when_it_does(bench: Bench) -> None:
    settings = bench.settings("late", [])
    with (
        killing(bench, settings, "late", at_once(Victim.ALL), BEFORE, "hs-1") as hits,
        process(bench, "late") as victim,
    ):
        assert victim.wait(timeout=30) < 0
    assert hits == [victim.pid]


def test_another_stack_and_another_kind_of_process_are_left_alone(bench: Bench) -> None:
    settings = bench.settings("ours", [])
    other, program = process(bench, "other"), process(bench, "ours")
    with killing(bench, settings, "ours", at_once(Victim.ENGINE), BEFORE, "hs-1") as hits:
        pass
    assert hits == []
    for one in (other, program):
        one.communicate(timeout=30)
        assert one.returncode == 0
