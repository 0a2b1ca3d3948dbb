"""Which lines of a preview cost something because of each other: states, templates, groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.domain.stacks.changes import CHANGE_TAG
from tasks.domain.stacks.inputs import NOTHING, Inputs, part, tag, text
from tasks.domain.stacks.preview import Operation, ResourceChange

INSTANCE = "aws:ec2/instance:Instance"
INSTANCE_STATE = "aws:ec2transitgateway/instanceState:InstanceState"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"
FUNCTION = "aws:lambda/function:Function"

STATE_SUFFIX = "-state"
"""Of the logical name of a machine's state."""
ACTING = frozenset({Operation.CREATE, Operation.UPDATE, Operation.REPLACE, Operation.DELETE})


def before(line: ResourceChange) -> Inputs | None:
    """Return a line's inputs before; None where it was not there."""
    if line.operation is Operation.CREATE:
        return None
    return line.inputs_after if line.inputs_before is None else line.inputs_before


def after(line: ResourceChange) -> Inputs | None:
    """Return a line's inputs after; None where it is gone."""
    if line.operation is Operation.DELETE:
        return None
    return line.inputs_before if line.inputs_after is None else line.inputs_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """Launch templates of a preview, to be found as groups name them."""

    lines: Sequence[ResourceChange] = ()
    by_id: Mapping[str, ResourceChange] = field(default_factory=dict)
    by_name: Mapping[str, ResourceChange] = field(default_factory=dict)
    by_change: Mapping[str, Sequence[ResourceChange]] = field(default_factory=dict)

    @classmethod
    def among(cls, lines: Iterable[ResourceChange]) -> Templates:
        """Return those of a preview's lines."""
        found = [one for one in lines if one.token == TEMPLATE]
        by_change: dict[str, list[ResourceChange]] = defaultdict(list)
        for one in found:
            by_change[tag(_inputs(one), CHANGE_TAG) or ""].append(one)
        names = {text(_inputs(one).get("name")): one for one in found}
        return cls(
            lines=found,
            by_id={one.resource_id: one for one in found if one.resource_id is not None},
            by_name={name: one for name, one in names.items() if name is not None},
            by_change={key: each for key, each in by_change.items() if key},
        )

    def of_group(self, inputs: Inputs) -> ResourceChange | None:
        """Return a group's template; None where it is not in the preview, or could be several.

        One that is still to be created has no id yet: it is the one of the group's own change.
        """
        inside = part(
            inputs.get("mixedInstancesPolicy"), "launchTemplate", "launchTemplateSpecification"
        )
        outside = inputs.get("launchTemplate")
        ids = (part(outside, "id"), part(inside, "launchTemplateId"))
        names = (part(outside, "name"), part(inside, "launchTemplateName"))
        for known, references in ((self.by_id, ids), (self.by_name, names)):
            found = [one for value in references if (one := text(value)) is not None]
            if found:
                return known.get(found[0])
        own = self.by_change.get(tag(inputs, CHANGE_TAG) or "", self.lines)
        return own[0] if len(own) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Lines of a preview by the lines that they depend on.

    Attributes:
        state_of: Line of the state that a machine is kept in, by the machine's URN.
        machine_of: The other way round, by the state's URN.
        followers: Groups that stay the same, by the URN of their template.
        functions: Functions by the change that they belong to.
    """

    templates: Templates
    state_of: Mapping[str, ResourceChange]
    machine_of: Mapping[str, ResourceChange]
    followers: Mapping[str, Sequence[ResourceChange]]
    functions: Mapping[str, ResourceChange]

    @classmethod
    def among(cls, lines: Sequence[ResourceChange]) -> Links:
        """Return how a preview's lines hang together."""
        templates = Templates.among(lines)
        machine_of = dict(_machines(lines))
        states = {one.urn: one for one in lines if one.token == INSTANCE_STATE}
        followers: dict[str, list[ResourceChange]] = defaultdict(list)
        for one in lines:
            if one.token == GROUP and one.operation is Operation.SAME:
                template = templates.of_group(_inputs(one))
                if template is not None:
                    followers[template.urn].append(one)
        return cls(
            templates=templates,
            state_of={machine.urn: states[urn] for urn, machine in machine_of.items()},
            machine_of=machine_of,
            followers=followers,
            functions={
                change: one
                for one in lines
                if one.token == FUNCTION and (change := change_of(one)) is not None
            },
        )

    def carrier_of(self, line: ResourceChange) -> ResourceChange | None:
        """Return the line that acts on a machine or a group that itself stays the same."""
        if line.operation in ACTING:
            return None
        found = self.state_of.get(line.urn)
        if line.token == GROUP:
            found = self.templates.of_group(_inputs(line))
        return found if found is not None and found.operation in ACTING else None


def change_of(line: ResourceChange) -> str | None:
    """Return the change that a line belongs to, by its tags; None where they do not say."""
    return tag(_inputs(line), CHANGE_TAG)


def _machines(lines: Sequence[ResourceChange]) -> Iterable[tuple[str, ResourceChange]]:
    machines = [one for one in lines if one.token == INSTANCE]
    by_id = {one.resource_id: one for one in machines if one.resource_id is not None}
    by_state = {f"{one.name}{STATE_SUFFIX}": one for one in machines}
    for one in lines:
        if one.token != INSTANCE_STATE:
            continue
        wanted = text(_inputs(one).get("instanceId"))
        # A machine whose id is not known yet is found by the name that its state has.
        found = by_state.get(one.name) if wanted is None else by_id.get(wanted)
        if wanted is None and found is None and len(machines) == 1:
            found = machines[0]
        if found is not None:
            yield one.urn, found


def _inputs(line: ResourceChange) -> Inputs:
    return line.inputs_after or line.inputs_before or NOTHING
