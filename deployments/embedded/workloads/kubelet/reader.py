"""Objects of one kind as they are now: a list, and a watch for as long as it is wanted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from deployments.embedded.workloads.kubelet.client import Body, Client, RefusedError

Key = tuple[str, str]
"""Namespace and name."""
PAGE = "500"
WATCH_SECONDS = "300"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
_GONE = 410

_log = logging.getLogger(__name__)


class Reader:
    """Tells of every change of the objects at a path.

    Args:
        client: To the API server.
        path: Of the collection.
        tell: Called with the object before, None when it is new, and now, None when it is gone. One that
            was replaced by another of its name is told as gone first.
        query: Further parameters, such as a selector.
    """

    def __init__(
        self,
        client: Client,
        path: str,
        tell: Callable[[Body | None, Body | None], None],
        **query: str,
    ) -> None:
        self._client, self._path, self._tell, self._query = client, path, tell, query
        self._objects: dict[Key, Body] = {}
        self._version = ""
        self.listed = asyncio.Event()

    async def run(self) -> None:
        """List and watch until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                pause = FIRST_PAUSE_SECONDS
            except RefusedError as error:
                # Whoever answers next may be another server, whose versions mean something else.
                self._version = ""
                if error.code == _GONE:
                    continue
                _log.warning("kubelet.watch.broken path=%s reason=%s", self._path, error)
                await asyncio.sleep(pause)
                pause = min(2.0 * pause, LONGEST_PAUSE_SECONDS)

    async def _list(self) -> None:
        found: dict[Key, Body] = {}
        query = {"limit": PAGE, **self._query}
        while True:
            page = await self._client.get(self._path, query)
            found |= {_key(item): item for item in page.get("items") or ()}
            metadata = page["metadata"]
            if not metadata.get("continue"):
                break
            query["continue"] = metadata["continue"]
        for key in [key for key in self._objects if key not in found]:
            self._put(key, None)
        for key, item in found.items():
            self._put(key, item)
        self._version = metadata["resourceVersion"]
        self.listed.set()

    async def _watch(self) -> None:
        said = self._client.watch(
            self._path,
            allowWatchBookmarks="true",
            resourceVersion=self._version,
            timeoutSeconds=WATCH_SECONDS,
            **self._query,
        )
        async for line in said:
            item = line["object"]
            if line["type"] == "ERROR":
                raise RefusedError(item.get("code", _GONE), str(item.get("message")))
            if line["type"] != "BOOKMARK":
                self._put(_key(item), None if line["type"] == "DELETED" else item)
            self._version = item["metadata"]["resourceVersion"]

    def _put(self, key: Key, item: Body | None) -> None:
        before = self._objects.pop(key, None)
        if item is not None:
            self._objects[key] = item
            if before is not None and before["metadata"]["uid"] != item["metadata"]["uid"]:
                self._tell(before, None)
                before = None
        if before is not None or item is not None:
            self._tell(before, item)


def _key(item: Body) -> Key:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
