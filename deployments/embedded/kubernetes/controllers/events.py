"""How long events stay: an hour after they were written last, and the newest only where there are many."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.objects import Objects
from deployments.embedded.kubernetes.store import Change, Happened

MOST = 5_000
"""Events of a cluster; etcd has no such bound, and more memory."""
KEPT_SECONDS = 3600.0
"""As kube-apiserver keeps them (--event-ttl)."""
ALL: Key = ("", "")


class Events(Controller):
    """Takes away old events, whoever wrote them.

    Args:
        objects: Of the cluster.
        now: Seconds that only grow.
    """

    every_seconds = 10.0

    def __init__(self, objects: Objects, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(objects)
        self._now = now
        self._written: OrderedDict[Key, float] = OrderedDict()

    def kinds(self) -> tuple[Kind, ...]:
        """Return events."""
        return (self.kind("", "v1", "events"),)

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Note when an event was written, and ask for a look when there are too many."""
        del kind
        key = happened.entry.key
        self._written.pop(key, None)
        if happened.change is not Change.DELETED:
            self._written[key] = self._now()
        return [ALL] if len(self._written) > MOST else ()

    def everything(self) -> Iterable[Key]:
        """Return one key for all events: only their order says which goes."""
        return [ALL]

    def reconcile(self, key: Key) -> float | None:
        """Take away what is too old or too much."""
        del key
        (kind,) = self.watched
        entries, now = self.objects.store.shelf(kind).entries, self._now()
        # More may have been written at once than is remembered.
        self._written |= {one: now for one in entries if one not in self._written}
        while self._written:
            oldest, since = next(iter(self._written.items()))
            if len(self._written) <= MOST and now - since < KEPT_SECONDS:
                break
            del self._written[oldest]
            if oldest in entries:
                self.objects.store.remove(kind, entries[oldest])
        return None
