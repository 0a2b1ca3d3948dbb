"""From a stack's record and what its update did to changes with their dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.domain.savings.realised.report import realised_document
from tasks.domain.savings.realised.values import Method, Realised, Verdict
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.applied import Applied, Done, Failed
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.dated import Dated, dated_changes, other_touches, undo_times
from tasks.domain.stacks.kinds.made import INSTANCE
from tasks.domain.stacks.preview import Operation
from tasks.domain.stacks.realised_text import lost_markdown, undone_markdown
from tasks.domain.stacks.record import StackRecord, stack_record
from tests.support import stack_fleet as fleet

DONE_AT = fleet.NOW + timedelta(hours=1)
UNDONE_AT = DONE_AT + timedelta(days=3)


def record(*wanted: Chosen) -> StackRecord:
    plan = fleet.planned(*wanted)
    assert not plan.refused, plan.refused
    hourly = {one.change_id: (0.2, 0.1) for one in plan.changes}
    return stack_record(plan, {}, generated_at=fleet.NOW, spot_usd_per_hour={}, hourly=hourly)


def applied(*done: Done, failed: tuple[Failed, ...] = ()) -> Applied:
    return Applied(
        stack="s",
        phase=Phase.CHANGE,
        done=done,
        failed=failed,
        error="it stopped" if failed else "",
        serial_before="1",
        serial_after="2",
    )


def only(*wanted: Chosen, did: Applied | None = None) -> Dated:
    (found,) = dated_changes(record(*wanted), applied=did or applied(), applied_at=DONE_AT)
    return found


def test_a_change_of_an_instance_is_that_of_its_row_with_its_prices() -> None:
    found = only(fleet.right_size(fleet.WEB, "m5.xlarge", "m5.large"))
    change = found.change

    assert (change.series, change.resource) == (fleet.WEB, fleet.WEB)
    assert (change.usd_per_hour_before, change.usd_per_hour_after) == (0.2, 0.1)
    assert change.applied_at == DONE_AT
    assert change.expected.expected == 70.08
    assert (found.undone_at, found.doubt) == (None, "")


@pytest.mark.parametrize(
    ("wanted", "series"),
    [
        (fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"), "us-east-1/shop"),
        (fleet.predictive("shop", "tracking"), "us-east-1/shop"),
        (fleet.spot("shop", fleet.POOLS, 0.25), "us-east-1/shop"),
        (fleet.stop(fleet.IDLE), fleet.IDLE),
        (fleet.schedule(fleet.TRAINING), fleet.TRAINING),
        (fleet.volume(fleet.DISK), fleet.DISK),
        (fleet.commitment(), "account"),
        (fleet.serverless(), "targetgroup/reports/29c7abba2fd903ca"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else str(value.opportunity.kind),
)
def test_groups_are_known_by_their_region_too_and_everything_else_by_its_id(
    wanted: Chosen, series: str
) -> None:
    assert only(wanted).change.series == series


def test_the_instance_that_takes_the_place_of_another_is_known() -> None:
    wanted = fleet.spot(fleet.CRAWLER, fleet.POOLS, 0.0)
    (new,) = (m.name for m in record(wanted).members if m.token == INSTANCE and m.import_id is None)
    made = Done(
        name=new, token=INSTANCE, urn="urn", operation=Operation.CREATE, resource_id="i-new"
    )

    assert only(wanted, did=applied(made)).moved_to == "i-new"
    assert only(wanted, did=applied(made)).doubt == ""
    assert only(wanted).doubt == "which instance took its place is not known"


def test_what_ended_half_way_is_in_doubt_until_it_is_undone() -> None:
    failed = Failed(
        name="web", token=INSTANCE, urn="urn", operation=Operation.UPDATE, message="no capacity"
    )
    stack = record(fleet.stop(fleet.IDLE))
    half = applied(failed=(failed,))
    (left,) = dated_changes(stack, applied=half, applied_at=DONE_AT)
    (undone,) = dated_changes(stack, applied=half, applied_at=DONE_AT, undone_at=UNDONE_AT)

    assert left.doubt == "its update ended half-way"
    assert (undone.doubt, undone.undone_at) == ("", UNDONE_AT)


def test_a_stack_whose_result_is_lost_still_tells_its_changes() -> None:
    stack = record(fleet.stop(fleet.IDLE), fleet.volume(fleet.DISK))
    found = dated_changes(stack, applied=None, applied_at=DONE_AT)

    assert {one.change.series for one in found} == {fleet.IDLE, fleet.DISK}
    assert {one.doubt for one in found} == {""}


def test_a_record_without_prices_gives_changes_without_prices() -> None:
    stack = replace(record(fleet.stop(fleet.IDLE)), hourly={})
    (found,) = dated_changes(stack, applied=None, applied_at=DONE_AT)

    assert found.change.usd_per_hour_before is None


def test_undo_times_are_by_series() -> None:
    stack = record(fleet.stop(fleet.IDLE), fleet.volume(fleet.DISK))
    found = dated_changes(stack, applied=None, applied_at=DONE_AT, undone_at=UNDONE_AT)

    assert undo_times(found) == {fleet.IDLE: (UNDONE_AT,), fleet.DISK: (UNDONE_AT,)}


def test_attempts_tell_when_forgotten_stacks_changed_what_is_not_told_of() -> None:
    told = only(fleet.stop(fleet.IDLE))
    attempts = [
        (f"us-east-1/{fleet.IDLE}", DONE_AT),
        (f"us-east-1/{fleet.WEB}", UNDONE_AT),
        (f"us-east-1/{fleet.WEB}", DONE_AT),
        ("us-east-1/shop", DONE_AT),
    ]
    found = other_touches([told], attempts)

    assert fleet.IDLE not in found
    assert found[fleet.WEB] == (DONE_AT, UNDONE_AT)
    assert found["us-east-1/shop"] == (DONE_AT,)


def test_what_was_undone_or_lost_is_listed_with_its_reason_and_no_markup() -> None:
    change = only(fleet.stop(fleet.IDLE)).change
    said = Realised(
        change=change, verdict=Verdict.UNDONE, method=Method.NONE, notes=("undone on Monday",)
    )
    document = realised_document([said], observed_at=DONE_AT, names={fleet.IDLE: "a|b"})

    assert undone_markdown(document).splitlines()[-1] == r"- stop of a\|b: undone on Monday."
    assert undone_markdown(replace(document, changes=())) == ""
    assert "`savings-1`: its data is gone" in lost_markdown({"savings-1": "its data is gone"})
    assert lost_markdown({}) == ""
