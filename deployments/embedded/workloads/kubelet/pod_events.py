"""Events about pods: written once, counted when they come again, and no more than kubelets write."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from deployments.embedded.workloads.containers.messages import Event
from deployments.embedded.workloads.containers.status import timestamp
from deployments.embedded.workloads.kubelet.client import MERGE, Client, RefusedError
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.roster import Resident
from deployments.embedded.workloads.kubelet.writes import Rank, Wanting, is_there

Body = dict[str, Any]
BURST, REFILL_SECONDS = 25.0, 300.0
"""Of one object: so many at once, then one in so many seconds (client-go EventSourceObjectSpamFilter)."""
_OF_PODS = ("Evicted",)
"""Reasons that are about the pod rather than its container."""
_GONE = 404


@dataclass(slots=True)
class _Told:
    """One event, as often as it was told."""

    body: Body
    path: str
    written: bool = False


@dataclass(slots=True)
class _About:
    """What was told about one pod."""

    told: dict[Event, _Told] = field(default_factory=dict)
    left: float = BURST
    at: float = 0.0

    def allows(self, now: float) -> bool:
        """Take one, where one is left."""
        if self.at:
            self.left = min(BURST, self.left + (now - self.at) / REFILL_SECONDS)
        self.at = now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


class PodEvents:
    """Writes events.

    Args:
        client: To the API server.
        writes: Takes them.
        clock: Of the world.
    """

    def __init__(self, client: Client, writes: Wanting, *, clock: Clock) -> None:
        self._client, self._writes, self._clock = client, writes, clock
        self._about: dict[str, _About] = {}

    def tell(self, one: Resident, event: Event, *, node: str, now: float) -> None:
        """Write an event about a pod, or count one more.

        Args:
            one: The pod.
            event: What is told.
            node: Name of its node.
            now: Of the world.
        """
        about = self._about.setdefault(one.pod.uid, _About())
        if not about.allows(now):
            return
        told, wall = about.told.get(event), self._clock.on_wall(now)
        if told is None:
            told = about.told[event] = _Told(
                _body(one, event, node, wall), f"/api/v1/namespaces/{one.pod.namespace}/events"
            )
        else:
            told.body |= {"count": told.body["count"] + 1, "lastTimestamp": timestamp(wall)}

        async def send() -> None:
            await self._send(told)

        self._writes.want(("event", told.body["metadata"]["name"]), send, rank=Rank.EVENT)

    async def _send(self, told: _Told) -> None:
        if told.written:
            name = told.body["metadata"]["name"]
            patch = {key: told.body[key] for key in ("count", "lastTimestamp")}
            try:
                await self._client.write("PATCH", f"{told.path}/{name}", patch, content=MERGE)
                return
            except RefusedError as error:
                # Events are kept for an hour only.
                if error.code != _GONE:
                    raise
        try:
            await self._client.write("POST", told.path, dict(told.body))
        except RefusedError as error:
            # Its name is nobody else's: the answer to a try before was lost.
            if not is_there(error):
                raise
        told.written = True

    def forget(self, living: set[str]) -> None:
        """Forget what was told about pods that are no more; `living` are the uids of those that are."""
        for uid in [uid for uid in self._about if uid not in living]:
            del self._about[uid]


def _place(one: Resident, container: str) -> str:
    is_init = any(other.spec.name == container and other.is_init for other in one.pod.companions)
    return f"spec.{'initContainers' if is_init else 'containers'}{{{container}}}"


def _body(one: Resident, event: Event, node: str, now: float) -> Body:
    about: Body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": one.pod.namespace,
        "name": one.pod.name,
        "uid": one.pod.uid,
    }
    if event.reason not in _OF_PODS:
        about["fieldPath"] = _place(one, event.container or one.pod.spec.name)
    name = f"{one.pod.name}.{secrets.token_hex(8)}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": one.pod.namespace},
        "involvedObject": about,
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "source": {"component": "kubelet", "host": node},
        "reportingComponent": "kubelet",
        "reportingInstance": node,
        "firstTimestamp": timestamp(now),
        "lastTimestamp": timestamp(now),
        "count": 1,
    }
