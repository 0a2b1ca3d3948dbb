"""Writes that wait for their turn: several at a time, each object's one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol

from deployments.embedded.workloads.kubelet.client import RefusedError

WORKERS = 32
RETRY_SECONDS = 1.0
_EXPECTED = (404, 409)
"""The object is gone, or is another of that name: there is nothing left to write."""

Send = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


class Wanting(Protocol):
    """Takes writes."""

    def want(self, key: Hashable, send: Send) -> None:
        """Send soon."""
        ...


class Writes:
    """A queue of writes with workers.

    A write says what to do when its turn comes, so that it can send what is true then. One that is wanted
    again before its turn is sent once.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Send] = {}
        self._busy: set[Hashable] = set()
        self._turns: asyncio.Queue[Hashable] = asyncio.Queue()
        self.done = 0
        self.failed = 0

    def __len__(self) -> int:
        """Return how many wait or are under way."""
        return len(self._waiting) + len(self._busy)

    def want(self, key: Hashable, send: Send) -> None:
        """Send soon, in place of what waits under the same key."""
        if key not in self._waiting and key not in self._busy:
            self._turns.put_nowait(key)
        self._waiting[key] = send

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = await self._turns.get()
            send = self._waiting.pop(key)
            self._busy.add(key)
            try:
                await send()
                self.done += 1
            except RefusedError as error:
                self._refused(key, send, error)
            finally:
                self._busy.discard(key)
                if key in self._waiting:
                    self._turns.put_nowait(key)

    def _refused(self, key: Hashable, send: Send, error: RefusedError) -> None:
        if error.transient:
            loop = asyncio.get_running_loop()
            loop.call_later(RETRY_SECONDS, self._again, key, send)
            return
        self.failed += error.code not in _EXPECTED
        if error.code not in _EXPECTED:
            _log.warning("kubelet.write.refused code=%d reason=%s", error.code, error)

    def _again(self, key: Hashable, send: Send) -> None:
        if key not in self._waiting:
            self.want(key, send)
