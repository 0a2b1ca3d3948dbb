"""Plans with hostile inputs in them, and plans of a given size."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from benchmarks.stacks_hostile import Hostile, Place
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import Change, Phase, Refused, change_id
from tasks.domain.stacks.program import (
    Args,
    Attribute,
    Input,
    Joined,
    Json,
    JsonText,
    Program,
    Resource,
    SourceArchive,
    StackPlan,
)

STACK, REGION = "web-eu-west-1", "eu-west-1"
INSTANCE = "aws:ec2/instance:Instance"
CHANGE = change_id(kind=Kind.RIGHT_SIZE, region=REGION, resource="i-0", target={})


def plan_with(inputs: Sequence[Hostile]) -> StackPlan:
    """Return a plan that holds every one of some hostile inputs, each in its place."""
    resources = [resource_with(one, f"r-{position}") for position, one in enumerate(inputs)]
    changes = [_change_with(one, position) for position, one in enumerate(inputs)]
    ids = {position: one.change_id for position, one in enumerate(changes)}
    resources = [replace(one, change_id=ids[position]) for position, one in enumerate(resources)]
    refused = [_refused_with(one) for one in inputs if one.place is Place.WHY]
    exports = {
        one.text: Attribute(resource=resources[position].name, name="arn")
        for position, one in enumerate(inputs)
        if one.place is Place.EXPORT
    }
    found = plan_of(resources, changes, refused=refused)
    found = replace(found, change=replace(found.change, exports=exports))
    for one in inputs:
        found = _placed(found, one)
    return found


def plan_of(
    resources: Sequence[Resource], changes: Iterable[Change], *, refused: Iterable[Refused] = ()
) -> StackPlan:
    """Return a plan of which the change adds to each resource that exists one tag."""
    exists = tuple(replace(one, import_id=one.import_id or f"i-{one.name}") for one in resources)
    tagged = tuple(replace(one, inputs={**one.inputs, "monitoring": True}) for one in exists)
    programs = {
        phase: Program(
            stack=STACK,
            region=REGION,
            phase=phase,
            resources=tagged if phase is Phase.CHANGE else exists,
        )
        for phase in Phase
    }
    return StackPlan(
        stack=STACK,
        region=REGION,
        changes=tuple(changes),
        refused=tuple(refused),
        adopt=programs[Phase.ADOPT],
        change=programs[Phase.CHANGE],
        undo=programs[Phase.UNDO],
    )


def resource_with(one: Hostile, name: str) -> Resource:
    """Return a resource with a hostile input in one place."""
    text, place = one.text, one.place
    found = Resource(name=name, token=INSTANCE, inputs=_inputs_with(one), change_id=CHANGE)
    if place is Place.NAME:
        return replace(found, name=text)
    if place is Place.TOKEN:
        return replace(found, token=text)
    if place is Place.IMPORT_ID:
        return replace(found, import_id=text)
    if place is Place.DEPENDS:
        return replace(found, depends_on=(text,))
    if place is Place.ATTRIBUTE:
        return replace(found, inputs={"ami": Attribute(resource=name, name=text)})
    return found


def _inputs_with(one: Hostile) -> dict[str, Input]:
    text = one.text
    documents: dict[Place, Json] = {
        Place.JSON: {"a": (text, None)},
        Place.JSON_KEY: {text: text[:9]},
    }
    inputs: dict[Place, dict[str, Input]] = {
        Place.VALUE: {"user_data": text, "instance_type": "m5.large"},
        Place.ITEM: {"security_groups": ("sg-1", text), "tags": {"Name": "web"}},
        Place.KEY: {"tags": {"owner": "team", text: text[:256]}},
        Place.NESTED: {"root_block_device": Args(of="InstanceArgs", fields={"kms_key_id": text})},
        Place.JOINED: {"user_data": Joined(parts=("a", text, text))},
        Place.FILE: {"code": SourceArchive(files={"index.py": text, "b.py": "pass\n"})},
        Place.INPUT: {text: 1},
        Place.CLASS: {"root_block_device": Args(of=text, fields={"volume_size": 8})},
        Place.PATH: {"code": SourceArchive(files={text: "pass\n"})},
    }
    if one.place in documents:
        return {"user_data": JsonText(document=documents[one.place])}
    return inputs.get(one.place, {"instance_type": "m5.large"})


def _change_with(one: Hostile, position: int) -> Change:
    texts = {
        Place.SUMMARY: "Change web from m5.xlarge to m5.large.",
        Place.OWNER: "team-web",
        Place.REASON: "Its p99 of CPU is 12 %.",
    }
    if one.place in texts:
        texts[one.place] = one.text
    return Change(
        change_id=change_id(
            kind=Kind.RIGHT_SIZE, region=REGION, resource=f"i-{position}", target={}
        ),
        kind=Kind.RIGHT_SIZE,
        resource=one.text if one.place is Place.SUMMARY else f"i-{position}",
        region=REGION,
        summary=texts[Place.SUMMARY],
        owner=texts[Place.OWNER],
        reason=texts[Place.REASON],
        saving=Usd(low=60.0, expected=70.08, high=75.0),
        restart=True,
        reversible=True,
        disruption=0.2,
    )


def _refused_with(one: Hostile) -> Refused:
    return Refused(kind=Kind.SPOT, resource=one.text, region=REGION, why=one.text)


def _placed(plan: StackPlan, one: Hostile) -> StackPlan:
    """Return the plan with what is not of a resource alone."""
    if one.place is Place.CHANGE_ID:
        return replace(plan, changes=(replace(plan.changes[0], change_id=one.text),))
    given = {Place.STACK: "stack", Place.REGION: "region"}.get(one.place)
    if given is None:
        return plan
    programs = {
        phase.value: replace(plan.program(phase), **{given: one.text})  # type: ignore[arg-type]
        for phase in Phase
    }
    return replace(plan, **{given: one.text}, **programs)  # type: ignore[arg-type]


def plan_of_size(resources: int, *, seed: int) -> StackPlan:
    """Return a plan of so many instances of ordinary size, of which every one is changed."""
    rng = random.Random(seed)  # noqa: S311 - makes test inputs
    one_each = [Hostile(place=Place.OWNER, text="team-web", carried=True)] * resources
    found = plan_with(one_each)
    bases = [_ordinary(rng, one) for one in found.adopt.resources]
    return plan_of(bases, found.changes)


def _ordinary(rng: random.Random, one: Resource) -> Resource:
    root: dict[str, Input] = {
        "volume_size": rng.randint(8, 500),
        "volume_type": "gp3",
        "encrypted": True,
    }
    tags = {f"tag-{n}": f"{rng.random():.12f} {'words ' * rng.randint(0, 9)}" for n in range(8)}
    inputs: dict[str, Input] = {
        "ami": f"ami-{rng.randrange(16**12):012x}",
        "instance_type": rng.choice(("m5.large", "c5.xlarge", "r5.2xlarge")),
        "subnet_id": f"subnet-{rng.randrange(16**12):012x}",
        "vpc_security_group_ids": tuple(f"sg-{rng.randrange(16**12):012x}" for _ in range(3)),
        "key_name": "operators",
        "ebs_optimized": True,
        "root_block_device": Args(of="InstanceRootBlockDeviceArgs", fields=root),
        "metadata_options": Args(
            of="InstanceMetadataOptionsArgs", fields={"http_tokens": "required"}
        ),
        "tags": tags,
    }
    return replace(one, inputs=inputs, protect=True, retain_on_delete=True)
