"""The attempts to get past an approval, with real signatures."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.stacks_bypass import measure
from benchmarks.stacks_bypass_attempts import ATTEMPTS, HONEST
from benchmarks.stacks_bypass_cases import case_in_order
from benchmarks.stacks_bypass_made_up import made_up_preview
from benchmarks.stacks_bypass_previews import any_leaf
from tasks.domain.stacks.approval import Demand, demanded

EVERY = (Demand.FORM, Demand.SIGNATURE, Demand.TWO_SIGNATURES)


@pytest.mark.slow
@pytest.mark.real("ssh-keygen")
def test_no_attempt_succeeds_and_everything_honest_is_approved() -> None:
    figures = measure(quick=True)

    assert (figures["bypass_attempts"] or 0) > 500
    assert figures["bypass_succeeded"] == 0
    assert figures["bypass_honest"] == figures["bypass_honest_approved"]
    assert (figures["bypass_honest"] or 0) > 50


@pytest.mark.parametrize("demand", EVERY)
def test_made_up_previews_demand_what_they_were_made_for(demand: Demand) -> None:
    for number in range(6):
        assert demanded(made_up_preview(demand, number=number, rng=Random(number))) is demand


def test_every_attempt_changes_some_case_and_no_honest_variation_is_an_attempt() -> None:
    cases = [
        case_in_order(made_up_preview(demand, number=number, rng=Random(number)), demand)
        for demand in EVERY
        for number in range(4)
    ]
    for attempt in ATTEMPTS:
        changed = [attempt.change(case, Random(0)) for case in cases]
        assert any(
            one is not None and one != case for one, case in zip(changed, cases, strict=True)
        )
    assert len({(one.group, one.name) for one in ATTEMPTS}) == len(ATTEMPTS)
    assert not {one.name for one in ATTEMPTS}.intersection(one.name for one in HONEST)


def test_a_value_changed_at_random_is_another_value() -> None:
    case = case_in_order(made_up_preview(Demand.FORM, number=1, rng=Random(1)), Demand.FORM)
    for seed in range(200):
        changed = any_leaf(case, Random(seed))

        assert changed is not None
        assert repr(changed.preview) != repr(case.preview)
