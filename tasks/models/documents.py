"""A registry as its block keeps it, and back."""

from __future__ import annotations

from datetime import datetime

from blocks.models import ModelEntry, ModelRegistry
from tasks.domain.models.registry import ModelVersion, Registry


def registry_of(block: ModelRegistry) -> Registry:
    """Return a document as the domain knows it."""
    return Registry(
        champion=_version(block.champion),
        challenger=_version(block.challenger),
        shadow_since=block.shadow_since,
        previous=tuple(one for one in map(_version, block.previous) if one is not None),
        refused=dict(block.refused),
    )


def with_registry(
    block: ModelRegistry, registry: Registry, *, now: datetime, message: str
) -> ModelRegistry:
    """Return a document with another registry in it."""
    return block.model_copy(
        update={
            "observed_at": now,
            "champion": _entry(registry.champion),
            "challenger": _entry(registry.challenger),
            "shadow_since": registry.shadow_since,
            "previous": [_entry(one) for one in registry.previous],
            "refused": dict(registry.refused),
            "message": message,
        }
    )


def short(version: ModelVersion) -> str:
    """Return what a version is called where people read."""
    return version.sha256[:12]


def _entry(version: ModelVersion | None) -> ModelEntry | None:
    if version is None:
        return None
    fields = {name: getattr(version, name) for name in ModelEntry.model_fields}
    return ModelEntry.model_validate(fields)


def _version(entry: ModelEntry | None) -> ModelVersion | None:
    if entry is None:
        return None
    return ModelVersion(**{name: getattr(entry, name) for name in ModelEntry.model_fields})
