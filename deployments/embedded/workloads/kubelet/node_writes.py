"""Writing nodes and leases in time, and not for those that nobody hears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deployments.embedded.workloads.containers.eviction import Pressure
from deployments.embedded.workloads.kubelet.client import (
    MERGE,
    STRATEGIC,
    Client,
    RefusedError,
)
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.nodes import (
    LEASES,
    RENEW_SECONDS,
    REPORT_SECONDS,
    NodeVoice,
)
from deployments.embedded.workloads.kubelet.writes import Rank, Wanting
from deployments.embedded.workloads.physics.world import World

_GONE, _CONFLICT = 404, 409


@dataclass(slots=True)
class _Times:
    """When something is due, of the world."""

    renew: float = 0.0
    report: float = 0.0
    silent: bool = False


class NodeWrites:
    """Registers nodes, renews their leases and reports their status.

    Args:
        world: Whose nodes they are.
        client: To the API server.
        writes: Takes the writes.
        clock: Of the world.
        port: Of the daemon.
    """

    def __init__(
        self, world: World, client: Client, writes: Wanting, *, clock: Clock, port: int
    ) -> None:
        self._client, self._writes, self._clock = client, writes, clock
        self._voices = [NodeVoice(profile=one, port=port) for one in world.nodes]
        self._times = [_Times() for _ in world.nodes]

    async def register(self) -> None:
        """Make every node known, with its first lease; again to a cluster that does not know them.

        Raises:
            RefusedError: The API server does not let us.
        """
        for voice in self._voices:
            voice.since.clear()
            node = voice.node(self._clock.wall())
            try:
                found = await self._client.write("POST", "/api/v1/nodes", node)
            except RefusedError as error:
                if error.code != _CONFLICT:
                    raise
                labels = {"metadata": {"labels": node["metadata"]["labels"]}}
                path = f"/api/v1/nodes/{voice.profile.name}"
                found = await self._client.write("PATCH", path, labels, content=MERGE)
            voice.uid = found["metadata"]["uid"]
            await self._renew(voice)
            await self._report(voice)

    def step(self, short: Pressure, *, silent: Sequence[bool]) -> None:
        """Want what is due.

        Args:
            short: Which nodes are short of something.
            silent: (N,) nobody hears the node.
        """
        now = self._clock.now()
        for at, (voice, times) in enumerate(zip(self._voices, self._times, strict=True)):
            if silent[at]:
                times.silent = True
                continue
            fresh = {"memory": bool(short.memory[at]), "disk": bool(short.disk[at])}
            if times.silent:
                # Others have written conditions meanwhile: each of ours begins now.
                voice.since.clear()
            if times.silent or fresh != voice.short or now >= times.report:
                voice.short, times.report = fresh, now + REPORT_SECONDS
                self._want("node", voice)
            if times.silent or now >= times.renew:
                times.renew = now + RENEW_SECONDS
                self._want("lease", voice)
            times.silent = False

    def _want(self, what: str, voice: NodeVoice) -> None:
        async def send() -> None:
            await (self._report(voice) if what == "node" else self._renew(voice))

        self._writes.want((what, voice.profile.name), send, rank=Rank.NODE)

    async def _report(self, voice: NodeVoice) -> None:
        path = f"/api/v1/nodes/{voice.profile.name}/status"
        await self._client.write("PATCH", path, voice.status(self._clock.wall()), content=STRATEGIC)

    async def _renew(self, voice: NodeVoice) -> None:
        lease = voice.lease(self._clock.wall())
        path = f"{LEASES}/{voice.profile.name}"
        try:
            await self._client.write("PATCH", path, {"spec": lease["spec"]}, content=MERGE)
        except RefusedError as error:
            if error.code != _GONE:
                raise
            await self._client.write("POST", LEASES, lease)
