"""A program that is refused, and how its values are quoted in the refusal."""

from __future__ import annotations

from tasks.domain.errors import PermanentError
from tasks.domain.stacks.source.letters import shown, visible

WHERE_LETTERS = 200
QUOTED_LETTERS = 60
"""Of a value that is refused; the rest is cut off."""


class ProgramRefusedError(PermanentError):
    """A value cannot be written into a program.

    Attributes:
        where: The resource, or the part of the plan, and the input.
        found: The value, shortened, with everything invisible made visible.
        allowed: The limit.
        next_step: What to do about it.
    """

    def __init__(self, *, where: str, found: object, allowed: str, next_step: str) -> None:
        self.where = visible(where[:WHERE_LETTERS])
        self.found = quoted(found)
        self.allowed = allowed
        self.next_step = next_step
        super().__init__(f"{self.where}: found {self.found}, allowed {allowed}; {next_step}")


def quoted(value: object) -> str:
    """Return a value on one line of visible letters, and cut where it is long."""
    if not isinstance(value, str):
        return visible(_repr(value)[:QUOTED_LETTERS])
    cut = shown(value[:QUOTED_LETTERS], quote='"')
    return f'"{cut}"' if len(value) <= QUOTED_LETTERS else f'"{cut}"... ({len(value):,} letters)'


def _repr(value: object) -> str:
    # Python refuses to write out a number of more than 4,300 digits.
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a number of {value.bit_length()} bits"
    return repr(value)
