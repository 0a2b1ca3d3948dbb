"""All kubelets of a world: they read pods, step the engine and write what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from deployments.embedded.workloads.containers.eviction import evictions, pressure
from deployments.embedded.workloads.containers.messages import Event, events_of
from deployments.embedded.workloads.containers.table import Happening, Phase, What, new_table
from deployments.embedded.workloads.engine import Engine, Pod, Tick
from deployments.embedded.workloads.kubelet.client import STRATEGIC, Body, Client
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.fault_book import FaultBook
from deployments.embedded.workloads.kubelet.logbook import Logbook
from deployments.embedded.workloads.kubelet.node_writes import NodeWrites
from deployments.embedded.workloads.kubelet.pod_events import PodEvents
from deployments.embedded.workloads.kubelet.reader import Reader
from deployments.embedded.workloads.kubelet.roster import Resident, Roster
from deployments.embedded.workloads.kubelet.statuses import (
    evicted_status,
    fingerprints,
    on_wall,
    others_of,
    pod_status,
)
from deployments.embedded.workloads.kubelet.writes import Rank, Writes
from deployments.embedded.workloads.physics.faults import ActiveFault
from deployments.embedded.workloads.physics.profiles import WorkloadProfile
from deployments.embedded.workloads.physics.world import World

OTHER = WorkloadProfile(
    name="kube-system/other", cpu_seconds_per_request=0.001, memory_base_mib=20.0
)
"""What pods are that belong to no workload of the world: small programs that nobody calls."""
LONGEST_STEP_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 1.0
MARK_SECONDS = 15.0
"""A step ends at every multiple of this, for whoever measures at such times."""
MOST_BEHIND_SECONDS = 300.0
"""A machine that slept is not caught up with."""
EVICTION_SECONDS = 10.0
"""Between two evictions of one node (evictionMonitoringPeriod)."""


class OnTick(Protocol):
    """Told of every step; must not take long."""

    def __call__(
        self, tick: Tick, pods: Sequence[Pod], now: float, *, faults: Sequence[ActiveFault]
    ) -> None:
        """Take note of a step.

        Args:
            tick: What it left behind.
            pods: By row of the tick; the same object as long as none changed.
            now: Its end, Unix time of the world.
            faults: In force during the step.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the world is like now, for whoever shows it.

    Attributes:
        world: Profiles and nodes.
        now_seconds: Of the tick, Unix time of the world.
        tick: The last; None before the first.
        residents: Pods by row of the tick.
        service_failed: Fraction of calls that each service failed, by name.
    """

    world: World
    now_seconds: float
    tick: Tick | None
    residents: tuple[Resident, ...]
    service_failed: dict[str, float]


class Kubelets:
    """Plays the kubelets of a world against one API server.

    Args:
        world: Profiles and nodes; `OTHER` has to be among the profiles.
        client: To the API server; open.
        clock: Of the world.
        port: Where the daemon of all nodes listens.
        on_tick: Told of every step; None for nobody.

    Raises:
        ValueError: The world has no profile `OTHER`.
    """

    def __init__(
        self, world: World, client: Client, *, clock: Clock, port: int,
        on_tick: OnTick | None = None,
    ) -> None:  # fmt: skip
        other = world.workload_index(OTHER.name)
        if other is None:
            msg = f"the world has no profile {OTHER.name}; add kubelets.OTHER to its workloads"
            raise ValueError(msg)
        self.world, self.clock = world, clock
        self.engine = Engine(world)
        self.roster = Roster(world, other=other, clock=clock)
        self.faults = FaultBook(world, pods_of=self._pods_of)
        self.logbook = Logbook(world, clock=clock)
        self.writes = Writes()
        self.registered = asyncio.Event()
        self._client, self._on_tick = client, on_tick
        self._events = PodEvents(client, self.writes, clock=clock)
        self._nodes = NodeWrites(world, client, self.writes, clock=clock, port=port)
        self._residents: list[Resident] = []
        self._rows: dict[str, int] = {}
        self._seen = fingerprints(new_table(0), np.zeros(0, dtype=np.int64))
        self._tick: Tick | None = None
        self._shown = new_table(0)
        self._last = clock.now()
        self._evicted_at: dict[int, float] = {}
        self._leaving: set[str] = set()
        self._silent = [False] * len(world.nodes)
        self._deaf = [False] * len(world.nodes)

    def snapshot(self) -> Snapshot:
        """Return what the world is like now."""
        return Snapshot(
            world=self.world,
            now_seconds=self._last,
            tick=self._tick,
            residents=tuple(self._residents),
            service_failed=dict(self.engine.service_failed()),
        )

    def answers(self, node: int) -> bool:
        """Return whether the API server reaches a node."""
        return not self._silent[node]

    async def register(self) -> None:
        """Make the nodes known to a cluster that does not know them yet.

        Raises:
            RefusedError: The API server does not let us, or does not answer.
        """
        await self._nodes.register()
        self.registered.set()

    async def run(self) -> None:
        """Live from when the nodes are registered until cancelled."""
        readers = [
            Reader(self._client, "/api/v1/configmaps", self.roster.config_map),
            Reader(self._client, "/api/v1/pods", self.roster.pod, fieldSelector="spec.nodeName!="),
        ]
        async with asyncio.TaskGroup() as group:
            group.create_task(self.writes.run())
            await self.registered.wait()
            for reader in readers:
                group.create_task(reader.run())
                await reader.listed.wait()
            while True:
                await self._catch_up()
                wait = min(LONGEST_WAIT_SECONDS, LONGEST_STEP_SECONDS / self.clock.speed)
                await asyncio.sleep(wait)

    async def _catch_up(self) -> None:
        """Step to now, in steps at which probes keep their periods."""
        now = self.clock.now()
        self._last = max(self._last, now - MOST_BEHIND_SECONDS)
        while self._last < now:
            mark = (self._last // MARK_SECONDS + 1.0) * MARK_SECONDS
            since, self._last = self._last, min(self._last + LONGEST_STEP_SECONDS, mark, now)
            self._step(since, self._last)
            # Writes and watches have their turn between steps.
            await asyncio.sleep(0)

    def _step(self, since: float, now: float) -> None:
        if self.roster.changed:
            self._settle()
        faults = self.faults.active
        tick = self.engine.step(now_seconds=now, step_seconds=now - since, faults=faults)
        self._tick, self._shown = tick, on_wall(tick.table, self.clock)
        self._note_silence(tick)
        failed = self.engine.edge_failed()
        for one in tick.happenings:
            resident = self._residents[one.row]
            self.logbook.happened(resident, one, now=now, faults=faults, failed=failed)
            self._tell(resident, one, tick, now)
        self.logbook.work(self._residents, tick, since=since, now=now, faults=faults, failed=failed)
        self._want_statuses(tick)
        short = pressure(self.world, tick.answer)
        self._nodes.step(short, silent=self._silent)
        if short.memory.any() or short.disk.any():
            self._evict(tick, now)
        if self._on_tick is not None:
            self._on_tick(tick, self.engine.pods, now, faults=faults)

    def _settle(self) -> None:
        """Tell the engine of the pods there are now."""
        before = self._rows
        self._residents = self.roster.told(self._deaf)
        self._rows = {one.pod.uid: one.row for one in self._residents}
        rows = np.array([before.get(uid, -1) for uid in self._rows], dtype=np.int64)
        seen = np.full((len(rows), self._seen.shape[1]), np.nan)
        seen[rows >= 0] = self._seen[rows[rows >= 0]]
        self._seen = seen
        self.engine.set_pods([one.pod for one in self._residents])
        self.logbook.keep(self._residents)
        living = set(self.roster.residents)
        self._events.forget(living)
        self._leaving &= living
        for body in self.roster.finished:
            self._want_delete(_path(body), body["metadata"]["uid"])
        self.roster.finished.clear()

    def _note_silence(self, tick: Tick) -> None:
        """Take note of which nodes are heard, and write everything of those that are again."""
        silent = (~tick.answer.node_reports).tolist()
        deaf = (tick.answer.node_alive & ~tick.answer.node_reports).tolist()
        back = [before and not now for before, now in zip(self._silent, silent, strict=True)]
        if deaf != self._deaf or any(back):
            self.roster.changed = True
        self._silent, self._deaf = silent, deaf
        if any(back):
            for one in self._residents:
                if back[one.pod.node]:
                    one.written = None
                    one.since.clear()
                    self._seen[one.row] = np.nan

    def _tell(self, one: Resident, what: Happening, tick: Tick, now: float) -> None:
        if what.what is What.CONFIG_FAILED:
            self._seen[one.row] = np.nan
        if self._silent[one.pod.node]:
            return
        probe = tick.rules.specs[what.row].probes[what.probe] if what.probe >= 0 else None
        node = self.world.nodes[one.pod.node].name
        for event in events_of(what, one.names_of(what.container), probe=probe):
            told = replace(event, container=what.container)
            self._events.tell(one, told, node=node, now=now)

    def _want_statuses(self, tick: Tick) -> None:
        prints = fingerprints(tick.table, tick.companions.changes)
        changed = np.flatnonzero((prints != self._seen).any(axis=1))
        self._seen = prints
        for row in changed:
            one = self._residents[row]
            if self._silent[one.pod.node]:
                continue
            if tick.table.phase[row] == Phase.GONE:
                self._want_delete(one.path, one.pod.uid)
            else:
                self._want_status(one)

    def _want_status(self, one: Resident) -> None:
        async def send() -> None:
            await self._send_status(one)

        self.writes.want(("status", one.pod.uid), send, rank=Rank.POD)

    async def _send_status(self, one: Resident) -> None:
        wall = self.clock.on_wall(self._last)
        if one.evicted:
            status = evicted_status(one, now=wall)
        elif one.row < 0 or self._tick is None or self._silent[one.pod.node] or one.gone:
            return
        else:
            others = others_of(one, self._tick.companions, self.clock)
            status = pod_status(one, self._shown, self._tick.rules, now=wall, others=others)
        if status == one.written:
            return
        patch = {"metadata": {"uid": one.pod.uid}, "status": status}
        await self._client.write("PATCH", f"{one.path}/status", patch, content=STRATEGIC)
        one.written = status

    def _want_delete(self, path: str, uid: str) -> None:
        if uid in self._leaving:
            return
        self._leaving.add(uid)
        options: Body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}

        async def send() -> None:
            await self._client.delete(path, options)

        self.writes.want(("delete", uid), send, rank=Rank.POD)

    def _evict(self, tick: Tick, now: float) -> None:
        for found in evictions(self.world, tick.placement, tick.answer):
            one = self._residents[found.row]
            node = one.pod.node
            if self._silent[node] or now - self._evicted_at.get(node, 0.0) < EVICTION_SECONDS:
                continue
            self._evicted_at[node] = now
            one.evicted, self.roster.changed = found.message, True
            event = Event(type="Warning", reason="Evicted", message=found.message)
            self._events.tell(one, event, node=self.world.nodes[node].name, now=now)
            self._want_status(one)

    def _pods_of(self, workload: str) -> tuple[str, ...]:
        at = self.world.workload_index(workload)
        return tuple(sorted(one.pod.name for one in self._residents if one.pod.workload == at))


def _path(body: Body) -> str:
    metadata = body["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def with_other(workloads: Sequence[WorkloadProfile]) -> list[WorkloadProfile]:
    """Return profiles with that of pods which belong to none of them."""
    return [*workloads, OTHER]
