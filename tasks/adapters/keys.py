"""Which keys are AWS's own: whoever may start an instance may use them."""

from __future__ import annotations

from typing import Any

from tasks.adapters.pages import items

OPERATIONS = ("kms:ListAliases",)

OF_AWS = "alias/aws/"
_MARKERS = ("Marker", "NextMarker")
_PAGE = 100


def own_keys_of_aws(client: Any, *, region: str) -> frozenset[str]:
    """Return the ids of a region's keys that AWS keeps for its services.

    Args:
        client: A boto3 client of KMS.
        region: The client's.

    Raises:
        TransientError: KMS did not answer.
        PermanentError: It refused.
    """
    rows = items(
        client.list_aliases,
        "Aliases",
        operation="kms:ListAliases",
        region=region,
        arguments={"Limit": _PAGE},
        token=_MARKERS,
    )
    return frozenset(
        str(row["TargetKeyId"])
        for row in rows
        if row["AliasName"].startswith(OF_AWS) and "TargetKeyId" in row
    )
