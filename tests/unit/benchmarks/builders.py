from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.machine import Machine
from benchmarks.results import Result

MACHINE = Machine(cpus=2, cpu="Some CPU", memory_gib=8.0, os="Some OS", python="3.11.2")


def result(**changes: Any) -> Result:
    """One area's figures, measured in full."""
    whole = Result(
        area="spot",
        date="2026-01-02",
        machine=MACHINE,
        versions={"numpy": "2.4.6"},
        data=("spot_prices/one",),
        seed=20,
        quick=False,
        command="python -m benchmarks.spot --json",
        metrics={"mae_skill_24h": 0.25, "win_share_24h": None},
    )
    return replace(whole, **changes)
