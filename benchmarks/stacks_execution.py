"""Generated programs read and executed: what they declare, and whether anything else happened.

The judge shares nothing with the generator but the values in `tasks.domain.stacks.program`. It
reads a program with Python's own parser, allows the few kinds of nodes and calls that a declaration
needs, and executes it with recorders in the place of Pulumi: what was recorded is turned back into
values. A canary and an audit hook tell whether anything else ran.
"""

from __future__ import annotations

import ast
import builtins
import io
import sys
import tokenize
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tasks.domain.stacks.program import (
    Args,
    Attribute,
    Joined,
    JsonText,
    Program,
    Resource,
    SourceArchive,
)

ALLOWED_NODES = (
    *(ast.Module, ast.Expr, ast.Import, ast.alias, ast.Assign, ast.Name, ast.Load, ast.Store),
    *(ast.Attribute, ast.Call, ast.keyword, ast.Constant, ast.Dict, ast.List),
    *(ast.UnaryOp, ast.USub),
)
ALLOWED_CALLS = (
    *("pulumi.export", "pulumi.ResourceOptions", "pulumi.Output.concat"),
    *("pulumi.Output.json_dumps", "pulumi.AssetArchive", "pulumi.StringAsset"),
)
WATCHED = ("open", "import", "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "compile")


class FiredError(AssertionError):
    """Code that came in as data was executed, or could be."""


class UnlikeError(AssertionError):
    """The program is not what it was generated from."""


@dataclass(slots=True)
class Watch:
    """What happened while programs were executed."""

    fired: int = 0
    watching: bool = False
    events: list[str] = field(default_factory=list)

    def fire(self, *_: object) -> None:
        """Count an attack that got through."""
        self.fired += 1

    def hook(self, event: str, _: tuple[object, ...]) -> None:
        """Note an audit event while a program is executed."""
        if self.watching and event.startswith(WATCHED):
            self.events.append(event)


WATCH = Watch()
sys.addaudithook(WATCH.hook)


def judge_source(source: str, program: Program) -> None:
    """Judge one generated program.

    Raises:
        FiredError: It does more than declare resources.
        UnlikeError: It declares something else than the program it was generated from.
    """
    tree = ast.parse(source)
    _judge_tree(tree)
    _judge_characters(source)
    declared, exports = executed(tree)
    for found, meant in zip(declared, program.resources, strict=True):
        if canonical(found) != canonical(_without_change(meant)):
            message = f"{found!r:.2000} is not {meant!r:.2000}"
            raise UnlikeError(message)
    if canonical(exports) != canonical(program.exports):
        message = f"exports {exports!r:.500} are not {program.exports!r:.500}"
        raise UnlikeError(message)


def executed(tree: ast.Module) -> tuple[list[Resource], dict[str, Attribute]]:
    """Execute a program with recorders and return what it declares."""
    recorder = Recorder()
    code = compile(tree, "__main__.py", "exec")
    before = WATCH.fired
    WATCH.events.clear()
    scope = {"__builtins__": vars(builtins) | {"__import__": recorder.imported}}
    WATCH.watching = True
    try:
        exec(code, scope)  # noqa: S102 - hostile on purpose, and judged
    except Exception as exc:
        problem = FiredError if WATCH.events else UnlikeError
        message = f"ended with {exc!r:.500}; events {WATCH.events}"
        raise problem(message) from exc
    finally:
        WATCH.watching = False
    if WATCH.fired > before or WATCH.events:
        message = f"executed: fired {WATCH.fired - before}, events {WATCH.events}"
        raise FiredError(message)
    return recorder.declared, recorder.exports


def _judge_tree(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, ALLOWED_NODES):
            message = f"a {type(node).__name__} in line {getattr(node, 'lineno', 0)}"
            raise FiredError(message)
        if isinstance(node, ast.Call) and not _allowed_call(dotted(node.func)):
            message = f"a call of {ast.unparse(node.func)[:200]}"
            raise FiredError(message)
        if isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float | None):
            message = f"a constant {node.value!r:.200}"
            raise FiredError(message)
    names = [(a.name, a.asname) for n in tree.body if isinstance(n, ast.Import) for a in n.names]
    if names != [("pulumi", None), ("pulumi_aws", "aws")]:
        message = f"imports {names}"
        raise FiredError(message)


def _allowed_call(name: str) -> bool:
    first, *rest = name.split(".")
    return name in ALLOWED_CALLS or (
        first == "aws" and len(rest) == 2 and rest[1].isidentifier() and rest[1][0].isupper()
    )


def dotted(node: ast.expr) -> str:
    """Return a dotted name; "?" where it is something else."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else "?"


def _judge_characters(source: str) -> None:
    """Nothing in the text is invisible or reorders it, and no comment speaks to a tool."""
    for character in set(source) - {"\n"}:
        if unicodedata.category(character)[0] in "CMZ" and character != " ":
            message = f"character {character!r} is written as it is"
            raise FiredError(message)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if not token.string.startswith(("# hs-", "# | ")) or "#" in token.string[1:]:
            message = f"comment {token.string!r:.200}"
            raise FiredError(message)


@dataclass(slots=True)
class Opts:
    """Recorded resource options."""

    given: Mapping[str, Any]


@dataclass(slots=True)
class Handle:
    """A recorded resource: its attributes are references."""

    _name: str

    def __getattr__(self, attribute: str) -> Attribute:
        return Attribute(resource=self._name, name=attribute)

    def __str__(self) -> str:
        return self._name


@dataclass(slots=True)
class Recorder:
    """Stands where Pulumi would, and turns calls back into values."""

    declared: list[Resource] = field(default_factory=list)
    exports: dict[str, Attribute] = field(default_factory=dict)

    def imported(self, name: str, *_: object) -> object:
        """Return what stands for a module; everything but Pulumi is an attack."""
        if name == "pulumi":
            return self._pulumi()
        if name == "pulumi_aws":
            return AwsModule(self, ())
        WATCH.fire()
        return SimpleNamespace(fire=WATCH.fire)

    def _pulumi(self) -> object:
        output = SimpleNamespace(
            concat=lambda *parts: Joined(parts=parts),
            json_dumps=lambda document: JsonText(document=document),
        )
        return SimpleNamespace(
            Output=output,
            export=self.exports.__setitem__,
            ResourceOptions=lambda **given: Opts(given),
            StringAsset=lambda text: text,
            AssetArchive=lambda files: SourceArchive(files=files),
        )

    def call(self, path: tuple[str, ...], *given: Any, **fields: Any) -> Args | Handle:
        """Record a resource, or return a nested value."""
        module, of = path
        if not given:
            return Args(of=of, fields=fields)
        name, arguments = given
        if not isinstance(arguments, Args) or arguments.of != f"{of}Args":
            message = f"{path} was given {arguments!r:.200}"
            raise UnlikeError(message)
        self.declared.append(_resource(module, of, name, arguments, fields))
        return Handle(name)


@dataclass(slots=True)
class AwsModule:
    """Stands for `pulumi_aws`, a module of it, or a class in one."""

    _recorder: Recorder
    _path: tuple[str, ...]

    def __getattr__(self, name: str) -> AwsModule:
        return AwsModule(self._recorder, (*self._path, name))

    def __call__(self, *given: Any, **fields: Any) -> Args | Handle:
        """Record a call."""
        return self._recorder.call(self._path, *given, **fields)


def _resource(
    module: str, of: str, name: str, arguments: Args, rest: Mapping[str, Any]
) -> Resource:
    opts: Mapping[str, Any] = rest["opts"].given if "opts" in rest else {}
    known = {"import_", "protect", "retain_on_delete", "depends_on", "ignore_changes"}
    if set(opts) - known or set(rest) - {"opts"}:
        message = f"{name} was given {rest!r:.200}"
        raise UnlikeError(message)
    return Resource(
        name=name,
        token=f"aws:{module.rstrip('_')}/{of[0].lower()}{of[1:]}:{of}",
        inputs=arguments.fields,
        import_id=opts.get("import_"),
        protect=opts.get("protect", False),
        retain_on_delete=opts.get("retain_on_delete", False),
        depends_on=tuple(str(one) for one in opts.get("depends_on", ())),
        ignore_changes=tuple(opts.get("ignore_changes", ())),
        change_id="",
    )


def _without_change(one: Resource) -> Resource:
    return Resource(
        **{key: getattr(one, key) for key in Resource.__slots__ if key != "change_id"}, change_id=""
    )


def canonical(value: object) -> object:
    """Return nested tuples that are equal only for the same values of the same types."""
    if isinstance(value, Mapping):
        return ("mapping", tuple((key, canonical(one)) for key, one in value.items()))
    if isinstance(value, list | tuple):
        return ("list", tuple(canonical(one) for one in value))
    if hasattr(value, "__dataclass_fields__"):
        names = value.__dataclass_fields__
        return (type(value).__name__, tuple(canonical(getattr(value, one)) for one in names))
    return (type(value).__name__, repr(value))
