"""Registrations of groups: whether the servers that answer for them do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from deployments.embedded.kubernetes.aggregation.aggregator import Aggregator
from deployments.embedded.kubernetes.aggregation.registrations import (
    ALWAYS,
    AVAILABLE,
    LOCAL,
    MANAGED,
    PLURAL,
    Registration,
    local,
    registration_of,
)
from deployments.embedded.kubernetes.controllers.loop import Controller, Key
from deployments.embedded.kubernetes.kinds import CRD, REGISTRATION, Kind
from deployments.embedded.kubernetes.objects import Deletion, Objects, Writer
from deployments.embedded.kubernetes.pods import set_condition
from deployments.embedded.kubernetes.store import Entry, Happened

FIRST_AGAIN_SECONDS, LAST_AGAIN_SECONDS = 0.1, 30.0
"""Before a server that did not answer is asked again; each time twice as long."""
WRITER = Writer(manager="kube-apiserver")


class Registrations(Controller):
    """Asks the other servers whether they are there, and registers what definitions add.

    Args:
        objects: Of the cluster.
        aggregator: Open, by which servers are asked.
    """

    every_seconds = 30.0

    def __init__(self, objects: Objects, aggregator: Aggregator) -> None:
        super().__init__(objects)
        self._aggregator = aggregator
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._again: dict[Key, float] = {}
        self._group: asyncio.TaskGroup | None = None

    def kinds(self) -> tuple[Kind, ...]:
        """Return registrations, services by which servers are found, and definitions."""
        return (
            self.kind(REGISTRATION, "v1", PLURAL),
            self.kind("", "v1", "services"),
            self.kind(CRD, "v1", "customresourcedefinitions"),
        )

    async def run(self) -> None:
        """Work until cancelled, and with that ask nobody any more."""
        async with asyncio.TaskGroup() as self._group:
            await super().run()

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return the registration, those of a service, or those of a definition's versions."""
        registrations, services, _ = self.watched
        entry = happened.entry
        if kind is registrations:
            return [entry.key]
        if kind is services:
            return [one.key for one in self.objects.store.list(registrations) if _is_by(one, entry)]
        spec = entry.body()["spec"]
        return [("", f"{one['name']}.{spec['group']}") for one in spec["versions"]]

    def reconcile(self, key: Key) -> float | None:
        """Begin to ask a server, or keep the registration of what is the server's own."""
        kind, name = self.watched[0], key[1]
        self._stop_asking(key)
        self._keep(name)
        entry = self.objects.store.get(kind, *key)
        if entry is None:
            self._aggregator.forget(name)
            self._again.pop(key, None)
            return None
        body = entry.body()
        registration = registration_of(body)
        if registration is None:
            self._aggregator.forget(name)
            if set_condition(body, AVAILABLE, "True", reason=LOCAL[0], message=LOCAL[1]):
                self.objects.store.put(kind, body)
            return None
        if self._group is not None:
            self._asking[key] = self._group.create_task(self._ask(key, registration))
        return None

    def _stop_asking(self, key: Key) -> None:
        task = self._asking.pop(key, None)
        if task is not None:
            task.cancel()

    async def _ask(self, key: Key, one: Registration) -> None:
        verdict = await self._aggregator.check(one)
        self._asking.pop(key, None)
        kind = self.watched[0]
        entry = self.objects.store.get(kind, *key)
        if entry is None:
            return
        body = entry.body()
        status = "True" if verdict.available else "False"
        if set_condition(body, AVAILABLE, status, reason=verdict.reason, message=verdict.message):
            self.objects.store.put(kind, body)
        if verdict.available:
            self._again.pop(key, None)
            return
        seconds = self._again.get(key, FIRST_AGAIN_SECONDS)
        self._again[key] = min(2 * seconds, LAST_AGAIN_SECONDS)
        asyncio.get_running_loop().call_later(seconds, self._look_at, [key])

    def _keep(self, name: str) -> None:
        """Register what a definition adds, and take that away again with it."""
        kind, _, definitions = self.watched
        version, _, group = name.partition(".")
        entry = self.objects.store.get(kind, "", name)
        defined = any(
            spec["group"] == group
            and any(one["name"] == version and one.get("served") for one in spec["versions"])
            for spec in (one.body()["spec"] for one in self.objects.store.list(definitions))
        )
        if defined and entry is None:
            self.objects.create(kind, "", local(group, version, ALWAYS), WRITER)
        elif entry is not None and not defined and entry.labels.get(MANAGED) == ALWAYS:
            self.objects.delete(kind, "", name, Deletion())


def _is_by(registration: Entry, service: Entry) -> bool:
    found = registration_of(registration.body())
    return found is not None and (found.namespace, found.service) == service.key
