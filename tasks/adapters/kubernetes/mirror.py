"""Objects of one kind as they are right now: one list, then one watch for as long as it is wanted.

A watch that lasted as long as it was asked to is taken up where it ended. After any other end everything is
listed anew, and what went meanwhile is noticed as gone: behind the same address there may be another server
by now, or one that was restored, and a watch from a version that it has yet to reach says nothing at all.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Self

from tasks.adapters.kubernetes.connection import Body, ClusterConnection, Watch
from tasks.adapters.kubernetes.errors import ClusterUnreachableError, ThrottledError
from tasks.adapters.kubernetes.listing import list_all
from tasks.domain.errors import InfraError

Key = tuple[str, str]
"""Namespace, empty for kinds without, and name."""
WATCH_SECONDS = 300
SILENT_SECONDS = 330.0
"""Longer than the server is asked to watch: a connection that is silent for so long is dead."""
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
WHOLE_SHARE = 0.9
"""Of the time that a watch is asked for; one that ends earlier was ended by a server that goes away."""
JOIN_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Mirror:
    """A copy of all objects at a path, kept up to date by a thread of its own.

    Safe to read from several threads; what is returned must not be changed. Whoever decides by it first
    asks `failed` or `age_seconds`: while the cluster does not answer, the copy is what it was.

    Args:
        connection: To the cluster.
        path: Of the collection, for example /apis/apps/v1/deployments.
        pause: Waits some seconds, at most until told to end; returns whether to end.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        connection: ClusterConnection,
        path: str,
        *,
        pause: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._path = path
        self._end = threading.Event()
        self._pause = pause or self._end.wait
        self._clock = clock
        self._lock = threading.Lock()
        self._objects: dict[Key, Body] = {}
        self._by_owner: dict[str, set[Key]] = defaultdict(set)
        self._synced = threading.Event()
        self._version = ""
        self._failed: Exception | None = None
        self._heard_at = -math.inf
        self._watch: Watch | None = None
        self._eventful = False
        self._thread = threading.Thread(target=self._run, name=f"mirror {path}", daemon=True)
        self.lists = 0
        self.watches = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        with self._lock:
            if self._watch is not None:
                self._watch.close()
        self._thread.join(JOIN_SECONDS)

    @property
    def failed(self) -> Exception | None:
        """Why the copy may be behind; None while it follows the cluster."""
        return self._failed

    def age_seconds(self) -> float:
        """Return how long nothing was heard, which bookmarks keep to a minute or so; inf before the first list."""
        return self._clock() - self._heard_at

    def wait(self, seconds: float) -> bool:
        """Wait until everything was listed since the watch last failed; return whether it was."""
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
            begin, self._eventful = self._clock(), False
            try:
                if not self._version:
                    self._list()
                self._follow()
                pause = FIRST_PAUSE_SECONDS
            # The last three: what answers is no API server. Nobody would see the thread die of it.
            except (InfraError, LookupError, TypeError, AttributeError) as error:
                if self._end.is_set():
                    return
                self._fail(error)
                if self._eventful or self._clock() - begin > LONGEST_PAUSE_SECONDS:
                    pause = FIRST_PAUSE_SECONDS
                if self._pause(max(pause, _asked_for(error))):
                    return
                pause = min(2.0 * pause, LONGEST_PAUSE_SECONDS)

    def _fail(self, error: Exception) -> None:
        _log.warning("cluster.watch.broken path=%s reason=%s", self._path, error)
        self._failed = error
        self._synced.clear()
        self._version = ""

    def _list(self) -> None:
        found = list_all(self._connection, self._path)
        self.lists += 1
        with self._lock:
            self._objects.clear()
            self._by_owner.clear()
            for item in found.items:
                self._put(item)
        self._version = found.version
        self._heard_at = self._clock()
        self._failed = None
        self._synced.set()

    def _follow(self) -> None:
        self.watches += 1
        begin = self._clock()
        watch = self._connection.watch(
            self._path,
            read_seconds=SILENT_SECONDS,
            allowWatchBookmarks="true",
            resourceVersion=self._version,
            timeoutSeconds=WATCH_SECONDS,
        )
        with self._lock:
            self._watch = watch
            if self._end.is_set():
                watch.close()
        for line in watch:
            if self._end.is_set():
                return
            self._take(line["type"], line["object"])
        if self._clock() - begin < WHOLE_SHARE * WATCH_SECONDS:
            msg = f"{self._path}: the watch ended before its time"
            raise ClusterUnreachableError(msg)

    def _take(self, what: str, item: Body) -> None:
        with self._lock:
            if what == "DELETED":
                self._drop(_key(item))
            elif what in ("ADDED", "MODIFIED"):
                self._put(item)
        self._version = item["metadata"]["resourceVersion"]
        self._heard_at = self._clock()
        self._eventful = self._eventful or what != "BOOKMARK"

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


def _asked_for(error: Exception) -> float:
    if isinstance(error, ThrottledError | ClusterUnreachableError):
        return error.retry_after_seconds or 0.0
    return 0.0


def _key(item: Body) -> Key:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _owners(item: Body) -> Iterator[str]:
    for one in (item.get("metadata") or {}).get("ownerReferences") or ():
        yield one["uid"]
