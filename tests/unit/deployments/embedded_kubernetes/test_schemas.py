"""Custom objects get the defaults of their schema and are refused what it does not allow."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.embedded.kubernetes.schemas import set_defaults, violations

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 0, "maximum": 9},
                "color": {"type": "string", "enum": ["red", "green"], "default": "red"},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 4},
                "limit": {"x-kubernetes-int-or-string": True},
                "parts": {
                    "type": "array",
                    "maxItems": 2,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "weight": {"type": "number", "default": 1.5},
                        },
                    },
                },
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "note": {"type": "string", "nullable": True, "default": "none"},
            },
        }
    },
}


def test_defaults_are_filled_in_however_deep_and_leave_what_is_said() -> None:
    body: dict[str, Any] = {"spec": {"size": 1, "parts": [{"name": "a"}, {"weight": 2}]}}
    set_defaults(body, SCHEMA)
    assert body["spec"] == {
        "size": 1,
        "color": "red",
        "note": "none",
        "parts": [{"name": "a", "weight": 1.5}, {"weight": 2}],
    }


def test_a_null_that_is_allowed_is_not_replaced_by_the_default() -> None:
    body: dict[str, Any] = {"spec": {"note": None, "color": None}}
    set_defaults(body, SCHEMA)
    assert body["spec"] == {"note": None, "color": "red"}


@pytest.mark.parametrize(
    ("spec", "reason", "field", "words"),
    [
        ({}, "FieldValueRequired", "spec.size", "Required value"),
        ({"size": "x"}, "FieldValueTypeInvalid", "spec.size", "must be of type integer"),
        ({"size": True}, "FieldValueTypeInvalid", "spec.size", "must be of type integer"),
        ({"size": -1}, "FieldValueInvalid", "spec.size", "should be greater than or equal to 0"),
        ({"size": 10}, "FieldValueInvalid", "spec.size", "should be less than or equal to 9"),
        ({"color": "blue"}, "FieldValueNotSupported", "spec.color", 'values: "red", "green"'),
        ({"name": "X"}, "FieldValueInvalid", "spec.name", "should match '^[a-z]+$'"),
        ({"name": "abcde"}, "FieldValueTooLong", "spec.name", "may not be more than 4 bytes"),
        ({"limit": 1.5}, "FieldValueTypeInvalid", "spec.limit", "integer or string"),
        ({"parts": [{}, {}, {}]}, "FieldValueTooMany", "spec.parts", "at most 2 items"),
        ({"parts": [{"name": 1}]}, "FieldValueTypeInvalid", "spec.parts[0].name", "type string"),
        ({"labels": {"a": 1}}, "FieldValueTypeInvalid", "spec.labels.a", "must be of type string"),
    ],
)
def test_what_a_schema_does_not_allow_is_told_with_its_field(
    spec: dict[str, Any], reason: str, field: str, words: str
) -> None:
    sized = spec if not spec or "size" in spec else {"size": 1} | spec
    causes = violations({"spec": sized}, SCHEMA)
    assert [(found, where) for found, _, where in causes][:1] == [(reason, field)]
    assert words in causes[0][1]


def test_items_that_share_their_key_are_told() -> None:
    body = {"spec": {"size": 1, "parts": [{"name": "a"}, {"name": "a"}]}}
    ((reason, message, field),) = violations(body, SCHEMA)
    assert (reason, field) == ("FieldValueDuplicate", "spec.parts[1]")
    assert message == 'Duplicate value: {"name":"a"}'


def test_what_fits_is_allowed() -> None:
    spec = {"size": 9, "name": "abc", "limit": "5%", "parts": [{"name": "a", "weight": 1}]}
    assert violations({"metadata": {}, "spec": spec}, SCHEMA) == []
    assert violations({}, SCHEMA) == [("FieldValueRequired", "Required value", "spec")]


def test_of_several_schemas_one_has_to_fit() -> None:
    either = {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    schema = {"type": "object", "properties": {"spec": {"type": "object"} | either}}
    assert violations({"spec": {"a": 1}}, schema) == []
    for spec in ({}, {"a": 1, "b": 1}):
        assert "(oneOf)" in violations({"spec": spec}, schema)[0][1]
