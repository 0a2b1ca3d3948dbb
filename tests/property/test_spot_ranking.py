"""Laws of the allocation: it covers, it respects the limits, and no other is cheaper."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.instances import Architecture, InstanceShape
from tasks.domain.spot.capacity import Candidate, CapacityNeed
from tasks.domain.spot.interruption import PoolSignals, interruption_risk
from tasks.domain.spot.pools import Pool
from tasks.domain.spot.ranking import NoFeasibleAllocationError, pool_ranking, rank_pools


@st.composite
def offers(draw: st.DrawFn) -> list[Candidate]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        price = draw(st.floats(0.01, 1.0))
        shape = InstanceShape(
            instance_type=f"t{number}",
            vcpu=draw(st.sampled_from([1, 2, 4, 8])),
            memory_gib=draw(st.sampled_from([2, 4, 8, 16, 32])),
            architecture=Architecture.X86_64,
        )
        found.append(
            Candidate(
                pool=Pool(availability_zone="z", instance_type=shape.instance_type),
                shape=shape,
                price_usd_per_hour=price,
                low_usd_per_hour=0.9 * price,
                high_usd_per_hour=1.2 * price,
                on_demand_usd_per_hour=draw(st.none() | st.floats(0.01, 2.0)),
                risk=interruption_risk(PoolSignals(placement_score=draw(st.integers(1, 10)))),
            )
        )
    return found


needs = st.builds(
    CapacityNeed,
    vcpu=st.integers(1, 10),
    memory_gib=st.integers(1, 30),
    min_pools=st.integers(1, 2),
    max_pools=st.integers(2, 4),
    max_share=st.sampled_from([0.4, 0.5, 0.75, 1.0]),
)


def fits(counts: tuple[int, ...], candidates: list[Candidate], need: CapacityNeed) -> bool:
    vcpu = [n * c.shape.vcpu for n, c in zip(counts, candidates, strict=True)]
    memory = [n * c.shape.memory_gib for n, c in zip(counts, candidates, strict=True)]
    return (
        sum(vcpu) >= need.vcpu
        and sum(memory) >= need.memory_gib
        and max(vcpu) <= need.max_share * sum(vcpu) + 1e-9
        and max(memory) <= need.max_share * sum(memory) + 1e-9
        and need.min_pools <= sum(n > 0 for n in counts) <= need.max_pools
    )


@settings(max_examples=60, deadline=None)
@given(candidates=offers(), need=needs)
def test_no_combination_of_whole_instances_is_cheaper(
    candidates: list[Candidate], need: CapacityNeed
) -> None:
    ranking = pool_ranking(candidates, need)
    ordered = [ranked.candidate for ranked in ranking]
    spans = [range(ranked.instances_alone + 1) for ranked in ranking]
    costs = [
        sum(n * ranked.effective_usd_per_hour for n, ranked in zip(counts, ranking, strict=True))
        for counts in product(*(span[:9] for span in spans))
        if fits(counts, ordered, need)
    ]
    try:
        found = rank_pools(candidates, need)
    except NoFeasibleAllocationError:
        assert not costs
        return
    chosen = {pool.candidate.pool: pool.instances for pool in found.pools}
    assert fits(tuple(chosen.get(c.pool, 0) for c in ordered), ordered, need)
    if costs:
        assert found.cost_usd / 24 <= min(costs) * 1.0002


@settings(max_examples=30, deadline=None)
@given(candidates=offers(), need=needs)
def test_the_order_of_offers_does_not_matter(
    candidates: list[Candidate], need: CapacityNeed
) -> None:
    try:
        found = rank_pools(candidates, need)
    except NoFeasibleAllocationError:
        return
    assert rank_pools(candidates[::-1], need) == found
    assert found.saving is None or found.saving.low <= found.saving.expected <= found.saving.high
