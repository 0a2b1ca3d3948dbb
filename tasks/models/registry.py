"""One way to a model, for everything that uses one, and one way to change which one serves.

Reading promotes nothing. Writing stores bytes first, then moves a pointer under the lock of all
state, so two trainers at once, or one that is killed, leave a registry whose every pointer holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from logging import Logger, LoggerAdapter
from typing import Any, Generic, TypeVar

from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger

from blocks.models import ModelRegistry
from tasks.adapters.model_files import UnreadableModelError
from tasks.adapters.models import REFUSALS, check_name, load_model_state, store_model
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state, publish_state
from tasks.domain.models.registry import (
    ModelVersion,
    Registry,
    promoted,
    replaced,
    rolled_back,
    turned_down,
    with_challenger,
)
from tasks.models.documents import registry_of, short, with_registry

LONGEST_REASON = 500

M = TypeVar("M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(Generic[M]):
    """A model that can be used now.

    Attributes:
        model: As its reader made it.
        version: Which one it is.
        degraded_reason: Why it is not the champion; None where it is.
    """

    model: M
    version: ModelVersion
    degraded_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model that was just trained, and what is known of it.

    Attributes:
        state: Plain values with string keys; boosters as LightGBM's own text.
        kind: What can read it, for example "load/1".
        trained_at: Aware UTC.
        trained_by: Id of the run.
        data_sha256: Of the data that it was trained on.
        metrics: What its backtest said, by name; undefined ones are not kept.
    """

    state: Mapping[str, Any]
    kind: str
    trained_at: datetime
    trained_by: str
    data_sha256: str
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version that was stored, and the registry that knows of it.

    Attributes:
        version: What was stored.
        registry: As it stands now; the version is its champion where it is the first, its challenger
            where it waits, and neither where a later one waits or it was refused before.
    """

    version: ModelVersion
    registry: Registry


def served(
    storage: Storage,
    name: str,
    *,
    read: Callable[[Mapping[str, Any]], M],
    kinds: Collection[str],
) -> Served[M] | None:
    """Return the champion; where its bytes are refused, the latest earlier one that can be read.

    Args:
        storage: Where models lie.
        name: Of the model, for example "load-cpu".
        read: Makes the model from its state; whatever it raises is a refusal.
        kinds: What it can read.

    Returns:
        None where there is no model yet, and where none can be read: fit, or use the naive forecast.

    Raises:
        TransientError: The storage did not answer.
        PermanentError: The registry was written by a newer release.
    """
    registry = _registry(name)
    if registry.champion is None:
        return None
    why = ""
    for version in (registry.champion, *registry.previous):
        try:
            model = _read(storage, version, read=read, kinds=kinds)
        except REFUSALS as error:
            why = why or str(error)
            _log().error("models.refused name=%s version=%s reason=%s", name, short(version), error)
        else:
            return Served(model=model, version=version, degraded_reason=_degraded(version, why))
    _log().error("models.none_readable name=%s next=the caller does without", name)
    return None


def shadowed(
    storage: Storage,
    name: str,
    *,
    read: Callable[[Mapping[str, Any]], M],
    kinds: Collection[str],
) -> Served[M] | None:
    """Return the challenger, to forecast beside the champion; None where none waits or can be read.

    Raises:
        TransientError: The storage did not answer.
        PermanentError: The registry was written by a newer release.
    """
    return _beside(storage, name, _registry(name).challenger, read=read, kinds=kinds)


def served_before(
    storage: Storage,
    name: str,
    *,
    read: Callable[[Mapping[str, Any]], M],
    kinds: Collection[str],
    now: datetime,
) -> Served[M] | None:
    """Return the champion before a new one, to forecast beside it; None where there is none to read.

    Raises:
        TransientError: The storage did not answer.
        PermanentError: The registry was written by a newer release.
    """
    version = replaced(_registry(name), now=now)
    return _beside(storage, name, version, read=read, kinds=kinds)


def _beside(
    storage: Storage,
    name: str,
    version: ModelVersion | None,
    *,
    read: Callable[[Mapping[str, Any]], M],
    kinds: Collection[str],
) -> Served[M] | None:
    if version is None:
        return None
    try:
        model = _read(storage, version, read=read, kinds=kinds)
    except REFUSALS as error:
        _log().error("models.refused name=%s version=%s reason=%s", name, short(version), error)
        return None
    return Served(model=model, version=version)


def publish_challenger(
    storage: Storage, name: str, trained: Trained, *, now: datetime
) -> Published:
    """Store a model and let it wait as challenger, or serve where it is the first.

    Repeating it changes nothing: the same state has the same key and the same hash.

    Raises:
        UnstorableStateError: The state holds something else than plain values.
        TransientError: The storage did not answer, or another run held the lock for long.
    """
    stored = store_model(storage, trained.state, name=name, kind=trained.kind)
    version = ModelVersion(
        key=stored.key,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        kind=trained.kind,
        trained_at=trained.trained_at,
        trained_by=trained.trained_by,
        data_sha256=trained.data_sha256,
        code_version=metadata.version("homeostat"),
        metrics={key: one for key, one in trained.metrics.items() if math.isfinite(one)},
    )
    registry = _changed(
        name,
        lambda current: with_challenger(current, version, now=now),
        now=now,
        message=f"{short(version)} was published",
    )
    return Published(version=version, registry=registry)


def promote(name: str, sha256: str, *, reason: str, now: datetime) -> Registry:
    """Let a challenger serve; does nothing where another one waits by now."""
    return _changed(
        name,
        lambda current: promoted(current, sha256),
        now=now,
        message=f"{sha256[:12]} was promoted: {reason[:LONGEST_REASON]}",
    )


def turn_down(name: str, sha256: str, *, reason: str, now: datetime) -> Registry:
    """Drop a challenger for good; does nothing where another one waits by now."""
    reason = reason[:LONGEST_REASON]
    return _changed(
        name,
        lambda current: turned_down(current, sha256, reason=reason),
        now=now,
        message=f"{sha256[:12]} was turned down: {reason}",
    )


def roll_back(name: str, *, reason: str, now: datetime, serving: str | None = None) -> Registry:
    """Let the latest earlier champion serve again; the one that served is refused from now on.

    A challenger that waits begins its shadow period anew.

    Args:
        name: Of the model.
        reason: Kept with the version that is refused.
        now: Aware UTC.
        serving: Hash of the champion that was judged: where another one serves by now, for example
            because somebody else rolled back, nothing is done. None takes whichever serves.

    Raises:
        NoPreviousModelError: There is nothing to go back to.
    """
    reason = reason[:LONGEST_REASON]

    def change(current: Registry) -> Registry:
        champion = current.champion
        if serving is not None and (champion is None or champion.sha256 != serving):
            return current
        return rolled_back(current, name=name, reason=reason, now=now)

    return _changed(name, change, now=now, message=f"rolled back: {reason}")


def _registry(name: str) -> Registry:
    check_name(name)
    return registry_of(load_state(ModelRegistry, name))


def _read(
    storage: Storage,
    version: ModelVersion,
    *,
    read: Callable[[Mapping[str, Any]], M],
    kinds: Collection[str],
) -> M:
    state = load_model_state(storage, version, kinds=kinds)
    try:
        return read(state)
    except Exception as error:
        # What a reader raises for a state of another shape is its own matter, and LightGBM's.
        reason = f"its reader says {type(error).__name__}: {str(error)[:200]}"
        raise UnreadableModelError(version.key, reason=reason) from error


def _degraded(version: ModelVersion, why: str) -> str | None:
    if not why:
        return None
    return f"{short(version)} of {version.trained_at:%Y-%m-%d} serves for the champion: {why}"


def _changed(
    name: str, change: Callable[[Registry], Registry], *, now: datetime, message: str
) -> Registry:
    check_name(name)

    def on_document(block: ModelRegistry) -> ModelRegistry:
        before = registry_of(block)
        after = change(before)
        if after == before:
            _log().info("models.kept name=%s message=%s", name, message)
            return block
        _log().info("models.changed name=%s message=%s", name, message)
        return with_registry(block, after, now=now, message=message)

    return registry_of(publish_state(ModelRegistry, name, on_document))


def _log() -> Logger | LoggerAdapter[Logger]:
    """Return the run's log, or the program's where there is no run: the command's."""
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger("homeostat")
