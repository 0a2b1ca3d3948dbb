"""Names of resources, from ids that may hold anything: the same in every run, and no two alike."""

from __future__ import annotations

import hashlib
import re

MOST_LOGICAL = 80
MOST_ROLE = 24
_BASE = MOST_LOGICAL - MOST_ROLE - 1
_DIGITS = 8
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str, *, most: int) -> str:
    """Return lower-case letters, digits and dashes, at most so many.

    Where that leaves anything out, digits of a hash keep two names apart.

    Args:
        text: Anything, also empty.
        most: At least 12.
    """
    plain = _OTHER.sub("-", text.lower()).strip("-")
    if plain and plain == text and len(plain) <= most:
        return plain
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{plain[: most - _DIGITS - 1].strip('-')}-{mark}".strip("-")


def logical_name(what: str, identifier: str) -> str:
    """Return the name in the program of something that exists, with room for a role.

    Args:
        what: For example "instance".
        identifier: Its id, or a group's name.
    """
    return f"{what}-{slug(identifier, most=_BASE - len(what) - 1)}"


def role_name(base: str, role: str) -> str:
    """Return the name in the program of something that is made for another.

    Args:
        base: From `logical_name`.
        role: Lower-case letters, digits and dashes, at most 24.
    """
    return f"{base}-{role}"


def physical_name(subject: str, change_id: str, *, most: int = 64) -> str:
    """Return the name in the account of something new: made twice, the second is refused.

    Args:
        subject: What it is made for.
        change_id: From `changes.change_id`.
        most: Of the service.
    """
    return f"homeostat-{change_id}-{slug(subject, most=most - len(change_id) - 11)}"
