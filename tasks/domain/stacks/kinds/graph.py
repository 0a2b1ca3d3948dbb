"""What resources of a program refer to, and an order in which each comes after that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tasks.domain.errors import PermanentError
from tasks.domain.stacks.program import Args, Attribute, Joined, JsonText, Program, Resource

_NAME = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*")
_MOST = 80


class InvalidProgramError(PermanentError):
    """A program does not hold together: a mistake here, and not in what was asked for."""


def referred(value: object) -> Iterator[str]:
    """Yield logical names of the resources whose outputs stand in an input."""
    if isinstance(value, Attribute):
        yield value.resource
    elif isinstance(value, Joined):
        yield from (one.resource for one in value.parts if isinstance(one, Attribute))
    elif isinstance(value, JsonText):
        yield from referred(value.document)
    elif isinstance(value, Args):
        yield from referred(value.fields)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from referred(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from referred(each)


def needs(resource: Resource) -> frozenset[str]:
    """Return logical names of what has to be there before a resource."""
    return frozenset((*resource.depends_on, *referred(resource.inputs)))


def in_order(resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """Return resources so that each comes after what it needs of them, else as they were.

    Raises:
        InvalidProgramError: They need each other in a circle.
    """
    names = {one.name for one in resources}
    left, done = list(resources), set[str]()
    found: list[Resource] = []
    while left:
        ready = next((one for one in left if not (needs(one) & names) - done), None)
        if ready is None:
            msg = f"{', '.join(sorted(one.name for one in left)[:3])} need each other"
            raise InvalidProgramError(msg)
        found.append(ready)
        done.add(ready.name)
        left.remove(ready)
    return tuple(found)


def checked(program: Program) -> Program:
    """Return a program whose names are valid and unique and whose references lead back.

    Raises:
        InvalidProgramError: They are not.
    """
    seen: set[str] = set()
    for one in program.resources:
        if not _NAME.fullmatch(one.name) or len(one.name) > _MOST:
            msg = f"{one.name[:100]!r} is no name: lower-case letters, digits, dashes, {_MOST} at most"
            raise InvalidProgramError(msg)
        if one.name in seen:
            msg = f"two resources of {program.stack} have the name {one.name}"
            raise InvalidProgramError(msg)
        _check_there(needs(one) - seen, one.name)
        seen.add(one.name)
    _check_there({one.resource for one in program.exports.values()} - seen, "an export")
    return program


def _check_there(missing: Iterable[str], what: str) -> None:
    for name in sorted(missing):
        msg = f"{what} refers to {name}, which does not come before it"
        raise InvalidProgramError(msg)
