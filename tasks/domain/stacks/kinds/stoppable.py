"""Whether an instance can be stopped and started again without loss."""

from __future__ import annotations

from tasks.domain.inventory import InstanceState, Lifecycle
from tasks.domain.stacks.kinds.made import Work
from tasks.domain.stacks.live import LiveInstance

KEY_GRANTED_TAG = "homeostat/key-granted"
"""On an instance: its owner says that whoever starts it may use the key of its volumes."""


def cannot_stop(work: Work, one: LiveInstance) -> str:
    """Return why an instance cannot be stopped and started again; empty where it can.

    Args:
        work: In whose region it is.
        one: As it is now.
    """
    return _is_otherwise(one) or would_lose_disks(work, one.instance_type) or might_not_start(one)


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


def might_not_start(one: LiveInstance) -> str:
    """Return that a key may keep an instance from starting again; empty where none does.

    EC2 starts it only for somebody who may grant EC2 the use of the key: without that it goes from
    pending to stopped again, and nobody is told.

    Args:
        one: With the keys of its volumes.
    """
    if not one.keys or KEY_GRANTED_TAG in one.resource.tags:
        return ""
    return (
        f"its volumes are encrypted with {one.keys[0]}, and it would not start again for somebody "
        "without kms:CreateGrant of that key: grant it (for AWS resources) to the role that "
        f"applies, unless the key is AWS's own, then tag the instance {KEY_GRANTED_TAG}"
    )
