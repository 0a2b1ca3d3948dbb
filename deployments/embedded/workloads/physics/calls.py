"""Calls between workloads: load flows down the edges, latency and failure flow back up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats, Ints
from deployments.embedded.workloads.physics.effects import Effects
from deployments.embedded.workloads.physics.world import World

PUBLISH_SECONDS = 0.002
"""Handing a message to a queue."""
RETRANSMISSION_SECONDS = 0.2
"""What a lost packet costs at least: the smallest time-out of TCP on Linux."""
PACKETS_TRIED = 3
"""A call fails when so many packets in a row are lost."""
_CIRCLE_ROUNDS = 8  # calls in a circle: what is left after so many turns is not worth counting
DRAIN_SECONDS = 60.0
"""A queue is worked off at this rate as long as there is capacity."""


def arrivals(
    world: World,
    effects: Effects,
    *,
    outside: Floats,
    taken: Floats,
    capacity: Floats,
    backlog: Floats,
    failed: Floats,
) -> Floats:
    """Return requests per second that reach each service, from outside and from callers.

    Args:
        world: Edges.
        effects: Of faults.
        outside: (W,) requests per second from outside.
        taken: (W,) fraction of requests that find a replica which answers.
        capacity: (W,) requests per second that all replicas can do.
        backlog: (W,) waiting in queues.
        failed: (S,) fraction of calls that failed in the last step; they are tried again.
    """
    edges = world.edges
    count = len(world.services)
    found: Floats = np.zeros(count)
    found[: len(outside)] = outside
    passes = (1.0 - effects.edge_refused) * (1.0 - effects.edge_loss**PACKETS_TRIED)
    passes *= ~effects.edge_cut
    each = edges.share * edges.calls * passes
    if edges.retries.any():
        each *= _attempts(1.0 - passes * (1.0 - failed[edges.target]), edges.retries)
    queued = backlog / DRAIN_SECONDS
    for rows in edges.rounds:
        found += _flow(world, rows, found, taken, queued, capacity, each)
    if edges.circular:
        everything = np.arange(len(edges.source))
        for _ in range(_CIRCLE_ROUNDS):
            flow = _flow(world, everything, found, taken, queued, capacity, each)
            found = np.append(outside, np.zeros(count - len(outside))) + flow
    return found


def _flow(
    world: World,
    rows: Ints,
    found: Floats,
    taken: Floats,
    queued: Floats,
    capacity: Floats,
    each: Floats,
) -> Floats:
    source = world.edges.source[rows]
    work = np.minimum(found[source] * taken[source] + queued[source], capacity[source])
    flow = np.bincount(world.edges.target[rows], work * each[rows], len(found))
    return flow.astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What callers find.

    Attributes:
        seconds: (S,) mean latency of a service, its dependencies included.
        passes: (S,) fraction of requests to a service that are answered well.
        dependency_seconds: (W,) what the dependencies of one request take.
        dependency_passes: (W,) fraction of requests that no dependency fails.
        worst_failed: (W,) fraction of calls that fail on its worst edge that matters.
        worst_crashing: (W,) the same over dependencies that it cannot be without.
        edge_failed: (E,) fraction of calls on an edge that fail, after retries.
    """

    seconds: Floats
    passes: Floats
    dependency_seconds: Floats
    dependency_passes: Floats
    worst_failed: Floats
    worst_crashing: Floats
    edge_failed: Floats


def quality(
    world: World, effects: Effects, *, seconds: Floats, passes: Floats, hangs: Floats
) -> Quality:
    """Return what callers find, from what each service does by itself.

    Args:
        world: Edges.
        effects: Of faults.
        seconds: (S,) latency without dependencies.
        passes: (S,) fraction of requests answered well, dependencies left out.
        hangs: (S,) fraction of requests that are never answered.
    """
    edges, count = world.edges, len(world.workloads)
    seconds, passes = seconds.copy(), np.where(effects.down, 0.0, passes)
    spent, log_passes = np.zeros(len(seconds)), np.zeros(len(seconds))
    worst, crashing = np.zeros(len(seconds)), np.zeros(len(seconds))
    edge_failed = np.zeros(len(edges.source))
    own, alone = seconds.copy(), passes.copy()
    lost = effects.edge_loss
    # Each lost packet is sent again; after so many the call has failed.
    resend = RETRANSMISSION_SECONDS * np.minimum(lost / np.maximum(1.0 - lost, 1e-3), 10.0)
    arrive = (1.0 - lost**PACKETS_TRIED) * (1.0 - effects.edge_refused) * ~effects.edge_cut
    # From the far end: every service is complete before anyone who calls it is looked at.
    for rows in reversed(edges.rounds):
        source, target, timeout = edges.source[rows], edges.target[rows], edges.timeout[rows]
        # The edge's own delay is fixed; the rest is random, and late with its exponential tail.
        fixed = np.minimum(effects.edge_seconds[rows], timeout)
        random = seconds[target] + resend[rows]
        late = np.exp(-(timeout - fixed) / random)
        took = fixed + random * (1.0 - late)
        took += hangs[target] * (timeout - took)
        took = np.where(effects.edge_cut[rows], timeout, took * (1.0 - effects.edge_refused[rows]))
        # Refused connections come back at once.
        took = np.where(effects.down[target] & ~effects.edge_cut[rows], 0.001, took)
        fails = 1.0 - passes[target] * (1.0 - late) * arrive[rows]
        queued = edges.queued[rows]
        took = np.where(queued & ~effects.edge_cut[rows], PUBLISH_SECONDS, took)
        handed = 1.0 - arrive[rows] * ~effects.down[target]
        fails = np.where(queued, handed, fails)
        took = took * _attempts(fails, edges.retries[rows])
        fails = fails ** (1.0 + edges.retries[rows])
        edge_failed[rows] = fails
        calls, share = edges.calls[rows], edges.share[rows]
        missed = share * (1.0 - (1.0 - fails) ** calls) * edges.fails[rows]
        spent += np.bincount(source, share * calls * took, len(spent))
        log_passes += np.bincount(source, np.log1p(-np.minimum(missed, 1 - 1e-12)), len(spent))
        np.maximum.at(worst, source, fails * edges.fails[rows])
        np.maximum.at(crashing, source, fails * edges.crashes[rows])
        seconds[source] = own[source] + spent[source]
        passes[source] = alone[source] * np.exp(log_passes[source])
    return Quality(
        seconds=seconds,
        passes=passes,
        dependency_seconds=spent[:count],
        dependency_passes=np.exp(log_passes[:count]),
        worst_failed=worst[:count],
        worst_crashing=crashing[:count],
        edge_failed=edge_failed,
    )


def _attempts(failed: Floats, retries: Floats) -> Floats:
    """Return how often a call is made: 1 + f + f^2 ... + f^retries."""
    # Near 1 the sum of the series is retries + 1, which the quotient would miss.
    safe = np.minimum(failed, 1.0 - 1e-6)
    found: Floats = (1.0 - safe ** (retries + 1.0)) / (1.0 - safe)
    return found
