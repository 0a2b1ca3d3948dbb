from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.every import measured_all
from tasks.domain.savings.realised.measure import measured
from tasks.domain.savings.realised.values import Interval, Method, Realised, Verdict
from tests.unit.savings.realised.panels import (
    APPLIED,
    CHANGED,
    CUT,
    HOURS,
    START,
    change,
    fleet,
    panel,
    since,
    steady,
)


def _saving(found: Realised) -> Interval:
    assert found.saving is not None
    return found.saving


def _bill(rows: dict[str, FloatArray]) -> float:
    """What the changed one costs after the day of the change, USD a month."""
    return float(rows[CHANGED][CUT + 24 :].mean()) * 730.0


def test_half_the_price_of_what_runs_all_the_time_is_half_its_bill() -> None:
    found = measured(change(), panel({CHANGED: since(steady(0.2), 0.5)}))

    assert _saving(found).expected == pytest.approx(0.1 * 730.0)
    assert _saving(found).high - _saving(found).low < 0.011 * 0.2 * 730.0
    assert found.bill_usd == pytest.approx(0.2 * 730.0)
    assert found.verdict is Verdict.REALISED


def test_a_change_that_saves_nothing_of_a_steady_cost_is_not_realised() -> None:
    found = measured(change(), panel({CHANGED: steady(0.2)}))

    assert _saving(found).expected == pytest.approx(0.0)
    assert found.verdict is Verdict.NOT


def test_a_stopped_resource_saves_all_that_it_would_have_cost() -> None:
    found = measured(
        change(expected=146.0, kind=Kind.STOP), panel({CHANGED: since(steady(0.2), 0.0)})
    )

    assert _saving(found).expected == pytest.approx(0.2 * 730.0)
    assert found.verdict is Verdict.REALISED


def test_growth_that_everything_shares_is_no_loss_of_savings() -> None:
    rows = fleet(shift=1.3)
    due = _bill(rows)
    rows[CHANGED] = since(rows[CHANGED], 0.6)

    found = measured(change(expected=0.4 * due), panel(rows))

    assert _saving(found).expected == pytest.approx(0.4 * due, abs=0.05 * due)
    assert _saving(found).low <= 0.4 * due <= _saving(found).high
    assert found.verdict is Verdict.REALISED
    assert found.method is Method.DIFFERENCE_IN_DIFFERENCES
    assert len(found.controls) == 12


def test_a_fall_that_everything_shares_is_no_saving() -> None:
    rows = fleet(shift=0.7)

    found = measured(change(expected=300.0), panel(rows))

    assert _saving(found).low <= 0.0 <= _saving(found).high
    assert found.verdict is Verdict.NOT


def test_without_controls_the_number_says_so_and_is_wider() -> None:
    rows = fleet()
    rows[CHANGED] = since(rows[CHANGED], 0.5)

    beside = measured(change(expected=400.0), panel(rows))
    alone = measured(change(expected=400.0), panel({CHANGED: rows[CHANGED]}))

    assert alone.method is Method.INTERRUPTED_SERIES
    assert alone.controls == ()
    assert "its own past alone" in alone.notes[0]
    width, narrow = (_saving(one).high - _saving(one).low for one in (alone, beside))
    assert width > narrow


def test_a_control_that_was_changed_too_is_left_out() -> None:
    rows = fleet(others=6)
    rows["other-0"] = since(rows["other-0"], 0.1)

    found = measured(change(), panel(rows, touched={"other-0": (APPLIED + timedelta(days=2),)}))

    assert "other-0" not in found.controls
    assert len(found.controls) == 5


def test_a_control_changed_before_the_window_is_a_control() -> None:
    rows = fleet(others=6)
    found = measured(change(), panel(rows, touched={"other-0": (START - timedelta(days=1),)}))
    assert "other-0" in found.controls


def test_a_control_that_was_deleted_is_left_out_whether_or_not_it_was_told() -> None:
    rows = fleet(others=6)
    rows["other-0"] = since(rows["other-0"], 0.0, hour=HOURS - 5 * 24)
    assert "other-0" not in measured(change(), panel(rows)).controls


def test_a_control_whose_records_end_is_left_out() -> None:
    rows = fleet(others=6)
    rows["other-0"][CUT + 24 :] = np.nan
    assert "other-0" not in measured(change(), panel(rows)).controls


def test_one_control_that_somebody_changed_without_telling_hardly_matters() -> None:
    rows = fleet(others=12)
    secretly = {**rows, "other-3": since(rows["other-3"], 8.0)}

    one, other = (_saving(measured(change(), panel(each))) for each in (rows, secretly))

    # Taken as it is, it would move the mean of twelve by 7/12 of the bill.
    assert abs(one.expected - other.expected) < 0.1 * _bill(rows)


def test_hours_that_are_not_known_are_not_taken_for_hours_without_cost() -> None:
    rows = fleet()
    rows[CHANGED] = since(rows[CHANGED], 0.6)
    gaps = rows[CHANGED].copy()
    # Nights are cheaper than days: without them the mean after would look higher.
    gaps[CUT + 24 :][np.arange(HOURS - CUT - 24) % 24 < 7] = np.nan

    whole, some = (
        _saving(measured(change(), panel({**rows, CHANGED: one}))) for one in (rows[CHANGED], gaps)
    )

    share = whole.expected / whole.high
    assert some.expected / some.high == pytest.approx(share, rel=0.1)
    assert some.expected > 0.0


def test_seven_whole_days_after_the_day_of_the_change_are_needed() -> None:
    rows = {name: cost[: CUT + 8 * 24 - 1] for name, cost in fleet().items()}

    found = measured(change(), panel(rows))

    assert found.verdict is Verdict.TOO_EARLY
    assert found.days_after == 6
    assert found.saving is None
    assert found.known_at == START + timedelta(days=28 + 8)
    assert found.notes == ("6 of 7 whole days have passed",)


def test_seven_whole_days_before_it_are_needed_and_never_come() -> None:
    early = change(applied_at=START + timedelta(days=6, hours=23))
    found = measured(early, panel(fleet()))

    assert found.verdict is Verdict.NOT_MEASURED
    assert "only 0 whole days" in found.notes[0]


def test_an_interval_too_wide_to_decide_is_too_early_and_says_when_to_look_again() -> None:
    rows = fleet(own=0.4)
    found = measured(change(expected=30.0), panel(rows))

    assert found.verdict is Verdict.TOO_EARLY
    assert found.known_at == START + timedelta(days=28 + 1 + 21)


def test_one_instance_never_would_have_cost_more_than_its_price() -> None:
    rng = np.random.default_rng(3)
    worked = 0.2 * np.repeat(rng.random(HOURS // 24) < 0.8, 24).astype(float)

    found = measured(change(), panel({CHANGED: since(worked, 0.5)}))

    cost = float(since(worked, 0.5)[CUT + 24 :].mean()) * 730.0
    assert _saving(found).high == pytest.approx(0.2 * 730.0 - cost)
    assert _saving(found).low >= -cost


def test_the_saving_by_price_is_told_beside_the_measured_one() -> None:
    rows = {CHANGED: since(steady(0.2), 0.5)}
    found = measured(change(before=0.2, after=0.1), panel(rows))
    assert found.by_price_usd == pytest.approx(73.0)
    assert not found.notes[1:]


def test_a_group_that_ran_more_of_the_smaller_ones_saves_less_than_by_price() -> None:
    # Half the price, twice as many: nothing saved.
    found = measured(change(before=0.2, after=0.1), panel({CHANGED: steady(0.4)}))

    assert found.by_price_usd == pytest.approx(0.4 / 0.1 * 0.1 * 730.0)
    assert found.verdict is Verdict.NOT
    assert any("price alone" in note for note in found.notes)


def test_a_volume_is_measured_by_its_prices() -> None:
    volume = change(kind=Kind.VOLUME_TYPE, series="vol-1", before=0.02, after=0.015, expected=3.65)
    found = measured(volume, panel(fleet()))

    assert found.method is Method.EXACT
    saving = _saving(found)
    assert [saving.low, saving.expected, saving.high] == pytest.approx([3.65] * 3)
    assert found.verdict is Verdict.REALISED


def test_a_commitment_is_not_measured_and_the_reader_is_told_where_to_look() -> None:
    found = measured(change(kind=Kind.COMMITMENT, series="account"), panel(fleet()))
    assert found.verdict is Verdict.NOT_MEASURED
    assert "Cost Explorer" in found.notes[0]


def test_what_is_in_no_panel_and_has_no_price_is_not_measured() -> None:
    found = measured(change(series="i-gone"), panel(fleet()))
    assert (found.verdict, found.saving) == (Verdict.NOT_MEASURED, None)


def test_a_resource_of_which_most_hours_are_unknown_is_not_guessed_at() -> None:
    rows = fleet()
    rows[CHANGED][CUT + 24 + 48 :] = np.nan
    found = measured(change(), panel(rows))
    assert (found.verdict, found.saving) == (Verdict.TOO_EARLY, None)


def test_two_changes_of_one_resource_are_each_measured_up_to_the_other() -> None:
    cost = since(since(steady(0.2), 0.5), 0.5, hour=CUT + 11 * 24)
    first = change(name="hs-1")
    second = change(name="hs-2", expected=36.5, applied_at=START + timedelta(hours=CUT + 11 * 24))
    # 29 + 14 days end 4 days after the second change.
    longer = np.concatenate([cost, np.full(10 * 24, cost[-1])])

    one, two = measured_all([first, second], panel({CHANGED: longer}))

    assert _saving(one).expected == pytest.approx(73.0)
    assert (one.days_after, two.days_before) == (10, 7)
    assert _saving(two).expected == pytest.approx(36.5)
    assert any("next change" in note for note in one.notes)


def test_two_changes_of_one_day_share_what_they_saved_together() -> None:
    first = change(name="hs-1", expected=60.0)
    second = change(name="hs-2", expected=30.0, kind=Kind.SPOT)

    found = measured_all([first, second], panel({CHANGED: since(steady(0.2), 0.5)}))

    assert [_saving(one).expected for one in found] == pytest.approx([73.0 * 2 / 3, 73.0 / 3])
    assert "together with spot" in found[0].notes[-1]


def test_a_change_that_was_changed_again_within_a_week_is_never_measured() -> None:
    again = change(name="hs-2", applied_at=APPLIED + timedelta(days=3))
    one, _ = measured_all([change(), again], panel({CHANGED: steady()}))
    assert one.verdict is Verdict.NOT_MEASURED
    assert "changed again after 2 whole days" in one.notes[0]


def test_resources_changed_at_the_same_time_are_no_controls_for_each_other() -> None:
    rows = fleet(others=4)
    changes = [change(), change(series="other-0", name="hs-2")]
    one, two = measured_all(changes, panel(rows))
    assert "other-0" not in one.controls
    assert CHANGED not in two.controls


def test_a_machine_that_is_in_no_panel_is_not_measured_by_its_price_alone() -> None:
    # Whether it ran is not known: a price is no cost.
    found = measured(change(series="i-gone", before=0.2, after=0.1), panel(fleet()))
    assert found.verdict is Verdict.NOT_MEASURED


def test_a_saving_is_of_the_hours_that_are_known() -> None:
    rows = fleet(own=0.0, shared=0.0)
    due = rows[CHANGED].copy()
    nights = np.arange(HOURS) % 24 < 7
    cost = np.where((np.arange(HOURS) >= CUT + 24) & nights, np.nan, since(due, 0.6))

    found = measured(change(), panel({**rows, CHANGED: cost}))

    known = (np.arange(HOURS) >= CUT + 24) & ~nights
    assert _saving(found).expected == pytest.approx(0.4 * due[known].mean() * 730.0)
    assert found.bill_usd == pytest.approx(due[known].mean() * 730.0)


def test_what_moves_is_not_compared_with_what_never_does() -> None:
    rows = {**fleet(others=3), "always-on": steady()}
    found = measured(change(), panel(rows))
    assert sorted(found.controls) == ["other-0", "other-1", "other-2"]


def test_a_trend_that_three_controls_share_is_taken_out_though_they_never_moved_together() -> None:
    rows = fleet(others=3, own=0.1, shared=0.0, shift=1.4, seed=5)
    found = measured(change(), panel(rows))
    assert abs(_saving(found).expected) < 0.1 * _bill(rows)


def test_a_peer_counts_for_more_than_it_would_as_a_stranger() -> None:
    rows = fleet(others=9, own=0.1, shared=0.0, seed=2)
    peers = {CHANGED: "a", "other-7": "a"}
    stranger = measured(change(), panel(rows)).controls.index("other-7")
    peer = measured(change(), panel(rows, peers=peers)).controls.index("other-7")
    assert peer < stranger


def test_of_very_many_candidates_the_most_alike_and_the_peers_are_taken() -> None:
    rows = fleet(others=80, own=0.1, shared=0.0, seed=2)
    alike = {f"other-{number}" for number in range(60, 80)}
    peers = dict.fromkeys((CHANGED, *alike), "a")
    found = measured(change(), panel(rows, peers=peers))
    assert len(found.controls) == 60
    assert alike <= set(found.controls)


def test_a_change_that_was_changed_again_the_next_day_has_no_day_of_its_own() -> None:
    again = change(name="hs-2", applied_at=APPLIED + timedelta(days=1))
    one, _ = measured_all([change(), again], panel({CHANGED: steady()}))
    assert "changed again after 0 whole days" in one.notes[0]
