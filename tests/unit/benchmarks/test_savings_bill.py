"""Right-sizing in types and USD, on machines made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.savings_bill import Rented, offers, our_types, outcome, rival_types
from benchmarks.savings_data import Replay
from tasks.domain.savings.policy import SavingsPolicy

DAYS = 20
TYPES = offers()
ROW = {one.shape.instance_type: row for row, one in enumerate(TYPES)}


def replay(name: str, unit: str, used: float, later: float, size: float) -> Replay:
    demand = np.full((1, 2 * DAYS * 24), used)
    demand[:, -24:] = later
    return Replay(
        name=name,
        demand=demand,
        start=None,
        cut=DAYS * 24,
        provisioned=np.array([size]),
        sizes=(),
        unit=unit,
        machines=("one",),
    )


def fleet(*, later_gib: float = 1.0) -> Rented:
    return Rented(
        cpu=replay("cpu", "cores", 0.1, 0.1, 8.0),
        memory=replay("memory", "GiB", 1.0, later_gib, 32.0),
        types=TYPES,
        before=(ROW["m5.2xlarge"],),
    )


def test_an_idle_machine_gets_a_cheap_type_by_every_rule() -> None:
    assert rival_types(fleet(), "max_plus_15") == [ROW["c5.large"]]
    # 4 GiB would do for what was seen; a machine alone is not trusted to stay below an eighth.
    assert our_types(fleet(), SavingsPolicy()) == [ROW["m5.large"]]
    assert our_types(fleet(), SavingsPolicy(exceed_share=0.02)) == [ROW["c5.large"]]


def test_the_saving_is_a_share_of_the_bill_before() -> None:
    found = outcome(fleet(), [ROW["c5.large"]])
    assert found["saved_share"] == pytest.approx(1.0 - 0.085 / 0.384)
    assert found["exceeded_hours_share"] == 0.0


def test_an_hour_that_wants_more_memory_than_there_is_is_exceeded() -> None:
    found = outcome(fleet(later_gib=5.0), [ROW["c5.large"]])
    assert found["memory_exceeded_hours_share"] == pytest.approx(1 / DAYS)
    assert found["exceeded_hours_share"] == pytest.approx(1 / DAYS)
