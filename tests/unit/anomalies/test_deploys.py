from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tasks.domain.anomalies.alarms import Signal
from tasks.domain.anomalies.deploys import RELEARN, SETTLING, WARM_UP, Deploys

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
TICK = timedelta(minutes=1)


@pytest.mark.parametrize("signal", list(Signal))
def test_without_a_deploy_everything_counts(signal: Signal) -> None:
    assert Deploys().weight(signal, AT) == 1.0


@pytest.mark.parametrize("signal", [Signal.CPU, Signal.LATENCY, Signal.RESTARTS, Signal.EGRESS])
def test_a_warm_up_excuses_what_cold_processes_do(signal: Signal) -> None:
    deploys = Deploys(AT)
    assert deploys.weight(signal, AT + WARM_UP - TICK) == 0.0
    assert 0.0 < deploys.weight(signal, AT + WARM_UP) < 1.0
    assert deploys.weight(signal, AT + SETTLING) == 1.0


def test_memory_is_excused_until_new_processes_have_filled() -> None:
    deploys = Deploys(AT)
    assert deploys.weight(Signal.MEMORY, AT + RELEARN - TICK) == 0.0
    assert deploys.weight(Signal.MEMORY, AT + RELEARN) == 1.0


@pytest.mark.parametrize("signal", [Signal.REQUESTS, Signal.REFUSED])
def test_a_deploy_does_not_explain_what_comes_from_outside(signal: Signal) -> None:
    assert Deploys(AT).weight(signal, AT) == 1.0


def test_errors_count_in_part_so_that_a_bad_revision_is_told_at_once() -> None:
    assert 0.0 < Deploys(AT).weight(Signal.ERRORS, AT) < 1.0


def test_only_a_step_with_a_deploy_moves_the_last_one() -> None:
    deploys = Deploys(AT)
    deploys.update(AT + RELEARN, deployed=False)
    assert deploys.last == AT
    deploys.update(AT + RELEARN, deployed=True)
    assert deploys.last == AT + RELEARN
