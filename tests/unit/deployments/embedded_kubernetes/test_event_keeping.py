"""How long events are kept, and how many."""

from __future__ import annotations

import asyncio

from deployments.embedded.kubernetes.controllers.events import KEPT_SECONDS, MOST, Events
from deployments.embedded.kubernetes.kinds import Kinds
from deployments.embedded.kubernetes.objects import Objects, Writer
from deployments.embedded.kubernetes.store import Store

WRITER = Writer(manager="tests")


def made() -> Objects:
    objects = Objects(Store(), Kinds())
    spaces = objects.kinds.built_in("", "v1", "namespaces")
    objects.create(spaces, "", {"metadata": {"name": "default"}}, WRITER)
    return objects


def say(objects: Objects, name: str) -> None:
    kind = objects.kinds.built_in("", "v1", "events")
    about = {"kind": "Pod", "name": "p", "namespace": "default"}
    objects.create(kind, "default", {"metadata": {"name": name}, "involvedObject": about}, WRITER)


def count_up(objects: Objects, name: str) -> None:
    kind = objects.kinds.built_in("", "v1", "events")
    objects.patch(kind, "default", name, lambda body: body | {"count": 2}, WRITER)


def names(objects: Objects) -> list[str]:
    kind = objects.kinds.built_in("", "v1", "events")
    return sorted(one.name for one in objects.store.list(kind))


async def turns() -> None:
    """Let the controller do what it has to."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_events_that_clients_write_are_bounded_and_the_oldest_go_first() -> None:
    objects = made()

    async def work() -> None:
        task = asyncio.create_task(Events(objects).run())
        await turns()
        for at in range(MOST + 3):
            say(objects, f"e{at:05}")
            if at % 100 == 0:
                await turns()
        await turns()
        task.cancel()

    asyncio.run(work())

    assert names(objects) == [f"e{at:05}" for at in range(3, MOST + 3)]


def test_an_event_goes_an_hour_after_it_was_written_last() -> None:
    objects, now = made(), [0.0]

    async def work() -> list[list[str]]:
        keeper = Events(objects, now=lambda: now[0])
        task = asyncio.create_task(keeper.run())
        await turns()
        say(objects, "once")
        say(objects, "again")
        await turns()
        seen = []
        for seconds in (KEPT_SECONDS / 2, KEPT_SECONDS - 1.0, KEPT_SECONDS, 1.5 * KEPT_SECONDS):
            now[0] = seconds
            if seconds == KEPT_SECONDS / 2:
                count_up(objects, "again")
                await turns()
            keeper.reconcile(("", ""))
            await turns()
            seen.append(names(objects))
        task.cancel()
        return seen

    both = ["again", "once"]
    assert asyncio.run(work()) == [both, both, ["again"], []]
