"""What several types need: names in other cases, and who is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from deployments.embedded.pulumi_aws.errors import is_code

T = TypeVar("T")


def found_or_none(ask: Callable[[], T], *codes: str) -> T | None:
    """Return an answer; None where AWS refuses with one of some codes, for there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        if is_code(error, *codes):
            return None
        raise


def capitals(value: Any, renamed: Mapping[str, str] | None = None) -> Any:
    """Return a value with AWS's names for Pulumi's: "marketType" becomes "MarketType".

    Args:
        value: Objects, lists and scalars.
        renamed: Names that differ in more than their first letter.
    """
    if isinstance(value, Mapping):
        names = renamed or {}
        return {
            names.get(key, f"{key[0].upper()}{key[1:]}"): capitals(each, renamed)
            for key, each in value.items()
        }
    return [capitals(each, renamed) for each in value] if isinstance(value, list) else value


def smalls(value: Any, renamed: Mapping[str, str] | None = None) -> Any:
    """Return a value with Pulumi's names for AWS's: the inverse of `capitals`.

    Args:
        value: Objects, lists and scalars.
        renamed: As for `capitals`.
    """
    if isinstance(value, Mapping):
        names = {theirs: ours for ours, theirs in (renamed or {}).items()}
        return {
            names.get(key, f"{key[0].lower()}{key[1:]}"): smalls(each, renamed)
            for key, each in value.items()
        }
    return [smalls(each, renamed) for each in value] if isinstance(value, list) else value


def whole(value: Any) -> int | None:
    """Return a number that Pulumi may give as text; None for none."""
    return None if value in {None, ""} else int(value)


def truth(value: Any) -> bool | None:
    """Return a truth that Pulumi may give as text; None for none."""
    return None if value in {None, ""} else str(value).lower() == "true"
