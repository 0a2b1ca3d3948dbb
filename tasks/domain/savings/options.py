"""Everything that could be done with each resource, and what could not, with the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.domain.inventory import Inventory, Service, Volume
from tasks.domain.savings.bill import Spend
from tasks.domain.savings.evidence import Evidence, reject
from tasks.domain.savings.kinds.idle import stop_idle
from tasks.domain.savings.kinds.predictive import predictive_scaling
from tasks.domain.savings.kinds.schedule import schedule
from tasks.domain.savings.kinds.serverless import serverless
from tasks.domain.savings.kinds.spot_use import spot_use
from tasks.domain.savings.kinds.unattached import delete_unattached
from tasks.domain.savings.kinds.volumes import newer_kind, volume_usd
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.opportunity import Kind, Rejection
from tasks.domain.savings.selection.alternatives import Alternative, Stage, Unit, single
from tasks.domain.savings.sizing.needs import CapacityNeeds
from tasks.domain.savings.sizing.right_size import right_size, right_size_group
from tasks.domain.usage.archetypes import Archetype

Way = tuple[tuple[Stage, ...], Machines]
"""Changes so far, and the machines as they are then."""


@dataclass(slots=True)
class Options:
    """What was found so far."""

    units: list[Unit] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def add_machines(
    options: Options,
    machines: Sequence[Machines],
    evidence: Evidence,
    *,
    needs: CapacityNeeds,
    archetypes: Mapping[str, Archetype],
    services_of: Mapping[str, Sequence[Service]],
) -> None:
    """Add instances and groups with every way to change them.

    Args:
        options: To add to.
        machines: With known prices.
        evidence: Use, prices and policy.
        needs: For right-sizing.
        archetypes: By instance id or group name.
        services_of: By instance id.
    """
    for one in machines:
        options.units.append(one.unit)
        kind = archetypes.get(one.name)
        services = services_of.get(one.instances[0].instance_id, ())
        idle = stop_idle(one, evidence, archetype=kind, services=services)
        _keep(options, one, idle)
        hours = schedule(one, evidence, archetype=kind, services=services)
        scaled = predictive_scaling(one, evidence)
        resized = _resized(one, evidence, needs)
        spot = spot_use(one, evidence)
        found = (idle, hours, scaled, resized, spot)
        options.rejected.extend(each for each in found if isinstance(each, Rejection))
        ways: list[Way] = [((), one)]
        ways += [((w[0],), w[1]) for w in (hours, scaled, resized) if isinstance(w, tuple)]
        if isinstance(resized, tuple) and isinstance(hours, tuple):
            ways += _then_scheduled(resized, evidence, kind, services)
        _keep_ways(options, one, ways, evidence)


def add_volumes(options: Options, volumes: Iterable[Volume], evidence: Evidence) -> None:
    """Add volumes: a newer kind, or a snapshot of those that nothing is attached to."""
    for volume in volumes:
        key = (volume.region, volume.volume_id)
        price = evidence.prices.volumes.get((volume.region, volume.kind))
        usd = volume_usd(volume, price)
        if usd is None:
            options.unknown.append(
                f"{volume.volume_id} ({volume.region}): no price of {volume.kind} volumes"
            )
            continue
        options.units.append(Unit(key=key, spend=Spend(other_usd=usd)))
        for found in (
            newer_kind(volume, usd, evidence),
            delete_unattached(volume, usd, evidence),
        ):
            if isinstance(found, Stage):
                options.alternatives.append(single(key, found.opportunity, found.spend))
            elif found is not None:
                options.rejected.append(found)


def add_services(
    options: Options,
    inventory: Inventory,
    machines: Sequence[Machines],
    evidence: Evidence,
) -> None:
    """Add functions instead of the instances of small services."""
    host_of = {one.instance_id: host for host in machines for one in host.instances}
    answers: dict[str, set[str]] = defaultdict(set)
    for service in inventory.services:
        for instance in service.instance_ids:
            answers[instance].add(service.service_id)
    for service in inventory.services:
        found = _functions(service, host_of, answers, evidence)
        if isinstance(found, Alternative):
            options.alternatives.append(found)
        elif found is not None:
            options.rejected.append(found)


def _functions(
    service: Service,
    host_of: Mapping[str, Machines],
    answers: Mapping[str, set[str]],
    evidence: Evidence,
) -> Alternative | Rejection | None:
    hosts = {host_of[i].key: host_of[i] for i in service.instance_ids if i in host_of}
    found = serverless(service, [hosts[key] for key in sorted(hosts)], evidence)
    if not isinstance(found, Alternative):
        return found
    key = (service.region, service.service_id)
    missing = [i for i in service.instance_ids if i not in host_of]
    if missing:
        why = f"what {', '.join(missing)} costs is unknown, so the saving is too"
        return reject(Kind.SERVERLESS, key, why)
    inside = [one.instance_id for host in hosts.values() for one in host.instances]
    shared = [i for i in inside if answers.get(i) != {service.service_id}]
    if shared:
        why = f"{', '.join(sorted(shared))} also does other work, which would have to move first"
        return reject(Kind.SERVERLESS, key, why)
    return found


def _resized(
    one: Machines, evidence: Evidence, needs: CapacityNeeds
) -> tuple[Stage, Machines] | Rejection | None:
    prices, policy, now = evidence.prices, evidence.policy, evidence.now
    hours = float(one.running.sum())
    if one.group is None:
        need = needs.instances.get(one.name)
        found = right_size(
            one.instances[0], need, prices=prices, policy=policy, now=now, mean_week_hours=hours
        )
    else:
        need = needs.groups.get(one.key)
        found = right_size_group(
            one.group,
            one.instances,
            need,
            prices=prices,
            policy=policy,
            now=now,
            mean_week_hours=hours,
        )
    if isinstance(found, Rejection):
        return found
    after = one.of_type(str(found.target["instance_type"]), prices)
    if after is None:
        why = f"{found.target['instance_type']} has no known price there"
        return reject(Kind.RIGHT_SIZE, one.key, why)
    return Stage(opportunity=found, spend=after.spend), after


def _then_scheduled(
    resized: tuple[Stage, Machines],
    evidence: Evidence,
    archetype: Archetype | None,
    services: Sequence[Service],
) -> list[Way]:
    stage, after = resized
    found = schedule(after, evidence, archetype=archetype, services=services)
    return [((stage, found[0]), found[1])] if isinstance(found, tuple) else []


def _keep(options: Options, one: Machines, found: Stage | Rejection | None) -> None:
    if isinstance(found, Stage):
        options.alternatives.append(single(one.key, found.opportunity, found.spend))


def _keep_ways(options: Options, one: Machines, ways: Sequence[Way], evidence: Evidence) -> None:
    """Keep every way, and each with spot on top where that is not scheduled.

    A spot instance that is stopped every night may not get its capacity back in the morning.
    """
    for stages, then in ways:
        if stages:
            options.alternatives.append(Alternative(resources=(one.key,), stages=stages))
        scheduled = any(stage.opportunity.kind is Kind.SCHEDULE for stage in stages)
        spot = None if scheduled else spot_use(then, evidence)
        if isinstance(spot, Stage):
            both = Alternative(resources=(one.key,), stages=(*stages, spot))
            options.alternatives.append(both)
