"""What changes of stacks saved: undone ones, replaced machines, prices of now, what is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from tasks.domain.arrays import FloatArray
from tasks.domain.inventory import Instance, InstanceState, Inventory, Lifecycle, Volume
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.values import AppliedChange, Interval, Method, Realised, Verdict
from tasks.domain.stacks.dated import Dated
from tasks.domain.stacks.realised import KEPT, Observed, prices_now, realised_changes, spliced
from tasks.domain.usage.panel import Metric
from tests.unit.savings.account import (
    HOURS,
    NOW,
    REGION,
    START,
    WEB_SERIES,
    flat,
    group,
    instance,
    panel,
    prices,
    quote,
)

CUT = 14 * 24
NAN = float("nan")
OTHERS = ("i-2", "i-3", "i-4")


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def account(
    first: Instance,
    *more: Instance,
    use: Mapping[str, FloatArray] | None = None,
    volumes: tuple[Volume, ...] = (),
    **changes: object,
) -> Observed:
    """One instance and three that nobody touches, all of them always on unless `use` says else."""
    instances = (first, *(instance(one) for one in OTHERS), *more)
    rows = {one.instance_id: flat(20.0) for one in instances} | dict(use or {})
    observed = Observed(
        inventory=Inventory(
            observed_at=NOW, regions=(REGION,), instances=instances, volumes=volumes
        ),
        panel=panel({one: {Metric.CPU_MEAN: row} for one, row in rows.items()}),
        prices=prices(spot=[quote("m5.large", zone) for zone in ("us-east-1a", "us-east-1b")]),
    )
    return replace(observed, **changes)  # type: ignore[arg-type]  # fields of it


def dated(
    *,
    kind: Kind = Kind.RIGHT_SIZE,
    series: str = "i-1",
    before: float | None = 0.2,
    after: float | None = 0.1,
    hour: float = CUT,
    undone: float | None = None,
    expected: float = 73.0,
    name: str = "hs-1",
    moved_to: str | None = None,
    doubt: str = "",
) -> Dated:
    return Dated(
        change=AppliedChange(
            change_id=name,
            kind=kind,
            resource=series,
            series=series,
            applied_at=START + timedelta(hours=hour),
            expected=Usd.exactly(expected),
            usd_per_hour_before=before,
            usd_per_hour_after=after,
        ),
        region=REGION,
        undone_at=None if undone is None else START + timedelta(hours=undone),
        moved_to=moved_to,
        doubt=doubt,
    )


def only(one: Dated, observed: Observed, *earlier: Realised) -> Realised:
    (found,) = realised_changes([one], observed, earlier)
    return found


def test_another_type_saves_the_difference_of_the_prices() -> None:
    found = only(dated(), account(instance("i-1", kind="m5.large")))

    assert found.verdict is Verdict.REALISED
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(73.0)
    assert set(found.controls) == set(OTHERS)


def test_a_change_that_somebody_took_back_by_hand_saved_nothing() -> None:
    found = only(dated(), account(instance("i-1", kind="m5.xlarge")))

    assert found.verdict is Verdict.NOT
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(0.0)


def test_prices_of_before_the_change_was_seen_are_not_taken_for_those_after() -> None:
    seen = account(instance("i-1", kind="m5.xlarge"))
    seen = replace(seen, inventory=replace(seen.inventory, observed_at=at(CUT - 1)))
    found = only(dated(), seen)

    assert found.change.usd_per_hour_after == 0.1


def test_right_after_it_is_too_early_and_the_day_is_named() -> None:
    found = only(dated(hour=HOURS - 5), account(instance("i-1", kind="m5.large")))

    assert found.verdict is Verdict.TOO_EARLY
    assert found.known_at == at(HOURS) + timedelta(days=7)


def test_a_volume_that_became_cheaper_waits_until_the_account_is_looked_at_again() -> None:
    disk = Volume(
        volume_id="vol-1",
        region=REGION,
        availability_zone="us-east-1a",
        kind="gp3",
        size_gib=730.0,
        iops=3000,
        throughput_mib_per_second=125.0,
        created_at=START,
    )
    seen = account(instance("i-1"), volumes=(disk,))
    volume = {"kind": Kind.VOLUME_TYPE, "series": "vol-1", "before": 0.1, "after": 0.05}
    fresh = only(dated(**volume, hour=HOURS + 1), seen)  # type: ignore[arg-type]
    later = only(dated(**volume, expected=14.6), seen)  # type: ignore[arg-type]

    assert (fresh.verdict, fresh.known_at) == (Verdict.TOO_EARLY, at(HOURS + 25))
    assert later.verdict is Verdict.REALISED
    assert later.method is Method.EXACT
    # As it is listed: 730 GiB at 0.08, and not what was foretold.
    assert later.saving is not None
    assert later.saving.expected == pytest.approx(73.0 - 58.4)


def test_what_was_undone_is_told_with_what_it_saved_until_then() -> None:
    found = only(dated(hour=8 * 24, undone=20 * 24 + 1), account(instance("i-1", kind="m5.xlarge")))

    assert found.verdict is Verdict.UNDONE
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(73.0)
    assert found.notes[0].startswith(
        "undone on 22 Feb 2026 01:00 UTC; what it saved is of the time"
    )


def test_what_was_undone_at_once_is_not_measured_as_if_it_stood() -> None:
    found = only(dated(undone=CUT + 0.5), account(instance("i-1", kind="m5.xlarge")))

    assert found.verdict is Verdict.UNDONE
    assert found.saving is None
    assert "it stood for 0 whole days, and what it saved was not measured" in found.notes[0]


def test_a_change_after_an_undo_is_measured_from_the_price_that_came_back() -> None:
    first = dated(name="hs-1", hour=24, undone=26)
    second = dated(name="hs-2", hour=15 * 24)
    found = realised_changes([first, second], account(instance("i-1", kind="m5.large")))

    assert [one.verdict for one in found] == [Verdict.UNDONE, Verdict.REALISED]
    assert found[1].saving is not None
    assert found[1].saving.expected == pytest.approx(73.0)


def test_what_was_changed_and_undone_is_no_control_meanwhile() -> None:
    other = dated(name="hs-2", series="i-2", hour=CUT + 24, undone=CUT + 25)
    found = realised_changes([dated(), other], account(instance("i-1", kind="m5.large")))

    assert set(found[0].controls) == {"i-3", "i-4"}


def test_what_others_touched_is_no_control() -> None:
    seen = account(instance("i-1", kind="m5.large"), touched={"i-3": (at(CUT + 30),)})
    found = only(dated(), seen)

    assert set(found.controls) == {"i-2", "i-4"}


def test_a_doubtful_change_is_not_measured_and_says_why() -> None:
    doubtful = dated(name="hs-2", series="i-2", doubt="its stack is undo-failed")
    found = realised_changes([dated(), doubtful], account(instance("i-1", kind="m5.large")))

    assert found[1].verdict is Verdict.NOT_MEASURED
    assert found[1].notes == ("its stack is undo-failed",)
    assert set(found[0].controls) == {"i-3", "i-4"}


def moved(use: FloatArray | None) -> Observed:
    """An instance that was stopped, and the one on spot that took its place."""
    hours = np.arange(HOURS)
    old = instance("i-1", kind="m5.xlarge", state=InstanceState.STOPPED)
    new = instance(
        "i-9", kind="m5.large", lifecycle=Lifecycle.SPOT, launched_at=at(CUT), zone="us-east-1a"
    )
    rows = {"i-1": np.where(hours < CUT, 20.0, NAN)}
    if use is not None:
        rows["i-9"] = use
    seen = account(old, new, use=rows)
    if use is None:
        kept = [row for row, name in enumerate(seen.panel.resources) if name != "i-9"]
        return replace(seen, panel=seen.panel.take(kept))
    return seen


def test_an_instance_that_moved_to_spot_goes_on_costing_what_the_new_one_costs() -> None:
    seen = moved(np.where(np.arange(HOURS) >= CUT, 20.0, NAN))
    found = only(dated(kind=Kind.SPOT, after=0.05, moved_to="i-9", expected=117.0), seen)

    assert found.verdict is Verdict.REALISED
    assert found.saving is not None
    assert found.saving.expected == pytest.approx((0.2 - 0.04) * 730.0)


def test_a_new_instance_that_nobody_saw_saves_nothing_that_can_be_told() -> None:
    found = only(dated(kind=Kind.SPOT, after=0.05, moved_to="i-9"), moved(None))

    assert found.verdict is Verdict.NOT_MEASURED


def test_splicing_leaves_other_rows_and_metrics_alone() -> None:
    seen = moved(np.where(np.arange(HOURS) >= CUT, 30.0, NAN))
    found = spliced(seen.panel, [dated(kind=Kind.SPOT, moved_to="i-9")])
    row = found.row(Metric.CPU_MEAN, "i-1")

    assert row is not None
    assert row[CUT - 1] == 20.0
    assert row[CUT] == 30.0
    for name in (*OTHERS, "i-9"):
        np.testing.assert_array_equal(
            found.row(Metric.CPU_MEAN, name), seen.panel.row(Metric.CPU_MEAN, name)
        )


def test_a_stopped_instance_saves_all_that_it_cost() -> None:
    hours = np.arange(HOURS)
    off = instance("i-1", kind="m5.xlarge", state=InstanceState.STOPPED)
    seen = account(off, use={"i-1": np.where(hours <= CUT, 1.0, NAN)})
    found = only(dated(kind=Kind.STOP, after=0.0, expected=146.0), seen)

    assert found.verdict is Verdict.REALISED
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(146.0)


def test_prices_of_now_are_of_machines_and_volumes_with_a_known_price() -> None:
    found = prices_now(
        account(instance("i-1", kind="m5.large"), instance("i-7", kind="x1.strange"))
    )

    assert found == pytest.approx({"i-1": 0.1} | dict.fromkeys(OTHERS, 0.2))


def earlier(verdict: Verdict = Verdict.REALISED, **changed: object) -> Realised:
    saving = Interval(low=60.0, expected=70.0, high=80.0)
    found = Realised(
        change=dated(hour=2 * 24).change,
        verdict=verdict,
        method=Method.DIFFERENCE_IN_DIFFERENCES,
        saving=saving,
        days_before=14,
        days_after=13,
        known_at=NOW if verdict is Verdict.TOO_EARLY else None,
        notes=("as it was",),
    )
    return replace(found, **changed)  # type: ignore[arg-type]  # fields of it


def test_a_verdict_stays_when_the_days_before_the_change_are_forgotten() -> None:
    seen = account(instance("i-1", kind="m5.large"))
    found = only(dated(hour=2 * 24), seen, earlier())
    again = only(dated(hour=2 * 24), seen, found)

    assert found.verdict is Verdict.REALISED
    assert found.saving == earlier().saving
    assert found.notes == ("as it was", KEPT)
    assert again == found


def test_what_never_was_decided_says_that_more_days_would_not_tell() -> None:
    seen = account(instance("i-1", kind="m5.large"))
    found = only(dated(hour=2 * 24), seen, earlier(Verdict.TOO_EARLY))

    assert (found.verdict, found.known_at) == (Verdict.TOO_EARLY, None)


def test_what_was_measured_before_it_was_undone_is_remembered_with_the_undo() -> None:
    seen = account(instance("i-1", kind="m5.xlarge"))
    found = only(dated(hour=2 * 24, undone=20 * 24), seen, earlier())
    again = only(dated(hour=2 * 24, undone=20 * 24), seen, found)

    assert found.verdict is Verdict.UNDONE
    assert found.saving == earlier().saving
    assert sum(note.startswith("undone on") for note in again.notes) == 1


def test_an_earlier_word_on_another_application_of_the_same_change_is_not_taken() -> None:
    found = only(dated(hour=3 * 24), account(instance("i-1", kind="m5.large")), earlier())

    assert found.verdict is Verdict.NOT_MEASURED


def test_a_fresh_measurement_replaces_the_earlier_one() -> None:
    old = earlier(change=dated().change, saving=Interval(low=1.0, expected=2.0, high=3.0))
    found = only(dated(), account(instance("i-1", kind="m5.large")), old)

    assert found.saving is not None
    assert found.saving.expected == pytest.approx(73.0)


def test_nothing_applied_is_nothing_measured() -> None:
    assert realised_changes([], account(instance("i-1"))) == ()


def test_what_was_undone_keeps_its_saving_when_the_resource_is_changed_again() -> None:
    first = dated(name="hs-1", hour=8 * 24, undone=17 * 24)
    second = dated(name="hs-2", hour=20 * 24)
    found = realised_changes([first, second], account(instance("i-1", kind="m5.large")))

    assert found[0].verdict is Verdict.UNDONE
    assert found[0].saving is not None
    assert found[0].saving.expected == pytest.approx(73.0)


def test_only_the_last_change_of_a_resource_has_the_price_of_now() -> None:
    first = dated(name="hs-1", before=0.4, after=0.21, hour=8 * 24)
    second = dated(name="hs-2", before=0.21, after=0.11, hour=17 * 24)
    found = realised_changes([first, second], account(instance("i-1", kind="m5.large")))

    assert [one.change.usd_per_hour_after for one in found] == [0.21, pytest.approx(0.1)]


def test_what_was_stopped_is_not_said_to_cost_what_it_would_cost_running() -> None:
    off = instance("i-1", kind="m5.xlarge", state=InstanceState.STOPPED)
    seen = account(off, use={"i-1": np.where(np.arange(HOURS) <= CUT, 1.0, NAN)})
    found = only(dated(kind=Kind.STOP, after=0.0, expected=146.0), seen)

    assert found.change.usd_per_hour_after == 0.0
    assert found.notes == ()


def test_a_stop_that_somebody_else_ended_at_once_saved_nothing_until_it_was_undone() -> None:
    seen = account(instance("i-1", kind="m5.xlarge"))
    found = only(dated(kind=Kind.STOP, after=0.0, hour=8 * 24, undone=20 * 24), seen)

    assert found.verdict is Verdict.UNDONE
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(0.0)


@pytest.mark.parametrize(("days_before", "verdict"), [(28, "realised"), (14, "too-early")])
def test_a_verdict_gives_way_to_doubt_only_where_the_doubt_rests_on_as_much(
    days_before: int, verdict: str
) -> None:
    # On and off by the hour at random: too wild to tell five dollars a month.
    rng = np.random.default_rng(7)
    use = np.where(rng.random(HOURS) < 0.5, 20.0, NAN)
    off = instance("i-1", kind="m5.xlarge", state=InstanceState.STOPPED)
    seen = account(off, use={"i-1": use})
    one = dated(kind=Kind.SCHEDULE, after=0.2, expected=5.0)
    fresh = only(one, seen)
    assert (fresh.verdict, fresh.days_before) == (Verdict.TOO_EARLY, 14)

    found = only(one, seen, earlier(change=one.change, days_before=days_before))

    assert found.verdict == verdict


def in_a_group(*, lifecycle: Lifecycle, kind: str = "m5.large") -> Observed:
    """Four instances of a group, and three machines that nobody touches."""
    members = [
        instance(f"i-m{n}", kind=kind, lifecycle=lifecycle, group="web", zone="us-east-1a")
        for n in range(4)
    ]
    seen = account(members[0], *members[1:])
    together = replace(seen.inventory, groups=(group(members=members),))
    rows = {one: {Metric.CPU_MEAN: flat(20.0)} for one in seen.panel.resources}
    rows[WEB_SERIES] = {Metric.INSTANCES: flat(4.0), Metric.CPU_MEAN: flat(20.0)}
    return replace(seen, inventory=together, panel=panel(rows))


def test_a_group_of_another_type_saves_the_difference_for_each_of_its_instances() -> None:
    found = only(
        dated(series=WEB_SERIES, expected=292.0), in_a_group(lifecycle=Lifecycle.ON_DEMAND)
    )

    assert found.verdict is Verdict.REALISED
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(4 * 73.0)


def test_a_group_on_spot_costs_the_quotes_of_now_and_not_what_was_foretold() -> None:
    one = dated(kind=Kind.SPOT, series=WEB_SERIES, before=0.1, after=0.01, expected=262.8)
    found = only(one, in_a_group(lifecycle=Lifecycle.SPOT))

    assert found.change.usd_per_hour_after == pytest.approx(0.04)
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(4 * (0.1 - 0.04) * 730.0)


def test_a_group_on_spot_without_quotes_costs_what_was_foretold() -> None:
    one = dated(kind=Kind.SPOT, series=WEB_SERIES, before=0.1, after=0.03, expected=204.4)
    seen = replace(in_a_group(lifecycle=Lifecycle.SPOT), prices=prices())
    found = only(one, seen)

    assert found.change.usd_per_hour_after == 0.03
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(4 * 0.07 * 730.0)
