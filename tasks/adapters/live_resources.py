"""What chosen opportunities would change, read as it is now: nothing else, in few calls."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

from tasks.adapters.aws import translated
from tasks.adapters.instance_types import type_facts
from tasks.adapters.inventory import GROUP_TAG, services
from tasks.adapters.keys import own_keys_of_aws
from tasks.adapters.live_groups import live_groups, live_templates
from tasks.adapters.live_inputs import (
    instance_resource,
    volume_resource,
)
from tasks.adapters.pages import items
from tasks.domain.errors import PermanentError
from tasks.domain.instances import TypeFacts
from tasks.domain.inventory import InstanceState, Lifecycle
from tasks.domain.savings.opportunity import Kind, Opportunity
from tasks.domain.stacks.live import (
    PURCHASE_REGION,
    LiveAccount,
    LiveInstance,
    LiveRegion,
    LiveVolume,
    PlanOffering,
)

OPERATIONS = (
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeVolumes",
    "savingsplans:DescribeSavingsPlansOfferings",
    "sts:GetCallerIdentity",
)

ClientFor = Callable[[str, str], Any]
"""Gives the client of a service, by boto3's name of it, in a region."""
_INSTANCE = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})")
_FILTER_VALUES = 200
_SECONDS_PER_YEAR = 365 * 24 * 3600
_ON_MACHINES = frozenset(
    {Kind.RIGHT_SIZE, Kind.SPOT, Kind.STOP, Kind.SCHEDULE, Kind.PREDICTIVE_SCALING}
)
_LIFECYCLES = {None: Lifecycle.ON_DEMAND, "spot": Lifecycle.SPOT, "scheduled": Lifecycle.SCHEDULED}


def live_account(client_for: ClientFor, opportunities: Iterable[Opportunity]) -> LiveAccount:
    """Return what exists of everything that some opportunities would change.

    Args:
        client_for: Gives clients.
        opportunities: Of any regions; those of the whole account are purchases.

    Raises:
        TransientError: A service was throttled or failed more often than its client retries.
        PermanentError: A service refused; where that only hides what plans are sold, the account
            says so instead.
    """
    by_region: dict[str, list[Opportunity]] = defaultdict(list)
    for one in opportunities:
        by_region[one.region].append(one)
    bought = by_region.pop("", [])
    number, partition = _identity(client_for("sts", next(iter(by_region), PURCHASE_REGION)))
    offerings, unread = _offerings(client_for) if bought else (None, "")
    return LiveAccount(
        account_id=number,
        partition=partition,
        regions={
            region: live_region(
                lambda service, at=region: client_for(service, at),  # type: ignore[misc]
                by_region[region],
                region=region,
            )
            for region in sorted(by_region)
        },
        plan_offerings=offerings,
        plans_unread=unread,
    )


def _identity(client: Any) -> tuple[str, str]:
    with translated("sts:GetCallerIdentity", region="every region"):
        found = client.get_caller_identity()
    return found["Account"], found["Arn"].split(":")[1]


def _offerings(client_for: ClientFor) -> tuple[tuple[PlanOffering, ...] | None, str]:
    client = client_for("savingsplans", PURCHASE_REGION)
    rows = items(
        client.describe_savings_plans_offerings,
        "searchResults",
        operation="savingsplans:DescribeSavingsPlansOfferings",
        region="every region",
        arguments={"planTypes": ["Compute"], "currencies": ["USD"]},
        token=("nextToken", "nextToken"),
    )
    try:
        found = tuple(sorted((_offering(row) for row in rows), key=lambda one: one.offering_id))
    except PermanentError as error:
        return None, str(error)
    return found, ""


def _offering(row: Mapping[str, Any]) -> PlanOffering:
    return PlanOffering(
        offering_id=row["offeringId"],
        plan_type=row["planType"],
        payment=row["paymentOption"],
        years=round(row["durationSeconds"] / _SECONDS_PER_YEAR),
        currency=row["currency"],
    )


def live_region(
    client_for: Callable[[str], Any], opportunities: Iterable[Opportunity], *, region: str
) -> LiveRegion:
    """Return what exists of everything that some opportunities of one region would change.

    Args:
        client_for: Gives the region's client of a service.
        opportunities: Of that region.
        region: For example "us-east-1".

    Raises:
        TransientError: A service was throttled or failed more often than its client retries.
        PermanentError: A service refused.
    """
    wanted = tuple(opportunities)
    machines = {one.resource for one in wanted if one.kind in _ON_MACHINES}
    # A group may have any name: one that looks like an instance is told by its length.
    single = sorted(one for one in machines if _INSTANCE.fullmatch(one))
    named = machines - set(single)
    ec2 = client_for("ec2")
    groups, users = (
        live_groups(client_for("autoscaling"), named, region=region) if named else ({}, {})
    )
    alone = {one.resource for one in wanted if one.kind is Kind.SPOT} & set(single)
    answering = services(client_for("elbv2"), region=region) if alone else ()
    beside = {
        identity: tuple(one.service_id for one in answering if identity in one.instance_ids)
        for identity in alone
    }
    instances = _instances(ec2, single, region, services=beside)
    templates = live_templates(ec2, groups, region=region)
    volumes = {one.resource for one in wanted if one.kind is Kind.VOLUME_TYPE}
    # Of everything that may be stopped: a key can keep it from starting again.
    volumes |= {disk for one in instances.values() for disk in _disks(one)}
    disks = _volumes(ec2, sorted(volumes), region)
    types = {name for one in wanted for name in _named_types(one)}
    types |= {one.instance_type for one in instances.values()}
    types |= {str(one.resource.inputs.get("instance_type", "")) for one in templates.values()}
    return LiveRegion(
        region=region,
        instances=_without_own_keys(
            {name: _with_keys(one, disks) for name, one in instances.items()}, client_for, region
        ),
        volumes=disks,
        groups=groups,
        templates=templates,
        types=_types(ec2, sorted(types - {""}), region),
        template_users=users,
    )


def _disks(one: LiveInstance) -> Iterator[str]:
    if one.root_volume is not None:
        yield one.root_volume
    yield from one.data_volumes


def _with_keys(one: LiveInstance, disks: Mapping[str, LiveVolume]) -> LiveInstance:
    found = (disks[disk].resource.inputs.get("kms_key_id") for disk in _disks(one) if disk in disks)
    return replace(one, keys=tuple(sorted({str(key) for key in found if key})))


def _without_own_keys(
    instances: Mapping[str, LiveInstance], client_for: Callable[[str], Any], region: str
) -> dict[str, LiveInstance]:
    """Return instances with the keys that somebody has to be granted: AWS's own need no grant."""
    if not any(one.keys for one in instances.values()):
        return dict(instances)
    own = own_keys_of_aws(client_for("kms"), region=region)
    return {
        name: replace(one, keys=tuple(k for k in one.keys if k.rpartition("/")[2] not in own))
        for name, one in instances.items()
    }


def _named_types(one: Opportunity) -> Iterator[str]:
    """Yield the instance types that an opportunity names."""
    if one.kind is Kind.RIGHT_SIZE:
        yield from (str(one.target.get(key, "")) for key in ("instance_type", "from_instance_type"))
    if one.kind is Kind.SPOT:
        yield from (part.split(" in ")[0] for part in str(one.target.get("pools", "")).split(", "))


def _types(ec2: Any, names: Sequence[str], region: str) -> dict[str, TypeFacts]:
    found: dict[str, TypeFacts] = {}
    for batch in _batches(names):
        # All types of a region are many pages; a filter leaves out what is not sold there.
        wanted = [{"Name": "instance-type", "Values": batch}]
        some = SimpleNamespace(
            describe_instance_types=partial(ec2.describe_instance_types, Filters=wanted)
        )
        with translated("ec2:DescribeInstanceTypes", region=region):
            found |= type_facts(some, region=region)
    return found


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _FILTER_VALUES):
        yield list(ids[start : start + _FILTER_VALUES])


def _instances(
    ec2: Any, ids: Sequence[str], region: str, *, services: Mapping[str, tuple[str, ...]]
) -> dict[str, LiveInstance]:
    found = {}
    for batch in _batches(ids):
        # A filter leaves out what is not there; asked by id, EC2 refuses the whole call.
        reservations = items(
            ec2.describe_instances,
            "Reservations",
            operation="ec2:DescribeInstances",
            region=region,
            arguments={"Filters": [{"Name": "instance-id", "Values": batch}]},
        )
        for item in (one for each in reservations for one in each["Instances"]):
            identity = item["InstanceId"]
            protected = _stop_protected(ec2, item, region)
            found[identity] = _instance(item, services.get(identity), protected)
    return found


def _stop_protected(ec2: Any, item: Mapping[str, Any], region: str) -> bool | None:
    if item["State"]["Name"] != InstanceState.RUNNING:
        return None
    with translated("ec2:DescribeInstanceAttribute", region=region):
        found = ec2.describe_instance_attribute(
            InstanceId=item["InstanceId"], Attribute="disableApiStop"
        )
    value = found.get("DisableApiStop", {}).get("Value")
    return None if value is None else bool(value)


def _instance(
    item: Mapping[str, Any], services: tuple[str, ...] | None, stop_protected: bool | None
) -> LiveInstance:
    tags = {one["Key"]: one["Value"] for one in item.get("Tags", ())}
    root = item.get("RootDeviceName")
    mappings = [one for one in item.get("BlockDeviceMappings", ()) if "Ebs" in one]
    # An image may name its root otherwise than the instance does: the first device is it then.
    first = next((one for one in mappings if one["DeviceName"] == root), None) or next(
        iter(mappings), None
    )
    return LiveInstance(
        resource=instance_resource(item),
        state=InstanceState(item["State"]["Name"]),
        instance_type=item["InstanceType"],
        availability_zone=item["Placement"]["AvailabilityZone"],
        architecture=item.get("Architecture", ""),
        lifecycle=_LIFECYCLES.get(item.get("InstanceLifecycle"), Lifecycle.SCHEDULED),
        root_device=item.get("RootDeviceType", "ebs"),
        group=tags.get(GROUP_TAG),
        root_volume=None if first is None else first["Ebs"]["VolumeId"],
        data_volumes=tuple(sorted(one["Ebs"]["VolumeId"] for one in mappings if one is not first)),
        services=services,
        stop_protected=stop_protected,
    )


def _volumes(ec2: Any, ids: Sequence[str], region: str) -> dict[str, LiveVolume]:
    found = {}
    for batch in _batches(ids):
        for item in items(
            ec2.describe_volumes,
            "Volumes",
            operation="ec2:DescribeVolumes",
            region=region,
            arguments={"Filters": [{"Name": "volume-id", "Values": batch}]},
        ):
            found[item["VolumeId"]] = LiveVolume(
                resource=volume_resource(item),
                kind=item["VolumeType"],
                size_gib=int(item["Size"]),
                state=item["State"],
                multi_attach=bool(item.get("MultiAttachEnabled", False)),
            )
    return found
