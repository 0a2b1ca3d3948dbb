"""Whether an instance runs: aws:ec2transitgateway/instanceState:InstanceState."""

from __future__ import annotations

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.errors import StandInError
from deployments.embedded.pulumi_aws.kinds import Kind, Simple
from deployments.embedded.pulumi_aws.resources.ec2_instances import instance_of, start, stop
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = ("ec2:DescribeInstances", "ec2:StartInstances", "ec2:StopInstances")
_SWITCHES = {"running": start, "stopped": stop}


class InstanceStates(Simple):
    """Starts and stops instances."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Bring an instance into a state."""
        _switch(cloud, new)
        return str(new["instanceId"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return the state of an instance that is not terminated."""
        del known
        one = instance_of(cloud, identity)
        if one is None or one["State"]["Name"] in {"shutting-down", "terminated"}:
            return None
        return {"instanceId": identity, "region": cloud.region, "state": one["State"]["Name"]}

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Bring the instance into another state."""
        del identity, old
        if "state" in changed:
            _switch(cloud, new)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Leave the instance as it is: there is nothing to delete."""


def _switch(cloud: Cloud, new: Properties) -> None:
    identity, wanted = new["instanceId"], new["state"]
    if wanted not in _SWITCHES:
        message = f"state is {wanted!r} and has to be one of {', '.join(_SWITCHES)}"
        raise StandInError(message)
    one = instance_of(cloud, identity)
    if one is None:
        message = f"there is no instance {identity} in {cloud.region}"
        raise StandInError(message)
    if one["State"]["Name"] != wanted:
        _SWITCHES[wanted](cloud, identity)


INSTANCE_STATE = Kind(
    token="aws:ec2transitgateway/instanceState:InstanceState",  # noqa: S106 - a type's name
    module="ec2transitgateway",
    name="InstanceState",
    actions=InstanceStates(),
    # Terraform registry, aws_ec2_instance_state: "destroying" it leaves the instance as it is,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ec2_instance_state
    replaces=frozenset({"instanceId", "region"}),
    absent={"force": False},
    unread=frozenset({"force"}),
)
