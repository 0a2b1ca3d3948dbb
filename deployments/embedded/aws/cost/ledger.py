"""What was billed before: the past stays as it was when the present changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from deployments.embedded.aws.cost.snapshot import BilledInstance, BilledVolume


class Ledger:
    """Keeps one version of a resource for each way in which it was billed.

    A change, an end and a start count from the moment that they are seen. Tags are the exception: they hold for all
    versions, as if they had always been there.
    """

    def __init__(self) -> None:
        self._instances: dict[str, list[BilledInstance]] = {}
        self._volumes: dict[str, list[BilledVolume]] = {}

    def instances(self, seen: Iterable[BilledInstance], *, now: datetime) -> list[BilledInstance]:
        """Return every version of every instance so far, those of the past included.

        Args:
            seen: The instances that there are.
            now: When they were seen, never earlier than the last time.
        """
        present = {one.identity: one for one in seen}
        for identity, one in present.items():
            versions = self._instances.setdefault(identity, [one])
            _note_instance(versions, one, now)
        for identity in self._instances.keys() - present.keys():
            last = self._instances[identity][-1]
            if last.ended_at is None:
                self._instances[identity][-1] = replace(last, ended_at=now)
        return [one for versions in self._instances.values() for one in versions]

    def volumes(self, seen: Iterable[BilledVolume], *, now: datetime) -> list[BilledVolume]:
        """Return every version of every volume so far; as for instances."""
        present = {one.identity: one for one in seen}
        for identity, one in present.items():
            versions = self._volumes.setdefault(identity, [one])
            _note_volume(versions, one, now)
        for identity in self._volumes.keys() - present.keys():
            last = self._volumes[identity][-1]
            if last.ended_at is None:
                self._volumes[identity][-1] = replace(last, ended_at=now)
        return [one for versions in self._volumes.values() for one in versions]


def _note_instance(versions: list[BilledInstance], one: BilledInstance, now: datetime) -> None:
    last = versions[-1]
    if last.ended_at is not None:
        # A stopped instance costs nothing whatever its type: what counts is how it starts again.
        if one.ended_at is None:
            versions.append(_following(one, versions[0], now))
    elif _price_of(last) != _price_of(one):
        versions[-1] = replace(last, ended_at=now)
        versions.append(_following(one, versions[0], now))
    elif one.ended_at is not None:
        versions[-1] = replace(last, ended_at=now)
    versions[:] = [replace(version, tags=one.tags) for version in versions]


def _following(one: BilledInstance, first: BilledInstance, now: datetime) -> BilledInstance:
    return replace(one, launched_at=now, first_launched_at=first.launched_at)


def _price_of(one: BilledInstance) -> tuple[object, ...]:
    return one.instance_type, one.product, one.spot, one.group


def _note_volume(versions: list[BilledVolume], one: BilledVolume, now: datetime) -> None:
    last = versions[-1]
    if _cost_of(last) != _cost_of(one):
        versions[-1] = replace(last, ended_at=now)
        versions.append(replace(one, created_at=now, follows=True))
    versions[:] = [replace(version, tags=one.tags) for version in versions]


def _cost_of(one: BilledVolume) -> tuple[object, ...]:
    return one.kind, one.size_gib, one.iops, one.mib_per_second
