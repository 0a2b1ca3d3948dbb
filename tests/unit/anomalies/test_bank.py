from __future__ import annotations

import json

import pytest

from tasks.domain.anomalies.alarms import Kind, Signal
from tasks.domain.anomalies.bank import SCHEMA_VERSION, DetectorBank
from tasks.domain.errors import PermanentError
from tests.unit.anomalies.workload_builders import LEARNED, learned_state, quiet, step


def _bank(*names: str) -> DetectorBank:
    workloads = {name: learned_state() for name in names}
    return DetectorBank.from_state({"schema_version": SCHEMA_VERSION, "workloads": workloads})


def test_alarms_say_whose_they_are_and_others_are_left_alone() -> None:
    bank = _bank("shop", "search")
    found = []
    for at in range(LEARNED, LEARNED + 4):
        good = quiet(at)
        found += bank.update_all(
            {"shop": step(at, good | {Signal.ERRORS: 0.3}), "search": step(at, good)}
        )
    assert [(one.workload, one.kind) for one in found] == [("shop", Kind.ERROR_RATE)]


def test_a_workload_that_is_seen_first_gets_its_own_detector() -> None:
    bank = DetectorBank()
    assert bank.update_all({"shop": step(0, quiet(0))}) == []
    assert len(bank) == 1
    status = bank.status("shop")
    assert status is not None
    assert status.learning


def test_what_was_never_seen_has_no_status() -> None:
    assert DetectorBank().status("shop") is None


def test_a_workload_that_is_gone_is_forgotten() -> None:
    bank = _bank("shop")
    bank.forget("shop")
    bank.forget("shop")
    assert len(bank) == 0


def test_a_bank_written_and_read_is_the_same() -> None:
    bank = _bank("shop", "search")
    state = json.loads(json.dumps(bank.to_state()))
    assert DetectorBank.from_state(state).to_state() == state


def test_a_bank_of_another_version_is_refused() -> None:
    with pytest.raises(PermanentError, match="version 0 found, 1 expected"):
        DetectorBank.from_state({"schema_version": 0, "workloads": {}})
