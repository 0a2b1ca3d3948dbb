"""Which model serves, which one waits to replace it, and which one served before.

A registry of one model is a value; what happens to it is a function from one value to the next, so
that two trainers at once, a rollback during a shadow period and a repeated run have one answer
each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tasks.domain.errors import PermanentError

KEPT_PREVIOUS = 3
"""Earlier champions that can be brought back."""
COMPARED_FOR = timedelta(days=42)
"""After its training a champion is held to the one before it: a shadow period takes four weeks at
most, which leaves two of service at least. Then whatever served before is out of date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One trained model.

    Attributes:
        key: Where its bytes lie in the storage block.
        sha256: Of these bytes; what tells one version from another.
        size_bytes: Their length.
        kind: What can read it, for example "load/1"; changes when the stored form does.
        trained_at: Aware UTC.
        trained_by: Id of the run.
        data_sha256: Of the data that it was trained on.
        code_version: Of Homeostat, when it was trained.
        metrics: What its backtest said, by name.
    """

    key: str
    sha256: str
    size_bytes: int
    kind: str
    trained_at: datetime
    trained_by: str
    data_sha256: str
    code_version: str
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The versions of one model that matter.

    Attributes:
        champion: The one that serves; None before the first.
        challenger: The one in its shadow period: it forecasts, and nobody acts on it.
        shadow_since: When its shadow period beside this champion began.
        previous: Earlier champions, the latest first, at most KEPT_PREVIOUS.
        refused: Hash of each version that was tried and is never promoted again, with the reason.
    """

    champion: ModelVersion | None = None
    challenger: ModelVersion | None = None
    shadow_since: datetime | None = None
    previous: tuple[ModelVersion, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


class NoPreviousModelError(PermanentError):
    """There is nothing to roll back to."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"model {name!r} has no earlier champion to go back to; "
            "`homeostat models` lists what each one has"
        )


def with_challenger(current: Registry, version: ModelVersion, *, now: datetime) -> Registry:
    """Return the registry with a challenger, which is the champion where there is none yet.

    A version that serves, waits, served before or was refused changes nothing. Of two challengers
    the one trained later stays, by hash where they were trained at once, whoever comes last.
    """
    if version.sha256 in _known(current):
        return current
    if current.champion is None:
        return replace(current, champion=version)
    waiting = current.challenger
    if waiting is not None and _age(waiting) >= _age(version):
        return current
    return replace(current, challenger=version, shadow_since=now)


def promoted(current: Registry, sha256: str) -> Registry:
    """Return the registry after its challenger took over; another challenger changes nothing."""
    waiting = current.challenger
    if waiting is None or waiting.sha256 != sha256:
        return current
    return replace(
        current,
        champion=waiting,
        challenger=None,
        shadow_since=None,
        previous=_before(current),
    )


def turned_down(current: Registry, sha256: str, *, reason: str) -> Registry:
    """Return the registry without a challenger that is not better; another changes nothing."""
    waiting = current.challenger
    if waiting is None or waiting.sha256 != sha256:
        return current
    return replace(
        current,
        challenger=None,
        shadow_since=None,
        refused={**current.refused, sha256: reason},
    )


def rolled_back(current: Registry, *, name: str, reason: str, now: datetime) -> Registry:
    """Return the registry with its latest earlier champion serving again.

    The one that served is refused from now on. A challenger stays and begins its shadow period anew:
    the days so far compare it with a model that serves no more.

    Raises:
        NoPreviousModelError: There is none.
    """
    if not current.previous or current.champion is None:
        raise NoPreviousModelError(name)
    back, *older = current.previous
    return replace(
        current,
        champion=back,
        shadow_since=None if current.challenger is None else now,
        previous=tuple(older),
        refused={**current.refused, current.champion.sha256: reason},
    )


def replaced(current: Registry, *, now: datetime) -> ModelVersion | None:
    """Return the champion before this one, for as long as this one is held to it; None without."""
    champion = current.champion
    if champion is None or not current.previous or now - champion.trained_at > COMPARED_FOR:
        return None
    return current.previous[0]


def _known(current: Registry) -> set[str]:
    """Return the hashes of all versions that cannot become a challenger."""
    versions = (current.champion, current.challenger, *current.previous)
    return {one.sha256 for one in versions if one is not None} | set(current.refused)


def _age(version: ModelVersion) -> tuple[datetime, str]:
    return version.trained_at, version.sha256


def _before(current: Registry) -> tuple[ModelVersion, ...]:
    if current.champion is None:
        return current.previous
    return (current.champion, *current.previous)[:KEPT_PREVIOUS]
