"""The hours before a cluster was started: the same demonstration, in good health, stepped without a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deployments.embedded.workloads.containers.specs import facts_of, read_container
from deployments.embedded.workloads.engine import Engine, Pod, Tick
from deployments.embedded.workloads.manifests import deployment
from deployments.embedded.workloads.parts import Part
from deployments.embedded.workloads.physics.world import World

STEP_SECONDS = 60.0
"""Of those who are well: no probe is missed that would matter to them."""
WARM_UP_SECONDS, WARM_UP_STEP_SECONDS = 1_800.0, 5.0
"""Before the first hour programs start, and caches fill; starts are watched by quick probes."""
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
            name = f"{part.name}-{_word(workload, 9)}-{_word(workload * 97 + number + 1, 5)}"
            made.append(
                Pod(
                    uid=f"earlier-{len(made)}",
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


def _word(seed: int, length: int) -> str:
    """Return letters that look drawn and are always the same."""
    letters, state = [], seed * 2_654_435_761 + 12_345
    for _ in range(length):
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        letters.append(_LETTERS[(state >> 33) % len(_LETTERS)])
    return "".join(letters)


def earlier_ticks(
    world: World, parts: Sequence[Part], *, until_seconds: float, hours: float
) -> Iterator[tuple[float, Tick, tuple[Pod, ...]]]:
    """Yield steps of the hours before an instant: Unix time, what happened, and the pods.

    Args:
        world: Of the cluster that is to be started.
        parts: That are in it.
        until_seconds: When it starts, Unix time; the last step ends before.
        hours: Of which steps are wanted; 0 for none.
    """
    if hours <= 0.0:
        return
    first = until_seconds - hours * 3600.0
    now = first - WARM_UP_SECONDS
    engine = Engine(world)
    engine.set_pods(earlier_pods(world, parts, created_seconds=now))
    while now < first:
        now += WARM_UP_STEP_SECONDS
        engine.step(now_seconds=now, step_seconds=WARM_UP_STEP_SECONDS)
    while now + STEP_SECONDS < until_seconds:
        now += STEP_SECONDS
        yield now, engine.step(now_seconds=now, step_seconds=STEP_SECONDS), engine.pods
