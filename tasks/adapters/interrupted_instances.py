"""Starting instances that were stopped for a change that never ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tasks.adapters.aws import translated
from tasks.adapters.pages import items
from tasks.domain.stacks.recovery import StartAgain

OPERATIONS = ("ec2:DescribeInstances", "ec2:StartInstances")
ClientFor = Callable[[str, str], Any]
"""Gives the client of a service, by boto3's name of it, in a region."""
_DOWN = frozenset({"stopping", "stopped"})


def started_again(client_for: ClientFor, *, region: str) -> StartAgain:
    """Return what starts those of some instances that are stopped, or about to be.

    Args:
        client_for: Gives clients.
        region: Of the instances.

    Returns:
        A function that returns which it started. It raises TransientError when EC2 does not answer,
        and PermanentError when it refuses.
    """

    def start(instance_ids: tuple[str, ...]) -> tuple[str, ...]:
        client = client_for("ec2", region)
        down = [
            one["InstanceId"]
            for one in _instances(client, instance_ids, region)
            if one["State"]["Name"] in _DOWN
        ]
        if down:
            with translated("ec2:StartInstances", region=region):
                # One that is still stopping cannot be started.
                client.get_waiter("instance_stopped").wait(InstanceIds=down)
                client.start_instances(InstanceIds=down)
        return tuple(down)

    return start


def _instances(client: Any, instance_ids: tuple[str, ...], region: str) -> Iterator[Any]:
    if not instance_ids:
        return
    for one in items(
        client.describe_instances,
        "Reservations",
        operation="ec2:DescribeInstances",
        region=region,
        arguments={"InstanceIds": list(instance_ids)},
    ):
        yield from one["Instances"]
