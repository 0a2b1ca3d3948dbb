"""A program's syntax tree, built node by node: a value can only ever become a constant."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.program import (
    Args,
    Attribute,
    Joined,
    JsonText,
    Program,
    Resource,
    SourceArchive,
)
from tasks.domain.stacks.source.naming import class_of, variable_of

DOING = {
    Phase.ADOPT: "What exists comes under the stack as it is: nothing in the account changes.",
    Phase.CHANGE: "The changes that were chosen, and what is new for them.",
    Phase.UNDO: "Everything as it was before the change.",
}
_LOAD = ast.Load()


def heading(program: Program) -> list[ast.stmt]:
    """Return the docstring and the imports of a checked program."""
    text = (
        f"Stack {program.stack} in {program.region}, phase {program.phase}.\n\n"
        f"{DOING[program.phase]}\n"
    )
    imports = [ast.alias(name="pulumi"), ast.alias(name="pulumi_aws", asname="aws")]
    return [
        ast.Expr(value=ast.Constant(value=text)),
        *(ast.Import(names=[one]) for one in imports),
    ]


def declaration(resource: Resource) -> ast.stmt:
    """Return the statement that declares a checked resource."""
    module, kind = class_of(resource.token)
    values = Values(module=module)
    call = ast.Call(
        func=_dotted("aws", module, kind),
        args=[_constant(resource.name), values.typed(f"{kind}Args", resource.inputs)],
        keywords=_options(resource),
    )
    target = ast.Name(id=variable_of(resource.name), ctx=ast.Store())
    return ast.Assign(targets=[target], value=call)


def export(name: str, attribute: Attribute) -> ast.stmt:
    """Return the statement that exports a checked output."""
    call = _call(_dotted("pulumi", "export"), _constant(name), _reference(attribute))
    return ast.Expr(value=call)


def _options(resource: Resource) -> list[ast.keyword]:
    given: dict[str, ast.expr] = {}
    if resource.import_id is not None:
        given["import_"] = _constant(resource.import_id)
    if resource.protect:
        given["protect"] = _constant(value=True)
    if resource.retain_on_delete:
        given["retain_on_delete"] = _constant(value=True)
    if resource.depends_on:
        given["depends_on"] = _list(_name(variable_of(one)) for one in resource.depends_on)
    if resource.ignore_changes:
        given["ignore_changes"] = _list(map(_constant, resource.ignore_changes))
    if not given:
        return []
    options = _call(_dotted("pulumi", "ResourceOptions"), **given)
    return [ast.keyword(arg="opts", value=options)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Expressions for the values of one resource.

    Attributes:
        module: Of pulumi_aws, in which its nested classes are.
    """

    module: str

    def typed(self, of: str, fields: Mapping[str, object]) -> ast.expr:
        """Return the call of a class of inputs."""
        given = {name: self.expression(value) for name, value in fields.items()}
        return _call(_dotted("aws", self.module, of), **given)

    def expression(self, value: object) -> ast.expr:
        """Return the expression of a checked value."""
        if value is None or isinstance(value, str | int | float):
            return _constant(value)
        if isinstance(value, tuple):
            return _list(map(self.expression, value))
        if isinstance(value, Mapping):
            return _dict({key: self.expression(one) for key, one in value.items()})
        if isinstance(value, Args):
            return self.typed(value.of, value.fields)
        return self._late(value)

    def _late(self, value: object) -> ast.expr:
        if isinstance(value, Attribute):
            return _reference(value)
        if isinstance(value, Joined):
            return _call(_dotted("pulumi", "Output", "concat"), *map(self.expression, value.parts))
        if isinstance(value, JsonText):
            document = self.expression(value.document)
            return _call(_dotted("pulumi", "Output", "json_dumps"), document)
        if isinstance(value, SourceArchive):
            asset = _dotted("pulumi", "StringAsset")
            files = {path: _call(asset, _constant(text)) for path, text in value.files.items()}
            return _call(_dotted("pulumi", "AssetArchive"), _dict(files))
        message = f"{type(value).__name__} was not checked"
        raise TypeError(message)


def _constant(value: str | float | bool | None) -> ast.expr:
    if isinstance(value, str):
        # A member of an enumeration is a text, and would be written as a member.
        return ast.Constant(value=value if type(value) is str else str.__str__(value))
    if value is None or isinstance(value, bool):
        return ast.Constant(value=value)
    number = int(value) if isinstance(value, int) else float(value)
    if number < 0 or str(number) == "-0.0":
        return ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=-number))
    return ast.Constant(value=number)


def _name(name: str) -> ast.expr:
    return ast.Name(id=name, ctx=_LOAD)


def _dotted(first: str, *rest: str) -> ast.expr:
    found = _name(first)
    for name in rest:
        found = ast.Attribute(value=found, attr=name, ctx=_LOAD)
    return found


def _reference(value: Attribute) -> ast.expr:
    return _dotted(variable_of(value.resource), value.name)


def _list(values: Iterable[ast.expr]) -> ast.expr:
    return ast.List(elts=list(values), ctx=_LOAD)


def _dict(values: Mapping[str, ast.expr]) -> ast.expr:
    keys: list[ast.expr | None] = [_constant(key) for key in values]
    return ast.Dict(keys=keys, values=list(values.values()))


def _call(callee: ast.expr, /, *arguments: ast.expr, **fields: ast.expr) -> ast.expr:
    keywords = [ast.keyword(arg=name, value=value) for name, value in fields.items()]
    return ast.Call(func=callee, args=list(arguments), keywords=keywords)
