"""Frozen values as JSON, and back; what was written by another release is refused, not guessed at."""

from __future__ import annotations

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from tasks.domain.errors import PermanentError

T = TypeVar("T")


class UnreadableDocumentError(PermanentError):
    """A stored document does not hold what this release expects."""

    def __init__(self, kind: type, *, reason: str) -> None:
        super().__init__(
            f"a stored {kind.__name__} cannot be read by this release: {reason}; "
            "run the flow that writes it again"
        )


def to_json(kind: type[T], value: T) -> bytes:
    """Return a dataclass as JSON; equal values give equal bytes."""
    content: bytes = TypeAdapter(kind).dump_json(value)
    return content


def from_json(kind: type[T], content: bytes) -> T:
    """Return the dataclass that `to_json` wrote.

    Raises:
        UnreadableDocumentError: It holds something else.
    """
    try:
        value: T = TypeAdapter(kind).validate_json(content)
    except ValidationError as error:
        raise UnreadableDocumentError(kind, reason=str(error.errors()[0]["msg"])) from error
    return value
