"""Writes that wait for their turn: several at a time, each object's one after the other."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Hashable
from enum import IntEnum
from typing import Protocol

from deployments.embedded.workloads.kubelet.client import RefusedError

WORKERS = 32
RETRY_SECONDS = 1.0
_GONE, _CONFLICT = 404, 409
_ANOTHER, _THERE = "UID in ", "already exists"
"""What a conflict says that no further try resolves: a precondition names another object, or what was to
be made has been (apiserver, registry/rest/delete.go and api/errors)."""


class Rank(IntEnum):
    """What goes first: nodes whose leases wait are taken for lost, and nobody waits for an event."""

    NODE = 0
    POD = 1
    EVENT = 2


Send = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


class Wanting(Protocol):
    """Takes writes."""

    def want(self, key: Hashable, send: Send, *, rank: Rank) -> None:
        """Send soon, after what has a lower rank."""
        ...


class Writes:
    """A queue of writes with workers.

    A write says what to do when its turn comes, so that it can send what is true then. One that is wanted
    again before its turn is sent once.

    Args:
        retry_seconds: After a refusal that may pass.
    """

    def __init__(self, *, retry_seconds: float = RETRY_SECONDS) -> None:
        self._retry_seconds = retry_seconds
        self._waiting: dict[Hashable, tuple[Send, Rank]] = {}
        self._busy: set[Hashable] = set()
        self._turns: asyncio.PriorityQueue[tuple[Rank, int, Hashable]] = asyncio.PriorityQueue()
        self._numbers = itertools.count()
        self.done = 0
        self.failed = 0

    def __len__(self) -> int:
        """Return how many wait or are under way."""
        return len(self._waiting) + len(self._busy)

    def want(self, key: Hashable, send: Send, *, rank: Rank) -> None:
        """Send soon, in place of what waits under the same key, and after what has a lower rank."""
        if key not in self._waiting and key not in self._busy:
            self._take_turn(key, rank)
        self._waiting[key] = (send, rank)

    def _take_turn(self, key: Hashable, rank: Rank) -> None:
        self._turns.put_nowait((rank, next(self._numbers), key))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = (await self._turns.get())[2]
            send, rank = self._waiting.pop(key)
            self._busy.add(key)
            try:
                await send()
                self.done += 1
            except RefusedError as error:
                self._refused(key, send, rank, error)
            finally:
                self._busy.discard(key)
                if key in self._waiting:
                    self._take_turn(key, self._waiting[key][1])

    def _refused(self, key: Hashable, send: Send, rank: Rank, error: RefusedError) -> None:
        if error.transient or _may_pass(error):
            loop = asyncio.get_running_loop()
            loop.call_later(self._retry_seconds, self._again, key, send, rank)
            return
        if error.code not in (_GONE, _CONFLICT):
            self.failed += 1
            _log.warning("kubelet.write.refused code=%d reason=%s", error.code, error)

    def _again(self, key: Hashable, send: Send, rank: Rank) -> None:
        if key not in self._waiting:
            self.want(key, send, rank=rank)


def is_there(error: RefusedError) -> bool:
    """Return whether what was to be made has been made."""
    return error.code == _CONFLICT and _THERE in str(error)


def _may_pass(error: RefusedError) -> bool:
    """Return whether a refusal is a conflict with another writer, rather than about another object."""
    return error.code == _CONFLICT and _ANOTHER not in str(error) and not is_there(error)
