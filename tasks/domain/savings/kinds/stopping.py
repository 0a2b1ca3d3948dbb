"""What must not or cannot be stopped, whether for good or for the night."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.domain.inventory import InstanceState, Lifecycle
from tasks.domain.savings.evidence import Evidence, is_production, tag_says
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.policy import SCHEDULE_TAG


def stop_forbidden(machines: Machines) -> str:
    """Return why an instance cannot or must not be stopped, ever; empty where it may be.

    Args:
        machines: A single instance.
    """
    one = machines.instances[0]
    if tag_says(machines.tags, SCHEDULE_TAG) == "never":
        return f"the tag {SCHEDULE_TAG} says never"
    if one.state is not InstanceState.RUNNING:
        return f"it is {one.state} and not running"
    if one.lifecycle is not Lifecycle.ON_DEMAND:
        return (
            f"it is a {one.lifecycle} instance, which cannot be stopped and started again like one "
            "on demand: end its request if nobody needs it"
        )
    if one.root_device != "ebs":
        return f"its root device is {one.root_device}: it cannot be stopped, only terminated"
    return ""


def production_forbids(tags: Mapping[str, str]) -> str:
    """Return why what is tagged as production must not be stopped; empty where it may be."""
    if is_production(tags) is not True or tag_says(tags, SCHEDULE_TAG) == "allowed":
        return ""
    return f"it is tagged as production: set the tag {SCHEDULE_TAG} to allowed if it may stop"


def may_lose_disks(machines: Machines, evidence: Evidence) -> str:
    """Return why stopping loses what is on local disks; empty where there are none."""
    facts = evidence.prices.types.get(machines.instances[0].instance_type)
    if facts is None:
        return "whether it has local disks is unknown: data on local disks is lost"
    if facts.local_storage_gb > 0.0:
        return f"data on local disks ({facts.local_storage_gb:,.0f} GB) is lost"
    return ""
