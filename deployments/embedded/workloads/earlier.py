"""The hours before a cluster was started: the same demonstration, in good health, stepped without a server."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deployments.embedded.workloads.containers.specs import facts_of, read_container
from deployments.embedded.workloads.engine import Engine, Pod, Tick
from deployments.embedded.workloads.manifests import deployment
from deployments.embedded.workloads.parts import Part
from deployments.embedded.workloads.physics.noise import key_of
from deployments.embedded.workloads.physics.profiles import Need, WorkloadProfile
from deployments.embedded.workloads.physics.world import World

COARSE_SECONDS, FINE_SECONDS = 60.0, 15.0
"""Of a step. No probe is missed that would matter to one who is well."""
FINE_HOURS = 2.0
"""So long before the end steps are fine: that is what people look at."""
AGE_SECONDS = 3.0 * 86_400.0
"""Of pods when the hours begin: their caches are full."""
START_STEPS, SETTLING_STEPS = 10, 10
"""Coarse ones, in which programs come up, and in which load becomes that of the hour."""
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Of which Kubernetes makes the ends of names."""


def earlier_pods(world: World, parts: Sequence[Part], *, created_seconds: float) -> list[Pod]:
    """Return the pods of an earlier roll-out, one node after the other.

    Args:
        world: With a profile for each part.
        parts: Whose replicas they are.
        created_seconds: Unix time.

    Raises:
        ValueError: A part has no profile in the world.
    """
    made: list[Pod] = []
    for part in parts:
        workload = world.workload_index(part.profile.name)
        if workload is None:
            msg = f"the world has no profile {part.profile.name}"
            raise ValueError(msg)
        spec = read_container(deployment(part)["spec"]["template"]["spec"])
        maps = {f"{part.name}-config": dict(part.config)}
        facts = facts_of(part.profile, spec, namespace=part.namespace, config_maps=maps)
        for number in range(part.replicas):
            name = f"{set_name(part)}-{_word(f'{part.profile.name}/{number}', 5)}"
            made.append(
                Pod(
                    uid=_uid(name),
                    namespace=part.namespace,
                    name=name,
                    workload=workload,
                    node=len(made) % len(world.nodes),
                    created_seconds=created_seconds,
                    spec=spec,
                    facts=facts,
                )
            )
    return made


def set_name(part: Part) -> str:
    """Return the name of the ReplicaSet of an earlier roll-out."""
    return f"{part.name}-{_word(part.profile.name, 9)}"


def _word(name: str, length: int) -> str:
    """Return letters that look drawn and are always the same."""
    left, letters = key_of(name, seed=length), []
    for _ in range(length):
        left, at = divmod(left, len(_LETTERS))
        letters.append(_LETTERS[at])
    return "".join(letters)


def _uid(name: str) -> str:
    digits = "".join(f"{key_of(name, seed=part):016x}" for part in range(2))
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def _has_to_wait(profile: WorkloadProfile) -> bool:
    return any(to.need is Need.CRASH for to in profile.dependencies)


class Earlier:
    """The demonstration before anybody saw it, a step at a time.

    Args:
        world: Of the cluster that is to be started: demand goes on where it was.
        parts: That are in it.
        first_seconds: Unix time from which steps are wanted.

    Attributes:
        pods: By row of the ticks.
        now: End of the last step, Unix time; a multiple of a minute, and of 15 s near the end.
    """

    def __init__(self, world: World, parts: Sequence[Part], *, first_seconds: float) -> None:
        self.now = math.ceil(first_seconds / COARSE_SECONDS) * COARSE_SECONDS
        self._engine = Engine(world)
        begin = self.now - AGE_SECONDS
        pods = earlier_pods(world, parts, created_seconds=begin)
        # What others cannot start without is there before them, so that nobody ever started again.
        first = [one for one in pods if not _has_to_wait(world.workloads[one.workload])]
        for at in range(2 * START_STEPS):
            self._engine.set_pods(first if at < START_STEPS else pods)
            self._settle(begin + (at + 1) * COARSE_SECONDS)
        # Of the days between, only the age matters.
        for left in reversed(range(SETTLING_STEPS)):
            self._settle(self.now - left * COARSE_SECONDS)
        self.pods = self._engine.pods

    def _settle(self, now: float) -> None:
        self._engine.step(now_seconds=now, step_seconds=COARSE_SECONDS)

    def step(self, until_seconds: float) -> Tick | None:
        """Take one step towards an instant.

        Args:
            until_seconds: Unix time; it may move on from call to call.

        Returns:
            What happened, `now` being its end; None when no whole step is left.
        """
        left = until_seconds - self.now
        seconds = COARSE_SECONDS if left > FINE_HOURS * 3600.0 else FINE_SECONDS
        if left < seconds:
            return None
        self.now += seconds
        return self._engine.step(now_seconds=self.now, step_seconds=seconds)
