"""What creating, changing and deleting an object does, whoever asks and over whatever wire."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from deployments.embedded.kubernetes import errors
from deployments.embedded.kubernetes.admission import admit, admit_deletion, charge
from deployments.embedded.kubernetes.api_types import type_of
from deployments.embedded.kubernetes.causes import required, wrong
from deployments.embedded.kubernetes.defaults import begin, fill_in
from deployments.embedded.kubernetes.kinds import SCALE, STATUS, Kind, Kinds
from deployments.embedded.kubernetes.lifetimes import (
    BORN_WITH_STATUS,
    CLEANUP,
    DEFINITION,
    FOREGROUND,
    KEPT,
    ORPHAN,
    check_namespace,
    grace_seconds,
    kept,
    may_go,
    wanted,
)
from deployments.embedded.kubernetes.ownership import APPLY, UPDATE, Manager, apply, note_update
from deployments.embedded.kubernetes.schemas import set_defaults
from deployments.embedded.kubernetes.store import Body, Entry, Store
from deployments.embedded.kubernetes.validation import check
from deployments.embedded.kubernetes.validation_changes import IMMUTABLE

SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names, which spell no words."""


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
        if (body.get("metadata") or {}).get("resourceVersion"):
            message = "resourceVersion should not be set on objects to be created"
            raise errors.unexplained(message)
        body.setdefault("metadata", {}).pop("managedFields", None)
        return self._made(kind, namespace, body, writer, self._manager(kind, writer))

    def replace(
        self, kind: Kind, namespace: str, name: str, body: Body, writer: Writer, *, part: str = ""
    ) -> tuple[Entry, bool]:
        """Store another version of an object, or of its status; return it, and whether it is new.

        Raises:
            ApiError: It is not there, rests on an old version, or is impossible.
        """
        if kind.made_by_put and not part and self.store.get(kind, namespace, name) is None:
            body.setdefault("metadata", {}).setdefault("name", name)
            return self.create(kind, namespace, body, writer), True
        before = self.get(kind, namespace, name)
        self._same(kind, namespace, name, body, before)
        if kind.needs_version and not (body.get("metadata") or {}).get("resourceVersion"):
            cause = wrong("metadata.resourceVersion", 0, "must be specified for an update")
            raise errors.invalid(kind.name, kind.group, name, [cause])
        return self._changed(kind, before, body, writer, part=part), False

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
        self._same(kind, namespace, name, body, before)
        return self._changed(kind, before, body, writer, part=part)

    def apply(
        self, kind: Kind, namespace: str, name: str, config: Body, writer: Writer, *, force: bool,
        part: str = "",
    ) -> tuple[Entry, bool]:  # fmt: skip
        """Apply what somebody wants an object to be; return it, and whether it is new.

        Raises:
            ApiError: 409 where somebody else wants something else.
        """
        metadata = config.setdefault("metadata", {})
        if metadata.get("managedFields"):
            message = "metadata.managedFields must be nil"
            raise errors.bad_request(message)
        if part == STATUS:
            config = {key: value for key, value in config.items() if key in ("metadata", "status")}
        elif STATUS in kind.subresources:
            config.pop("status", None)
        before = self.store.get(kind, namespace, name)
        if before is not None:
            self._same(kind, namespace, name, config, before)
        elif part:
            raise errors.not_found(kind.plural, kind.group, name)
        elif metadata.get("uid"):
            why = (
                f"uid mismatch: the provided object specified uid {metadata['uid']}, and no existing "
                "object was found"
            )
            raise errors.conflict(kind.plural, kind.group, name, why)
        manager = self._manager(kind, writer, operation=APPLY, part=part)
        live = None if before is None else before.body()
        merged = apply(config, live, manager, force=force, now=timestamp(), of=type_of(kind))
        if before is not None:
            return self._changed(kind, before, merged, writer, part=part, noted=True), False
        merged["metadata"].setdefault("name", name)
        return self._made(kind, namespace, merged, writer, None), True

    def delete(self, kind: Kind, namespace: str, name: str, how: Deletion) -> tuple[Entry, bool]:
        """Delete an object, or begin to; return it, and whether it is gone.

        Raises:
            ApiError: It is not there, not the one that is meant, or has to stay.
        """
        before = self.get(kind, namespace, name)
        self._meant(kind, before, how)
        admit_deletion(kind, name)
        body = before.body()
        metadata = body["metadata"]
        finalizers = list(metadata.get("finalizers") or ())
        if how.propagation in ("Foreground", "Orphan"):
            extra = FOREGROUND if how.propagation == "Foreground" else ORPHAN
            finalizers = [*(one for one in finalizers if one not in (FOREGROUND, ORPHAN)), extra]
        if kind.name == DEFINITION and "deletionTimestamp" not in metadata:
            finalizers.append(CLEANUP)
        grace = grace_seconds(kind, body, how.grace_seconds)
        holds = bool(finalizers) or kind.name == "Namespace" or grace > 0
        if how.dry_run:
            return before, not holds
        if not holds and kind.name != "Pod":
            return self.store.remove(kind, before), True
        since = metadata.get("deletionTimestamp")
        if since is None or grace < metadata.get("deletionGracePeriodSeconds", grace):
            until = datetime.now(UTC) + timedelta(seconds=grace)
            metadata |= {"deletionTimestamp": timestamp(until), "deletionGracePeriodSeconds": grace}
            if kind.generation and since is None:
                metadata["generation"] = metadata.get("generation", 0) + 1
        if finalizers:
            metadata["finalizers"] = finalizers
        if kind.name == "Namespace":
            metadata.pop("deletionGracePeriodSeconds", None)
            body["status"] = {**(body.get("status") or {}), "phase": "Terminating"}
        marked = self.store.put(kind, body) if body != before.body() else before
        # A pod is told to end, with no time for it, before it is gone.
        return (marked, False) if holds else (self.store.remove(kind, marked), True)

    def finish(self, kind: Kind, entry: Entry) -> None:
        """Take away an object that nothing holds any more."""
        if self.store.get(kind, entry.namespace, entry.name) is not None:
            self.store.remove(kind, entry)

    def _made(
        self, kind: Kind, namespace: str, body: Body, writer: Writer, manager: Manager | None
    ) -> Entry:
        metadata = self._identified(kind, namespace, body)
        name = metadata["name"]
        self._in_namespace(kind, namespace, name)
        for key in (*KEPT, "resourceVersion", "selfLink"):
            metadata.pop(key, None)
        metadata |= {"uid": str(uuid4()), "creationTimestamp": timestamp()}
        if kind.generation:
            metadata["generation"] = 1
        if STATUS in kind.subresources and kind.name not in BORN_WITH_STATUS:
            body.pop("status", None)
        self._fill_in(kind, body, None)
        if manager is not None:
            note_update(body, None, manager, now=timestamp(), of=type_of(kind))
        if not kind.custom:
            begin(kind.name, body)
        check(kind, body, None)
        if self.store.get(kind, namespace, name) is not None:
            raise errors.already_exists(kind.plural, kind.group, name)
        if not writer.dry_run:
            charge(self.store, self.kinds, kind, body)
        return self._stored(kind, body, dry_run=writer.dry_run)

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
        body = kept(kind, old, body, part=part)
        metadata = body["metadata"]
        if part != STATUS:
            self._fill_in(kind, body, old)
        if kind.generation and part != STATUS and wanted(body) != wanted(old):
            metadata["generation"] = old["metadata"].get("generation", 0) + 1
        if not noted:
            metadata["managedFields"] = old["metadata"].get("managedFields", [])
            manager = self._manager(kind, writer, part=part)
            note_update(body, old, manager, now=timestamp(), of=type_of(kind))
        check(kind, body, old, part=part)
        metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
        if body == old:
            return before
        if may_go(kind, metadata):
            if not writer.dry_run:
                return self.store.remove(kind, self.store.put(kind, body))
            return before
        return self._stored(kind, body, dry_run=writer.dry_run)

    def _fill_in(self, kind: Kind, body: Body, before: Body | None) -> None:
        if kind.custom:
            if kind.schema is not None:
                set_defaults(body, kind.schema)
            return
        fill_in(kind.name, body)
        admit(self.store, self.kinds, kind, body, before)

    def _stored(self, kind: Kind, body: Body, *, dry_run: bool) -> Entry:
        if not dry_run:
            return self.store.put(kind, body)
        tried = Store()
        tried.version = self.store.version - 1
        return tried.put(kind, body)

    def _identified(self, kind: Kind, namespace: str, body: Body) -> dict[str, Any]:
        metadata: dict[str, Any] = body.setdefault("metadata", {})
        if not metadata.get("name") and metadata.get("generateName"):
            letters = "".join(self._random.choices(SAFE, k=5))
            metadata["name"] = metadata["generateName"] + letters
        if not metadata.get("name"):
            cause = required("metadata.name", "name or generateName is required")
            raise errors.invalid(kind.name, kind.group, "", [cause])
        check_namespace(kind, namespace, metadata)
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

    def _same(self, kind: Kind, namespace: str, name: str, body: Body, before: Entry) -> None:
        """Refuse a write that means another object, or rests on another version of it."""
        metadata = body.get("metadata") or {}
        check_namespace(kind, namespace, metadata)
        if metadata.get("name", name) != name:
            message = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            raise errors.bad_request(message)
        version, uid = metadata.get("resourceVersion"), metadata.get("uid")
        if version and version != str(before.version):
            raise errors.conflict(kind.plural, kind.group, name, errors.MODIFIED)
        if uid and uid != before.uid:
            cause = wrong("metadata.uid", uid, IMMUTABLE)
            raise errors.invalid(kind.name, kind.group, name, [cause])

    def _meant(self, kind: Kind, before: Entry, how: Deletion) -> None:
        for called, said, there, happened in (
            ("UID", how.uid, before.uid, "deleted and then recreated"),
            ("ResourceVersion", how.version, str(before.version), "modified"),
        ):
            if said is not None and said != there:
                why = (
                    f"the {called} in the precondition ({said}) does not match the {called} in record "
                    f"({there}). The object might have been {happened}"
                )
                raise errors.conflict(kind.name, kind.group, before.name, why)

    def _manager(
        self, kind: Kind, writer: Writer, *, operation: str = UPDATE, part: str = ""
    ) -> Manager:
        return Manager(
            name=writer.manager,
            operation=operation,
            api_version=kind.api_version,
            subresource=part if part in (STATUS, SCALE) else "",
        )
