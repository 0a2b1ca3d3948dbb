"""The page that a reviewer reads first: what is changed, why, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tasks.domain.savings.money import Usd
from tasks.domain.stacks.changes import Change, Phase, Refused
from tasks.domain.stacks.program import Program, Resource, StackPlan
from tasks.domain.stacks.source.leaves import Difference, differences, is_label
from tasks.domain.stacks.source.markdown import code, prose

LINES = 40
"""Inputs shown of one resource; the program has all of them."""
HEADING_LETTERS = 200


def readme_text(plan: StackPlan, *, notes: Sequence[str] = ()) -> str:
    """Return the README of a checked plan.

    Args:
        plan: What the stack is.
        notes: What else a reader should know, for example where the prices were read.
    """
    count = len(plan.changes)
    saving = Usd.total(change.saving for change in plan.changes)
    lines = [
        f"# Stack {plan.stack}",
        "",
        f"{count} {'change' if count == 1 else 'changes'} in {plan.region}; "
        f"together they save {money(saving)}.",
        "",
        *_by_hand(plan.stack),
        *_kept(plan),
        *_overview(plan.changes),
        *_changes(plan),
        *_refused(plan.refused),
        *_notes(notes),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def money(amount: Usd) -> str:
    """Return an amount with its range, for example "70.08 USD a month (60.00 to 75.00)"."""
    return f"{amount.expected:,.2f} USD a month ({amount.low:,.2f} to {amount.high:,.2f})"


def _by_hand(stack: str) -> Iterator[str]:
    yield from (
        "## By hand",
        "",
        "There are three programs of one stack: `adopt/` takes in what exists, the one in this "
        "folder makes the changes, `undo/` brings back what was.",
        "`diff adopt/__main__.py __main__.py` shows exactly the change.",
        "",
        "```sh",
        "python -m venv .venv && . .venv/bin/activate && pip install -r requirements.txt",
        f"pulumi stack select --create {stack}",
        f"pulumi -C adopt up --stack {stack}    # look first: it may show imports and nothing else",
        f"pulumi preview --diff --stack {stack}",
        f"pulumi up --stack {stack}",
        f"pulumi -C undo up --stack {stack}     # if need be",
        "```",
        "",
    )


def _kept(plan: StackPlan) -> Iterator[str]:
    """Say what becomes of what exists when a stack is destroyed, as the programs have it."""
    adopted = [one for phase in Phase for one in plan.program(phase).resources if one.adopted]
    loose = dict.fromkeys(
        code(one.name) for one in adopted if not (one.protect and one.retain_on_delete)
    )
    if adopted and not loose:
        yield from (
            "What was adopted is protected and stays in the account when it leaves the stack: "
            "`pulumi destroy` deletes none of it.",
            "",
        )
    elif loose:
        yield from (
            "**Not protected, or deleted when it leaves the stack**, though it was there before: "
            f"{', '.join(loose)}.",
            "",
        )


def _overview(changes: Sequence[Change]) -> Iterator[str]:
    yield from ("## Changes", "")
    if not changes:
        yield from ("There are none.", "")
        return
    yield "| Change | Kind | Saves, USD a month | Restart | Can be undone | Disruption |"
    yield "|---|---|--:|---|---|--:|"
    for one in changes:
        cells = (
            one.change_id,
            str(one.kind),
            f"{one.saving.expected:,.2f}",
            "yes" if one.restart else "no",
            "yes" if one.reversible else "**no**",
            f"{one.disruption:.2f}",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _changes(plan: StackPlan) -> Iterator[str]:
    before, after = _by_name(plan.adopt), _by_name(plan.change)
    names: dict[str, list[str]] = {}
    for name, resource in {**before, **after}.items():
        names.setdefault(resource.change_id, []).append(name)
    for change in plan.changes:
        yield from _change(change)
        for name in names.get(change.change_id, ()):
            yield from _resource(before.get(name), after.get(name), plan.prices)
        yield ""


def _change(one: Change) -> Iterator[str]:
    undo = "the program in `undo/` brings everything back" if one.reversible else "**not possible**"
    rest = f": {prose(one.summary)}" if len(one.summary) > HEADING_LETTERS else ""
    yield from (
        f"### {one.change_id}: {prose(one.summary, letters=HEADING_LETTERS)}",
        "",
        f"- **What:** {one.kind} of {code(one.resource)}{rest}",
        f"- **Why:** {prose(one.reason) or 'no reason is given'}",
        f"- **Saves:** {money(one.saving)}",
        *(
            [f"- **Saves later:** {money(one.later)}, when the rest is done by hand"]
            if one.later
            else []
        ),
        f"- **Owner:** {code(one.owner) if one.owner else 'nobody is named'}",
        f"- **Restart:** {'something has to restart' if one.restart else 'none'}",
        f"- **Undo:** {undo}",
        *(f"- **Note:** {prose(note)}" for note in one.notes),
        "",
    )


def _resource(
    before: Resource | None, after: Resource | None, prices: Mapping[str, tuple[float, float]]
) -> Iterator[str]:
    one = after or before
    if one is None:
        return
    found = differences(before, after)
    facts = [code(one.name), code(one.token), _becomes(before, after, found), *_cost(one, prices)]
    yield f"- {'; '.join(facts)}"
    telling = [difference for difference in found if not is_label(difference)]
    for difference in telling[:LINES]:
        yield f"  - {code(difference.path)}: {_sides(difference, is_new=before is None)}"
    if len(telling) > LINES:
        yield f"  - and {len(telling) - LINES} more in the program"
    if len(telling) < len(found):
        yield "  - tags that say which change it belongs to, and why"


def _becomes(before: Resource | None, after: Resource | None, found: Sequence[Difference]) -> str:
    if after is None:
        return "leaves the stack and stays in the account"
    if after.import_id is None and before is None:
        return "is new"
    if after.import_id is None:
        return "changes" if found else "stays as it is"
    found_id = f"is {code(after.import_id)}, which exists"
    return f"{found_id}, and changes" if found else f"{found_id}, and stays as it is"


def _cost(one: Resource, prices: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    if one.name in prices:
        before, after = prices[one.name]
        yield f"costs {before:,.2f} before and {after:,.2f} after, USD a month"


def _sides(one: Difference, *, is_new: bool) -> str:
    if is_new:
        return _side(one.after)
    return f"{_side(one.before)} before, {_side(one.after)} after"


def _side(text: str | None) -> str:
    return "not given" if text is None else code(text)


def _refused(refused: Sequence[Refused]) -> Iterator[str]:
    if refused:
        yield from ("## Not changed", "")
        yield from (f"- {one.kind} of {code(one.resource)}: {prose(one.why)}" for one in refused)
        yield ""


def _notes(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield from ("## Notes", "")
        yield from (f"- Note: {prose(one)}" for one in notes)
        yield ""


def _by_name(program: Program) -> dict[str, Resource]:
    return {one.name: one for one in program.resources}
