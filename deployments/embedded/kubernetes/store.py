"""Objects with versions, and what happened to them, as bytes.

An object is kept encoded: ten thousand pods are then tens of megabytes instead of hundreds, a list is a
join, and nobody can change what is stored. What lists are narrowed by is kept beside it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson

from deployments.embedded.kubernetes.errors import expired
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.selectors import Selector, selectable_fields

REMEMBERED = 2_000
"""Changes of one kind that a watch can resume from."""

Body = dict[str, Any]
NOBODY = ("",)
"""Owners of what has none, so that those can be found as well."""


class Change(StrEnum):
    """What happened to an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of an object.

    Attributes:
        namespace: Empty for those without.
        name: In its namespace.
        uid: Of the object, whatever its version.
        version: Of the whole store when it was written.
        labels: Of the object.
        fields: What it can be selected by.
        owners: Unique ids of its owners; NOBODY for none.
        data: The object, encoded.
    """

    namespace: str
    name: str
    uid: str
    version: int
    labels: dict[str, str]
    fields: dict[str, str]
    owners: tuple[str, ...]
    data: bytes

    @property
    def key(self) -> tuple[str, str]:
        """Place among the objects of its kind; the order of lists."""
        return self.namespace, self.name

    def body(self) -> Body:
        """Return a copy of the object, to read or to change."""
        return orjson.loads(self.data)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Happened:
    """One change.

    Attributes:
        change: What it was.
        entry: The object afterwards; when deleted, as it was last.
        before: The object before; None when added.
    """

    change: Change
    entry: Entry
    before: Entry | None

    def told(self, change: Change) -> Entry:
        """Return the object to tell: what leaves somebody's sight, as it was when it was last in it."""
        if change is not Change.DELETED or self.change is Change.DELETED or self.before is None:
            return self.entry
        body = self.before.body()
        body["metadata"]["resourceVersion"] = str(self.entry.version)
        return replace(self.before, version=self.entry.version, data=orjson.dumps(body))

    def seen_by(self, labels: Selector, fields: Selector, namespace: str) -> Change | None:
        """Return what the change is to somebody who only sees some objects; None for nothing."""
        if namespace and self.entry.namespace != namespace:
            return None
        now = labels.fits(self.entry.labels) and fields.fits(self.entry.fields)
        if self.change is not Change.MODIFIED or self.before is None:
            return self.change if now else None
        then = labels.fits(self.before.labels) and fields.fits(self.before.fields)
        if now:
            return Change.MODIFIED if then else Change.ADDED
        return Change.DELETED if then else None


@dataclass(slots=True)
class Shelf:
    """All objects of one kind, and what happened to them last."""

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    log: deque[Happened] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    by_owner: dict[str, dict[tuple[str, str], None]] = field(default_factory=dict)
    dropped: int = 0
    """Version of the newest change that is no longer remembered."""
    version: int = 0
    """Of the last change."""
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    def since(self, version: int) -> list[Happened]:
        """Return the changes after a version, the oldest first.

        Raises:
            ApiError: 410 where some of them are no longer remembered.
        """
        if version < self.dropped:
            msg = f"too old resource version: {version} ({self.dropped})"
            raise expired(msg)
        found = []
        for happened in reversed(self.log):
            if happened.entry.version <= version:
                break
            found.append(happened)
        return found[::-1]


class Store:
    """Every object of a cluster.

    Attributes:
        version: Of the last write; writes count one up, whatever the kind.

    Args:
        version: To begin with, at least 1.
    """

    def __init__(self, *, version: int = 1) -> None:
        self.version = version
        self._forgotten = 0
        self._shelves: dict[tuple[str, str], Shelf] = {}

    def shelf(self, kind: Kind) -> Shelf:
        """Return where the objects of a kind are."""
        found = self._shelves.get(kind.key)
        if found is None:
            found = self._shelves[kind.key] = Shelf(dropped=self._forgotten)
        return found

    def forget(self) -> None:
        """Forget what happened until now: nobody goes on from before a server was there."""
        self._forgotten = self.version
        for shelf in self._shelves.values():
            shelf.log.clear()
            shelf.dropped = self.version

    def at(self, kind: Kind, version: int) -> dict[tuple[str, str], Entry]:
        """Return the objects of a kind as they were at an earlier version, by their keys.

        Raises:
            ApiError: 410 where that is no longer remembered.
        """
        shelf = self.shelf(kind)
        found = dict(shelf.entries)
        for happened in reversed(shelf.since(version)):
            if happened.before is None:
                found.pop(happened.entry.key, None)
            else:
                found[happened.entry.key] = happened.before
        return found

    def get(self, kind: Kind, namespace: str, name: str) -> Entry | None:
        """Return an object; None where there is none."""
        return self.shelf(kind).entries.get((namespace, name))

    def list(
        self, kind: Kind, namespace: str = "", *, labels: Selector | None = None,
        fields: Selector | None = None,
    ) -> Iterator[Entry]:  # fmt: skip
        """Yield the objects of a kind, of one namespace or of all, in no order."""
        for entry in list(self.shelf(kind).entries.values()):
            if namespace and entry.namespace != namespace:
                continue
            if labels and not labels.fits(entry.labels):
                continue
            if fields and not fields.fits(entry.fields):
                continue
            yield entry

    def owned(self, kind: Kind, uid: str) -> Iterator[Entry]:
        """Yield the objects of a kind that an object owns."""
        shelf = self.shelf(kind)
        for key in list(shelf.by_owner.get(uid, ())):
            yield shelf.entries[key]

    def put(self, kind: Kind, body: Body) -> Entry:
        """Write an object with its next version, and return it as it is stored."""
        before = self.get(kind, body["metadata"].get("namespace", ""), body["metadata"]["name"])
        entry, shelf = self._entry(kind, body), self.shelf(kind)
        shelf.entries[entry.key] = entry
        if before is not None and before.owners != entry.owners:
            _disown(shelf, before)
        for uid in entry.owners:
            shelf.by_owner.setdefault(uid, {})[entry.key] = None
        change = Change.ADDED if before is None else Change.MODIFIED
        self._note(kind, Happened(change, entry, before))
        return entry

    def remove(self, kind: Kind, entry: Entry) -> Entry:
        """Take an object away, and return it as it was last, with the version of its end."""
        last = self._entry(kind, entry.body())
        shelf = self.shelf(kind)
        _disown(shelf, shelf.entries.pop(entry.key))
        self._note(kind, Happened(Change.DELETED, last, entry))
        return last

    def _entry(self, kind: Kind, body: Body) -> Entry:
        self.version += 1
        metadata = body["metadata"]
        metadata["resourceVersion"] = str(self.version)
        return Entry(
            namespace=metadata.get("namespace", ""),
            name=metadata["name"],
            uid=metadata["uid"],
            version=self.version,
            labels=metadata.get("labels") or {},
            fields=selectable_fields(body, kind),
            owners=tuple(one["uid"] for one in metadata.get("ownerReferences") or ()) or NOBODY,
            data=orjson.dumps({"kind": kind.name, "apiVersion": kind.api_version} | body),
        )

    def _note(self, kind: Kind, happened: Happened) -> None:
        shelf = self.shelf(kind)
        if len(shelf.log) == REMEMBERED:
            shelf.dropped = shelf.log[0].entry.version
        shelf.log.append(happened)
        # Whoever waits holds the old event; those who come later wait for the next change.
        shelf.version = happened.entry.version
        shelf.waiting.set()
        shelf.waiting = asyncio.Event()


def _disown(shelf: Shelf, entry: Entry) -> None:
    for uid in entry.owners:
        owned = shelf.by_owner.get(uid, {})
        owned.pop(entry.key, None)
        if not owned:
            shelf.by_owner.pop(uid, None)
