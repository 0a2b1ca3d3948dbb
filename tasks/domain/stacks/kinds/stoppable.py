"""Whether an instance can be stopped and started again without loss."""

from __future__ import annotations

from tasks.domain.inventory import InstanceState, Lifecycle
from tasks.domain.stacks.kinds.made import Work
from tasks.domain.stacks.live import LiveInstance


def cannot_stop(work: Work, one: LiveInstance) -> str:
    """Return why an instance cannot be stopped and started again; empty where it can.

    Args:
        work: In whose region it is.
        one: As it is now.
    """
    return _is_otherwise(one) or would_lose_disks(work, one.instance_type)


def _is_otherwise(one: LiveInstance) -> str:
    if one.state is not InstanceState.RUNNING:
        return f"it is {one.state} now and was running when it was looked at: look again"
    if one.group is not None:
        return f"it is in the group {one.group}, which would replace it: change the group"
    if one.lifecycle is not Lifecycle.ON_DEMAND:
        return f"it is a {one.lifecycle} instance, which is not stopped and changed like others"
    if one.root_device != "ebs":
        return f"its root device is {one.root_device}: a stop would lose it"
    if one.stop_protected is True:
        return "it is protected against being stopped: take the protection off if it may be"
    return ""


def would_lose_disks(work: Work, instance_type: str) -> str:
    """Return that a stop empties the local disks of a type, or may; empty where it has none.

    Args:
        work: Whose region knows what types can do.
        instance_type: That the instance has now.
    """
    facts = work.region.types.get(instance_type)
    if facts is None:
        return (
            f"whether {instance_type} has local disks, which a stop empties, is not known in "
            f"{work.region.region}: look, and do it by hand"
        )
    if facts.local_storage_gb <= 0.0:
        return ""
    return (
        f"{instance_type} has local disks ({facts.local_storage_gb:,.0f} GB) that a stop empties: "
        "move what is on them first, and do it by hand"
    )
