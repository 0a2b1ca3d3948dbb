"""Names that the provider makes up where a program gives none."""

from __future__ import annotations

import hashlib

from deployments.embedded.pulumi_aws.kinds import Kind
from deployments.embedded.pulumi_aws.values import Properties

DIGITS = 7


def given_name(kind: Kind, news: Properties, olds: Properties, *, name: str, seed: bytes) -> str:
    """Return the name that a resource has already, or its logical name and a few digits.

    Args:
        kind: Its type.
        news: Inputs; "namePrefix" among them is used instead of the logical name.
        olds: What was checked before.
        name: Logical name.
        seed: From the engine: the same in a preview and in the update after it.
    """
    if "name" in olds:
        return str(olds["name"])
    digits = hashlib.sha256(seed or kind.token.encode() + name.encode()).hexdigest()[:DIGITS]
    prefix = news.get("namePrefix") or f"{name}-"
    return f"{prefix}{digits}"
