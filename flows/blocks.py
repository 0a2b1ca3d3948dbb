"""Blocks that a flow needs, with a message that helps where one is missing."""

from __future__ import annotations

from typing import TypeVar

from prefect.blocks.core import Block
from prefect.exceptions import ObjectNotFound

from tasks.domain.errors import PermanentError

B = TypeVar("B", bound=Block)


class NoSuchBlockError(PermanentError):
    """A run names a block that does not exist."""

    def __init__(self, kind: type[Block], name: str) -> None:
        self.name = name
        super().__init__(
            f"there is no block {kind.get_block_type_slug()}/{name}; create it in the UI (Blocks) "
            "or name another in the run's parameters"
        )


def block_of(kind: type[B], name: str) -> B:
    """Return a block that people keep.

    Raises:
        NoSuchBlockError: There is none of that name.
    """
    try:
        return kind.load(name)  # type: ignore[return-value]
    except ValueError as error:
        if not isinstance(error.__cause__, ObjectNotFound):
            raise
        raise NoSuchBlockError(kind, name) from error
