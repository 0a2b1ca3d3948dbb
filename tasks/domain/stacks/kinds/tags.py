"""Tags within AWS's limits: who owns what was changed, why, and by which change."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.domain.stacks.changes import (
    CHANGE_TAG,
    OWNER_TAG,
    REASON_TAG,
    RESOURCE_TAG,
    SAVING_TAG,
    Change,
)
from tasks.domain.stacks.program import Args, Input

MOST_TAGS = 50
MOST_VALUE = 256
AWS_PREFIX = "aws:"
GROUP_TAG_ARGS = "GroupTagArgs"
OWNER_KEYS = ("owner", "team", "contact", "squad")
_NEEDED = (CHANGE_TAG, RESOURCE_TAG)
"""What is half done is found again by them; the others are for people."""
_SIGNS = frozenset("+-=._:/@")


def clean(text: str, *, most: int = MOST_VALUE) -> str:
    """Return a text as AWS takes it for a tag: what is not allowed becomes a space.

    Args:
        text: Anything.
        most: Characters that are kept.
    """
    allowed = "".join(one if one.isalnum() or one in _SIGNS else " " for one in text)
    return " ".join(allowed.split())[:most].rstrip()


def own(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags without those that AWS sets, which nobody else may."""
    return {key: tags[key] for key in sorted(tags) if not key.casefold().startswith(AWS_PREFIX)}


def owner_of(tags: Mapping[str, str]) -> str:
    """Return who is named as owner, or else as team or contact; empty where nobody is."""
    by_key = {key.casefold(): tags[key] for key in sorted(tags, reverse=True)}
    return next((by_key[key].strip() for key in OWNER_KEYS if by_key.get(key, "").strip()), "")


def change_tags(changes: tuple[Change, ...], name: str) -> dict[str, str]:
    """Return what says of a resource why it is as it is; the most important first.

    Args:
        changes: That it takes part in, at least one.
        name: Its logical name.
    """
    saving = sum(one.saving.expected for one in changes)
    found = {
        CHANGE_TAG: " ".join(one.change_id for one in changes),
        RESOURCE_TAG: name,
        OWNER_TAG: next((one.owner for one in changes if one.owner), ""),
        REASON_TAG: " / ".join(one.reason for one in changes),
        SAVING_TAG: f"{saving:.2f}",
    }
    return {key: value for key, text in found.items() if (value := clean(text))}


def no_room(tags: Mapping[str, str]) -> str:
    """Return why a resource cannot be told of its change; empty where it can.

    Args:
        tags: That it has.
    """
    count = sum(key not in _NEEDED for key in own(tags))
    if count + len(_NEEDED) <= MOST_TAGS:
        return ""
    return (
        f"it has {count} tags of at most {MOST_TAGS}, and {len(_NEEDED)} more have to say by which "
        "change it is as it is: take tags off it that nobody needs"
    )


def merged(tags: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """Return tags with more of them, as many as there is room for; what is there stays."""
    kept = {key: value for key, value in own(tags).items() if key not in added}
    room = max(MOST_TAGS - len(kept), 0)
    return {**kept, **dict(list(added.items())[:room])}


def tagged(inputs: Mapping[str, Input], tags: Mapping[str, str]) -> dict[str, Input]:
    """Return inputs with tags as a mapping.

    Args:
        inputs: Of a resource that takes tags.
        tags: All of them, as `merged` gives them.
    """
    return {**inputs, "tags": dict(tags)}


def group_tagged(inputs: Mapping[str, Input], tags: Mapping[str, str]) -> dict[str, Input]:
    """Return a group's inputs with tags as its list; instances get those that they had.

    Args:
        inputs: Of an auto scaling group.
        tags: All of them, as `merged` gives them.
    """
    before = inputs.get("tags")
    listed = before if isinstance(before, tuple) else ()
    there = {str(one.fields["key"]): one for one in listed if isinstance(one, Args)}
    rows = []
    for key, value in tags.items():
        one = there.get(key)
        kept = one is not None and one.fields["value"] == value
        rows.append(one if one is not None and kept else group_tag(key, value))
    return {**inputs, "tags": tuple(rows)}


def group_tag(key: str, value: str, *, propagate: bool = False) -> Args:
    """Return a tag of an auto scaling group.

    Args:
        key: Of the tag.
        value: Of the tag.
        propagate: Whether its instances get it too.
    """
    fields: dict[str, Input] = {"key": key, "value": value, "propagate_at_launch": propagate}
    return Args(of=GROUP_TAG_ARGS, fields=fields)
