"""A program as text, proven to be the syntax tree that was meant."""

from __future__ import annotations

import ast
import hashlib
import textwrap
from collections.abc import Iterable, Mapping

from tasks.domain.stacks.changes import Change
from tasks.domain.stacks.program import Program, Resource
from tasks.domain.stacks.source.letters import visible
from tasks.domain.stacks.source.printer import WIDTH, docstring_text, statement_text
from tasks.domain.stacks.source.program_checks import check_change_id, check_program
from tasks.domain.stacks.source.tree import declaration, export, heading

COMMENT_LETTERS = 300
"""Of a summary; the whole of it is in the README."""


def program_source(program: Program, changes: Iterable[Change] = ()) -> str:
    """Return the text of a program, the same for the same values.

    Args:
        program: What it declares.
        changes: What each part of it is for, as comments.

    Raises:
        ProgramRefusedError: A value cannot be carried; it names the resource, the value, the limit
            and the next step.
    """
    check_program(program)
    return checked_source(program, comments_of(changes), {})


def program_sha256(source: str) -> str:
    """Return the fingerprint of a program's bytes, 64 hexadecimal digits."""
    return hashlib.sha256(source.encode()).hexdigest()


def comments_of(changes: Iterable[Change]) -> dict[str, str]:
    """Return the comment of each change by its id.

    Raises:
        ProgramRefusedError: An id is not one of `change_id`.
    """
    found: dict[str, str] = {}
    for change in changes:
        check_change_id(change.change_id, where="changes")
        found[change.change_id] = _comment(change)
    return found


def checked_source(
    program: Program,
    comments: Mapping[str, str],
    written: dict[str, tuple[Resource, str]],
) -> str:
    """Return the text of a program that was checked.

    Args:
        program: What it declares.
        comments: By change id.
        written: Resources of other phases with their texts, by what they say: what is equal is not
            written again. What is written here is added.
    """
    docstring, *imports = heading(program)
    parts = [docstring_text(docstring), "\n".join(proven(one) for one in imports)]
    last = ""
    for resource in program.resources:
        comment = comments.get(resource.change_id, "") if resource.change_id != last else ""
        parts.append(comment + _declared(resource, written))
        last = resource.change_id
    if program.exports:
        parts.append("\n".join(proven(export(*one)) for one in program.exports.items()))
    return "\n\n".join(parts) + "\n"


def proven(node: ast.stmt) -> str:
    """Return a statement as text, after reading it back.

    Raises:
        AssertionError: The text is not the tree: a defect of the printer, and never a program.
    """
    text = statement_text(node)
    if not _is_same(ast.parse(text).body, [node]):
        message = f"the text of a statement is not its tree: {text!r:.200}"
        raise AssertionError(message)
    return text


def _is_same(found: object, meant: object) -> bool:
    """Return whether two trees are equal but for where their nodes stand."""
    kind = type(found)
    if kind is not type(meant):
        return False
    if kind is str:
        return found == meant
    if isinstance(found, ast.AST):
        # Most nodes are constants: asking only for their value halves the time.
        names = ("value",) if kind is ast.Constant else found._fields
        for name in names:
            one, other = getattr(found, name, None), getattr(meant, name, None)
            if one is not other and not _is_same(one, other):
                return False
        return True
    if isinstance(found, list) and isinstance(meant, list):
        return len(found) == len(meant) and all(map(_is_same, found, meant))
    return found == meant


def _declared(resource: Resource, written: dict[str, tuple[Resource, str]]) -> str:
    # 1 == True, so that equal resources need not have the same text: what is written out differs.
    said = repr(resource)
    if said in written and written[said][0] == resource:
        return written[said][1]
    text = proven(declaration(resource))
    written[said] = (resource, text)
    return text


def _comment(change: Change) -> str:
    """Return lines that begin with a change's id or a bar: none can speak to a tool, or end early."""
    head = f"{change.change_id}: {_one_line(change.summary)}"
    saving = change.saving
    facts = [
        f"Saves {saving.expected:,.2f} USD a month ({saving.low:,.2f} to {saving.high:,.2f}).",
        f"Owner: {_one_line(change.owner) or 'nobody is named'}.",
        "Something restarts." if change.restart else "Nothing restarts.",
        "The undo program brings everything back." if change.reversible else "It is not undone.",
    ]
    lines = _wrapped(head) + _wrapped(" ".join(facts))
    return "".join(
        f"# {line}\n" if position == 0 else f"# | {line}\n" for position, line in enumerate(lines)
    )


def _one_line(text: str) -> str:
    """Return a text without line ends, and without the sign that a remark to a tool begins with."""
    cut = text if len(text) <= COMMENT_LETTERS else f"{text[:COMMENT_LETTERS]}..."
    return visible(cut).replace("#", "\\x23")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - len("# | "), break_on_hyphens=False)
