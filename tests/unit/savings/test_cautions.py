"""What looks like a saving and is none: each rule that keeps something as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.arrays import FloatArray
from tasks.domain.instances import TypeFacts
from tasks.domain.inventory import Instance, InstanceState, Inventory, Lifecycle, Service
from tasks.domain.savings.kinds.idle import stop_idle
from tasks.domain.savings.kinds.predictive import predictive_scaling
from tasks.domain.savings.kinds.schedule import schedule
from tasks.domain.savings.kinds.serverless import serverless
from tasks.domain.savings.kinds.spot_use import spot_use
from tasks.domain.savings.kinds.unattached import delete_unattached
from tasks.domain.savings.kinds.volumes import newer_kind
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.opportunity import Effort, Opportunity, Rejection
from tasks.domain.savings.selection.alternatives import Alternative, Stage
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.panel import Metric, UsagePanel
from tests.unit.savings.account import (
    HOURS,
    NOW,
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
    shape,
    volume,
)

HOUR = np.arange(HOURS)
QUOTES = [quote("m5.xlarge", zone) for zone in ZONES]


def idle(**rows: FloatArray) -> dict[Metric, FloatArray]:
    return {
        Metric.CPU_MEAN: rows.get("cpu", flat(1.0)),
        Metric.CPU_MAX: rows.get("peak", flat(3.0)),
        Metric.NETWORK: rows.get("network", flat(500.0)),
        Metric.DISK: rows.get("disk", flat(1_000.0)),
    }


def why(found: object) -> str:
    assert isinstance(found, Rejection), found
    return found.why


def proposed(found: object) -> Opportunity:
    if isinstance(found, Alternative):
        return found.stages[0].opportunity
    stage = found[0] if isinstance(found, tuple) else found
    assert isinstance(stage, Stage), stage
    return stage.opportunity


def stop(
    one: Instance | None = None,
    *,
    use: Mapping[Metric, FloatArray] | None = None,
    archetype: Archetype | None = None,
    services: tuple[Service, ...] = (),
    requests: FloatArray | None = None,
    book: PriceBook | None = None,
) -> object:
    rows: dict[str, Mapping[Metric, FloatArray]] = {"i-1": idle() if use is None else use}
    if requests is not None:
        rows["targetgroup/t/1"] = {Metric.REQUESTS: requests}
        rows["targetgroup/t/2"] = {Metric.REQUESTS: flat(0.0)}
    known = panel(rows)
    found = machines(one or instance(), use=known, book=book)
    return stop_idle(found, evidence(known, book=book), archetype=archetype, services=services)


# Batch machines


@pytest.mark.parametrize(
    "busy",
    [HOUR % 24 == 2, (HOUR % 168 >= 144) & (HOUR % 168 < 150), HOUR >= HOURS - 25],
    ids=["an hour every night", "six hours on Sunday", "the end of the month"],
)
@pytest.mark.parametrize("archetype", [None, Archetype.IDLE, Archetype.STEADY, Archetype.UNUSUAL])
def test_a_batch_machine_is_not_idle_whatever_its_use_is_named(
    busy: np.ndarray, archetype: Archetype | None
) -> None:
    work = idle(cpu=np.where(busy, 95.0, 1.0), network=np.where(busy, 5e6, 1_000.0))
    assert "busiest hour had 95.0 % processor" in why(stop(use=work, archetype=archetype))
    copies = idle(network=np.where(busy, 5e6, 1_000.0))
    assert "B/s network" in why(stop(use=copies, archetype=archetype))


def test_an_hour_that_comes_back_every_week_is_work_also_where_it_is_short() -> None:
    weekly = idle(cpu=np.where(HOUR % 168 == 30, 9.0, 1.0))
    assert "1 hours of the week come back with more than 3 % processor" in why(stop(use=weekly))


def test_few_single_hours_pass_and_are_named() -> None:
    cpu = flat(1.0)
    cpu[[100, 250]] = 29.0
    found = proposed(stop(use=idle(cpu=cpu)))
    assert "2026-02-06 04:00 UTC (29%)" in found.notes[-1]
    assert found.confidence < proposed(stop()).confidence
    cpu[100] = 60.0
    assert "busiest hour had 60.0" in why(stop(use=idle(cpu=cpu)))


def test_use_of_another_name_than_idle_is_not_stopped() -> None:
    assert "its use is nightly-batch" in why(stop(archetype=Archetype.NIGHTLY_BATCH))
    assert proposed(stop(archetype=Archetype.STEADY)).confidence > 0.0


# Services


def test_every_service_of_an_instance_counts() -> None:
    first, second = service("i-1"), replace(service("i-1"), service_id="targetgroup/t/2")
    account = Inventory(
        observed_at=NOW, regions=(REGION,), instances=(instance(),), services=(second, first)
    )
    both = account.services_of["i-1"]
    assert [one.service_id for one in both] == ["targetgroup/t/1", "targetgroup/t/2"]
    assert "answers for targetgroup/t/1" in why(stop(services=both, requests=flat(20.0)))
    proposed(stop(services=both, requests=flat(0.0)))


def test_requests_that_nobody_counts_forbid_to_stop_and_to_schedule() -> None:
    tcp = replace(service("i-1"), protocol="TCP", load_balancer="net/a/1")
    assert not tcp.counts_requests
    assert "has or may have requests" in why(stop(services=(tcp,)))
    use = panel({"i-1": {Metric.CPU_MEAN: office(busy=50.0, quiet=2.0)}})
    one = machines(instance(), use=use)
    found = schedule(one, evidence(use), archetype=Archetype.BUSINESS_HOURS, services=(tcp,))
    assert "whose requests are unknown" in why(found)


# What cannot be stopped


def test_only_what_runs_on_demand_from_a_volume_is_stopped() -> None:
    assert stop(instance(state=InstanceState.STOPPED)) is None
    pending = instance(state=InstanceState.PENDING)
    assert "it is pending and not running" in why(stop(pending))
    spot = instance(lifecycle=Lifecycle.SPOT)
    assert "it is a spot instance" in why(stop(spot, book=prices(spot=QUOTES)))
    rooted = replace(instance(), root_device="instance-store")
    assert "only terminated" in why(stop(rooted))


def with_disks() -> PriceBook:
    book = prices()
    local = TypeFacts(shape=shape("m5.xlarge"), local_storage_gb=950.0)
    return replace(book, types={**book.types, "m5.xlarge": local})


def test_stopping_loses_local_disks_and_says_so() -> None:
    plain, found = proposed(stop()), proposed(stop(book=with_disks()))
    assert (plain.reversible, found.reversible) == (True, False)
    assert found.disruption > plain.disruption
    assert "data on local disks (950 GB) is lost" in found.notes


def scheduled(one: Instance, *, book: PriceBook | None = None) -> object:
    use = panel({"i-1": {Metric.CPU_MEAN: office(busy=50.0, quiet=2.0)}})
    found = machines(one, use=use, book=book)
    return schedule(found, evidence(use, book=book), archetype=Archetype.BUSINESS_HOURS)


def test_what_has_local_disks_is_not_scheduled() -> None:
    assert "data on local disks" in why(scheduled(instance(), book=with_disks()))
    assert "Elastic IP" in proposed(scheduled(instance())).notes[1]


@pytest.mark.parametrize("key", ["env", "Environment", "STAGE"])
def test_production_is_stopped_and_scheduled_only_where_a_tag_allows_it(key: str) -> None:
    live, allowed = {key: "prod-eu"}, {key: "prod-eu", "homeostat/schedule": "Allowed"}
    for found in (stop(instance(tags=live)), scheduled(instance(tags=live))):
        assert "tagged as production" in why(found)
    assert proposed(stop(instance(tags=allowed))).effort is Effort.MEDIUM
    assert proposed(scheduled(instance(tags=allowed))).effort is Effort.HIGH
    unknown, development = (proposed(stop(instance(tags={key: v}))) for v in ("blue", "dev"))
    assert unknown.effort is Effort.MEDIUM
    assert unknown.confidence < development.confidence


# Volumes


def test_a_shared_volume_stays_io1() -> None:
    shared = replace(volume("io1", 200, iops=3_000), multi_attach=True)
    assert "Multi-Attach" in why(newer_kind(shared, 220.0, evidence(panel({}))))


def test_an_unattached_volume_was_seen_once_and_comes_back_as_another() -> None:
    found = proposed(
        delete_unattached(volume("gp2", 100, attached=False), 10.0, evidence(panel({})))
    )
    assert found.evidence_from == found.evidence_to == NOW
    assert found.confidence <= 0.3
    assert not found.reversible


# Spot


def on_spot(
    *tags: Mapping[str, str], of: Mapping[str, str] | None = None
) -> Stage | Rejection | None:
    members = [
        instance(f"i-{n}", zone=ZONES[n % 3], group="web", tags=each) for n, each in enumerate(tags)
    ]
    use = panel({WEB_SERIES: {Metric.INSTANCES: flat(float(len(members)))}})
    whole = replace(group(members=members), tags=dict(of or {}))
    book = prices(spot=QUOTES)
    one = machines(*members, use=use, of=whole, book=book)
    return spot_use(one, evidence(use, book=book))


LIVE = {"env": "prod"}
ALLOWED, NEVER = {"homeostat/spot": "allowed"}, {"homeostat/spot": "never"}


@pytest.mark.parametrize("at", range(4))
def test_never_on_any_member_keeps_the_whole_group(at: int) -> None:
    tags: list[dict[str, str]] = [{}] * 4
    tags[at] = NEVER
    assert "says never" in why(on_spot(*tags, of=ALLOWED))


def test_production_groups_go_to_spot_only_where_a_tag_allows_it() -> None:
    assert "tagged as production" in why(on_spot(*[LIVE] * 4))
    assert "tagged as production" in why(on_spot(*[LIVE | ALLOWED] * 3, LIVE))
    proposed(on_spot(*[LIVE | ALLOWED] * 4))
    proposed(on_spot(*[LIVE] * 4, of=ALLOWED))
    proposed(on_spot(*[{}] * 4))


def test_tags_of_a_group_are_those_that_all_share_and_its_own() -> None:
    members = [instance(f"i-{n}", group="web", tags={"a": "1", "b": str(n)}) for n in range(2)]
    use = panel({WEB_SERIES: {Metric.INSTANCES: flat(2.0)}})
    whole = replace(group(members=members), tags={"c": "3"})
    assert machines(*members, use=use, of=whole).tags == {"a": "1", "c": "3"}


# Predictive scaling


def scaled(*dynamic: str, low: int = 1, high: int = 10) -> object:
    members = [instance(f"i-{n}", group="web") for n in range(2)]
    cpu = office(busy=70.0, quiet=7.0)
    use = panel({WEB_SERIES: {Metric.INSTANCES: flat(8.0), Metric.CPU_MEAN: cpu}})
    whole = replace(group(members=members, low=low, high=high), dynamic_policies=dynamic)
    return predictive_scaling(machines(*members, use=use, of=whole), evidence(use))


def test_a_forecast_alone_saves_nothing_and_the_steps_say_when_it_starts() -> None:
    alone, tracked = proposed(scaled()), proposed(scaled("track"))
    assert "Add target tracking at 70%" in alone.change
    assert "Set track of web to a target of 70%" in tracked.change
    for found, start in ((alone, "target tracking is added"), (tracked, "track follows")):
        assert (found.steps[0].what, found.steps[0].value) == (
            "saving while it only forecasts",
            0.0,
        )
        assert start in found.steps[-2].what
        assert any("only a dynamic policy scales in" in note for note in found.notes)
    assert (alone.effort, tracked.effort) == (Effort.HIGH, Effort.MEDIUM)
    assert alone.confidence < tracked.confidence


@pytest.mark.parametrize(("low", "high"), [(1, 10), (3, 10), (1, 6)])
def test_what_is_planned_stays_within_the_sizes_of_the_group(low: int, high: int) -> None:
    found = scaled("track", low=low, high=high)
    assert isinstance(found, tuple)
    after: Machines = found[1]
    assert (after.running >= low).all()
    assert (after.running <= high + 1e-9).all()


# Serverless


def functions(
    one: Instance | None = None,
    *,
    cpu: FloatArray | None = None,
    requests: FloatArray | None = None,
    book: PriceBook | None = None,
) -> object:
    use: UsagePanel = panel(
        {
            "targetgroup/t/1": {
                Metric.REQUESTS: flat(1_000.0) if requests is None else requests,
                Metric.RESPONSE: flat(0.1),
            },
            "i-1": {Metric.CPU_MEAN: flat(3.0) if cpu is None else cpu},
        }
    )
    host = machines(one or instance(), use=use, book=book)
    return serverless(service("i-1"), [host], evidence(use, book=book))


def test_requests_have_to_explain_what_the_processors_do() -> None:
    proposed(functions())
    assert "it does other work as well" in why(functions(cpu=flat(80.0)))
    nightly = np.where(HOUR % 24 == 2, 95.0, 2.0)
    assert "its requests explain 1%" in why(functions(cpu=nightly))
    # 20,000 an hour x 0.1 s keep at most 0.56 of 4 processors busy, 14 % of 15 % above the system's.
    proposed(functions(cpu=flat(20.0), requests=flat(20_000.0)))


def test_functions_run_linux_and_what_has_to_run_stays() -> None:
    book = prices()
    book = replace(
        book, offers={**book.offers, (REGION, "Windows"): book.offers[REGION, "Linux/UNIX"]}
    )
    assert "it runs Windows" in why(functions(instance(product="Windows"), book=book))
    kept = instance(tags={"homeostat/schedule": "never"})
    assert "its machines have to run" in why(functions(kept))


def test_production_lowers_the_confidence_in_functions_and_says_so() -> None:
    live, other = (proposed(functions(instance(tags={"env": v}))) for v in ("prod", "dev"))
    assert live.confidence < other.confidence
    assert any("production" in note for note in live.notes)


def test_hours_without_a_count_are_no_quiet_hours() -> None:
    late = np.full(HOURS, np.nan)
    late[-15 * 24 :] = 500.0
    found = proposed(functions(requests=late))
    assert found.saving.low == pytest.approx(found.saving.expected)
    assert found.evidence_to - found.evidence_from == timedelta(days=15)


def test_a_group_is_set_to_zero_and_not_stopped() -> None:
    members = [instance(f"i-{n}", group="web") for n in range(2)]
    use = panel(
        {
            "targetgroup/t/1": {Metric.REQUESTS: flat(1_000.0), Metric.RESPONSE: flat(0.1)},
            WEB_SERIES: {Metric.INSTANCES: flat(2.0), Metric.CPU_MEAN: flat(3.0)},
        }
    )
    whole = machines(*members, use=use, of=group(members=members))
    found = proposed(serverless(service("i-0", "i-1"), [whole], evidence(use)))
    assert "set the group web to 0 instances" in found.change
