"""What every part of one step looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deployments.embedded.workloads.physics.arrays import Bools, Floats
from deployments.embedded.workloads.physics.effects import Effects, effects_of
from deployments.embedded.workloads.physics.faults import ActiveFault
from deployments.embedded.workloads.physics.noise import wander
from deployments.embedded.workloads.physics.state import Placement, State
from deployments.embedded.workloads.physics.world import World

NOISE_SECONDS = 30.0


@dataclass(slots=True, kw_only=True)
class Scene:
    """What every part of a step looks at; R replicas.

    Attributes:
        world: Profiles.
        placement: Of replicas, at the end of the step.
        state: At its beginning, new processes begun anew.
        effects: Of faults.
        of: (R,) numbers of the profiles by field.
        seconds: Length of the step.
        noise: (R,) slow, of unit size.
        alive: (R,) the process runs on a machine that runs.
        up: (R,) it had come up at the beginning of the step.
        answering: (R,) it answers whoever reaches it.
        reached: (R,) of those, others reach it.
    """

    world: World
    placement: Placement
    state: State
    effects: Effects
    of: dict[str, Floats]
    seconds: float
    noise: Floats
    alive: Bools
    up: Bools
    answering: Bools
    reached: Bools

    def per_workload(self, values: Floats | Bools) -> Floats:
        """Return (W,) sums over the replicas of each workload."""
        count = len(self.world.workloads)
        return np.bincount(self.placement.workload, values, count).astype(np.float64, copy=False)


def scene_of(
    world: World,
    state: State,
    placement: Placement,
    faults: Sequence[ActiveFault],
    *,
    now_seconds: float,
    step_seconds: float,
) -> Scene:
    """Return the scene of a step; arguments as of `step.step`."""
    effects = effects_of(world, placement, faults, now_seconds=now_seconds)
    of = world.per_replica(placement.workload)
    state = _begun(world, state, placement)
    alive = placement.running & effects.alive[placement.node]
    up = alive & (state.boot_seconds >= of["startup_seconds"] * effects.boot)
    answering = up & ~effects.locked & ~effects.down[placement.workload]
    return Scene(
        world=world,
        placement=placement,
        state=state,
        effects=effects,
        of=of,
        seconds=step_seconds,
        noise=wander(
            placement.key ^ world.seed_key, now_seconds, knot_seconds=NOISE_SECONDS, stream=5
        ),
        alive=alive,
        up=up,
        answering=answering,
        reached=answering & effects.serves[placement.node],
    )


def _begun(world: World, state: State, placement: Placement) -> State:
    """Return the state with the rows of processes that are new begun anew; disks stay."""
    new = state.restarts != placement.restarts
    if not new.any():
        return state
    most = np.minimum(placement.cpu_limit_cores, world.node_columns["cpu_cores"][placement.node])
    return replace(
        state,
        restarts=placement.restarts,
        boot_seconds=np.where(new, 0.0, state.boot_seconds),
        leaked_mib=np.where(new, 0.0, state.leaked_mib),
        deprived_seconds=np.where(new, 0.0, state.deprived_seconds),
        ceiling_cores=np.where(new, most, state.ceiling_cores),
    )
