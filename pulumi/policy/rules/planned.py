"""A planned resource, a rule, and what it means to break one.

A rule says what is wrong with a resource's inputs. What a change brings is mandatory; what was so
before it is advice, because leaving something as it is makes nothing worse.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .settings import Settings

UNKNOWN = "<known after apply>"
"""Stands for a value that a preview does not know."""

INSTANCE = "aws:ec2/instance:Instance"
LAUNCH_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"
FUNCTION = "aws:lambda/function:Function"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One resource of a preview.

    Attributes:
        name: Logical name.
        token: Pulumi's type.
        operation: "create", "update", "replace", "delete", "import", "forget" or "same"; None
            where the engine does not tell: then what is protected was there before.
        inputs: As planned, in camelCase; None for what leaves the stack.
        before: As they were; None for what is new, or where that is not told.
        region: Of the resource; empty where it is not known.
        protected: The engine refuses to delete it.
        undo: It is put back to what it was: then nothing in it is new.
        replaces: Properties for which it would be made anew.
    """

    name: str
    token: str
    operation: str | None
    inputs: Mapping[str, Any] | None
    before: Mapping[str, Any] | None = None
    region: str = ""
    protected: bool = False
    undo: bool = False
    replaces: tuple[str, ...] = ()

    @property
    def new(self) -> bool:
        """Whether the account gets something that was not there."""
        if self.operation is None:
            return not self.protected and not self.undo
        return self.operation in ("create", "replace")

    @property
    def changed(self) -> bool:
        """Whether anything is done to what is there."""
        return self.operation == "update" and not self.undo


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that a resource breaks.

    Attributes:
        rule: Its name.
        resource: Logical name.
        message: What is wrong, what is allowed, what to do.
        mandatory: It must not be applied; otherwise advice.
    """

    rule: str
    resource: str
    message: str
    mandatory: bool


Broken = Iterator[tuple[str, bool]]
"""Messages, each with whether it is mandatory."""
Problems = Iterator[tuple[str, str]]
"""What is wrong: a property, and a message. A property that ends in "?" is not certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of the pack.

    Attributes:
        name: Lower-case words with dashes.
        description: One sentence, what it wants.
        check: Of one resource; None for a rule that needs to see all.
        check_all: Of all together: resource, message and whether it is mandatory.
    """

    name: str
    description: str
    check: Callable[[Planned, Settings], Broken] | None = None
    check_all: Callable[[Sequence[Planned]], Iterator[tuple[str, str, bool]]] | None = None


def brought(planned: Planned, problems: Callable[[Mapping[str, Any]], Problems]) -> Broken:
    """Yield each problem, mandatory where the change brings it and nothing about it is a guess."""
    if planned.inputs is None:
        return
    before = dict(problems(planned.before)) if planned.before is not None else {}
    for path, message in dict(problems(planned.inputs)).items():
        fresh = planned.new or (planned.changed and path not in before)
        yield message, fresh and not path.endswith("?")


def get(inputs: Any, *path: str) -> Any:
    """Return a nested value; None where there is none, UNKNOWN where a preview does not know it."""
    for key in path:
        if isinstance(inputs, str) and inputs == UNKNOWN:
            return UNKNOWN
        if not isinstance(inputs, Mapping):
            return None
        inputs = inputs.get(key)
    return inputs


def items(value: Any) -> list[Any]:
    """Return the items of a list; of what is not one, none."""
    return list(value) if isinstance(value, (list, tuple)) else []


def is_true(value: Any) -> bool | None:
    """Return whether a flag is set; None where that is not known."""
    if isinstance(value, str):
        return None if value == UNKNOWN else value.lower() == "true"
    return value is True
