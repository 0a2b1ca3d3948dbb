"""What resources cost now."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.inventory import Instance, InstanceState, Inventory, Lifecycle
from tasks.domain.savings.machines import machines_of
from tasks.domain.savings.running import (
    hours_reported,
    mean_by_hour_of_week,
    quantile_by_hour_of_week,
    running_of,
)
from tasks.domain.usage.panel import Metric, UsagePanel
from tests.unit.savings.account import (
    HOURS,
    NOW,
    REGION,
    START,
    WEB_SERIES,
    flat,
    group,
    instance,
    machines,
    office,
    panel,
    prices,
    quote,
)

HALF = np.where(np.arange(HOURS) % 24 < 12, 20.0, np.nan)


def running(one: Instance, use: UsagePanel) -> np.ndarray:
    return running_of(one, use, reported=hours_reported(use))


def test_a_running_instance_ran_since_its_start_even_where_nothing_was_reported() -> None:
    use = panel({"i-1": {Metric.CPU_MEAN: HALF}, "i-2": {Metric.CPU_MEAN: flat(5.0)}})
    assert (running(instance(), use) == 1.0).all()


def test_before_its_last_start_an_instance_ran_when_it_was_seen() -> None:
    use = panel({"i-1": {Metric.CPU_MEAN: HALF}, "i-2": {Metric.CPU_MEAN: flat(5.0)}})
    found = running(instance(launched_at=NOW - timedelta(hours=12)), use)
    assert found[:12].tolist() == [1.0] * 12
    assert found[12:24].max() == 0.0
    assert found.sum() == pytest.approx(84 + 12 * 0.25)  # the last half day counts as one week of 4


def test_hours_in_which_nobody_was_seen_say_nothing() -> None:
    use = panel({"i-1": {Metric.CPU_MEAN: HALF}})
    found = running(instance(launched_at=NOW), use)
    assert (found == 1.0).all()


def test_hours_before_it_was_first_seen_say_nothing() -> None:
    late = flat(5.0)
    late[: 14 * 24] = np.nan
    use = panel({"i-1": {Metric.CPU_MEAN: late}, "i-2": {Metric.CPU_MEAN: flat(5.0)}})
    assert (running(instance(launched_at=NOW), use) == 1.0).all()


def test_an_instance_that_was_never_seen_is_as_its_state_says() -> None:
    use = panel({})
    assert (running(instance(), use) == 1.0).all()
    assert (running(instance(state=InstanceState.STOPPED), use) == 0.0).all()


def test_an_instance_that_stopped_for_good_costs_nothing() -> None:
    gone = flat(5.0)
    gone[-9 * 24 :] = np.nan
    use = panel({"i-1": {Metric.CPU_MEAN: gone}, "i-2": {Metric.CPU_MEAN: flat(5.0)}})
    stopped = instance(state=InstanceState.STOPPED)
    assert (running(stopped, use) == 0.0).all()
    assert machines(stopped, use=use).spend.usd == 0.0


def test_an_instance_that_was_always_on_and_stopped_two_days_ago_costs_nothing() -> None:
    gone = flat(5.0)
    gone[-48:] = np.nan
    gone[100] = gone[300] = np.nan  # restarts
    use = panel({"i-1": {Metric.CPU_MEAN: gone}, "i-2": {Metric.CPU_MEAN: flat(5.0)}})
    stopped = instance(state=InstanceState.STOPPED)
    assert (running(stopped, use) == 0.0).all()
    assert machines(stopped, use=use).spend.usd == 0.0


def test_an_instance_that_rests_at_night_and_on_weekends_costs_the_hours_that_it_works() -> None:
    shown = np.where(office(busy=1.0, quiet=0.0) > 0.0, 30.0, np.nan)
    use = panel({"i-1": {Metric.CPU_MEAN: shown}, "i-2": {Metric.CPU_MEAN: flat(5.0)}})
    stopped = instance(state=InstanceState.STOPPED)
    assert running(stopped, use).sum() == pytest.approx(40.0)
    shown[-9 * 24 :] = np.nan  # then it rests for longer than any weekend
    use = panel({"i-1": {Metric.CPU_MEAN: shown}, "i-2": {Metric.CPU_MEAN: flat(5.0)}})
    assert running(stopped, use).sum() == 0.0


def test_an_instance_that_ran_in_one_week_only_costs_nothing_when_stopped() -> None:
    shown = np.where(office(busy=1.0, quiet=0.0) > 0.0, 30.0, np.nan)
    shown[: 21 * 24] = np.nan
    use = panel({"i-1": {Metric.CPU_MEAN: shown}, "i-2": {Metric.CPU_MEAN: flat(5.0)}})
    assert running(instance(state=InstanceState.STOPPED), use).sum() == 0.0


def test_on_demand_and_spot_cost_what_their_prices_say() -> None:
    use = panel({})
    book = prices(spot=[quote("m5.xlarge", "us-east-1a")])
    assert machines(instance(), use=use).spend.usd == pytest.approx(146.0)
    spot = machines(instance(lifecycle=Lifecycle.SPOT), use=use, book=book)
    assert spot.spend.usd == pytest.approx(0.08 * 730)
    assert spot.spend.lines == ()


def test_a_group_costs_its_mean_number_of_instances() -> None:
    members = [instance(f"i-{n}", group="web") for n in range(2)]
    use = panel({WEB_SERIES: {Metric.INSTANCES: flat(3.0)}})
    found = machines(*members, use=use, of=group(members=members))
    assert found.spend.usd == pytest.approx(3 * 146.0)
    assert found.spend.lines[0].plan_ratio == pytest.approx(0.7)


def test_what_has_no_price_is_unknown_and_not_free() -> None:
    account = Inventory(
        observed_at=NOW,
        regions=(REGION,),
        instances=(
            instance("i-1", product="SUSE Linux"),
            instance("i-2", tenancy="host"),
            instance("i-3", lifecycle=Lifecycle.SPOT),
            instance("i-4", lifecycle=Lifecycle.SCHEDULED),
            instance("i-5", state=InstanceState.TERMINATED),
        ),
    )
    found, unknown = machines_of(account, panel({}), prices())
    assert found == ()
    assert len(unknown) == 4
    assert "no on-demand price of m5.xlarge with SUSE Linux" in unknown[0]


def test_a_group_without_instances_now_is_unknown_if_it_had_some() -> None:
    account = Inventory(observed_at=NOW, regions=(REGION,), groups=(group(members=[]),))
    use = panel({WEB_SERIES: {Metric.INSTANCES: office(busy=2.0, quiet=0.0)}})
    found, unknown = machines_of(account, use, prices())
    assert found == ()
    assert "has none now, so that their type is unknown" in unknown[0]
    assert machines_of(account, panel({}), prices()) == ((), ())


def test_an_instance_that_names_its_group_is_in_it_and_not_alone() -> None:
    member = instance("i-new", group="web")
    joined = machines(member, use=panel({}), of=group(members=[]))
    assert joined.group is not None
    assert not machines(member, use=panel({})).is_alone
    assert machines(instance(), use=panel({})).is_alone


def test_means_and_quantiles_by_hour_of_week_are_those_of_its_hours() -> None:
    values = np.arange(HOURS, dtype=float)
    values[0] = np.nan
    hours = panel({"a": {Metric.CPU_MEAN: values}}).hour_of_week()
    assert mean_by_hour_of_week(values, hours)[1] == pytest.approx(1 + 168 * 1.5)
    assert mean_by_hour_of_week(values, hours)[0] == pytest.approx(168 * 2)
    assert quantile_by_hour_of_week(values, hours, quantile=1.0)[5] == 5 + 3 * 168
    assert quantile_by_hour_of_week(values, hours, quantile=0.5)[5] == 5 + 2 * 168
    short = quantile_by_hour_of_week(values[3:5], hours[3:5], quantile=0.5)
    assert np.isfinite(short).sum() == 2
    assert START.weekday() == 0
