"""Instances: another type, and detailed monitoring.

moto changes the type of an instance that runs, and of any architecture; AWS does neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.changes.measured import scale_use
from deployments.embedded.aws.errors import AwsError, invalid_value
from deployments.embedded.aws.metric_store import MetricStore
from deployments.embedded.aws.policy import ACCOUNT
from deployments.embedded.aws.price_list import on_demand_types


class InstanceChanges:
    """Answers ModifyInstanceAttribute, MonitorInstances and UnmonitorInstances.

    Args:
        metrics: What is measured: an instance that gets smaller is busier from then on.
        clock: Now, aware.
    """

    def __init__(self, metrics: MetricStore, *, clock: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._clock = clock

    def modify_attribute(self, call: Call, parameters: Mapping[str, Any]) -> None:
        """Refuse a type that AWS would refuse; moto does the rest.

        Raises:
            AwsError: The instance runs, or the type is unknown or of another architecture.
        """
        wanted = parameters.get("InstanceType", {}).get("Value")
        one = _instance(call.region, parameters.get("InstanceId", ""))
        if wanted is None:
            return
        if one.state != "stopped":
            message = f"The instance '{one.id}' is not in the 'stopped' state."
            raise AwsError(code="IncorrectInstanceState", message=message)
        kinds = on_demand_types()
        if wanted not in kinds:
            raise invalid_value(wanted, parameter="instanceType", expected="It does not exist.")
        if kinds[wanted].architecture != one.architecture:
            message = (
                f"The architecture '{kinds[wanted].architecture}' of the specified instance type "
                f"does not match the architecture '{one.architecture}' of the image"
            )
            raise AwsError(code="InvalidParameterValue", message=message)
        before = kinds.get(one.instance_type)
        if before is not None:
            now = int(self._clock().timestamp())
            scale_use(
                self._metrics, call.region, one.id, before=before, after=kinds[wanted], now=now
            )

    def monitor(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer MonitorInstances."""
        return _monitoring(call, parameters, state="enabled")

    def unmonitor(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer UnmonitorInstances."""
        return _monitoring(call, parameters, state="disabled")


def _monitoring(call: Call, parameters: Mapping[str, Any], *, state: str) -> dict[str, Any]:
    found = [_instance(call.region, identity) for identity in parameters["InstanceIds"]]
    for one in found:
        one.monitoring_state = state
    return {
        "InstanceMonitorings": [
            {"InstanceId": one.id, "Monitoring": {"State": state}} for one in found
        ]
    }


def _instance(region: str, identity: str) -> Any:
    # Loads moto's models of EC2: only when somebody asks.
    from moto.ec2.models import ec2_backends

    for reservation in ec2_backends[ACCOUNT][region].reservations.values():
        for one in reservation.instances:
            if one.id == identity:
                return one
    message = f"The instance ID '{identity}' does not exist"
    raise AwsError(code="InvalidInstanceID.NotFound", message=message)
