"""What is owned goes with its owner, before it or after it, as the deletion asks; namespaces likewise."""

from __future__ import annotations

from collections.abc import Iterable

from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.lifetimes import FOREGROUND, ORPHAN
from deployments.embedded.kubernetes.objects import Deletion
from deployments.embedded.kubernetes.store import Body, Change, Entry, Happened


class Collector(Controller):
    """Deletes what lost its owners. Keys are a kind's plural and group, and an owner's unique id."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return everything that can own or be owned."""
        self._going: dict[str, tuple[Kind, Key]] = {}
        return tuple(self.objects.kinds)

    async def run(self) -> None:
        """Work until cancelled, also on kinds that are defined meanwhile."""
        self.objects.kinds.listeners.append(self.follow)
        await super().run()

    def everything(self) -> Iterable[Key]:
        """Return nothing: only changes matter."""
        return []

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return an owner that went or is going, and what just got an owner that is not there."""
        entry = happened.entry
        if happened.change is Change.DELETED:
            return [("gone", entry.uid), *(("going", uid) for uid in entry.owners if uid)]
        found: list[Key] = [
            ("gone", uid) for uid in entry.owners if uid and happened.before is None
        ]
        if b'"deletionTimestamp"' in entry.data:
            found.append(("going", entry.uid))
            self._going[entry.uid] = (kind, entry.key)
        return found

    def reconcile(self, key: Key) -> float | None:
        """Bring what an owner's end asks for one step on."""
        what, uid = key
        if what == "gone":
            self._collect(uid)
        elif uid in self._going:
            self._let_go(uid)
        return None

    def _collect(self, uid: str) -> None:
        for kind in self.objects.kinds:
            for entry in list(self.objects.store.owned(kind, uid)):
                there = [one for one in _owners(entry) if self._exists(one, entry.namespace)]
                if not there:
                    self.objects.delete(kind, entry.namespace, entry.name, Deletion())
                elif len(there) < len(_owners(entry)):
                    self._disown(kind, entry, there)

    def _disown(self, kind: Kind, entry: Entry, kept: list[Body]) -> None:
        body = entry.body()
        if kept:
            body["metadata"]["ownerReferences"] = kept
        else:
            del body["metadata"]["ownerReferences"]
        self.objects.store.put(kind, body)

    def _exists(self, reference: Body, namespace: str) -> bool:
        group = reference["apiVersion"].rpartition("/")[0]
        for kind in self.objects.kinds:
            if (kind.name, kind.group) == (reference["kind"], group):
                place = namespace if kind.namespaced else ""
                found = self.objects.store.get(kind, place, reference["name"])
                return found is not None and found.uid == reference["uid"]
        return False

    def _let_go(self, uid: str) -> None:
        """Work off the finalizers by which a deletion says what becomes of dependents."""
        kind, place = self._going[uid]
        entry = self.objects.store.get(kind, *place)
        if entry is None or entry.uid != uid:
            del self._going[uid]
            return
        finalizers = entry.body()["metadata"].get("finalizers") or []
        dependents = [
            (one, found)
            for one in self.objects.kinds
            for found in self.objects.store.owned(one, uid)
        ]
        if ORPHAN in finalizers:
            for one, found in dependents:
                self._disown(one, found, [ref for ref in _owners(found) if ref["uid"] != uid])
            self._remove_finalizer(kind, entry, ORPHAN)
        elif FOREGROUND in finalizers:
            blocking = [(one, found) for one, found in dependents if _blocks(found, uid)]
            for one, found in blocking:
                if b'"deletionTimestamp"' not in found.data:
                    how = Deletion(propagation="Foreground")
                    self.objects.delete(one, found.namespace, found.name, how)
            if not any(_blocks(found, uid) for one, found in dependents if self._there(one, found)):
                self._remove_finalizer(kind, entry, FOREGROUND)

    def _there(self, kind: Kind, entry: Entry) -> bool:
        return self.objects.store.get(kind, *entry.key) is not None

    def _remove_finalizer(self, kind: Kind, entry: Entry, name: str) -> None:
        body = entry.body()
        left = [one for one in body["metadata"].get("finalizers") or () if one != name]
        body["metadata"]["finalizers"] = left
        if left or body["metadata"].get("deletionGracePeriodSeconds"):
            self.objects.store.put(kind, body)
        else:
            self.objects.finish(kind, entry)


def _owners(entry: Entry) -> list[Body]:
    return entry.body()["metadata"].get("ownerReferences") or []


def _blocks(entry: Entry, uid: str) -> bool:
    return any(one["uid"] == uid and one.get("blockOwnerDeletion") for one in _owners(entry))


class Namespaces(Controller):
    """Empties namespaces that are going, and then takes them away."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return namespaces, and everything that lives in one."""
        inside = tuple(kind for kind in self.objects.kinds if kind.namespaced)
        return self.kind("", "v1", "namespaces"), *inside

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return a namespace, or that of an object that went."""
        if kind is self.watched[0]:
            return [happened.entry.key]
        return [("", happened.entry.namespace)] if happened.change is Change.DELETED else []

    def reconcile(self, key: Key) -> float | None:
        """Delete what is in a namespace that is going, and the namespace when it is empty."""
        spaces = self.watched[0]
        entry = self.objects.store.get(spaces, *key)
        if entry is None or entry.fields["status.phase"] != "Terminating":
            return None
        left = False
        for kind in [one for one in self.objects.kinds if one.namespaced]:
            for found in list(self.objects.store.list(kind, entry.name)):
                _, gone = self.objects.delete(kind, found.namespace, found.name, Deletion())
                left = left or not gone
        if left or entry.body()["metadata"].get("finalizers"):
            return 0.5
        self.objects.finish(spaces, entry)
        return None
