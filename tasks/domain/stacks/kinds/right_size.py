"""Another instance type in place: of an instance, or of a group through its launch template."""

from __future__ import annotations

from tasks.domain.instances import Architecture, TypeFacts
from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.groups import follow_template, other_types, refresh, template_of
from tasks.domain.stacks.kinds.made import Edit, Made, Work
from tasks.domain.stacks.kinds.names import logical_name
from tasks.domain.stacks.kinds.stoppable import cannot_stop
from tasks.domain.stacks.live import LiveGroup, LiveInstance, LiveRegion


def right_size(work: Work) -> Made | Refused:
    """Return what gives an instance or a group another type, or why that is not done."""
    if work.resource in work.region.groups:
        return _group(work, work.region.groups[work.resource])
    one = work.region.instances.get(work.resource)
    if one is None:
        return work.refused(f"{work.resource} is not there any more: look for savings again")
    return _instance(work, one)


def _instance(work: Work, one: LiveInstance) -> Made | Refused:
    wanted, seen = str(work.fact("instance_type")), str(work.fact("from_instance_type"))
    why = (
        _drifted(one.instance_type, seen)
        or cannot_stop(work, one)
        or _cannot_become(work.region, seen, wanted)
    )
    if why:
        return work.refused(why)
    name = logical_name("instance", work.resource)
    edit = Edit(name=name, live=one.resource, patch={"instance_type": wanted})
    return Made(
        edits=(edit,),
        listed=_priced(work, name),
        notes=("it is stopped, changed and started again in place",),
    )


def _drifted(now: str, seen: str) -> str:
    if now == seen:
        return ""
    return f"it is {now} now and was {seen} when it was looked at: look for savings again"


def _cannot_become(region: LiveRegion, old: str, new: str) -> str:
    before, after = region.types.get(old), region.types.get(new)
    missing = [name for name, facts in ((old, before), (new, after)) if facts is None]
    if before is None or after is None:
        return f"what {' and '.join(missing)} can do is not known in {region.region}"
    return other_architecture(before, after)


def other_architecture(before: TypeFacts, after: TypeFacts) -> str:
    """Return why what runs on one type cannot run on another; empty where it can."""
    old, new = before.shape.architecture, after.shape.architecture
    if Architecture.ANY not in {old, new} and old is new:
        return ""
    return (
        f"{after.shape.instance_type} is {new} and {before.shape.instance_type} is {old}: the image "
        "would have to be another, which is a new machine; build it for that first"
    )


def _group(work: Work, one: LiveGroup) -> Made | Refused:
    wanted, seen = str(work.fact("instance_type")), str(work.fact("from_instance_type"))
    why = other_types(one, seen)
    if why:
        return work.refused(why)
    template = template_of(work, one)
    if isinstance(template, Refused):
        return template
    name = logical_name("template", template.resource.import_id)
    now = work.inputs(name, template.resource).get("instance_type")
    if now is None:
        return work.refused("its launch template names no instance type but requirements")
    why = _cannot_become(work.region, seen, wanted)
    if now != wanted or template.resource.inputs.get("instance_type") != seen:
        why = _drifted(str(now), seen) or why
    if why:
        return work.refused(why)
    group_name = logical_name("group", work.resource)
    inputs = work.inputs(group_name, one.resource)
    edits = (
        Edit(name=name, live=template.resource, patch={"instance_type": wanted}),
        Edit(
            name=group_name,
            live=one.resource,
            patch={
                **follow_template(inputs, name, instance_type=wanted),
                "instance_refresh": refresh(rollback=True),
            },
            undo={"instance_refresh": refresh(rollback=False)},
            ignore_changes=("desired_capacity",),
            after=(name,),
        ),
    )
    notes = ["new instances of the group come first, one after the other, then the old ones go"]
    if "user_data" in template.resource.inputs:
        notes.append(
            "the user data of its launch template stands in the program, readable for whoever can "
            "read that: secrets do not belong there"
        )
    return Made(edits=edits, prices=_priced(work, group_name), notes=tuple(notes))


def _priced(work: Work, name: str) -> dict[str, tuple[float, float]]:
    """Return what it costs before and after: hours a month times each type's price."""
    by_name = {step.what: step.value for step in work.opportunity.steps}
    lines = ("hours a month", "price today", "price after")
    hours, before, after = (by_name.get(line) for line in lines)
    if hours is None or before is None or after is None:
        return {}
    return {name: (hours * before, hours * after)}
