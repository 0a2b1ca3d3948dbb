"""Ranking and allocation, by hand-computed numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.instances import Architecture, InstanceShape
from tasks.domain.spot.capacity import (
    Candidate,
    CapacityNeed,
    candidate_of,
    effective_cost_usd_per_hour,
)
from tasks.domain.spot.forecasts import Source
from tasks.domain.spot.interruption import EvidenceKind, InterruptionRisk, RiskEvidence
from tasks.domain.spot.pools import Pool
from tasks.domain.spot.ranking import (
    NoFeasibleAllocationError,
    RankedAllocation,
    holdings,
    pool_ranking,
    rank_pools,
)
from tasks.domain.spot.summary import PoolSummary

SHAPES = {
    "m5.large": (2, 8, "x86_64"),
    "m5.2xlarge": (8, 32, "x86_64"),
    "c5.large": (2, 4, "x86_64"),
    "r5.large": (2, 16, "x86_64"),
    "m6g.large": (2, 8, "arm64"),
}
NEED = CapacityNeed(vcpu=8, memory_gib=32)


def candidate(
    kind: str,
    price: float,
    *,
    zone: str = "us-east-1a",
    on_demand: float | None = 0.1,
    rate: float = 0.0001,
) -> Candidate:
    vcpu, memory, architecture = SHAPES[kind]
    shape = InstanceShape(
        instance_type=kind,
        vcpu=vcpu,
        memory_gib=memory,
        architecture=Architecture(architecture),
    )
    evidence = RiskEvidence(kind=EvidenceKind.PRIOR, text="", inputs=())
    return Candidate(
        pool=Pool(availability_zone=zone, instance_type=kind),
        shape=shape,
        price_usd_per_hour=price,
        low_usd_per_hour=0.9 * price,
        high_usd_per_hour=1.1 * price,
        on_demand_usd_per_hour=on_demand,
        risk=InterruptionRisk(shape=1.0, hours=1.0 / rate, evidence=evidence),
    )


def counts(found: RankedAllocation) -> dict[str, int]:
    return {str(pool.candidate.pool): pool.instances for pool in found.pools}


def test_effective_cost_adds_lost_work_and_the_stand_in() -> None:
    need = replace(NEED, rework_hours=2.0, replacement_hours=1.0)
    cost = effective_cost_usd_per_hour(
        0.05, interruptions_per_hour=0.01, on_demand_usd_per_hour=0.1, need=need
    )
    assert cost == pytest.approx(0.05 + 0.01 * (2 * 0.05 + 1 * 0.05))


def test_a_spot_price_above_on_demand_needs_no_premium() -> None:
    cost = effective_cost_usd_per_hour(
        0.2, interruptions_per_hour=0.01, on_demand_usd_per_hour=0.1, need=NEED
    )
    assert cost == pytest.approx(0.2 + 0.01 * 0.5 * 0.2)


def test_an_unknown_on_demand_price_counts_as_twice_the_spot_price() -> None:
    unknown, known = (
        effective_cost_usd_per_hour(
            0.05, interruptions_per_hour=0.01, on_demand_usd_per_hour=on_demand, need=NEED
        )
        for on_demand in (None, 0.1)
    )
    assert unknown == known


def test_a_summary_becomes_a_candidate_whose_interval_holds_the_mean() -> None:
    given = candidate("m5.large", 0.05)
    summary = PoolSummary(
        pool=given.pool,
        cheapest_at=datetime(2026, 1, 1, tzinfo=UTC),
        cheapest_usd_per_hour=0.04,
        low_usd_per_hour=0.051,
        high_usd_per_hour=0.06,
        mean_usd_per_hour=0.05,
        on_demand_usd_per_hour=None,
        saving_fraction=None,
        source=Source.MODEL,
    )
    found = candidate_of(summary, shape=given.shape, risk=given.risk)
    assert (found.low_usd_per_hour, found.price_usd_per_hour) == (0.05, 0.05)
    assert (found.high_usd_per_hour, found.on_demand_usd_per_hour) == (0.06, None)


def test_the_cheapest_pool_covers_both_dimensions() -> None:
    found = rank_pools([candidate("m5.large", 0.05), candidate("m5.large", 0.04, zone="b")], NEED)
    assert counts(found) == {"m5.large/b": 4}
    assert (found.vcpu, found.memory_gib) == (8, 32)
    assert [ranked.rank for ranked in found.ranking] == [1, 2]


def test_costs_and_savings_of_four_instances_for_a_day() -> None:
    need = replace(NEED, rework_hours=0.0, replacement_hours=1.0)
    found = rank_pools([candidate("m5.large", 0.04, rate=0.01)], need)
    hour = 0.04 + 0.01 * 0.06
    assert found.cost_usd == pytest.approx(4 * 24 * hour)
    assert found.pools[0].interruption_cost_usd == pytest.approx(4 * 24 * 0.01 * 0.06)
    assert found.on_demand_cost_usd == pytest.approx(4 * 24 * 0.1)
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(1 - hour / 0.1)
    risk = found.pools[0].candidate.risk
    assert found.saving.low == pytest.approx(1 - (0.044 + risk.high_per_hour * 0.056) / 0.1)
    assert found.saving.high == pytest.approx(1 - (0.036 + risk.low_per_hour * 0.064) / 0.1)


def test_an_unknown_on_demand_price_leaves_the_saving_unknown() -> None:
    found = rank_pools([candidate("m5.large", 0.04, on_demand=None)], NEED)
    assert (found.on_demand_cost_usd, found.saving) == (None, None)


def test_a_mix_beats_what_either_type_covers_alone() -> None:
    """8 vCPU and 40 GiB: two c5 (4, 8) and two r5 (4, 32) cost .16; alone .30 and .20."""
    offers = [candidate("c5.large", 0.03), candidate("r5.large", 0.05)]
    found = rank_pools(offers, CapacityNeed(vcpu=8, memory_gib=40))
    assert counts(found) == {"c5.large/us-east-1a": 2, "r5.large/us-east-1a": 2}


def test_a_frequently_interrupted_pool_loses_to_a_dearer_calm_one() -> None:
    need = replace(NEED, rework_hours=4.0, replacement_hours=2.0)
    wild, calm = candidate("m5.large", 0.04, rate=0.1), candidate("m5.large", 0.045, zone="b")
    assert counts(rank_pools([wild, calm], need)) == {"m5.large/b": 4}
    lenient = replace(need, rework_hours=0.0, replacement_hours=0.0)
    assert counts(rank_pools([wild, calm], lenient)) == {"m5.large/us-east-1a": 4}


def test_the_share_cap_spreads_over_pools() -> None:
    offers = [candidate("m5.large", 0.04 + 0.001 * i, zone=z) for i, z in enumerate("abc")]
    found = rank_pools(offers, replace(NEED, max_share=0.5))
    assert counts(found) == {"m5.large/a": 2, "m5.large/b": 2}
    assert [pool.share for pool in found.pools] == [0.5, 0.5]


def test_the_share_cap_holds_for_memory_too() -> None:
    offers = [candidate("c5.large", 0.01), candidate("r5.large", 0.05), candidate("m5.large", 0.06)]
    found = rank_pools(offers, CapacityNeed(vcpu=12, memory_gib=48, max_share=0.6))
    for pool in found.pools:
        shape = pool.candidate.shape
        assert pool.instances * shape.vcpu <= 0.6 * found.vcpu + 1e-9
        assert pool.instances * shape.memory_gib <= 0.6 * found.memory_gib + 1e-9


def test_at_least_and_at_most_so_many_pools() -> None:
    offers = [candidate("m5.large", 0.04 + 0.001 * i, zone=z) for i, z in enumerate("abcd")]
    assert len(rank_pools(offers, replace(NEED, min_pools=3)).pools) == 3
    mixed = [candidate("c5.large", 0.03), candidate("r5.large", 0.05)]
    single = rank_pools(mixed, CapacityNeed(vcpu=8, memory_gib=40, max_pools=1))
    assert counts(single) == {"r5.large/us-east-1a": 4}


def test_an_allocation_becomes_holdings_at_risk() -> None:
    found = rank_pools([candidate("m5.large", 0.04, rate=0.5)], NEED)
    (held,) = holdings(found, horizon=timedelta(hours=2))
    assert (str(held.pool), held.instances) == ("m5.large/us-east-1a", 4)
    assert held.loss_probability == pytest.approx(0.5)  # 1 - 2 / (2 + 2)


def test_only_the_needed_architecture_is_ranked() -> None:
    offers = [candidate("m6g.large", 0.01), candidate("m5.large", 0.05)]
    for wanted, kinds in (
        (Architecture.X86_64, ["m5.large"]),
        (Architecture.ARM64, ["m6g.large"]),
        (Architecture.ANY, ["m6g.large", "m5.large"]),
    ):
        ranking = pool_ranking(offers, replace(NEED, architecture=wanted))
        assert [ranked.candidate.shape.instance_type for ranked in ranking] == kinds


def test_equal_pools_are_taken_by_name_whatever_the_order() -> None:
    offers = [candidate("m5.large", 0.04, zone=z) for z in "cab"]
    for given in (offers, offers[::-1]):
        found = rank_pools(given, replace(NEED, max_share=0.5))
        assert counts(found) == {"m5.large/a": 2, "m5.large/b": 2}


def test_whole_instances_round_up() -> None:
    found = rank_pools([candidate("m5.2xlarge", 0.2)], CapacityNeed(vcpu=9, memory_gib=1))
    assert counts(found) == {"m5.2xlarge/us-east-1a": 2}


def test_a_need_of_exactly_some_instances_takes_no_more() -> None:
    """1 / (0.7 / 7.7) is a little above 11: binary fractions must not add an instance."""
    shape = InstanceShape(
        instance_type="x", vcpu=0.7, memory_gib=1, architecture=Architecture.X86_64
    )
    assert CapacityNeed(vcpu=7.7, memory_gib=1).instances_alone(shape) == 11


@pytest.mark.parametrize(
    ("kinds", "need", "message"),
    [
        ([], NEED, r"asked for 8 vCPU and 32 GiB \(any\).*0 pools offered.*add pools"),
        (
            ["m6g.large"],
            replace(NEED, architecture=Architecture.X86_64),
            "1 pools offered, 0 of that architecture.*allow another architecture",
        ),
        (["m5.large", "c5.large"], replace(NEED, min_pools=3), "lower min_pools"),
        (
            ["m5.large", "c5.large"],
            replace(NEED, max_share=0.3),
            "2 pools may hold 60% together; raise max_share",
        ),
        (
            ["m5.2xlarge", "c5.large"],
            CapacityNeed(vcpu=4, memory_gib=4, min_pools=2, max_share=0.5),
            "no whole number of instances in 2 pools fits; allow more pools",
        ),
    ],
)
def test_an_infeasible_need_says_what_was_asked_what_is_there_and_what_to_do(
    kinds: list[str], need: CapacityNeed, message: str
) -> None:
    with pytest.raises(NoFeasibleAllocationError, match=message):
        rank_pools([candidate(kind, 0.05) for kind in kinds], need)


def test_impossible_needs_shapes_and_prices_are_refused() -> None:
    for change in (
        {"vcpu": 0.0},
        {"horizon": timedelta(0)},
        {"min_pools": 11},
        {"max_share": 1.1},
        {"rework_hours": -1.0},
    ):
        with pytest.raises(PermanentError):
            replace(NEED, **change)
    with pytest.raises(PermanentError, match="must be above 0"):
        InstanceShape(instance_type="x", vcpu=0, memory_gib=1, architecture=Architecture.ARM64)
    with pytest.raises(PermanentError, match="in that order"):
        replace(candidate("m5.large", 0.05), low_usd_per_hour=0.06)
