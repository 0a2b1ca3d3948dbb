"""Whole lists, page by page."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from tasks.adapters.kubernetes.connection import Body, ClusterConnection
from tasks.adapters.kubernetes.errors import ExpiredError

PAGE = 1000
ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Objects of one kind.

    Attributes:
        items: All of them.
        version: From which a watch goes on.
    """

    items: list[Body]
    version: str


def list_all(connection: ClusterConnection, path: str, **query: str | int) -> Listed:
    """Return every object at a path; starts anew where the server forgot the later pages.

    Raises:
        InfraError: One of `tasks.adapters.kubernetes.errors`.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(ExpiredError):
            return _pages(connection, path, query)
    return _pages(connection, path, query)


def _pages(connection: ClusterConnection, path: str, query: dict[str, str | int]) -> Listed:
    items: list[Body] = []
    token = ""
    while True:
        page = connection.get(path, limit=PAGE, **{"continue": token}, **query)
        items += page.get("items") or []
        metadata = page.get("metadata") or {}
        token = metadata.get("continue", "")
        if not token:
            return Listed(items=items, version=metadata.get("resourceVersion", ""))
