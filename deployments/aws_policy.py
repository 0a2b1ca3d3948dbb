"""The IAM policy that Homeostat asks for: `python -m deployments.aws_policy` writes it.

It is made from what the adapters call, each of which lists its operations in `OPERATIONS`; the
embedded AWS enforces it, so that a call that was not listed is refused before a user meets it.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import tasks.adapters
from deployments.embedded.aws.policy import POLICY_FILE, action_of

BESIDE_ADAPTERS = (
    "s3:CreateBucket",  # `homeostat up` makes the bucket for charts
    "s3:GetBucketLocation",
    "s3:ListObjectsV2",  # without it S3 says of a missing object "forbidden" instead of "missing"
    "s3:DeleteObject",  # for whoever cleans the bucket up
    "sts:GetCallerIdentity",  # answered to everybody; listed so that nobody wonders
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One statement of the policy.

    Attributes:
        sid: Its name, letters only.
        actions: Patterns of the actions that belong to it.
        resource: What they are allowed on; "*" is for reading only.
    """

    sid: str
    actions: tuple[str, ...]
    resource: str = "*"


# An action belongs to the first that knows it.
PURPOSES = (
    Purpose(
        sid="ReadSpotMarket",
        actions=("ec2:DescribeSpotPriceHistory", "ec2:GetSpotPlacementScores"),
    ),
    Purpose(sid="ReadPriceList", actions=("pricing:*",)),
    Purpose(
        sid="ReadCommitments",
        actions=("savingsplans:Describe*", "ec2:DescribeReservedInstances*"),
    ),
    Purpose(sid="ReadCosts", actions=("ce:Get*", "ce:List*")),
    Purpose(
        sid="ReadMetrics",
        actions=("cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*"),
    ),
    Purpose(
        sid="ReadInventory",
        actions=(
            "autoscaling:Describe*",
            "autoscaling:Get*",
            "ec2:Describe*",
            "elasticloadbalancing:Describe*",
            "lambda:Get*",
            "lambda:List*",
            "scheduler:Get*",
            "tag:Get*",
        ),
    ),
    # Leave it out where groups are not to be scaled ahead: nothing else needs it.
    Purpose(
        sid="ScaleAhead",
        actions=("autoscaling:DeletePolicy", "autoscaling:PutScalingPolicy"),
    ),
    Purpose(sid="KnowOneself", actions=("sts:GetCallerIdentity",)),
    Purpose(
        sid="OwnBuckets",
        actions=("s3:CreateBucket", "s3:GetBucketLocation", "s3:ListBucket"),
        resource="arn:aws:s3:::homeostat-*",
    ),
    Purpose(
        sid="OwnObjects",
        actions=("s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
        resource="arn:aws:s3:::homeostat-*/*",
    ),
)


class UnplacedActionError(ValueError):
    """An adapter calls something that no statement is meant for."""

    def __init__(self, action: str) -> None:
        self.action = action
        super().__init__(
            f"{action} belongs to no statement of the policy; if Homeostat is to be allowed it, "
            "add it to PURPOSES in deployments/aws_policy.py"
        )


def adapter_operations() -> dict[str, tuple[str, ...]]:
    """Return what each adapter says it calls, by the module's name; without those that call none."""
    prefix = tasks.adapters.__name__ + "."
    found = {}
    for info in pkgutil.iter_modules(tasks.adapters.__path__, prefix):
        operations: tuple[str, ...] = getattr(importlib.import_module(info.name), "OPERATIONS", ())
        if operations:
            found[info.name] = operations
    return found


def policy_document(operations: Iterable[str]) -> dict[str, Any]:
    """Return the policy that allows some operations and nothing else, always in the same order.

    Args:
        operations: For example "s3:HeadObject"; IAM has an action of another name for some.

    Raises:
        UnplacedActionError: No statement is meant for one.
    """
    by_sid: dict[str, set[str]] = {}
    for operation in operations:
        action = action_of(*operation.split(":"))
        by_sid.setdefault(_purpose_of(action).sid, set()).add(action)
    statements = [
        _statement(purpose, by_sid[purpose.sid]) for purpose in PURPOSES if purpose.sid in by_sid
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _purpose_of(action: str) -> Purpose:
    for purpose in PURPOSES:
        if any(fnmatchcase(action, pattern) for pattern in purpose.actions):
            return purpose
    raise UnplacedActionError(action)


def _statement(purpose: Purpose, actions: set[str]) -> Mapping[str, Any]:
    return {
        "Sid": purpose.sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": purpose.resource,
    }


def policy_text() -> str:
    """Return the policy file as it should be."""
    called = [name for names in adapter_operations().values() for name in names]
    return json.dumps(policy_document([*called, *BESIDE_ADAPTERS]), indent=2) + "\n"


def main() -> None:
    """Write the policy file."""
    POLICY_FILE.write_text(policy_text())


if __name__ == "__main__":
    main()
