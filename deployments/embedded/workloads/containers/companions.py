"""The other containers of pods: those that run before the first one, and those beside it.

They take no cores and no memory, and no request reaches them: what matters of them is whether they start,
end or crash, and that the first container waits for those before it. Their probes always pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from deployments.embedded.workloads.containers.lifecycle import advance
from deployments.embedded.workloads.containers.probing import Signs
from deployments.embedded.workloads.containers.specs import ContainerSpec, Facts, Rules, rules_of
from deployments.embedded.workloads.containers.table import (
    Happening,
    Phase,
    Reason,
    Table,
    new_table,
    running,
)
from deployments.embedded.workloads.physics.arrays import Bools, Ints
from deployments.embedded.workloads.physics.state import EXIT_CODES, Cause

CRASH_SECONDS, INIT_SECONDS = 1.0, 2.0
"""How long a program runs that crashes at its start, and one that has only something to prepare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A container of a pod that is not the first.

    Attributes:
        spec: As read; without probes.
        facts: What of that can be done.
        is_init: It is among the initContainers.
        stays: It runs as long as the pod; an init container only with a restart policy of its own.
    """

    spec: ContainerSpec
    facts: Facts
    is_init: bool
    stays: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Companions after a step.

    Attributes:
        table: One row for each companion.
        rules: Of the same rows.
        rows: Row of a pod to its companions, in their order, each with its row in the table.
        changes: (R,) how often something happened to the companions of each pod.
    """

    table: Table
    rules: Rules
    rows: Mapping[int, tuple[tuple[Companion, int], ...]]
    changes: Ints

    def is_done(self, companion: Companion, row: int) -> bool:
        """Return whether what comes after an init container may begin."""
        if companion.stays:
            return bool(running(self.table)[row])
        return bool(
            self.table.phase[row] == Phase.ENDED and self.table.reason[row] == Reason.COMPLETED
        )

    def waits(self, pod: int) -> bool:
        """Return whether the containers of a pod wait for one that runs before them."""
        found = self.rows.get(pod, ())
        return not all(self.is_done(one, row) for one, row in found if one.is_init)


@dataclass(slots=True)
class Companions:
    """Steps the companions of all pods."""

    now: Together = field(
        default_factory=lambda: Together(
            table=new_table(0), rules=rules_of((), ()), rows={}, changes=np.zeros(0, dtype=np.int64)
        )
    )
    _places: dict[tuple[str, str], int] = field(default_factory=dict)
    _uids: dict[str, int] = field(default_factory=dict)

    def set_pods(self, pods: Sequence[tuple[str, tuple[Companion, ...]]]) -> None:
        """Take other pods: uid and companions of each, in the order of their rows."""
        all_of = [(uid, one) for uid, companions in pods for one in companions]
        before = [self._places.get((uid, one.spec.name), -1) for uid, one in all_of]
        known = np.array([self._uids.get(uid, -1) for uid, _ in pods], dtype=np.int64)
        changes = np.zeros(len(pods), dtype=np.int64)
        changes[known >= 0] = self.now.changes[known[known >= 0]]
        self._places = {(uid, one.spec.name): at for at, (uid, one) in enumerate(all_of)}
        self._uids = {uid: row for row, (uid, _) in enumerate(pods)}
        self.now = Together(
            table=self.now.table.realigned(np.array(before, dtype=np.int64)),
            rules=rules_of([one.spec for _, one in all_of], [one.facts for _, one in all_of]),
            rows={
                row: tuple((one, self._places[uid, one.spec.name]) for one in companions)
                for row, (uid, companions) in enumerate(pods)
                if companions
            },
            changes=changes,
        )

    def step(
        self, *, now_seconds: float, machine_on: Bools, deleting: Bools
    ) -> tuple[tuple[Happening, ...], Bools]:
        """Step to an instant.

        Args:
            now_seconds: End of the step, Unix time.
            machine_on: (R,) the node of the pod runs.
            deleting: (R,) the pod has a deletion timestamp.

        Returns:
            What happened, with rows of pods, and (R,) whether the first container has to wait.
        """
        held = np.zeros(len(machine_on), dtype=bool)
        if not self.now.rows:
            return (), held
        pods = np.zeros(len(self._places), dtype=np.int64)
        for pod, companions in self.now.rows.items():
            pods[[row for _, row in companions]] = pod
        table, happened = advance(
            self.now.table,
            self.now.rules,
            _signs(self.now, machine_on[pods], now_seconds),
            now_seconds=now_seconds,
            deleting=deleting[pods],
            held=self._held(),
        )
        over = (table.phase == Phase.ENDED) & (table.reason == Reason.COMPLETED)
        table.until[over] = np.inf
        changes = self.now.changes.copy()
        np.add.at(changes, pods[np.flatnonzero(table.phase != self.now.table.phase)], 1)
        self.now = replace(self.now, table=table, changes=changes)
        for pod in self.now.rows:
            held[pod] = self.now.waits(pod)
        names = [one.name for one in self.now.rules.specs]
        told = tuple(
            replace(one, row=int(pods[one.row]), container=names[one.row]) for one in happened
        )
        return told, held

    def _held(self) -> Bools:
        """Return whether each companion waits for one before it."""
        held = np.zeros(len(self._places), dtype=bool)
        for companions in self.now.rows.values():
            waits = False
            for one, row in sorted(companions, key=lambda found: not found[0].is_init):
                held[row] = waits
                waits = waits or (one.is_init and not self.now.is_done(one, row))
        return held


def _signs(found: Together, machine_on: Bools, now: float) -> Signs:
    """Return what companions do: crash where their image does, end where they only prepare."""
    table, count = found.table, len(machine_on)
    age = now - table.started_at
    crashes = np.array([not one.image_ok for one in found.rules.facts], dtype=bool)
    stays = np.ones(count, dtype=bool)
    for companions in found.rows.values():
        for one, row in companions:
            stays[row] = one.stays
    exits = np.where(~stays & (age >= INIT_SECONDS), 0, -1)
    exits = np.where(
        crashes, np.where(age >= CRASH_SECONDS, EXIT_CODES[Cause.BAD_IMAGE], -1), exits
    )
    return Signs(
        exit_code=exits.astype(np.int64),
        cause=np.where(crashes, int(Cause.BAD_IMAGE), int(Cause.NONE)).astype(np.int64),
        health_seconds=np.zeros(count),
        refuses=np.zeros(count, dtype=bool),
        dependencies_failed=np.zeros(count),
        machine_on=machine_on,
    )
