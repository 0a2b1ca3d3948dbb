"""Events as the group events.k8s.io shows them; they are stored as those of the core group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.kubernetes.kinds import Kind

Body = dict[str, Any]
NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "count": "deprecatedCount",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
}
"""Core name to new name; all others are called the same."""
CORE_NAMES = {new: old for old, new in NAMES.items()}


def is_viewed(kind: Kind) -> bool:
    """Return whether objects of a kind are stored as another one."""
    return kind.stored_with is not None


def as_core(body: Mapping[str, Any]) -> Body:
    """Return a new event as the core group has it."""
    found = {CORE_NAMES.get(key, key): value for key, value in body.items()}
    found.setdefault("involvedObject", {})
    return found | {"kind": "Event", "apiVersion": "v1"}


def as_new(body: Mapping[str, Any]) -> Body:
    """Return an event of the core group as the new one has it."""
    found = {NAMES.get(key, key): value for key, value in body.items() if value not in ("", {})}
    found.setdefault("eventTime", None)
    return found | {"kind": "Event", "apiVersion": "events.k8s.io/v1"}
