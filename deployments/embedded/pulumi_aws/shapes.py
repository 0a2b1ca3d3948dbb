"""What a resource's inputs may be, from the classes of the installed pulumi_aws package."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import threading
import typing
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from pulumi._types import input_type_py_to_pulumi_names, resource_types

from deployments.embedded.pulumi_aws.kept_shapes import kept
from deployments.embedded.pulumi_aws.values import ARCHIVE, ASSET, MARK, UNKNOWN

_BY = Path(__file__)

# pulumi_aws loads its modules when they are first touched, and two threads trip over each other.
_loading = threading.RLock()


class Form(StrEnum):
    """What a property's value is."""

    TEXT = "a string"
    NUMBER = "a number"
    TRUTH = "true or false"
    OBJECT = "an object"
    LIST = "a list"
    MAP = "a map of strings"
    ANY = "anything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A property.

    Attributes:
        of: Name of the Args class of an object; empty otherwise.
        item: Of a list.
    """

    form: Form
    of: str = ""
    module: str = ""
    item: Shape | None = None

    @property
    def fields(self) -> Fields:
        """Of an object."""
        return fields_of(self.module, self.of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The properties of an Args class, by Pulumi's names."""

    shapes: Mapping[str, Shape]
    required: frozenset[str]


@cache
def fields_of(module: str, name: str) -> Fields:
    """Return the properties of an Args class.

    Args:
        module: For example "pulumi_aws.ebs".
        name: For example "VolumeArgs".
    """
    with _loading:
        found = kept(f"{module}.{name}-fields", lambda: _as_json(_found(module, name)), by=_BY)
    return Fields(
        shapes={key: _shape_from(shape) for key, shape in found["shapes"].items()},
        required=frozenset(found["required"]),
    )


def _found(module: str, name: str) -> Fields:
    cls: Any = _class(module, name)
    names = input_type_py_to_pulumi_names(cls)
    parameters = inspect.signature(cls.__init__).parameters
    where = _module_of_inputs(module)
    return Fields(
        shapes={names[key]: _shape(parameters[key].annotation, where) for key in names},
        required=frozenset(
            names[key] for key in names if parameters[key].default is inspect.Parameter.empty
        ),
    )


def _as_json(fields: Fields) -> dict[str, Any]:
    shapes = {key: dataclasses.asdict(shape) for key, shape in fields.shapes.items()}
    return {"shapes": shapes, "required": sorted(fields.required)}


def _shape_from(found: Mapping[str, Any]) -> Shape:
    item = found["item"]
    return Shape(
        form=Form(found["form"]),
        of=found["of"],
        module=found["module"],
        item=None if item is None else _shape_from(item),
    )


@cache
def outputs_of(module: str, name: str) -> frozenset[str]:
    """Return the names of a resource's outputs, inputs among them."""

    def find() -> list[str]:
        return sorted(resource_types(_class(module, name)))

    with _loading:
        return frozenset(kept(f"{module}.{name}-outputs", find, by=_BY))


def _class(module: str, name: str) -> type:
    with warnings.catch_warnings():
        # The package warns of its own deprecated types while it loads them all.
        warnings.simplefilter("ignore", DeprecationWarning)
        found: type = getattr(importlib.import_module(module), name)
    return found


def _module_of_inputs(module: str) -> str:
    return module if module.endswith("._inputs") else f"{module}._inputs"


def _shape(annotation: Any, module: str) -> Shape:
    found = [_one(each, module) for each in _alternatives(annotation)]
    forms = [each for each in found if each is not None]
    # A policy is a document or its text: either will do.
    several = {each.form for each in forms}
    return forms[0] if len(several) == 1 else Shape(form=Form.ANY)


def _alternatives(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) is typing.Union:
        for each in typing.get_args(annotation):
            yield from _alternatives(each)
    else:
        yield annotation


def _one(annotation: Any, module: str) -> Shape | None:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, typing.ForwardRef):
        return _named(annotation.__forward_arg__, module)
    if isinstance(annotation, type) and annotation in _SCALARS:
        return Shape(form=_SCALARS[annotation])
    if origin is not None and issubclass(origin, Mapping):
        return Shape(form=Form.MAP)
    if origin is not None and issubclass(origin, Sequence):
        return Shape(form=Form.LIST, item=_shape(inner[0], module))
    if annotation is type(None) or origin is not None:
        return None  # optional, or a promise of one of the others
    return Shape(form=Form.ANY)


_SCALARS = {bool: Form.TRUTH, int: Form.NUMBER, float: Form.NUMBER, str: Form.TEXT}


def _named(name: str, module: str) -> Shape | None:
    # Names of enumerations stand beside their type, and outputs beside what they become.
    if name.endswith("Args"):
        return Shape(form=Form.OBJECT, of=name, module=module)
    return None


def problems(
    fields: Fields, given: Mapping[str, Any], *, path: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with some inputs, each as (path, reason); an unknown value may be right.

    Args:
        fields: What there may be.
        given: By Pulumi's names, without envelopes.
        path: Of the object that they are in.
    """
    for name in sorted(fields.required - given.keys()):
        yield f"{path}{name}", "is required and is missing"
    for name, value in given.items():
        if name.startswith("__"):
            continue  # the engine's own, for example which defaults were taken
        shape = fields.shapes.get(name)
        if shape is None:
            yield f"{path}{name}", _unknown_name(name, fields)
        else:
            yield from _value_problems(shape, value, f"{path}{name}")


def _unknown_name(name: str, fields: Fields) -> str:
    head, *rest = name.split("_")
    meant = head + "".join(part.capitalize() for part in rest)
    if "_" in name and meant in fields.shapes:
        return f"is not a property of pulumi_aws; it is {meant!r}: use the Args classes"
    known = ", ".join(sorted(fields.shapes))
    return f"is not a property of pulumi_aws; there are {known}"


def _value_problems(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if value is None or value == UNKNOWN or shape.form is Form.ANY:
        return
    if not _fits(shape.form, value):
        yield path, f"is {value!r:.60} and has to be {shape.form}"
    elif shape.form is Form.OBJECT:
        yield from problems(shape.fields, value, path=f"{path}.")
    elif shape.form is Form.LIST and shape.item is not None:
        for index, each in enumerate(value):
            yield from _value_problems(shape.item, each, f"{path}[{index}]")
    elif shape.form is Form.MAP:
        for key, each in value.items():
            if not isinstance(each, str | int | float | bool):
                yield f"{path}.{key}", f"is {each!r:.60} and has to be a string"


def _fits(form: Form, value: Any) -> bool:
    if form is Form.TRUTH:
        return isinstance(value, bool) or value in {"true", "false"}
    if form is Form.NUMBER:
        return not isinstance(value, bool) and _is_number(value)
    if form is Form.TEXT:
        return isinstance(value, str | int | float | bool)
    if form is Form.LIST:
        return isinstance(value, list)
    return isinstance(value, Mapping) and value.get(MARK) not in {ASSET, ARCHIVE}


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
