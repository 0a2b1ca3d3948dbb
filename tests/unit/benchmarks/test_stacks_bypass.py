"""The attempts to get past an approval, with real signatures."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from benchmarks.stacks_bypass import DISHONEST, measure
from benchmarks.stacks_bypass_attempts import ATTEMPTS
from benchmarks.stacks_bypass_cases import Case, case_in_order
from benchmarks.stacks_bypass_edits import STORED, TOLERATED
from benchmarks.stacks_bypass_honest import HONEST
from benchmarks.stacks_bypass_made_up import made_up_preview
from benchmarks.stacks_bypass_previews import any_leaf
from benchmarks.stacks_bypass_stored import SPOT_USD, StoppedError, kept, through_the_door
from tasks.domain.stacks.approval import Demand, demanded

EVERY = (Demand.FORM, Demand.SIGNATURE, Demand.TWO_SIGNATURES)


@pytest.mark.slow
@pytest.mark.real("ssh-keygen")
def test_no_attempt_succeeds_and_everything_honest_is_approved() -> None:
    figures = measure(quick=True)

    assert (figures["bypass_attempts"] or 0) > 500
    assert figures["bypass_attempts"] == sum(
        figures[f"bypass_{way}_attempts"] or 0 for way in DISHONEST
    )
    assert all((figures[f"bypass_{way}_attempts"] or 0) > 100 for way in DISHONEST)
    assert figures["bypass_succeeded"] == 0
    assert figures["bypass_spot_tolerated"] == figures["bypass_spot_tolerated_approved"]
    assert (figures["bypass_spot_tolerated"] or 0) > 0
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


def in_order(demand: Demand = Demand.FORM) -> Case:
    return case_in_order(made_up_preview(demand, number=1, rng=Random(1)), demand)


@pytest.mark.parametrize("demand", EVERY)
def test_what_lies_in_storage_comes_out_of_the_door_as_it_was_asked(demand: Demand) -> None:
    state = kept(in_order(demand))
    out = through_the_door(state)

    assert out.request == state.case.request
    assert out.preview == state.case.preview
    assert "burst" in {one.name for one in out.preview.acting}
    assert [one.after_usd for one in out.preview.costs if one.name == "burst"] == [
        pytest.approx(SPOT_USD * 730.0)
    ]


def test_a_document_that_was_overwritten_is_stopped_before_anybody_judges() -> None:
    for attempt in STORED:
        if "pointer as it was" in attempt.name or attempt.group == "stored preview":
            with pytest.raises(StoppedError, match="its pointer says"):
                attempt.change(in_order(), Random(0))


def test_most_edits_that_the_ledger_points_to_reach_the_judge() -> None:
    follow = [one for one in STORED if "pointer follows" in one.name]
    reached = []
    for attempt in follow:
        with suppress(StoppedError):
            reached.append(attempt.change(in_order(), Random(0)))

    assert len(reached) > 0.7 * len(follow)
    assert kept(in_order()).case not in reached


def test_a_spot_price_counts_as_it_was_up_to_a_tenth_more() -> None:
    was = kept(in_order()).case.preview.costs

    for attempt in TOLERATED:
        case = attempt.change(in_order(), Random(0))
        assert case is not None
        assert case.preview.costs == was
    for attempt in STORED:
        if attempt.group == "spot price":
            case = attempt.change(in_order(), Random(0))
            assert case is not None
            assert case.preview.costs != was


def test_a_value_changed_at_random_is_another_value() -> None:
    case = case_in_order(made_up_preview(Demand.FORM, number=1, rng=Random(1)), Demand.FORM)
    for seed in range(200):
        changed = any_leaf(case, Random(seed))

        assert changed is not None
        assert repr(changed.preview) != repr(case.preview)
