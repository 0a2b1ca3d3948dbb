"""Objects of one kind as they are right now: one list, then one watch for as long as it is wanted.

The watch is taken up again where it broke off; where the server no longer knows the version, everything
is listed anew, and what went meanwhile is noticed as gone.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Self

from tasks.adapters.kubernetes.connection import Body, ClusterConnection
from tasks.adapters.kubernetes.errors import ExpiredError
from tasks.adapters.kubernetes.listing import list_all
from tasks.domain.errors import TransientError

Key = tuple[str, str]
"""Namespace, empty for kinds without, and name."""
WATCH_SECONDS = 300
SILENT_SECONDS = 330.0
"""Longer than the server is asked to watch: a connection that is silent for so long is dead."""
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Mirror:
    """A copy of all objects at a path, kept up to date by a thread of its own.

    Safe to read from several threads; what is returned must not be changed.

    Args:
        connection: To the cluster.
        path: Of the collection, for example /apis/apps/v1/deployments.
        pause: Waits some seconds, at most until told to end; returns whether to end.
    """

    def __init__(
        self,
        connection: ClusterConnection,
        path: str,
        *,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self._connection = connection
        self._path = path
        self._end = threading.Event()
        self._pause = pause or self._end.wait
        self._lock = threading.Lock()
        self._objects: dict[Key, Body] = {}
        self._by_owner: dict[str, set[Key]] = defaultdict(set)
        self._synced = threading.Event()
        self._version = ""
        self._thread = threading.Thread(target=self._run, name=f"mirror {path}", daemon=True)
        self.lists = 0
        self.watches = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()

    def wait(self, seconds: float) -> bool:
        """Wait until everything was listed once; return whether it was."""
        return self._synced.wait(seconds)

    def all(self) -> list[Body]:
        """Return every object."""
        with self._lock:
            return list(self._objects.values())

    def get(self, namespace: str, name: str) -> Body | None:
        """Return one object; None where there is none."""
        with self._lock:
            return self._objects.get((namespace, name))

    def owned_by(self, uid: str) -> list[Body]:
        """Return the objects that an object owns."""
        with self._lock:
            return [self._objects[key] for key in self._by_owner.get(uid, ())]

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._end.is_set():
            try:
                if not self._version:
                    self._list()
                self._watch()
                pause = FIRST_PAUSE_SECONDS
            except ExpiredError:
                self._version = ""
            except TransientError as error:
                _log.warning("cluster.watch.broken path=%s reason=%s", self._path, error)
                if self._pause(pause):
                    return
                pause = min(2.0 * pause, LONGEST_PAUSE_SECONDS)

    def _list(self) -> None:
        found = list_all(self._connection, self._path)
        self.lists += 1
        with self._lock:
            self._objects.clear()
            self._by_owner.clear()
            for item in found.items:
                self._put(item)
        self._version = found.version
        self._synced.set()

    def _watch(self) -> None:
        self.watches += 1
        said = self._connection.lines(
            self._path,
            read_seconds=SILENT_SECONDS,
            watch="true",
            allowWatchBookmarks="true",
            resourceVersion=self._version,
            timeoutSeconds=WATCH_SECONDS,
        )
        for line in said:
            if self._end.is_set():
                return
            self._take(line["type"], line["object"])

    def _take(self, what: str, item: Body) -> None:
        if what == "ERROR":
            msg = f"{self._path}: {item.get('message', 'the watch failed')}"
            raise ExpiredError(msg)
        with self._lock:
            if what == "DELETED":
                self._drop(_key(item))
            elif what in ("ADDED", "MODIFIED"):
                self._put(item)
        self._version = item["metadata"]["resourceVersion"]

    def _put(self, item: Body) -> None:
        key = _key(item)
        self._drop(key)
        self._objects[key] = item
        for uid in _owners(item):
            self._by_owner[uid].add(key)

    def _drop(self, key: Key) -> None:
        before = self._objects.pop(key, None)
        for uid in _owners(before or {}):
            self._by_owner[uid].discard(key)
            if not self._by_owner[uid]:
                del self._by_owner[uid]


def _key(item: Body) -> Key:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _owners(item: Body) -> Iterator[str]:
    for one in (item.get("metadata") or {}).get("ownerReferences") or ():
        yield one["uid"]
