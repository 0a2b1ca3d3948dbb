"""Instance refreshes: every member of a group is replaced by one of its template, each in its zone.

Members are replaced at once; for as long as a refresh is said to take, it is told as in progress and
keeps another from being started.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.changes.groups import backend_of, group_named, set_template
from deployments.embedded.aws.changes.measured import hand_over
from deployments.embedded.aws.changes.members import launch, terminate
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.metric_store import MetricStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """One refresh.

    Attributes:
        started_at, ends_at: Aware.
        cancelled_at: None for one that was left to end.
    """

    identity: str
    group: str
    started_at: datetime
    ends_at: datetime
    cancelled_at: datetime | None = None

    def is_under_way(self, now: datetime) -> bool:
        """Return whether it keeps another from being started."""
        return self.cancelled_at is None and now < self.ends_at

    def row(self, now: datetime) -> dict[str, Any]:
        """Return it as the service tells it."""
        row = {
            "InstanceRefreshId": self.identity,
            "AutoScalingGroupName": self.group,
            "StartTime": self.started_at,
            "InstancesToUpdate": 0,
        }
        if self.is_under_way(now):
            share = (now - self.started_at) / (self.ends_at - self.started_at)
            return {**row, "Status": "InProgress", "PercentageComplete": int(100 * share)}
        if self.cancelled_at is not None:
            return {**row, "Status": "Cancelled", "EndTime": self.cancelled_at}
        return {
            **row,
            "Status": "Successful",
            "EndTime": self.ends_at,
            "PercentageComplete": 100,
        }


class InstanceRefreshes:
    """Answers what starts, cancels and tells refreshes.

    Args:
        metrics: What is measured: a member that replaces another goes on where that stopped.
        clock: Now, aware.
        takes: For how long a refresh is in progress; 0 for one that is done when it is answered.
    """

    def __init__(
        self, metrics: MetricStore, *, clock: Callable[[], datetime], takes: timedelta
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._takes = takes
        self._refreshes: dict[tuple[str, str], list[Refresh]] = {}

    def start(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer StartInstanceRefresh: every member is replaced by one of the template as it is now.

        Raises:
            AwsError: There is no such group, or one of it is under way.
        """
        group = group_named(call.region, parameters["AutoScalingGroupName"])
        now = self._clock()
        known = self._refreshes.setdefault((call.region, group.name), [])
        if known and known[0].is_under_way(now):
            message = f"An Instance Refresh is already in progress: {known[0].identity}"
            raise AwsError(code="InstanceRefreshInProgress", message=message)
        set_template(group, parameters.get("DesiredConfiguration", {}))
        self._replace_members(call.region, group, now=now)
        made = Refresh(
            identity=str(uuid.uuid4()),
            group=group.name,
            started_at=now,
            ends_at=now + self._takes,
        )
        known.insert(0, made)
        return {"InstanceRefreshId": made.identity}

    def _replace_members(self, region: str, group: Any, *, now: datetime) -> None:
        backend, old = backend_of(region), list(group.instance_states)
        group.instance_states = []
        zones = [state.instance.placement.zone for state in old]
        new = launch(backend, group, len(old), zones=zones)
        at = int(now.timestamp())
        for gone, come in zip(old, new, strict=True):
            hand_over(self._metrics, region, old=gone.instance.id, new=come.id, now=at)
        terminate(backend, [state.instance for state in old])
        backend.update_attached_elbs(group.name)

    def cancel(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CancelInstanceRefresh; what is replaced by then stays replaced.

        Raises:
            AwsError: There is no such group, or none of it is under way.
        """
        group = group_named(call.region, parameters["AutoScalingGroupName"])
        now, known = self._clock(), self._refreshes.get((call.region, group.name), [])
        if not known or not known[0].is_under_way(now):
            message = f"No in progress or pending Instance Refresh found for {group.name}"
            raise AwsError(code="ActiveInstanceRefreshNotFound", message=message)
        known[0] = replace(known[0], cancelled_at=now)
        return {"InstanceRefreshId": known[0].identity}

    def describe(self, call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DescribeInstanceRefreshes, the last one first.

        Raises:
            AwsError: There is no such group.
        """
        group = group_named(call.region, parameters["AutoScalingGroupName"])
        found = self._refreshes.get((call.region, group.name), [])
        ids, now = parameters.get("InstanceRefreshIds"), self._clock()
        return {
            "InstanceRefreshes": [one.row(now) for one in found if not ids or one.identity in ids]
        }
