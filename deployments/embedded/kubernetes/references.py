"""Which schemas of an OpenAPI document refer to which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deployments.embedded.kubernetes.api_types import REFERENCE


def with_referenced(known: Mapping[str, Any], wanted: Iterable[str]) -> set[str]:
    """Return the names of schemas, and of all that they refer to, by way of others too.

    Args:
        known: Schemas by name, without `REFERENCE`.
        wanted: Names to begin with.

    Raises:
        KeyError: One of them is not known.
    """
    found: set[str] = set()
    left = list(wanted)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _references(known[name])
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(REFERENCE)
        for one in schema.values():
            yield from _references(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from _references(one)
