"""What a plan has to be besides its three programs: they belong together, and people can read it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import Change, Phase, Refused
from tasks.domain.stacks.program import Program, StackPlan
from tasks.domain.stacks.source.checks import VALUE_LIMIT_BYTES, check_text
from tasks.domain.stacks.source.errors import ProgramRefusedError
from tasks.domain.stacks.source.program_checks import (
    check_change_id,
    check_place,
    check_program,
)


def check_plan(plan: StackPlan) -> None:
    """Refuse a plan that cannot be written, or would not mean what its values say.

    Raises:
        ProgramRefusedError: It names the place, the value, the limit and the next step.
    """
    check_place(plan.stack, plan.region)
    ids = _check_changes(plan.changes)
    for one in plan.refused:
        _check_refused(one)
    for phase in Phase:
        program = plan.program(phase)
        _check_belongs(program, plan, phase)
        check_program(program)
        _check_known(program, ids)
    for name, prices in plan.prices.items():
        for price in prices:
            _check_number(price, where=f"price of {name}")


def check_notes(notes: Sequence[str]) -> None:
    """Refuse a note that cannot be written."""
    for position, note in enumerate(notes, start=1):
        check_text(note, where=f"note {position}", limit_bytes=VALUE_LIMIT_BYTES)


def _check_changes(changes: Sequence[Change]) -> set[str]:
    ids: set[str] = set()
    for position, one in enumerate(changes, start=1):
        check_change_id(one.change_id, where=f"change {position}")
        where = f"change {one.change_id}"
        if one.change_id in ids:
            raise ProgramRefusedError(
                where=where,
                found=one.change_id,
                allowed="each change once in a stack",
                next_step="leave one of the two out",
            )
        ids.add(one.change_id)
        _check_kind(one.kind, where)
        texts = {"summary": one.summary, "owner": one.owner, "reason": one.reason}
        texts |= {"resource": one.resource, "region": one.region}
        texts |= {f"note {number}": note for number, note in enumerate(one.notes, start=1)}
        for name, text in texts.items():
            check_text(text, where=f"{where}, {name}", limit_bytes=VALUE_LIMIT_BYTES)
        savings = [one.saving] if one.later is None else [one.saving, one.later]
        numbers = [end for each in savings for end in (each.low, each.expected, each.high)]
        for number in (*numbers, one.disruption):
            _check_number(number, where=where)
    return ids


def _check_refused(one: Refused) -> None:
    _check_kind(one.kind, "a refused opportunity")
    for name, text in {"resource": one.resource, "region": one.region, "why": one.why}.items():
        check_text(text, where=f"a refused opportunity, {name}", limit_bytes=VALUE_LIMIT_BYTES)


def _check_belongs(program: Program, plan: StackPlan, phase: Phase) -> None:
    found = (program.stack, program.region, program.phase)
    if found != (plan.stack, plan.region, phase):
        raise ProgramRefusedError(
            where=f"the program of {phase}",
            found=" ".join(map(str, found)),
            allowed=f"{plan.stack} {plan.region} {phase}, as the plan",
            next_step="give the plan the programs of its own stack",
        )


def _check_known(program: Program, ids: set[str]) -> None:
    for one in program.resources:
        if one.change_id not in ids:
            raise ProgramRefusedError(
                where=f"resource {one.name}, change id",
                found=one.change_id,
                allowed="the id of a change of the plan",
                next_step="add the change, so that the README can say why",
            )
        if program.phase is Phase.ADOPT and one.import_id is None:
            raise ProgramRefusedError(
                where=f"resource {one.name}, import id",
                found="none",
                allowed="only what exists: adoption creates nothing",
                next_step="give its id, or declare it in the program of the change alone",
            )


def _check_kind(kind: object, where: str) -> None:
    if not isinstance(kind, Kind):
        raise ProgramRefusedError(
            where=f"{where}, kind",
            found=kind,
            allowed=", ".join(Kind),
            next_step="parse it with Kind(text)",
        )


def _check_number(value: float, *, where: str) -> None:
    if not math.isfinite(value):
        raise ProgramRefusedError(
            where=where,
            found=value,
            allowed="finite amounts",
            next_step="leave out what is not known",
        )
