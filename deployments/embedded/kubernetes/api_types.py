"""What objects are made of: fields and their types, and how their lists and maps are merged.

The built-in types are read from `api_schemas.json.gz`, which `make_schemas` writes; those of custom
resources from their definitions.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from deployments.embedded.kubernetes.kinds import Kind

Schema = Mapping[str, Any]
SCHEMAS = Path(__file__).with_name("api_schemas.json.gz")
REFERENCE = "#/components/schemas/"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"


class Shape(Enum):
    """What a value can be."""

    OBJECT = auto()
    MAP = auto()
    LIST = auto()
    STRING = auto()
    INTEGER = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    TIME = auto()
    MICRO_TIME = auto()
    QUANTITY = auto()
    INT_OR_STRING = auto()
    ANY = auto()


SHAPES = {
    "object": Shape.OBJECT,
    "array": Shape.LIST,
    "string": Shape.STRING,
    "integer": Shape.INTEGER,
    "number": Shape.NUMBER,
    "boolean": Shape.BOOLEAN,
}
NAMED = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": Shape.QUANTITY,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": Shape.INT_OR_STRING,
    f"{META}.Time": Shape.TIME,
    f"{META}.MicroTime": Shape.MICRO_TIME,
    f"{META}.FieldsV1": Shape.ANY,
}


@dataclass(slots=True)
class Type:
    """The type of one value.

    Attributes:
        shape: What the value can be.
        name: As error messages call it, for example v1.Container.
        fields: Of an object.
        items: Of a list or a map.
        required: Fields that are written even where they are empty.
        keys: By which server-side apply tells the items of a list apart; empty for none.
        is_set: Whether a list holds each value once.
        merge_key: By which strategic merges tell the items of a list apart; empty for none.
        merges: Whether strategic merges join a list instead of replacing it.
        is_atomic: Whether a map is one value to server-side apply.
        omits_zero: Whether a value is left out where it is zero, false or empty.
        default: Of the value; None for none.
        keeps_unknown: Whether an object keeps fields that it does not have.
    """

    shape: Shape
    name: str = ""
    fields: dict[str, Type] = field(default_factory=dict)
    items: Type | None = None
    required: frozenset[str] = frozenset()
    keys: tuple[str, ...] = ()
    is_set: bool = False
    merge_key: str = ""
    merges: bool = False
    is_atomic: bool = False
    omits_zero: bool = False
    default: Any = None
    keeps_unknown: bool = False

    def of(self, key: str) -> Type:
        """Return the type of what is under a key; ANYTHING where it is not known."""
        found = self.fields.get(key)
        if found is not None:
            return found
        return self.items if self.items is not None and self.shape is Shape.MAP else ANYTHING


ANYTHING = Type(Shape.ANY, keeps_unknown=True)


@dataclass(slots=True)
class _Compiler:
    """Turns schemas into types; each name once, for types contain themselves."""

    schemas: Mapping[str, Schema]
    _known: dict[str, Type] = field(default_factory=dict)

    def named(self, name: str) -> Type:
        """Return the type of a name."""
        found = self._known.get(name)
        if found is None:
            schema = self.schemas[name]
            found = self._known[name] = Type(
                NAMED.get(name) or _shape(schema),
                name=".".join(name.rsplit(".", 2)[-2:]),
                required=frozenset(schema.get("required") or ()),
                is_atomic=schema.get("x-kubernetes-map-type") == "atomic",
            )
            for key, inner in (schema.get("properties") or {}).items():
                found.fields[key] = self.compile(inner)
        return found

    def compile(self, schema: Schema) -> Type:
        """Return the type of a schema."""
        reference = next(
            (one["$ref"] for one in (schema, *(schema.get("allOf") or ())) if "$ref" in one), None
        )
        if reference is not None:
            found = replace(self.named(reference.removeprefix(REFERENCE)))
        else:
            found = Type(_shape(schema), required=frozenset(schema.get("required") or ()))
            for key, inner in (schema.get("properties") or {}).items():
                found.fields[key] = self.compile(inner)
        self._say(found, schema)
        return found

    def _say(self, found: Type, schema: Schema) -> None:
        inner = schema.get("items") or schema.get("additionalProperties")
        if isinstance(inner, Mapping):
            found.items = self.compile(inner)
        elif found.shape is Shape.LIST or schema.get("additionalProperties"):
            found.items = ANYTHING
        how = schema.get("x-kubernetes-list-type")
        if how == "map":
            found.keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        found.is_set = how == "set"
        strategy = schema.get("x-kubernetes-patch-strategy", "")
        found.merges = "merge" in strategy.split(",")
        found.merge_key = schema.get("x-kubernetes-patch-merge-key", "")
        found.is_atomic = found.is_atomic or schema.get("x-kubernetes-map-type") == "atomic"
        found.omits_zero = bool(schema.get("x-omitted-zero")) and found.shape in _ZEROS
        found.default = schema.get("default")
        found.keeps_unknown = bool(schema.get("x-kubernetes-preserve-unknown-fields"))


_ZEROS = frozenset({Shape.STRING, Shape.INTEGER, Shape.NUMBER, Shape.BOOLEAN})


def _shape(schema: Schema) -> Shape:
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return Shape.INT_OR_STRING
    said = schema.get("type")
    if said == "object":
        if schema.get("additionalProperties"):
            return Shape.MAP
        return Shape.OBJECT
    return SHAPES.get(str(said), Shape.ANY)


@cache
def schemas() -> dict[str, Schema]:
    """Return the built-in schemas by name, for example io.k8s.api.core.v1.Pod."""
    found: dict[str, Schema] = orjson.loads(gzip.decompress(SCHEMAS.read_bytes()))
    return found


@cache
def _compiler() -> _Compiler:
    return _Compiler(schemas())


@cache
def names() -> dict[tuple[str, str, str], str]:
    """Return the name of the schema of each kind by group, version and kind."""
    found: dict[tuple[str, str, str], str] = {}
    for name, schema in schemas().items():
        for one in schema.get("x-kubernetes-group-version-kind") or ():
            found.setdefault((one["group"], one["version"], one["kind"]), name)
    return found


@cache
def type_named(group: str, version: str, kind: str) -> Type:
    """Return a built-in type; ANYTHING for one that is not known."""
    name = names().get((group, version, kind))
    return ANYTHING if name is None else _compiler().named(name)


_custom: dict[int, tuple[Schema, Type]] = {}


def type_of(kind: Kind) -> Type:
    """Return the type of the objects of a kind."""
    if not kind.custom:
        return type_named(kind.group, kind.version, kind.name)
    if kind.schema is None:
        return _whole(ANYTHING)
    known = _custom.get(id(kind.schema))
    if known is None or known[0] is not kind.schema:
        if len(_custom) > MOST_CUSTOM:
            _custom.clear()
        known = _custom[id(kind.schema)] = (kind.schema, _whole(_Compiler({}).compile(kind.schema)))
    return known[1]


MOST_CUSTOM = 200
"""Compiled definitions that are kept."""


def _whole(found: Type) -> Type:
    """Return the type of a custom object, with what every object has."""
    text = Type(Shape.STRING)
    every = {
        "apiVersion": text, "kind": text, "metadata": _compiler().named(f"{META}.ObjectMeta"),
    }  # fmt: skip
    return replace(found, fields={**found.fields, **every})
