"""What changes of auto scaling groups have in common: their launch template and how they follow it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.made import Work
from tasks.domain.stacks.live import LiveGroup, LiveTemplate
from tasks.domain.stacks.program import Args, Attribute, Input, JsonText

LATEST = "$Latest"
_BLOCKING = frozenset({"Launch", "Terminate", "ReplaceUnhealthy"})


def template_of(work: Work, one: LiveGroup) -> LiveTemplate | Refused:
    """Return the launch template of a group where it can be changed for it, or why it cannot."""
    if one.template_id is None:
        return work.refused(
            "it uses a launch configuration, which cannot be changed: move it to a launch template"
        )
    template = work.region.templates.get(one.template_id)
    if template is None:
        return work.refused(f"its launch template {one.template_id} could not be read")
    why = (
        cannot_carry(one)
        or _not_kept(template.resource.unknown, "its launch template")
        or _behind(work.resource, template)
        or _shared(work, one, template)
    )
    return work.refused(why) if why else template


def cannot_carry(one: LiveGroup, *, also: Collection[str] = ()) -> str:
    """Return why a group cannot come under a stack as it is; empty where it can.

    Args:
        one: As it is now.
        also: Processes that a change needs besides those by which instances come and go.
    """
    return _halted(one, {*_BLOCKING, *also}) or _not_kept(one.resource.unknown, "the group")


def _halted(one: LiveGroup, needed: Collection[str]) -> str:
    found = sorted({*needed} & {*one.suspended})
    if not found:
        return ""
    return f"its process {found[0]} is suspended, so that no instance would follow: resume it first"


def _not_kept(unknown: tuple[str, ...], what: str) -> str:
    if not unknown:
        return ""
    return f"{what} sets {', '.join(unknown)}, which would be lost here: change it by hand"


def _behind(name: str, template: LiveTemplate) -> str:
    used = template.used.get(name)
    if used is None:
        return "which version of its launch template it uses is not known"
    if used == template.latest or template.same_as_latest.get(used, False):
        return ""
    return (
        f"it uses version {used} of its launch template and the latest, {template.latest}, says "
        "something else, which a change would bring along: make them the same first"
    )


def _shared(work: Work, one: LiveGroup, template: LiveTemplate) -> str:
    users = work.region.template_users.get(template.resource.import_id, {})
    others = sorted(
        name for name, version in users.items() if name != work.resource and version == LATEST
    )
    if not others:
        return ""
    return (
        f"the group {others[0]} also follows the latest version of {one.template_id} and would "
        "change with it: give it a template of its own, or a version by number"
    )


def follow_template(
    inputs: Mapping[str, Input], template: str, *, instance_type: str
) -> dict[str, Input]:
    """Return how a group uses the newest version of a template, by number, instead of its own.

    Args:
        inputs: Of the group.
        template: Logical name of the template.
        instance_type: That the version has; a mixed policy names it too.
    """
    # The number as text: a version is one, and the output is a whole number.
    version = JsonText(document=Attribute(resource=template, name="latest_version"))
    mixed = inputs.get("mixed_instances_policy")
    if isinstance(mixed, Args):
        return {"mixed_instances_policy": _mixed_following(mixed, version, instance_type)}
    return {"launch_template": _with(inputs.get("launch_template"), version=version)}


def _mixed_following(mixed: Args, version: Input, instance_type: str) -> Args:
    launch = mixed.fields["launch_template"]
    fields = launch.fields if isinstance(launch, Args) else {}
    followed = _with(fields.get("launch_template_specification"), version=version)
    inner: dict[str, Input] = {"launch_template_specification": followed}
    overrides = fields.get("overrides")
    if isinstance(overrides, tuple):
        inner["overrides"] = tuple(_with(one, instance_type=instance_type) for one in overrides)
    return _with(mixed, launch_template=_with(launch, **inner))


def _with(before: Input | None, **changed: Input) -> Args:
    if not isinstance(before, Args):
        msg = f"a group's template is {before!r:.100}, and no nested input"
        raise TypeError(msg)
    return replace(before, fields={**before.fields, **changed})


def other_types(one: LiveGroup, instance_type: str) -> str:
    """Return why a mixed policy does not go with another single type; empty where it does.

    Args:
        one: A group, mixed or not.
        instance_type: That it is said to have.
    """
    others = sorted({*one.overridden} - {instance_type})
    if others:
        return f"its mixed instances policy also names {others[0]}: change its types there"
    if "weighted_capacity" in repr(one.resource.inputs.get("mixed_instances_policy")):
        return "its mixed instances policy weighs its types: change them and their weights there"
    return ""


def refresh(*, rollback: bool) -> Args:
    """Return how instances follow a change: a new one is in service before an old one goes.

    Args:
        rollback: Whether AWS goes back by itself when new ones do not become healthy; not
            possible while a group names "$Latest" or "$Default".
    """
    preferences: dict[str, Input] = {"min_healthy_percentage": 100, "max_healthy_percentage": 110}
    if rollback:
        preferences["auto_rollback"] = True
    fields: dict[str, Input] = {
        "strategy": "Rolling",
        "preferences": Args(of="GroupInstanceRefreshPreferencesArgs", fields=preferences),
    }
    return Args(of="GroupInstanceRefreshArgs", fields=fields)
