"""What creating, changing and deleting an object does, whoever asks and over whatever wire."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from deployments.embedded.kubernetes import errors
from deployments.embedded.kubernetes.defaults import begin, fill_in
from deployments.embedded.kubernetes.kinds import SCALE, STATUS, Kind, Kinds
from deployments.embedded.kubernetes.ownership import APPLY, UPDATE, Manager, apply, note_update
from deployments.embedded.kubernetes.store import Body, Entry, Store
from deployments.embedded.kubernetes.validation import as_refusal, check, required

SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names, which spell no words."""
DEFAULT_GRACE_SECONDS = 30
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
FINISHED = frozenset({"Succeeded", "Failed"})
KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes, and how.

    Attributes:
        manager: Name under which the fields are owned.
        dry_run: Check everything and store nothing.
    """

    manager: str
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """How something is to be deleted.

    Attributes:
        grace_seconds: Given to a pod; None for what the pod says.
        propagation: Background, Foreground or Orphan; None for the default, the first.
        uid: What the object has to be, if that is said.
        version: The same.
        dry_run: Check everything and delete nothing.
    """

    grace_seconds: int | None = None
    propagation: str | None = None
    uid: str | None = None
    version: str | None = None
    dry_run: bool = False


def timestamp(when: datetime | None = None) -> str:
    """Return an instant, now by default, as objects write it."""
    return (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Objects:
    """The objects of a cluster.

    Attributes:
        store: Where they are.
        kinds: What they can be.
    """

    def __init__(self, store: Store, kinds: Kinds, *, seed: int = 20) -> None:
        self.store = store
        self.kinds = kinds
        self._random = random.Random(seed)  # noqa: S311 - for names, not for secrets

    def get(self, kind: Kind, namespace: str, name: str) -> Entry:
        """Return an object.

        Raises:
            ApiError: 404.
        """
        found = self.store.get(kind, namespace, name)
        if found is None:
            raise errors.not_found(kind.plural, kind.group, name)
        return found

    def create(self, kind: Kind, namespace: str, body: Body, writer: Writer) -> Entry:
        """Store a new object.

        Raises:
            ApiError: It is impossible, there is one of that name, or its namespace is not there.
        """
        metadata = self._identified(kind, namespace, body)
        self._in_namespace(kind, namespace, metadata["name"])
        if self.store.get(kind, namespace, metadata["name"]) is not None:
            raise errors.already_exists(kind.plural, kind.group, metadata["name"])
        for name in (*KEPT, "resourceVersion", "managedFields", "selfLink"):
            metadata.pop(name, None)
        metadata |= {"uid": str(uuid4()), "creationTimestamp": timestamp()}
        if kind.generation:
            metadata["generation"] = 1
        if STATUS in kind.subresources:
            body.pop("status", None)
        fill_in(kind.name, body)
        note_update(body, None, self._manager(kind, writer), now=timestamp())
        begin(kind.name, body)
        check(kind, body, None)
        return self._stored(kind, body, dry_run=writer.dry_run)

    def replace(
        self, kind: Kind, namespace: str, name: str, body: Body, writer: Writer, *, part: str = ""
    ) -> Entry:
        """Store another version of an object, or of its status.

        Raises:
            ApiError: It is not there, rests on an old version, or is impossible.
        """
        before = self.get(kind, namespace, name)
        self._same(kind, name, body, before)
        return self._changed(kind, before, body, writer, part=part)

    def patch(
        self, kind: Kind, namespace: str, name: str, change: Callable[[Body], Body],
        writer: Writer, *, part: str = "",
    ) -> Entry:  # fmt: skip
        """Store what a change makes of an object as it is now.

        Raises:
            ApiError: It is not there, or the result is impossible.
        """
        before = self.get(kind, namespace, name)
        old = before.body()
        body = change(old)
        self._same(kind, name, body, before)
        return self._changed(kind, before, body, writer, part=part)

    def apply(
        self, kind: Kind, namespace: str, name: str, config: Body, writer: Writer, *, force: bool,
        part: str = "",
    ) -> tuple[Entry, bool]:  # fmt: skip
        """Apply what somebody wants an object to be; return it, and whether it is new.

        Raises:
            ApiError: 409 where somebody else wants something else.
        """
        config.setdefault("metadata", {}).pop("managedFields", None)
        before = self.store.get(kind, namespace, name)
        if before is not None:
            self._same(kind, name, config, before)
        manager = self._manager(kind, writer, operation=APPLY, part=part)
        live = None if before is None else before.body()
        merged = apply(config, live, manager, force=force, now=timestamp())
        if before is not None:
            return self._changed(kind, before, merged, writer, part=part, noted=True), False
        owned = merged["metadata"].get("managedFields")
        metadata = self._identified(kind, namespace, merged, name=name)
        self._in_namespace(kind, namespace, name)
        metadata |= {"uid": str(uuid4()), "creationTimestamp": timestamp()}
        if kind.generation:
            metadata["generation"] = 1
        fill_in(kind.name, merged)
        begin(kind.name, merged)
        metadata["managedFields"] = owned
        check(kind, merged, None)
        return self._stored(kind, merged, dry_run=writer.dry_run), True

    def delete(self, kind: Kind, namespace: str, name: str, how: Deletion) -> tuple[Entry, bool]:
        """Delete an object, or begin to; return it, and whether it is gone.

        Raises:
            ApiError: It is not there, or not the one that is meant.
        """
        before = self.get(kind, namespace, name)
        self._meant(kind, before, how)
        body = before.body()
        metadata = body["metadata"]
        finalizers = list(metadata.get("finalizers") or ())
        if how.propagation in ("Foreground", "Orphan"):
            extra = FOREGROUND if how.propagation == "Foreground" else ORPHAN
            finalizers = [*(one for one in finalizers if one not in (FOREGROUND, ORPHAN)), extra]
        grace = _grace(kind, body, how)
        holds = bool(finalizers) or kind.name == "Namespace" or grace > 0
        if how.dry_run:
            return before, not holds
        if not holds:
            return self.store.remove(kind, before), True
        since = metadata.get("deletionTimestamp")
        shorter = since is None or grace < metadata.get("deletionGracePeriodSeconds", grace)
        if shorter:
            until = datetime.now(UTC) + timedelta(seconds=grace)
            metadata |= {"deletionTimestamp": timestamp(until), "deletionGracePeriodSeconds": grace}
            if kind.generation and since is None:
                metadata["generation"] = metadata.get("generation", 0) + 1
        if finalizers:
            metadata["finalizers"] = finalizers
        if kind.name == "Namespace":
            body["status"] = {**(body.get("status") or {}), "phase": "Terminating"}
        return (self.store.put(kind, body) if body != before.body() else before), False

    def finish(self, kind: Kind, entry: Entry) -> None:
        """Take away an object that nothing holds any more."""
        if self.store.get(kind, entry.namespace, entry.name) is not None:
            self.store.remove(kind, entry)

    def _changed(
        self,
        kind: Kind,
        before: Entry,
        body: Body,
        writer: Writer,
        *,
        part: str,
        noted: bool = False,
    ) -> Entry:
        old = before.body()
        body = _kept(kind, old, body, part=part)
        metadata = body["metadata"]
        fill_in(kind.name, body)
        if kind.generation and _wanted(body) != _wanted(old):
            metadata["generation"] = old["metadata"].get("generation", 0) + 1
        if not noted:
            metadata["managedFields"] = old["metadata"].get("managedFields", [])
            note_update(body, old, self._manager(kind, writer, part=part), now=timestamp())
        check(kind, body, old)
        metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
        if body == old:
            return before
        if _may_go(kind, metadata):
            if not writer.dry_run:
                return self.store.remove(kind, self.store.put(kind, body))
            return before
        return self._stored(kind, body, dry_run=writer.dry_run)

    def _stored(self, kind: Kind, body: Body, *, dry_run: bool) -> Entry:
        if not dry_run:
            return self.store.put(kind, body)
        tried = Store()
        tried.version = self.store.version - 1
        return tried.put(kind, body)

    def _identified(
        self, kind: Kind, namespace: str, body: Body, *, name: str | None = None
    ) -> dict[str, Any]:
        metadata: dict[str, Any] = body.setdefault("metadata", {})
        if name is not None:
            metadata.setdefault("name", name)
        if not metadata.get("name") and metadata.get("generateName"):
            letters = "".join(self._random.choices(SAFE, k=5))
            metadata["name"] = metadata["generateName"] + letters
        if not metadata.get("name"):
            cause = required("metadata.name", "Required value: name or generateName is required")
            raise as_refusal(kind, "", [cause])
        said = metadata.get("namespace")
        if kind.namespaced and said and said != namespace:
            message = "the namespace of the provided object does not match the namespace sent on the request"
            raise errors.bad_request(message)
        if kind.namespaced:
            metadata["namespace"] = namespace
        else:
            metadata.pop("namespace", None)
        body["apiVersion"], body["kind"] = kind.api_version, kind.name
        return metadata

    def _in_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        if not kind.namespaced:
            return
        place = self.kinds.built_in("", "v1", "namespaces")
        found = self.store.get(place, "", namespace)
        if found is None:
            raise errors.not_found(place.plural, place.group, namespace)
        if found.fields.get("status.phase") == "Terminating":
            message = (
                f'{errors.resource_name(kind.plural, kind.group)} "{name}" is forbidden: unable to create '
                f"new content in namespace {namespace} because it is being terminated"
            )
            causes = [
                {
                    "reason": "NamespaceTerminating",
                    "message": f"namespace {namespace} is being terminated",
                    "field": "metadata.namespace",
                }
            ]
            details = {"name": name, "kind": kind.plural, "causes": causes}
            raise errors.ApiError(403, "Forbidden", message, details=details)

    def _same(self, kind: Kind, name: str, body: Body, before: Entry) -> None:
        """Refuse a write that means another object, or rests on another version of it."""
        metadata = body.get("metadata") or {}
        if metadata.get("name", name) != name:
            message = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            raise errors.bad_request(message)
        version, uid = metadata.get("resourceVersion"), metadata.get("uid")
        if version and version != str(before.version):
            raise errors.conflict(kind.plural, kind.group, name, errors.MODIFIED)
        if uid and uid != before.uid:
            why = (
                f"Precondition failed: UID in precondition: {uid}, UID in object meta: {before.uid}"
            )
            raise errors.conflict(kind.plural, kind.group, name, why)

    def _meant(self, kind: Kind, before: Entry, how: Deletion) -> None:
        if how.uid is not None and how.uid != before.uid:
            why = f"the UID in the precondition ({how.uid}) does not match the UID in record ({before.uid}). The object might have been deleted and then recreated"
            raise errors.conflict(kind.plural, kind.group, before.name, why)
        if how.version is not None and how.version != str(before.version):
            why = f"the ResourceVersion in the precondition ({how.version}) does not match the ResourceVersion in record ({before.version}). The object might have been modified"
            raise errors.conflict(kind.plural, kind.group, before.name, why)

    def _manager(
        self, kind: Kind, writer: Writer, *, operation: str = UPDATE, part: str = ""
    ) -> Manager:
        return Manager(
            name=writer.manager,
            operation=operation,
            api_version=kind.api_version,
            subresource=part if part in (STATUS, SCALE) else "",
        )


def _kept(kind: Kind, old: Body, body: Body, *, part: str) -> Body:
    """Return what a write is, with everything that it may not change as it was."""
    metadata = body.setdefault("metadata", {})
    if part == STATUS:
        # Beside a status only what people say about an object may change.
        said = {key: metadata.get(key) for key in ("labels", "annotations", "managedFields")}
        known = {key: value for key, value in said.items() if value is not None}
        return {**old, "status": body.get("status") or {}, "metadata": {**old["metadata"], **known}}
    if STATUS in kind.subresources:
        if "status" in old:
            body["status"] = old["status"]
        else:
            body.pop("status", None)
    for name in KEPT:
        if name in old["metadata"]:
            metadata[name] = old["metadata"][name]
        else:
            metadata.pop(name, None)
    metadata["name"] = old["metadata"]["name"]
    if kind.namespaced:
        metadata["namespace"] = old["metadata"]["namespace"]
    body["apiVersion"], body["kind"] = kind.api_version, kind.name
    return body


def _wanted(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of an object that say what is wanted."""
    return {k: v for k, v in body.items() if k not in ("metadata", "status", "apiVersion", "kind")}


def _grace(kind: Kind, body: Body, how: Deletion) -> int:
    if kind.name != "Pod":
        return 0
    spec, status = body.get("spec") or {}, body.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in FINISHED:
        return 0
    if how.grace_seconds is not None:
        return how.grace_seconds
    return int(spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS))


def _may_go(kind: Kind, metadata: Mapping[str, Any]) -> bool:
    """Return whether an object waits for its deletion and nothing holds it."""
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    return kind.name != "Namespace" and not metadata.get("deletionGracePeriodSeconds")
