"""A syntax tree as text: few kinds of nodes, laid out the same way every time.

The layout is one that `ruff format` leaves alone. A resource, its inputs, its options and the
mappings among its inputs have one line for each entry, however short: so programs that differ in a
value differ in a line. What is nested deeper stays on one line where it fits.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from tasks.domain.stacks.source.letters import columns, shown

WIDTH = 100
INDENT = 4
_RESOURCE, _INPUTS, _INPUT, _WITHIN = range(4)
"""How deep an expression is: only the first three have a line for each entry at any length."""


class Place(NamedTuple):
    """Where an expression is written.

    Attributes:
        indent: Columns before the line that it begins on.
        before: Columns of that line that are taken.
        after: Columns that what follows it takes.
        level: How deep it is.
        alone: It is a call's only argument.
    """

    indent: int = 0
    before: int = 0
    after: int = 0
    level: int = _WITHIN
    alone: bool = False


def statement_text(node: ast.stmt) -> str:
    """Return a statement of a generated program as text, without a line end.

    Raises:
        TypeError: A kind of node that no generated program has.
    """
    if isinstance(node, ast.Import):
        return f"import {', '.join(_alias(one) for one in node.names)}"
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = f"{expression_text(node.targets[0])} = "
        return target + _laid_out(node.value, Place(before=len(target), level=_RESOURCE))
    if isinstance(node, ast.Expr):
        return _laid_out(node.value, Place())
    raise _unknown(node)


def docstring_text(node: ast.stmt) -> str:
    """Return a module's docstring as text.

    Raises:
        TypeError: It is none.
        ValueError: It holds anything but printable ASCII without quotes and backslashes.
    """
    constant = node.value if isinstance(node, ast.Expr) else None
    value = constant.value if isinstance(constant, ast.Constant) else None
    if not isinstance(value, str):
        raise _unknown(node)
    if not value.isascii() or not set(value).isdisjoint("\"'\\\r\t\0"):
        message = f"cannot be written as a docstring: {value!r:.80}"
        raise ValueError(message)
    return f'"""{value}"""'


def expression_text(node: ast.expr) -> str:
    """Return an expression on one line, however long.

    Raises:
        TypeError: A kind of node that no generated program has.
    """
    if isinstance(node, ast.Constant):
        return _literal(node.value)
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{expression_text(node.value)}.{node.attr}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return f"-{expression_text(node.operand)}"
    opening, entries, closing = _bracket(node)
    inner = ", ".join([before + expression_text(value) for before, value in entries])
    return f"{opening}{inner}{closing}"


def _laid_out(node: ast.expr, place: Place) -> str:
    if not _is_apart(node, place.level):
        flat = expression_text(node)
        if place.before + columns(flat) + place.after <= WIDTH:
            return flat
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return _in_lines(node.value, place)
        if not isinstance(node, ast.Call | ast.List | ast.Dict):
            return flat
    opening, entries, closing = _bracket(node)
    if not entries:
        return f"{opening}{closing}"
    indent = place.indent + INDENT
    alone = isinstance(node, ast.Call) and len(entries) == 1 and not entries[0][0]
    lines = [opening]
    for before, value in entries:
        inner = Place(
            indent=indent,
            before=indent + columns(before),
            after=1,
            level=min(place.level + 1, _WITHIN),
            alone=alone,
        )
        lines.append(f"{' ' * indent}{before}{_laid_out(value, inner)},")
    lines.append(f"{' ' * place.indent}{closing}")
    return "\n".join(lines)


def _is_apart(node: ast.expr, level: int) -> bool:
    if isinstance(node, ast.Call):
        return level == _RESOURCE or (level == _INPUTS and bool(node.keywords))
    return level == _INPUT and isinstance(node, ast.Dict) and bool(node.keys)


def _in_lines(text: str, place: Place) -> str:
    """Return a long text as its lines, one below the other: Python reads them as one."""
    flat = _quoted(text)
    inner = place.indent + INDENT
    if inner + columns(flat) <= WIDTH:
        return f"(\n{' ' * inner}{flat}\n{' ' * place.indent})"
    *whole, rest = text.split("\n")
    pieces = [_quoted(f"{line}\n") for line in whole] + ([_quoted(rest)] if rest else [])
    if len(pieces) == 1:
        return flat
    if place.alone:
        return f"\n{' ' * place.indent}".join(pieces)
    between = f"\n{' ' * inner}"
    return f"({between}{between.join(pieces)}\n{' ' * place.indent})"


def _bracket(node: ast.expr) -> tuple[str, list[tuple[str, ast.expr]], str]:
    """Return what opens a bracket, its entries with what stands before each, and what closes it."""
    if isinstance(node, ast.Call):
        entries = [("", one) for one in node.args]
        entries += [(f"{one.arg}=", one.value) for one in node.keywords if one.arg is not None]
        if len(entries) == len(node.args) + len(node.keywords):
            return f"{expression_text(node.func)}(", entries, ")"
    if isinstance(node, ast.List):
        return "[", [("", one) for one in node.elts], "]"
    if isinstance(node, ast.Dict):
        keys = [f"{expression_text(key)}: " for key in node.keys if key is not None]
        if len(keys) == len(node.values):
            return "{", list(zip(keys, node.values, strict=True)), "}"
    raise _unknown(node)


def _literal(value: object) -> str:
    # The formatter takes the plus of an exponent for noise.
    return _quoted(value) if isinstance(value, str) else repr(value).replace("e+", "e")


def _quoted(text: str) -> str:
    quote = "'" if text.count('"') > text.count("'") else '"'
    return f"{quote}{shown(text, quote=quote)}{quote}"


def _alias(one: ast.alias) -> str:
    return one.name if one.asname is None else f"{one.name} as {one.asname}"


def _unknown(node: ast.AST) -> TypeError:
    return TypeError(f"a generated program has no {type(node).__name__} here")
