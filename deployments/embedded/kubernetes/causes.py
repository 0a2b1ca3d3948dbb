"""Why an object is impossible, in the words that Kubernetes has for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

Cause = tuple[str, str, str]
"""Reason, message and field."""


def required(field: str, message: str = "") -> Cause:
    """Return the cause of a value that is missing."""
    return (
        "FieldValueRequired",
        f"Required value: {message}" if message else "Required value",
        field,
    )


def wrong(field: str, value: Any, message: str) -> Cause:
    """Return the cause of a value that cannot be."""
    return "FieldValueInvalid", f"Invalid value: {shown(value)}: {message}", field


def unsupported(field: str, value: Any, known: Iterable[str]) -> Cause:
    """Return the cause of a value that is none of those there are."""
    listed = ", ".join(f'"{one}"' for one in known)
    message = f"Unsupported value: {shown(value)}: supported values: {listed}"
    return "FieldValueNotSupported", message, field


def duplicate(field: str, value: Any) -> Cause:
    """Return the cause of a value that is there twice."""
    return "FieldValueDuplicate", f"Duplicate value: {shown(value)}", field


def forbidden(field: str, message: str) -> Cause:
    """Return the cause of a value that may not be here."""
    return "FieldValueForbidden", f"Forbidden: {message}", field


def shown(value: Any) -> str:
    """Return a value as messages show it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return orjson.dumps(value).decode()
