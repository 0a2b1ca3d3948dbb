"""Laws of right-sizing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.savings.opportunity import Opportunity, Rejection
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.sizing.needs import CapacityNeed
from tasks.domain.savings.sizing.right_size import right_size
from tasks.domain.savings.sizing.type_choice import group_alternatives
from tests.unit.savings.right_size_builders import (
    NOW,
    TYPES,
    USD_PER_HOUR,
    instance,
    need,
    price_book,
)

NEEDS = st.builds(
    lambda vcpu, memory, kind: need(vcpu=vcpu, memory_gib=memory, instance_type=kind),
    vcpu=st.sampled_from([2.0, 4.0, 8.0]),
    memory=st.none() | st.floats(0.5, 40.0),
    kind=st.sampled_from(sorted(TYPES)),
)
POLICIES = st.builds(SavingsPolicy, allow_arm64=st.booleans())
PRICES = st.fixed_dictionaries({name: st.floats(0.01, 5.0) for name in USD_PER_HOUR})


def decided(
    needed: CapacityNeed, usd: dict[str, float], policy: SavingsPolicy, *, factor: float = 1.0
) -> Opportunity | Rejection:
    one = instance(instance_type=needed.instance_type)
    prices = price_book(usd, factor=factor)
    return right_size(one, needed, prices=prices, policy=policy, now=NOW)


@given(needed=NEEDS, usd=PRICES, policy=POLICIES, power=st.integers(-4, 4))
def test_scaling_all_prices_keeps_the_choice_and_scales_the_saving(
    needed: CapacityNeed, usd: dict[str, float], policy: SavingsPolicy, power: int
) -> None:
    one, other = (decided(needed, usd, policy, factor=factor) for factor in (1.0, 2.0**power))
    if isinstance(one, Rejection):
        assert isinstance(other, Rejection)
        return
    assert isinstance(other, Opportunity)
    assert other.target == one.target
    assert other.saving.expected == pytest.approx(one.saving.expected * 2.0**power)


@given(needed=NEEDS, usd=PRICES, policy=POLICIES)
def test_unknown_memory_never_yields_a_type_with_less(
    needed: CapacityNeed, usd: dict[str, float], policy: SavingsPolicy
) -> None:
    found = decided(replace(needed, memory_gib=None), usd, policy)
    if isinstance(found, Opportunity):
        chosen = TYPES[str(found.target["instance_type"])].shape
        assert chosen.memory_gib >= TYPES[needed.instance_type].shape.memory_gib


@given(needed=NEEDS, usd=PRICES, policy=POLICIES, added=st.sampled_from(sorted(TYPES)))
def test_one_more_type_on_sale_never_raises_the_price(
    needed: CapacityNeed, usd: dict[str, float], policy: SavingsPolicy, added: str
) -> None:
    without = {name: price for name, price in usd.items() if name != added}
    few, many = (
        group_alternatives(
            (instance(instance_type=needed.instance_type),),
            needed,
            prices=price_book(offered),
            policy=policy,
        )
        for offered in (without, usd)
    )
    if few:
        assert many[0].usd_per_hour <= few[0].usd_per_hour


@given(needed=NEEDS, usd=PRICES, policy=POLICIES)
def test_what_is_chosen_gives_what_is_needed_and_saves(
    needed: CapacityNeed, usd: dict[str, float], policy: SavingsPolicy
) -> None:
    found = decided(needed, usd, policy)
    if isinstance(found, Opportunity):
        chosen = TYPES[str(found.target["instance_type"])].shape
        assert chosen.vcpu >= needed.vcpu
        assert 0.0 < found.saving.low <= found.saving.expected <= found.saving.high
        assert found.saving.expected <= usd[needed.instance_type] * 730.0


@given(needed=NEEDS, usd=PRICES)
def test_alternatives_are_others_and_the_cheapest_comes_first(
    needed: CapacityNeed, usd: dict[str, float]
) -> None:
    one, policy = instance(instance_type=needed.instance_type), SavingsPolicy(allow_arm64=True)
    found = group_alternatives((one,), needed, prices=price_book(usd), policy=policy)
    prices = [choice.usd_per_hour for choice in found]
    assert prices == sorted(prices)
    assert needed.instance_type not in {choice.instance_type for choice in found}
