"""Each kind of opportunity by itself, with numbers that a pocket calculator gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.kinds.idle import stop_idle
from tasks.domain.savings.kinds.predictive import predictive_scaling
from tasks.domain.savings.kinds.schedule import schedule
from tasks.domain.savings.kinds.serverless import serverless
from tasks.domain.savings.kinds.spot_use import spot_use
from tasks.domain.savings.kinds.unattached import delete_unattached
from tasks.domain.savings.kinds.volumes import newer_kind, volume_usd
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.selection.alternatives import Alternative, Stage
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.panel import Metric, UsagePanel
from tests.unit.savings.account import (
    HOURS,
    REGION,
    WEB_SERIES,
    ZONES,
    evidence,
    flat,
    group,
    instance,
    machines,
    office,
    panel,
    prices,
    quote,
    service,
    volume,
)

IDLE: dict[Metric, FloatArray] = {
    Metric.CPU_MEAN: flat(1.0),
    Metric.CPU_MAX: flat(3.0),
    Metric.NETWORK: flat(500.0),
    Metric.DISK: flat(1_000.0),
}


def why(found: object) -> str:
    assert isinstance(found, Rejection), found
    return found.why


def stage(found: object) -> Stage:
    assert isinstance(found, Stage), found
    assert_audited(found.opportunity, found)
    return found


def pair(found: object) -> tuple[Stage, Machines]:
    assert isinstance(found, tuple), found
    assert_audited(found[0].opportunity, found[0])
    return found


def assert_audited(found: Opportunity, after: Stage) -> None:
    assert found.steps[-1].what == "saving"
    assert found.steps[-1].value == pytest.approx(found.saving.expected)
    assert found.saving.low <= found.saving.expected <= found.saving.high
    assert found.evidence_from <= found.evidence_to
    assert 0.0 < found.confidence <= 1.0
    assert after.spend.usd >= 0.0


# Stop


def stopped(use: UsagePanel, tags: dict[str, str] | None = None, **more: object) -> object:
    one = machines(instance(tags=tags or {}), use=use)
    serves = (service("i-1"),) if more.get("serves") else ()
    kind = more.get("archetype")
    assert kind is None or isinstance(kind, Archetype)
    return stop_idle(one, evidence(use), archetype=kind, services=serves)


def test_an_idle_instance_is_stopped_and_saves_its_bill() -> None:
    found = stage(stopped(panel({"i-1": IDLE}), {"env": "dev"}, archetype=Archetype.IDLE))
    assert found.opportunity.saving.expected == pytest.approx(146.0)
    assert found.opportunity.effort is Effort.LOW
    assert found.spend.usd == 0.0


def test_an_instance_at_work_is_not_even_looked_at() -> None:
    assert stopped(panel({"i-1": {**IDLE, Metric.CPU_MEAN: flat(40.0)}})) is None


def test_traffic_that_is_unknown_is_not_taken_for_none() -> None:
    use: dict[Metric, FloatArray] = {k: v for k, v in IDLE.items() if k != Metric.NETWORK}
    assert "network traffic is unknown" in why(stopped(panel({"i-1": use})))


def test_an_idle_processor_with_traffic_is_not_idle() -> None:
    busy = {**IDLE, Metric.NETWORK: flat(2e6)}
    assert "2,000,000.0 B/s network (limit 10,000)" in why(stopped(panel({"i-1": busy})))


def test_too_few_days_a_tag_and_requests_each_forbid_to_stop() -> None:
    short = np.full(HOURS, np.nan)
    short[-5 * 24 :] = 1.0
    young = panel({"i-1": {**IDLE, Metric.CPU_MEAN: short}, "i-2": IDLE})
    assert "observed for 5.0 days, 14 are needed" in why(stopped(young))
    idle = panel({"i-1": IDLE})
    assert "says never" in why(stopped(idle, {"homeostat/schedule": "never"}))
    assert "has or may have requests" in why(stopped(idle, serves=True))


# Schedule


def scheduled(cpu: np.ndarray, tags: dict[str, str] | None = None) -> object:
    use = panel({"i-1": {Metric.CPU_MEAN: cpu}})
    one = machines(instance(tags=tags or {}), use=use)
    return schedule(one, evidence(use), archetype=Archetype.BUSINESS_HOURS)


def test_an_office_machine_runs_in_its_hours_with_one_hour_of_margin() -> None:
    found, after = pair(scheduled(office(busy=50.0, quiet=2.0), {"env": "dev"}))
    assert found.opportunity.target["hours_per_week"] == 50
    assert str(found.opportunity.target["hours_utc"]).startswith("Mon 08-18, Tue 08-18")
    assert found.opportunity.saving.expected == pytest.approx(146.0 * 118 / 168)
    assert after.running.sum() == 50.0
    assert found.opportunity.effort is Effort.LOW


def test_production_costs_more_effort_than_a_machine_without_a_tag() -> None:
    cpu = office(busy=50.0, quiet=2.0)
    assert pair(scheduled(cpu))[0].opportunity.effort is Effort.MEDIUM
    allowed = {"env": "prod", "homeostat/schedule": "allowed"}
    assert pair(scheduled(cpu, allowed))[0].opportunity.effort is Effort.HIGH
    assert "tagged as production" in why(scheduled(cpu, {"env": "prod"}))


def test_what_works_at_night_too_is_not_switched_off() -> None:
    assert "something runs there" in why(scheduled(office(busy=80.0, quiet=21.0)))


def test_what_is_used_nearly_always_and_what_is_tagged_is_not_scheduled() -> None:
    always = np.where(np.arange(HOURS) % 24 < 3, 2.0, 50.0)
    assert "of the hours of a week are unused" in why(scheduled(always))
    tagged = {"homeostat/schedule": "never"}
    assert "says never" in why(scheduled(office(busy=50.0, quiet=2.0), tagged))


def test_even_use_at_a_low_level_is_not_a_schedule_of_no_hours() -> None:
    assert "it works evenly or not at all" in why(scheduled(flat(6.0)))
    use = panel({"i-1": {Metric.CPU_MEAN: flat(6.0)}})
    assert schedule(machines(instance(), use=use), evidence(use)) is None


def test_hours_that_did_not_return_in_the_last_week_are_not_relied_on() -> None:
    cpu = office(busy=50.0, quiet=2.0)
    cpu[-168:] = 2.0
    assert "not regular enough" in why(scheduled(cpu))


def test_traffic_at_night_speaks_against_a_schedule() -> None:
    cpu = office(busy=50.0, quiet=2.0)
    use = panel({"i-1": {Metric.CPU_MEAN: cpu, Metric.NETWORK: flat(5e6)}})
    found = schedule(
        machines(instance(), use=use), evidence(use), archetype=Archetype.BUSINESS_HOURS
    )
    assert "still has 5,000,000 B/s of traffic" in why(found)


def test_without_a_name_for_its_use_only_working_days_are_enough() -> None:
    every_day = np.where(np.arange(HOURS) % 24 < 8, 50.0, 2.0)
    for cpu, expected in ((every_day, False), (office(busy=50.0, quiet=2.0), True)):
        use = panel({"i-1": {Metric.CPU_MEAN: cpu}})
        found = schedule(machines(instance(), use=use), evidence(use))
        assert (found is not None) is expected


# Volumes


def newer(
    kind: str, size: float, *, iops: int | None = None, book: PriceBook | None = None
) -> object:
    one, known = volume(kind, size, iops=iops), evidence(panel({}), book=book)
    usd = volume_usd(one, known.prices.volumes.get((REGION, kind)))
    assert usd is not None
    return newer_kind(one, usd, known)


def test_gp2_becomes_gp3_with_as_much_throughput() -> None:
    found = stage(newer("gp2", 100))
    assert found.opportunity.saving.expected == pytest.approx(10.0 - (8.0 + 3 * 0.04))
    assert found.opportunity.target["throughput_mib_per_second"] == 128.0


def test_a_large_gp2_gets_the_operations_that_it_had() -> None:
    found = stage(newer("gp2", 2_000))
    expected = 160.0 + 3_000 * 0.005 + 125 * 0.04
    assert found.spend.other_usd == pytest.approx(expected)
    assert found.opportunity.target["iops"] == 6_000.0


def test_io1_becomes_gp3_where_its_operations_fit() -> None:
    found = stage(newer("io1", 200, iops=3_000))
    assert found.opportunity.saving.expected == pytest.approx(220.0 - 16.0 - 375 * 0.04)
    assert "gp3 has at most 16000" in why(newer("io1", 2_000, iops=20_000))


def test_a_tiny_volume_is_left_as_nothing_may_get_slower() -> None:
    assert "so that nothing gets slower" in why(newer("gp2", 5))


def test_other_kinds_and_unknown_prices_are_left() -> None:
    assert newer_kind(volume("gp3", 100), 8.0, evidence(panel({}))) is None
    book = replace(prices(), volumes={(REGION, "gp2"): prices().volumes[REGION, "gp2"]})
    assert "no price of gp3" in why(newer("gp2", 100, book=book))
    assert volume_usd(volume("st1", 100), None) is None


def test_an_unattached_volume_becomes_a_snapshot() -> None:
    found = stage(delete_unattached(volume("gp2", 100, attached=False), 10.0, evidence(panel({}))))
    assert found.spend.other_usd == pytest.approx(100 * 0.08 * 0.65)
    assert found.opportunity.kind is Kind.STOP
    assert delete_unattached(volume("gp2", 100), 10.0, evidence(panel({}))) is None
    cold = delete_unattached(volume("sc1", 100, attached=False), 1.5, evidence(panel({})))
    assert "a full snapshot may cost 5.20" in why(cold)


# Spot

POOLS = [quote("m5.xlarge", zone) for zone in ZONES] + [quote("m5.2xlarge", ZONES[0])]


def on_spot(count: int, book: PriceBook, *, policy: SavingsPolicy | None = None) -> object:
    members = [instance(f"i-{n}", zone=ZONES[n % 3], group="web") for n in range(count)]
    use = panel({WEB_SERIES: {Metric.INSTANCES: flat(float(count))}})
    one = machines(*members, use=use, of=group(members=members), book=book)
    return spot_use(one, evidence(use, book=book, policy=policy))


def test_a_group_goes_to_spot_but_for_its_floor_and_pays_for_interruptions() -> None:
    found = stage(on_spot(4, prices(spot=POOLS)))
    interruption = 0.1 / 730 * (0.5 * 0.2 + 1.0 * (0.2 - 0.08))
    expected = 4 * 730 * (0.25 * 0.2 + 0.75 * (0.08 + interruption))
    assert found.spend.usd == pytest.approx(expected)
    assert found.opportunity.saving.expected == pytest.approx(4 * 146.0 - expected)
    assert found.opportunity.saving.low == pytest.approx(
        found.opportunity.saving.expected - 3 * 730 * 0.25 * 0.08
    )
    assert "a stated belief" in found.opportunity.notes[1]
    assert sum(line.usd for line in found.spend.lines) == pytest.approx(146.0)


def test_the_floor_is_whole_instances() -> None:
    assert stage(on_spot(2, prices(spot=POOLS))).opportunity.target["on_demand_share"] == 0.5
    assert "none is left" in why(on_spot(1, prices(spot=POOLS)))


def test_too_few_calm_pools_are_not_diversified() -> None:
    restless = [quote("m5.xlarge", zone, interruptions=2.0) for zone in ZONES]
    assert "0 of 3 pools" in why(on_spot(4, prices(spot=restless)))
    assert "no spot quote" in why(on_spot(4, prices()))
    smaller = [quote("m5.large", zone) for zone in ZONES]
    assert "no spot quote of m5.xlarge or a larger type" in why(on_spot(4, prices(spot=smaller)))


def test_a_single_instance_needs_a_tag_and_never_means_never() -> None:
    book, use = prices(spot=POOLS), panel({"i-1": IDLE})
    known = evidence(use, book=book, policy=SavingsPolicy(spot_pools=2))
    assert "may hold state" in why(spot_use(machines(instance(), use=use), known))
    never = machines(instance(tags={"homeostat/spot": "never"}), use=use)
    assert "says never" in why(spot_use(never, known))
    allowed = machines(instance(tags={"homeostat/spot": "allowed"}), use=use)
    assert stage(spot_use(allowed, known)).spend.lines == ()
    windows = instance(tags={"homeostat/spot": "allowed"}, product="Windows")
    book = replace(
        book, offers={**book.offers, (REGION, "Windows"): book.offers[REGION, "Linux/UNIX"]}
    )
    assert "it runs Windows" in why(spot_use(machines(windows, use=use, book=book), known))


# Predictive scaling


def scaled(
    cpu: np.ndarray, *, low: int = 1, policies: tuple[str, ...] = (), count: float = 8.0
) -> object:
    members = [instance(f"i-{n}", group="web") for n in range(2)]
    use = panel({WEB_SERIES: {Metric.INSTANCES: flat(count), Metric.CPU_MEAN: cpu}})
    one = machines(*members, use=use, of=group(members=members, low=low, policies=policies))
    return predictive_scaling(one, evidence(use))


def test_a_group_with_office_hours_needs_fewer_instances_at_night() -> None:
    found, after = pair(scaled(office(busy=70.0, quiet=7.0)))
    # 8 x 70 % / 70 % = 8 in 40 hours, 8 x 7 % / 70 % = 0.8, so 1, in 128.
    assert after.running.sum() == pytest.approx(40 * 8 + 128 * 1)
    assert found.opportunity.target["mode"] == "ForecastOnly"
    assert found.opportunity.saving.expected == pytest.approx(8 * 146.0 * (1 - 448 / 1344))


def test_the_smallest_size_of_a_group_is_kept() -> None:
    _, after = pair(scaled(office(busy=70.0, quiet=7.0), low=4))
    assert after.running.min() == 4.0


def test_irregular_demand_and_full_groups_are_rejected() -> None:
    rng = np.random.default_rng(3)
    assert "not regular enough" in why(scaled(rng.uniform(5.0, 70.0, HOURS)))
    assert "would need" in why(scaled(office(busy=70.0, quiet=60.0), low=8))
    assert "has a predictive policy: p" in why(
        scaled(office(busy=70.0, quiet=7.0), policies=("p",))
    )
    jump = office(busy=30.0, quiet=7.0)
    jump[-168:] *= 1.3
    assert "needed more than the weeks before foretold" in why(scaled(jump))


def test_a_group_whose_size_is_not_reported_says_how_to_make_it_known() -> None:
    members = [instance("i-1", group="web")]
    use = panel({"i-1": {Metric.CPU_MEAN: flat(10.0)}})
    one = machines(*members, use=use, of=group(members=members))
    assert "enable its group metrics" in why(predictive_scaling(one, evidence(use)))
    single = machines(instance(), use=use)
    assert predictive_scaling(single, evidence(use)) is None


# Serverless


def functions(**rows: np.ndarray) -> object:
    names = {"requests": Metric.REQUESTS, "seconds": Metric.RESPONSE}
    use = panel(
        {
            "targetgroup/t/1": {names[name]: row for name, row in rows.items()},
            "i-1": {Metric.CPU_MEAN: flat(2.0)},
        }
    )
    return serverless(service("i-1"), [machines(instance(), use=use)], evidence(use))


def test_a_quiet_service_is_cheaper_as_functions() -> None:
    found = functions(requests=flat(1_000.0), seconds=flat(0.1))
    assert isinstance(found, Alternative)
    each = 0.2e-6 + 1e-6 + 0.1 * (1_769 / 1024) * 0.0000166667
    assert found.spend.other_usd == pytest.approx(each * 730_000)
    assert_audited(found.stages[0].opportunity, found.stages[0])
    assert found.stages[0].opportunity.steps[-2].value == pytest.approx(146.0 / (each * 730))
    assert found.resources == ((REGION, "i-1"),)


def test_a_busy_service_stays_and_says_below_which_rate_functions_pay() -> None:
    found = functions(requests=flat(200_000.0), seconds=flat(0.1))
    assert "it pays below" in why(found)


def test_slow_answers_and_high_peaks_forbid_functions() -> None:
    slow = functions(requests=flat(10.0), seconds=flat(11.0))
    assert "an HTTP API waits 30 s" in why(slow)
    peak = flat(10.0)
    peak[100] = 1e6
    assert "functions at once" in why(functions(requests=peak, seconds=flat(0.5)))


def test_unknown_rates_and_times_say_how_to_make_them_known() -> None:
    assert "its request rate is unknown" in why(functions(seconds=flat(0.1)))
    assert "publish TargetResponseTime" in why(functions(requests=flat(10.0)))
    assert "no request at all" in why(functions(requests=flat(0.0), seconds=flat(0.1)))


def test_evidence_is_older_than_now() -> None:
    known = evidence(panel({"i-1": IDLE}))
    assert known.panel.end <= known.now < known.panel.end + timedelta(hours=1)


def test_what_is_switched_off_at_night_already_is_not_scheduled_again() -> None:
    cpu = office(busy=50.0, quiet=np.nan)
    use = panel({"i-1": {Metric.CPU_MEAN: cpu}, "i-2": {Metric.CPU_MEAN: flat(5.0)}})
    one = machines(instance(launched_at=use.end - timedelta(hours=7)), use=use)
    assert one.running.sum() == pytest.approx(40.0, abs=2.0)
    found = schedule(
        one, evidence(use, policy=SavingsPolicy(min_days=5)), archetype=Archetype.BUSINESS_HOURS
    )
    assert "of the hours of a week are unused" in why(found)
