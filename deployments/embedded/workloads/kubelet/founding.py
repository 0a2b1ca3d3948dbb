"""What a cluster needs before anything can run in it: its nodes, and what its owners put there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from deployments.embedded.workloads.kubelet.client import Body, Client, RefusedError
from deployments.embedded.workloads.kubelet.owners import apply_missing
from deployments.embedded.workloads.kubelet.reader import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Reader,
)

_NAMESPACES, _LASTING = "/api/v1/namespaces", "kube-system"
_log = logging.getLogger(__name__)


class Founding:
    """Founds a cluster, and again each time that another one answers in its place.

    Clusters are told apart by the uid of their namespace kube-system, which nobody can delete: an API
    server that comes back with its objects is the same, one that kept them in memory is another.

    Args:
        client: To the API server; open.
        register: Makes the nodes known.
        manifests: Applied after that, where they are missing: pods of a cluster without nodes would
            all go to the first that comes.
    """

    def __init__(
        self,
        client: Client,
        *,
        register: Callable[[], Awaitable[None]],
        manifests: Sequence[dict[str, Any]],
    ) -> None:
        self._client, self._register, self._manifests = client, register, manifests
        self._cluster = ""
        self._another = asyncio.Event()
        self.done = asyncio.Event()
        """The first time is over."""

    async def run(self) -> None:
        """Found whatever answers, until cancelled.

        Raises:
            RefusedError: The first cluster does not let us.
        """
        # A reader would ask for ever, also of a server that does not know us.
        await self._until_taken(self._look)
        named = {"fieldSelector": f"metadata.name={_LASTING}"}
        watching = asyncio.create_task(Reader(self._client, _NAMESPACES, self._tell, **named).run())
        try:
            while True:
                await self._another.wait()
                self._another.clear()
                await self._until_taken(self._found)
                self.done.set()
        finally:
            watching.cancel()

    async def _look(self) -> None:
        await self._client.get(_NAMESPACES, {"limit": "1"})

    def _tell(self, _: Body | None, now: Body | None) -> None:
        if now is not None and now["metadata"]["uid"] != self._cluster:
            self._cluster = now["metadata"]["uid"]
            self._another.set()

    async def _found(self) -> None:
        await self._register()
        await apply_missing(self._client, self._manifests)

    async def _until_taken(self, ask: Callable[[], Awaitable[None]]) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await ask()
            except RefusedError as error:
                if not error.transient and not self.done.is_set():
                    raise
                _log.warning("kubelet.founding.refused reason=%s", error)
                await asyncio.sleep(pause)
                pause = min(2.0 * pause, LONGEST_PAUSE_SECONDS)
