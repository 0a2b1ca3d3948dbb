"""Label and field selectors, as they are written in a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from deployments.embedded.kubernetes.errors import bad_request
from deployments.embedded.kubernetes.kinds import Kind

Test = Callable[[Mapping[str, str]], bool]

_EQUAL = re.compile(r"^([^!=\s]+)\s*(==|=|!=)\s*([^!=\s]*)$")
_TOKENS = re.compile(r"\s*(?:(==|!=|=|!|\(|\)|,|>|<)|([^\s=!(),><]+))")
SYMBOLS = frozenset({"==", "!=", "=", "!", "(", ")", ",", ">", "<"})
WORDS = frozenset({"in", "notin"})
OPERATORS = ("in", "notin", "=", "==", "!=", "gt", "lt")
END = ""
_WHOLE = re.compile(r"^[+-]?[0-9]+$")


@dataclass(frozen=True, slots=True)
class Selector:
    """All of some tests; the empty one fits everything."""

    tests: tuple[Test, ...] = ()

    def fits(self, values: Mapping[str, str]) -> bool:
        """Return whether values pass every test."""
        return all(test(values) for test in self.tests)

    def __bool__(self) -> bool:
        return bool(self.tests)


def label_selector(text: str) -> Selector:
    """Return the selector of a `labelSelector` parameter.

    Raises:
        ApiError: 400 where it cannot be read.
    """
    if not text.strip():
        return Selector()
    try:
        return Selector(tuple(_Parser(text).requirements()))
    except _ParseError as error:
        raise bad_request(str(error)) from error


class _ParseError(ValueError):
    """A selector that cannot be read."""


class _Parser:
    """Reads requirements as `k8s.io/apimachinery/pkg/labels` does, with its words for what is wrong."""

    def __init__(self, text: str) -> None:
        self._tokens = [symbol or other for symbol, other in _TOKENS.findall(text)]
        self._at = 0

    def requirements(self) -> list[Test]:
        found = []
        while True:
            word = self._peek()
            if word in SYMBOLS - {"!"}:
                self._fail(f"found '{word}', expected: !, identifier, or 'end of string'")
            found.append(self._requirement())
            word = self._next()
            if word == END:
                return found
            if word != ",":
                self._fail(f"found '{word}', expected: ',' or 'end of string'", plain=True)
            if self._peek() in (*SYMBOLS - {"!"}, END):
                self._fail(f"found '{self._peek()}', expected: identifier after ','", plain=True)

    def _requirement(self) -> Test:
        missing = self._peek() == "!"
        if missing:
            self._next()
        key = self._next()
        if key in SYMBOLS or key == END:
            self._fail(f"found '{key}', expected: identifier")
        if missing:
            return lambda labels: key not in labels
        if self._peek() in (END, ","):
            return lambda labels: key in labels
        operator = self._next()
        if operator not in (*WORDS, "=", "==", "!=", ">", "<"):
            self._fail(f"found '{operator}', expected: {', '.join(OPERATORS)}")
        if operator in WORDS:
            among = self._values()
            if operator == "in":
                return lambda labels: labels.get(key) in among
            return lambda labels: labels.get(key) not in among
        return self._comparison(key, operator)

    def _comparison(self, key: str, operator: str) -> Test:
        value = self._next() if self._peek() not in (END, ",") else ""
        if value in SYMBOLS:
            self._fail(f"found '{value}', expected: identifier")
        if operator in ("=", "=="):
            return lambda labels: labels.get(key) == value
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        if not _WHOLE.match(value):
            message = (
                f"values[0][{key}]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must "
                "be an integer"
            )
            raise _ParseError(message)
        limit = int(value)
        if operator == ">":
            return lambda labels: (
                _WHOLE.match(labels.get(key, "")) is not None and (int(labels[key]) > limit)
            )
        return lambda labels: (
            _WHOLE.match(labels.get(key, "")) is not None and (int(labels[key]) < limit)
        )

    def _values(self) -> set[str]:
        word = self._next()
        if word != "(":
            self._fail(f"found '{word}' expected: '('")
        found: set[str] = set()
        last = ","
        while True:
            word = self._next()
            if word == ")":
                # A comma before the end stands for one more value, the empty one.
                return found | ({""} if last == "," else set())
            if word == END or word in SYMBOLS - {","}:
                self._fail(f"found '{word}', expected: ',', ')' or identifier")
            if word == ",":
                found |= {""} if last == "," else set()
            else:
                if last != ",":
                    self._fail(f"found '{word}', expected: ',' or ')'")
                found.add(word)
            last = word

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else END

    def _next(self) -> str:
        found = self._peek()
        self._at += 1
        return found

    def _fail(self, message: str, *, plain: bool = False) -> NoReturn:
        raise _ParseError(message if plain else f"unable to parse requirement: {message}")


def object_selector(selector: Mapping[str, Any] | None) -> Selector:
    """Return the selector of a `LabelSelector` object; None fits nothing, an empty one everything."""
    if selector is None:
        return Selector((lambda _: False,))
    tests = [_equals(key, value) for key, value in (selector.get("matchLabels") or {}).items()]
    tests += [_expression(one) for one in selector.get("matchExpressions") or ()]
    return Selector(tuple(tests))


def _equals(key: str, value: str) -> Test:
    return lambda labels: labels.get(key) == value


def _expression(one: Mapping[str, Any]) -> Test:
    key, among = one["key"], set(one.get("values") or ())
    match one["operator"]:
        case "In":
            return lambda labels: labels.get(key) in among
        case "NotIn":
            return lambda labels: labels.get(key) not in among
        case "Exists":
            return lambda labels: key in labels
        case _:
            return lambda labels: key not in labels


def field_selector(text: str, kind: Kind) -> Selector:
    """Return the selector of a `fieldSelector` parameter, over what `selectable_fields` tells.

    Raises:
        ApiError: 400 where the kind cannot be narrowed by a field.
    """
    tests = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        found = _EQUAL.match(part)
        if not found:
            msg = f"invalid selector: '{text}'; can't understand '{part}'"
            raise bad_request(msg)
        key, how, value = found.groups()
        if key not in ("metadata.name", "metadata.namespace", *kind.field_selectors):
            msg = f"field label not supported: {key}"
            if kind.custom or not kind.field_selectors:
                msg = f'"{key}" is not a known field selector: only "metadata.name", "metadata.namespace"'
            raise bad_request(msg)
        tests.append(_field_test(key, value, differs=how == "!="))
    return Selector(tuple(tests))


def _field_test(key: str, value: str, *, differs: bool) -> Test:
    return lambda fields: (fields.get(key, "") != value) is differs


def selectable_fields(body: Mapping[str, Any], kind: Kind) -> dict[str, str]:
    """Return the fields of an object that lists can be narrowed by, as text."""
    metadata = body["metadata"]
    found = {"metadata.name": metadata["name"], "metadata.namespace": metadata.get("namespace", "")}
    for path in kind.field_selectors:
        value: Any = body
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        found[path] = _text(value)
    if kind.plural == "events":
        component = _text((body.get("source") or {}).get("component"))
        found["source"] = component or found["reportingComponent"]
        found |= {
            f"regarding{path.removeprefix('involvedObject')}": value
            for path, value in found.items()
            if path.startswith("involvedObject")
        }
        found["reportingController"] = found["reportingComponent"]
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
