"""Spot: a group's mix of many pools, or another instance beside one that is stopped."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.groups import refresh, template_of
from tasks.domain.stacks.kinds.made import (
    INSTANCE,
    INSTANCE_STATE,
    Edit,
    Made,
    Work,
    priced,
    step_usd,
)
from tasks.domain.stacks.kinds.names import logical_name, role_name
from tasks.domain.stacks.kinds.right_size import other_architecture
from tasks.domain.stacks.kinds.stoppable import cannot_stop
from tasks.domain.stacks.live import LiveGroup, LiveInstance, LiveVolume
from tasks.domain.stacks.program import Args, Attribute, Input

STRATEGY = "price-capacity-optimized"
"""Of the pools with the most room, the cheapest; the cheapest of all are interrupted most."""
_POOL = re.compile(r"(?P<type>[a-z0-9-]+\.[a-z0-9-]+) in (?P<zone>[a-z0-9-]+)")
_MIXED = "GroupMixedInstancesPolicy"
_NOT_COPIED = frozenset({"tags"})
_MOST_OVERRIDES = 40
_ROOT_KINDS = frozenset({"gp2", "gp3"})


def spot(work: Work) -> Made | Refused:
    """Return what runs a group or an instance on spot, or why that is not done."""
    pools = _pools(str(work.fact("pools")))
    if not pools:
        return work.refused(f"{str(work.fact('pools'))[:60]!r} names no pools: look again")
    if work.resource in work.region.groups:
        return _group(work, work.region.groups[work.resource], pools)
    one = work.region.instances.get(work.resource)
    if one is None:
        return work.refused(f"{work.resource} is not there any more: look for savings again")
    return _instance(work, one, pools)


def _pools(text: str) -> tuple[tuple[str, str], ...]:
    """Return types and zones, in their order; empty where the text is something else."""
    found = [_POOL.fullmatch(part) for part in text.split(", ")]
    return (
        tuple((one["type"], one["zone"]) for one in found if one is not None) if all(found) else ()
    )


def _group(work: Work, one: LiveGroup, pools: tuple[tuple[str, str], ...]) -> Made | Refused:
    template = template_of(work, one)
    if isinstance(template, Refused):
        return template
    template_name = logical_name("template", template.resource.import_id)
    present = work.inputs(template_name, template.resource).get("instance_type")
    if one.mixed or not isinstance(present, str):
        return work.refused("several types are mixed in it already: change its policy by hand")
    types = tuple(dict.fromkeys([present, *(kind for kind, _ in pools)]))[:_MOST_OVERRIDES]
    why = _other_machines(work, present, types)
    if why:
        return work.refused(why)
    name = logical_name("group", work.resource)
    inputs = work.inputs(name, one.resource)
    policy = Args(
        of=f"{_MIXED}Args",
        fields={
            "launch_template": _launch_template(inputs, types),
            "instances_distribution": _distribution(one, float(work.fact("on_demand_share") or 0)),
        },
    )
    edit = Edit(
        name=name,
        live=one.resource,
        patch={
            "launch_template": None,
            "mixed_instances_policy": policy,
            "instance_refresh": refresh(rollback=_by_number(inputs)),
        },
        undo={"instance_refresh": refresh(rollback=False)},
        ignore_changes=("desired_capacity",),
        after=(template_name,) if template_name in work.so_far else (),
    )
    prices = priced(work.opportunity, name, "on demand today", "then")
    return Made(edits=(edit,), prices=prices, notes=_group_notes(one))


def _group_notes(one: LiveGroup) -> tuple[str, ...]:
    return (
        "AWS pays at most the on-demand price for spot; no lower limit is set, which would only "
        "interrupt more often",
        f"at least {one.min_size} instances are kept by the group itself, on demand or spot",
    )


def _other_machines(work: Work, present: str, types: tuple[str, ...]) -> str:
    facts = work.region.types
    unknown = [kind for kind in types if kind not in facts]
    if unknown:
        return f"what {unknown[0]} can do is not known in {work.region.region}"
    found = (other_architecture(facts[present], facts[kind]) for kind in types)
    return next((why for why in found if why), "")


def _by_number(inputs: Mapping[str, Input]) -> bool:
    before = inputs.get("launch_template")
    version = before.fields.get("version") if isinstance(before, Args) else None
    return version is not None and not (isinstance(version, str) and version.startswith("$"))


def _launch_template(inputs: Mapping[str, Input], types: tuple[str, ...]) -> Args:
    before = inputs["launch_template"]
    fields = before.fields if isinstance(before, Args) else {}
    names = {"id": "launch_template_id", "name": "launch_template_name", "version": "version"}
    specification = Args(
        of=f"{_MIXED}LaunchTemplateLaunchTemplateSpecificationArgs",
        fields={names[key]: value for key, value in fields.items()},
    )
    overrides = tuple(
        Args(of=f"{_MIXED}LaunchTemplateOverrideArgs", fields={"instance_type": kind})
        for kind in types
    )
    return Args(
        of=f"{_MIXED}LaunchTemplateArgs",
        fields={"launch_template_specification": specification, "overrides": overrides},
    )


def _distribution(one: LiveGroup, share: float) -> Args:
    base, above = on_demand_part(share, least=one.min_size, desired=one.desired)
    fields: dict[str, Input] = {
        "on_demand_allocation_strategy": "prioritized",
        "on_demand_base_capacity": base,
        "on_demand_percentage_above_base_capacity": above,
        "spot_allocation_strategy": STRATEGY,
    }
    return Args(of=f"{_MIXED}InstancesDistributionArgs", fields=fields)


def on_demand_part(share: float, *, least: int, desired: int) -> tuple[int, int]:
    """Return instances that are always on demand, and percent of those above them.

    At the smallest size and at the desired size the share is on demand, rounded up to whole
    instances; of more than a hundred above the first, by less than a percent of them more. The
    percent is the largest that gives that, since AWS rounds up what it makes of it.

    Args:
        share: Of all instances that stays on demand, 0 to 1.
        least: Smallest size of the group.
        desired: Its size now.
    """
    within = min(max(share, 0.0), 1.0)
    base = math.ceil(within * least - 1e-9)
    if desired <= base:
        return base, math.ceil(100.0 * within - 1e-9)
    needed = max(math.ceil(within * desired - 1e-9) - base, 0)
    above = desired - base
    percent = 100 * needed // above
    # With more than a hundred above the first, no whole percent may give the very number.
    reached = percent * above > 100 * (needed - 1)
    return base, percent if reached else percent + 1


def _instance(work: Work, one: LiveInstance, pools: tuple[tuple[str, str], ...]) -> Made | Refused:
    name = logical_name("instance", work.resource)
    why = cannot_stop(work, one) or _holds_on(one)
    if not why and name in work.so_far:
        why = (
            "another change of it comes first: when that is done, the next run proposes this again"
        )
    here = [kind for kind, zone in pools if zone == one.availability_zone]
    if not why and not here:
        why = f"none of the pools is in {one.availability_zone}, where its network is"
    if not why:
        why = _other_machines(work, one.instance_type, (one.instance_type, here[0]))
    if why:
        return work.refused(why)
    kept = {key: value for key, value in one.resource.inputs.items() if key not in _NOT_COPIED}
    root = work.region.volumes.get(one.root_volume or "")
    created = work.new(
        name,
        "spot",
        INSTANCE,
        {**kept, **_as_new(root), "instance_type": here[0], "instance_market_options": _market()},
        tags={key: one.resource.tags[key] for key in sorted(one.resource.tags)},
        # From its first hour it may hold what is nowhere else: nothing deletes it by itself.
        protect=True,
    )
    new = Attribute(resource=created.name, name="id")
    runs = replace(
        work.new(name, "spot-state", INSTANCE_STATE, {"instance_id": new, "state": "running"}),
        # EC2 stops and starts it as it has room: an update must not start it against that.
        ignore_changes=("state",),
    )
    stopped = work.new(
        name,
        "state",
        INSTANCE_STATE,
        state_inputs(work.resource, "stopped"),
        after=(created.name, runs.name),
    )
    started = work.new(name, "state", INSTANCE_STATE, state_inputs(work.resource, "running"))
    put_aside = work.new(
        name,
        "spot-state",
        INSTANCE_STATE,
        {"instance_id": new, "state": "stopped"},
        after=(started.name,),
    )
    before, after = (step_usd(work.opportunity, line) for line in ("on demand today", "then"))
    prices = {} if before is None or after is None else {
        name: (before, 0.0), role_name(name, "spot"): (0.0, after)
    }  # fmt: skip
    return Made(
        edits=(Edit(name=name, live=one.resource),),
        created=(created, runs, stopped),
        undone=(created, started, put_aside),
        prices=prices,
        notes=(
            f"a new instance starts from the image {kept.get('ami')}: what was installed or written "
            "on the old one since, its user data, its addresses and its alarms are not copied",
            "its root is encrypted, and its metadata wants a token (IMDSv2): software that asks "
            "without one has to be renewed",
            "the old instance is stopped when the new one is there, and kept with its volumes, which "
            "go on costing; undo starts it again, and stops the new one",
            "to delete the new one by hand, cancel its spot request first (aws ec2 "
            "cancel-spot-instance-requests), then terminate it: while the request is open, AWS "
            "starts another in its place",
        ),
    )


def _holds_on(one: LiveInstance) -> str:
    if one.services is None:
        return "whether a load balancer sends it requests could not be read"
    if one.services:
        return f"it answers for {one.services[0]}: put it into a group of that, and that on spot"
    if one.data_volumes:
        return f"it holds data on {one.data_volumes[0]}, which a new instance would not have"
    return ""


def _as_new(root: LiveVolume | None) -> dict[str, Input]:
    """Return what is asked of whatever is new: metadata by token only, and an encrypted root.

    Args:
        root: Of the old instance: the new one is as large; None where it is not known.
    """
    tokens: dict[str, Input] = {"http_endpoint": "enabled", "http_tokens": "required"}
    device: dict[str, Input] = {"encrypted": True}
    if root is not None:
        device["volume_size"] = root.size_gib
        # Others need operations per second to be given, which a root rarely has.
        device["volume_type"] = root.kind if root.kind in _ROOT_KINDS else "gp3"
    return {
        "metadata_options": Args(of="InstanceMetadataOptionsArgs", fields=tokens),
        "root_block_device": Args(of="InstanceRootBlockDeviceArgs", fields=device),
    }


def _market() -> Args:
    fields: dict[str, Input] = {
        "spot_instance_type": "persistent",
        "instance_interruption_behavior": "stop",
    }
    options = Args(of="InstanceInstanceMarketOptionsSpotOptionsArgs", fields=fields)
    return Args(
        of="InstanceInstanceMarketOptionsArgs",
        fields={"market_type": "spot", "spot_options": options},
    )


def state_inputs(instance_id: str, state: str) -> dict[str, Input]:
    """Return the inputs of an instance's state: "stopped" or "running"."""
    return {"instance_id": instance_id, "state": state}
