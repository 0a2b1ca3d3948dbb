"""What a program has to be before it is written: names, order, and every value in it."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.domain.stacks.program import Program, Resource
from tasks.domain.stacks.source.checks import SHORT_LIMIT_BYTES, ValueChecks, check_text
from tasks.domain.stacks.source.errors import ProgramRefusedError
from tasks.domain.stacks.source.naming import (
    NAME_LETTERS,
    STACK_LETTERS,
    is_change_id,
    is_name,
    is_region,
    is_token,
    variable_of,
)

RESOURCES = 2000
"""Of one stack: an update of more is no longer read by anybody."""

_NAME = f"lower-case letters, digits and dashes between them, at most {NAME_LETTERS}"
_STACK = f"lower-case letters, digits and dashes between them, at most {STACK_LETTERS}"


def check_program(program: Program) -> None:
    """Refuse a program that cannot be written, or would not mean what its values say.

    Raises:
        ProgramRefusedError: It names the resource, the value, the limit and the next step.
    """
    check_place(program.stack, program.region)
    if len(program.resources) > RESOURCES:
        raise ProgramRefusedError(
            where=f"stack {program.stack}",
            found=len(program.resources),
            allowed=f"at most {RESOURCES:,} resources",
            next_step="select fewer changes, or split the region into stacks",
        )
    known: set[str] = set()
    variables: set[str] = set()
    adopted: dict[tuple[str, str], str] = {}
    for position, resource in enumerate(program.resources, start=1):
        _check_identity(resource, position, known)
        _check_variable(resource.name, variables)
        _check_options(resource, known, adopted)
        ValueChecks(resource=resource.name, known=known).check_inputs(resource.inputs)
        known.add(resource.name)
    _check_exports(program, known)


def check_place(stack: object, region: object) -> None:
    """Refuse a stack or a region that is not written like one."""
    if not is_name(stack, letters=STACK_LETTERS):
        raise _refused(stack, "stack", _STACK, "name the stack otherwise")
    if not is_region(region):
        raise _refused(region, f"stack {stack}, region", "like eu-west-1", "correct the region")


def check_change_id(found: object, *, where: str) -> None:
    """Refuse what is not the id of a change."""
    if not is_change_id(found):
        allowed = '"hs-" and 12 hexadecimal digits'
        raise _refused(found, f"{where}, change id", allowed, "take it from change_id()")


def _check_identity(resource: Resource, position: int, known: set[str]) -> None:
    name = resource.name
    if not is_name(name):
        raise _refused(name, f"resource {position}, name", _NAME, "name the resource otherwise")
    if name in known:
        allowed = "each name once in a stack"
        raise _refused(name, f"resource {position}, name", allowed, "name one of the two otherwise")
    if not is_token(resource.token):
        allowed = "a type like aws:ec2/instance:Instance"
        raise _refused(resource.token, f"resource {name}, type", allowed, "correct the type")
    check_change_id(resource.change_id, where=f"resource {name}")


def _check_variable(name: str, variables: set[str]) -> None:
    """Refuse a name that was cut to the same variable as another: somebody looked for it."""
    variable = variable_of(name)
    if variable in variables:
        allowed = "names that differ in the program"
        raise _refused(name, f"resource {name}", allowed, "name one of the two otherwise")
    variables.add(variable)


def _check_options(
    resource: Resource, known: set[str], adopted: dict[tuple[str, str], str]
) -> None:
    where = f"resource {resource.name}"
    if resource.import_id is not None:
        _check_short(resource.import_id, f"{where}, import id")
        other = adopted.setdefault((resource.token, resource.import_id), resource.name)
        if other != resource.name:
            allowed = f"each adopted once; {other} is the same one"
            raise _refused(resource.import_id, where, allowed, "leave one of the two out")
    for name in resource.depends_on:
        if name not in known:
            allowed = "names of resources that come before it"
            raise _refused(name, f"{where}, depends_on", allowed, "put the other resource first")
    for path in resource.ignore_changes:
        _check_short(path, f"{where}, ignore_changes")


def _check_exports(program: Program, known: set[str]) -> None:
    exports: Mapping[str, object] = program.exports
    for name in exports:
        _check_short(name, f"stack {program.stack}, export")
    checks = ValueChecks(resource="exports", known=known)
    for name, attribute in program.exports.items():
        checks.check_attribute(attribute, name)


def _check_short(text: object, where: str) -> None:
    check_text(text, where=where, limit_bytes=SHORT_LIMIT_BYTES)
    if not text:
        raise _refused(text, where, "at least one letter", "give it, or leave it out")


def _refused(found: object, where: str, allowed: str, next_step: str) -> ProgramRefusedError:
    return ProgramRefusedError(where=where, found=found, allowed=allowed, next_step=next_step)
