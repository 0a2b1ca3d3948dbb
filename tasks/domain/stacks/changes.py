"""A change to make, why, and what it is worth; or why it is not made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Fact, Kind

CHANGE_TAG = "homeostat/change-id"
RESOURCE_TAG = "homeostat/resource"
"""Logical name in the program: with the change id it finds a resource whose creation was cut off."""
OWNER_TAG = "homeostat/owner"
REASON_TAG = "homeostat/reason"
SAVING_TAG = "homeostat/estimated-saving-usd-per-month"


class Phase(StrEnum):
    """Which of a stack's three programs."""

    ADOPT = "adopt"
    """What exists comes under the stack as it is: nothing in the account changes."""
    CHANGE = "change"
    UNDO = "undo"
    """Everything as it was before the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One opportunity on its way to being done.

    Attributes:
        change_id: From `change_id`: the same for the same target on the same resource.
        resource: Id of what is changed, as in the opportunity.
        summary: One sentence in the imperative.
        owner: From the resource's tags; empty where nobody is named.
        reason: Why, in one line, for a tag and for people.
        saving: Net of overlap, USD a month, by what the stack itself does.
        restart: Something has to restart.
        reversible: Whether the undo program brings everything back.
        disruption: 0 to 1, as in the opportunity; the smallest goes first.
        notes: What a reviewer should know besides: what it leaves out, what has to be done by hand.
        later: What it saves instead of `saving` once that is done by hand; in no total, and None
            where nothing is left to do.
    """

    change_id: str
    kind: Kind
    resource: str
    region: str
    summary: str
    owner: str
    reason: str
    saving: Usd
    restart: bool
    reversible: bool
    disruption: float
    notes: tuple[str, ...] = ()
    later: Usd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An opportunity for which no change is made.

    Attributes:
        why: One sentence: what stands against it, and what would change the answer.
    """

    kind: Kind
    resource: str
    region: str
    why: str


def change_id(*, kind: Kind, region: str, resource: str, target: Mapping[str, Fact]) -> str:
    """Return "hs-" and 12 hexadecimal digits: the same for the same change in every run."""
    facts = [str(kind), region, resource, sorted((k, repr(v)) for k, v in target.items())]
    return f"hs-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]}"
