from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.inventory import Instance, InstanceState, Inventory, Lifecycle, ScalingGroup
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.costs import cost_panel
from tasks.domain.savings.realised.every import measured_all
from tasks.domain.savings.realised.values import AppliedChange, Verdict
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


def account(*instances: Instance, groups: tuple[ScalingGroup, ...] = ()) -> Inventory:
    return Inventory(
        observed_at=NOW,
        regions=(REGION,),
        instances=instances,
        groups=groups,
    )


def applied(
    series: str = "i-1",
    *,
    kind: Kind = Kind.RIGHT_SIZE,
    before: float | None = 0.4,
    after: float | None = 0.2,
    hour: int = CUT,
) -> AppliedChange:
    return AppliedChange(
        change_id="hs-1",
        kind=kind,
        resource=series,
        series=series,
        applied_at=START + timedelta(hours=hour),
        expected=Usd.exactly(146.0),
        usd_per_hour_before=before,
        usd_per_hour_after=after,
    )


USE = panel({"i-1": {Metric.CPU_MEAN: flat(20.0)}, "i-2": {Metric.CPU_MEAN: flat(20.0)}})


def test_an_hour_costs_the_price_of_before_until_the_change_and_that_of_after_from_then_on() -> (
    None
):
    found = cost_panel(USE, account(instance(), instance("i-2")), prices(), [applied()])

    one, two = found.usd[found.position["i-1"]], found.usd[found.position["i-2"]]
    assert one[:CUT] == pytest.approx(0.4)
    assert one[CUT:] == pytest.approx(0.2)
    assert two == pytest.approx(0.2)
    assert found.touched == {"i-1": (START + timedelta(hours=CUT),)}


def test_an_hour_in_which_the_change_happened_is_of_before() -> None:
    late = replace(applied(), applied_at=START + timedelta(hours=CUT, minutes=20))
    found = cost_panel(USE, account(instance()), prices(), [late])
    assert found.usd[0, CUT] == pytest.approx(0.4)


def test_a_stopped_machine_costs_nothing_and_that_is_known() -> None:
    seen = flat(20.0)
    seen[CUT:] = NAN
    use = panel({"i-1": {Metric.CPU_MEAN: seen}, "i-2": {Metric.CPU_MEAN: flat(20.0)}})
    stopped = applied(kind=Kind.STOP, before=None, after=None)

    found = cost_panel(
        use,
        account(instance(state=InstanceState.STOPPED), instance("i-2")),
        prices(),
        [stopped],
    )

    one = found.usd[found.position["i-1"]]
    assert one[:CUT] == pytest.approx(0.2)
    assert (one[CUT:] == 0.0).all()


def test_a_machine_that_is_gone_is_reckoned_from_when_it_was_seen() -> None:
    seen = flat(20.0)
    seen[CUT:] = NAN
    use = panel({"i-1": {Metric.CPU_MEAN: seen}, "i-2": {Metric.CPU_MEAN: flat(20.0)}})
    gone = applied(kind=Kind.STOP, before=0.2, after=0.0)

    found = cost_panel(use, account(instance("i-2")), prices(), [gone])

    one = found.usd[found.position["i-1"]]
    assert one[:CUT] == pytest.approx(0.2)
    assert (one[CUT:] == 0.0).all()


def test_hours_in_which_nothing_at_all_was_reported_are_not_known() -> None:
    seen = flat(20.0)
    seen[100:110] = NAN
    use = panel({"i-1": {Metric.CPU_MEAN: seen}})
    started = instance(launched_at=START + timedelta(hours=400))

    found = cost_panel(use, account(started), prices(), [])

    assert np.isnan(found.usd[0, 100:110]).all()
    assert np.isfinite(found.usd[0, 110:]).all()


def test_a_group_costs_what_it_counts() -> None:
    members = [instance(name, group="web") for name in ("i-1", "i-2")]
    count = np.where(np.arange(HOURS) < CUT, 4.0, 2.0)
    use = panel({WEB_SERIES: {Metric.INSTANCES: count}})

    found = cost_panel(use, account(*members, groups=(group(members=members),)), prices(), [])

    assert found.series == (WEB_SERIES,)
    assert found.usd[0, :CUT] == pytest.approx(0.8)
    assert found.usd[0, CUT:] == pytest.approx(0.4)


def test_a_group_of_which_the_number_is_not_reported_is_left_out() -> None:
    members = [instance(name, group="web") for name in ("i-1", "i-2")]
    found = cost_panel(USE, account(*members, groups=(group(members=members),)), prices(), [])
    assert found.series == ()
    assert found.usd.shape == (0, HOURS)


def test_spot_costs_its_quote_unless_hourly_prices_are_known() -> None:
    spot = instance(lifecycle=Lifecycle.SPOT)
    book = prices(spot=[quote("m5.xlarge", "us-east-1a")])
    hourly = np.linspace(0.05, 0.09, HOURS)

    quoted = cost_panel(USE, account(spot), book, [])
    known = cost_panel(USE, account(spot), book, [], hourly_prices={"i-1": hourly})

    assert quoted.usd[0] == pytest.approx(0.08)
    assert known.usd[0] == pytest.approx(hourly)


def test_a_repriced_machine_without_its_price_of_before_is_left_out_not_guessed() -> None:
    found = cost_panel(USE, account(instance()), prices(), [applied(before=None)])
    assert "i-1" not in found.position


def test_what_functions_took_over_is_not_told_by_the_hours_of_the_machine() -> None:
    found = cost_panel(USE, account(instance()), prices(), [applied(kind=Kind.SERVERLESS)])
    assert "i-1" not in found.position


def test_two_changes_give_three_prices() -> None:
    first = applied(before=0.4, after=0.2)
    second = applied(before=0.2, after=0.1, hour=CUT + 48, kind=Kind.SPOT)
    found = cost_panel(USE, account(instance()), prices(), [second, first])
    assert sorted(set(found.usd[0].tolist())) == [0.1, 0.2, 0.4]
    assert found.usd[0, [0, CUT, CUT + 48]] == pytest.approx([0.4, 0.2, 0.1])


def test_what_was_off_cost_nothing_even_when_the_price_of_that_hour_is_not_known() -> None:
    seen = flat(20.0)
    seen[100:110] = NAN
    use = panel({"i-1": {Metric.CPU_MEAN: seen}, "i-2": {Metric.CPU_MEAN: flat(20.0)}})
    started = instance(launched_at=START + timedelta(hours=400))
    hourly = flat(0.2)
    hourly[100:120] = NAN

    found = cost_panel(
        use, account(started, instance("i-2")), prices(), [], hourly_prices={"i-1": hourly}
    )

    one = found.usd[found.position["i-1"]]
    assert (one[100:110] == 0.0).all()
    assert np.isnan(one[110:120]).all()


def test_before_a_machine_was_first_seen_nothing_is_known_of_it() -> None:
    seen = flat(20.0)
    seen[:50] = NAN
    seen[CUT:] = NAN
    use = panel({"i-1": {Metric.CPU_MEAN: seen}, "i-2": {Metric.CPU_MEAN: flat(20.0)}})
    found = cost_panel(
        use, account(instance("i-2")), prices(), [applied(kind=Kind.STOP, before=0.2, after=0.0)]
    )
    assert np.isnan(found.usd[found.position["i-1"], :50]).all()


def test_a_machine_made_half_as_dear_is_found_to_have_saved_half() -> None:
    changed = applied(before=0.4, after=0.2)
    costs = cost_panel(USE, account(instance(), instance("i-2")), prices(), [changed])

    (found,) = measured_all([changed], costs)

    assert found.verdict is Verdict.REALISED
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(0.2 * 730.0)
    assert found.by_price_usd == pytest.approx(0.2 * 730.0)
