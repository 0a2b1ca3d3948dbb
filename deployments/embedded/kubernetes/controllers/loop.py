"""How a controller works: told which objects changed, it brings one at a time to what is wanted."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable

from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.objects import Objects
from deployments.embedded.kubernetes.store import NOBODY, Body, Entry, Happened

Key = tuple[str, str]
AT_ONCE = 200
"""Objects looked at before requests get their turn."""

_log = logging.getLogger(__name__)


class Controller(ABC):
    """Keeps objects of one kind as they are wanted.

    Attributes:
        objects: Of the cluster.
        watched: Kinds whose changes matter.
        every_seconds: How often everything is looked at, whatever happened; None for never.
    """

    every_seconds: float | None = None

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.watched: tuple[Kind, ...] = self.kinds()
        self._dirty: dict[Key, None] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @abstractmethod
    def kinds(self) -> tuple[Kind, ...]:
        """Return the kinds whose changes matter, what is kept first."""

    @abstractmethod
    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return the keys of what has to be looked at after a change."""

    @abstractmethod
    def reconcile(self, key: Key) -> float | None:
        """Bring one object to what is wanted; return after how many seconds to look again, or None."""

    def everything(self) -> Iterable[Key]:
        """Return the keys of all objects that are kept."""
        return [entry.key for entry in self.objects.store.list(self.watched[0])]

    def kind(self, group: str, version: str, plural: str) -> Kind:
        """Return a kind that is built in."""
        return self.objects.kinds.built_in(group, version, plural)

    async def run(self) -> None:
        """Work until cancelled."""
        tasks = self._tasks = [asyncio.create_task(self._follow(kind)) for kind in self.watched]
        if self.every_seconds is not None:
            tasks.append(asyncio.create_task(self._tick(self.every_seconds)))
        try:
            self._look_at(self.everything())
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._work()
        finally:
            for one in tasks:
                one.cancel()

    def follow(self, kind: Kind) -> None:
        """Watch one more kind."""
        self._tasks.append(asyncio.create_task(self._follow(kind)))

    async def _work(self) -> None:
        done = 0
        while self._dirty:
            key = next(iter(self._dirty))
            del self._dirty[key]
            try:
                again = self.reconcile(key)
            except ApiError as error:
                # Something else changed it meanwhile, or it is gone: its change is told as well.
                _log.debug("controller.refused key=%s reason=%s", key, error)
                again = 1.0
            if again is not None:
                asyncio.get_running_loop().call_later(again, self._look_at, [key])
            done += 1
            if done % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _look_at(self, keys: Iterable[Key]) -> None:
        self._dirty |= dict.fromkeys(keys)
        if self._dirty:
            self._wake.set()

    async def _follow(self, kind: Kind) -> None:
        shelf, place = self.objects.store.shelf(kind), self.objects.store.version
        while True:
            waiting = shelf.waiting
            try:
                happened = shelf.since(place)
            except ApiError:
                place = self.objects.store.version
                self._look_at(self.everything())
                continue
            for one in happened:
                place = one.entry.version
                self._look_at(self.affected(kind, one))
            if not happened:
                await waiting.wait()

    async def _tick(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self._look_at(self.everything())


def owner_of(entry: Entry, kind: str) -> Key | None:
    """Return the key of the controller of an object, if it is of a kind."""
    if entry.owners is NOBODY:
        return None
    for one in entry.body()["metadata"].get("ownerReferences") or ():
        if one.get("controller") and one["kind"] == kind:
            return entry.namespace, one["name"]
    return None


def controller_reference(owner: Body, *, kind: str) -> Body:
    """Return how an object names the Deployment or ReplicaSet that made it."""
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
