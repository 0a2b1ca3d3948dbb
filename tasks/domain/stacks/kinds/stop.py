"""Stopping what nobody uses; what holds data is never deleted by a program."""

from __future__ import annotations

from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.made import INSTANCE_STATE, Edit, Made, Work, priced
from tasks.domain.stacks.kinds.names import logical_name
from tasks.domain.stacks.kinds.spot import state_inputs
from tasks.domain.stacks.kinds.stoppable import cannot_stop


def stop(work: Work) -> Made | Refused:
    """Return what stops an instance, or why that is not done."""
    wanted = work.fact("state")
    if wanted == "deleted":
        return work.refused(
            f"{work.resource} holds data, which no program deletes: make a snapshot "
            f"(aws ec2 create-snapshot --volume-id {work.resource}), look at it, delete by hand"
        )
    if wanted != "stopped":
        return work.refused(f"its target state {wanted!r} is not known here")
    one = work.region.instances.get(work.resource)
    if one is None:
        return work.refused(f"{work.resource} is not there any more: look for savings again")
    name = logical_name("instance", work.resource)
    why = cannot_stop(work, one)
    if why:
        return work.refused(why)
    edit = Edit(name=name, live=one.resource)
    stopped = work.new(
        name, "state", INSTANCE_STATE, state_inputs(work.resource, "stopped"), after=(name,)
    )
    started = work.new(name, "state", INSTANCE_STATE, state_inputs(work.resource, "running"))
    return Made(
        edits=(edit,),
        created=(stopped,),
        undone=(started,),
        prices=priced(work.opportunity, name, "now", ""),
        notes=("it is stopped and kept with its volumes, which go on costing; undo starts it",),
    )
