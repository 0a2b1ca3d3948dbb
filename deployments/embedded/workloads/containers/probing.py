"""Probes of all containers at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from deployments.embedded.workloads.containers.specs import LIVENESS, READINESS, STARTUP, Rules
from deployments.embedded.workloads.containers.table import Happening, Phase, Table, What
from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints
from deployments.embedded.workloads.physics.state import Answer

FAILED_FRACTION = 0.5
"""An endpoint that calls its dependencies answers 503 when so many of those calls fail."""


class Outcome(IntEnum):
    """How a probe ended."""

    OK = 0
    TIMEOUT = 1
    REFUSED = 2
    NOT_FOUND = 404
    UNAVAILABLE = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a kubelet sees of its containers in a step; every array is (R,).

    Attributes:
        exit_code: Of processes that ended; -1 where none did.
        cause: Why.
        health_seconds: What an endpoint takes; infinite: no answer.
        refuses: Nobody listens yet.
        dependencies_failed: Fraction of calls to dependencies that fail.
        machine_on: The node runs.
    """

    exit_code: Ints
    cause: Ints
    health_seconds: Floats
    refuses: Bools
    dependencies_failed: Floats
    machine_on: Bools

    @classmethod
    def of(cls, answer: Answer, node: Ints) -> Signs:
        """Return what an answer of the physics shows of replicas on nodes."""
        return cls(
            exit_code=answer.exit_code,
            cause=answer.cause,
            health_seconds=answer.health_seconds,
            refuses=answer.refuses,
            dependencies_failed=answer.dependencies_failed,
            machine_on=answer.node_alive[node],
        )


def outcomes(rules: Rules, signs: Signs) -> Ints:
    """Return (R, 3) how each probe would end now."""
    slow = rules.http & (signs.health_seconds[:, None] > rules.timeout)
    refused = signs.refuses[:, None] | ~rules.port_ok
    away = rules.coupled & (signs.dependencies_failed[:, None] >= FAILED_FRACTION)
    found = np.where(away, int(Outcome.UNAVAILABLE), int(Outcome.OK))
    found = np.where(rules.found, found, int(Outcome.NOT_FOUND))
    # A locked process still has its socket: the kernel accepts, and only a page is waited for.
    found = np.where(slow, int(Outcome.TIMEOUT), found)
    return np.where(refused, int(Outcome.REFUSED), found).astype(np.int64)


def probe(
    table: Table, rules: Rules, signs: Signs, *, now_seconds: float, into: list[Happening]
) -> list[tuple[int, int]]:
    """Do the probes that are due, in place, and return (row, column) of those that kill.

    Args:
        table: Of which probes, `ready` and `started` are changed.
        rules: The probes.
        signs: What they see.
        now_seconds: When.
        into: Gets what happened.
    """
    on = (table.phase == Phase.RUNNING) & signs.machine_on
    due = rules.present & on[:, None] & (now_seconds >= table.probe_at)
    due[:, STARTUP] &= ~table.started
    # Until the startup probe has passed, the others wait.
    due[:, READINESS] &= table.started
    due[:, LIVENESS] &= table.started
    if due.any():
        found = outcomes(rules, signs)
        ok = found == Outcome.OK
        table.failed[:] = np.where(due, np.where(ok, 0, table.failed + 1), table.failed)
        table.passed[:] = np.where(due, np.where(ok, table.passed + 1, 0), table.passed)
        # After a pause the next is a period from now: probes are not made up for.
        planned = np.maximum(table.probe_at + rules.period, now_seconds)
        table.probe_at[:] = np.where(due, planned, table.probe_at)
        for row, column in zip(*np.nonzero(due & ~ok), strict=True):
            into.append(
                Happening(
                    row=int(row),
                    what=What.UNHEALTHY,
                    probe=int(column),
                    detail=str(int(found[row, column])),
                )
            )
    enough = due & (table.passed >= rules.successes)
    too_often = due & (table.failed >= rules.failures)
    table.started[:] |= enough[:, STARTUP]
    _set_ready(table, rules, enough, too_often, on=on, into=into)
    kills = np.flatnonzero(too_often[:, STARTUP] | too_often[:, LIVENESS])
    return [(int(row), STARTUP if too_often[row, STARTUP] else LIVENESS) for row in kills]


def _set_ready(
    table: Table,
    rules: Rules,
    enough: Bools,
    too_often: Bools,
    *,
    on: Bools,
    into: list[Happening],
) -> None:
    before = table.ready.copy()
    by_probe = (before | enough[:, READINESS]) & ~too_often[:, READINESS]
    after = np.where(rules.present[:, READINESS], by_probe, table.started)
    table.ready[:] = np.where(on, after & table.started, before)
    for row in np.flatnonzero(table.ready != before):
        what = What.READY if table.ready[row] else What.UNREADY
        into.append(Happening(row=int(row), what=what))
