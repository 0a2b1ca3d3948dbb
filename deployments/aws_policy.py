"""The IAM policies that Homeostat asks for: `python -m deployments.aws_policy` writes them.

The first, for looking, is made from what the adapters call, each of which lists its operations in
`OPERATIONS`. The second, for applying stacks, is made from what the resource types of the stand-in
provider call, but for what no program of a stack leads to (`plan_verbs`), with what the official
provider calls besides, and from the few changes that adapters make beside the engine. The embedded AWS enforces both, so that a call that was not listed is
refused before a user meets it.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any

import tasks.adapters
from deployments.embedded.aws.policy import APPLY_POLICY_FILE, POLICY_FILE, action_of
from deployments.embedded.pulumi_aws import resources
from deployments.official_calls import OFFICIAL_READS, OFFICIAL_WRITES
from deployments.plan_verbs import never_called

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
        resource: What they are allowed on: one pattern or several.
    """

    sid: str
    actions: tuple[str, ...]
    resource: str | tuple[str, ...] = "*"


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
            "kms:ListAliases",
            "lambda:Get*",
            "lambda:List*",
            "scheduler:Get*",
            "tag:Get*",
        ),
    ),
    Purpose(
        sid="ReadWhatStacksMake",
        actions=(
            "apigateway:GET",
            "elasticache:Describe*",
            "elasticache:List*",
            "iam:Get*",
            "iam:List*",
            "logs:Describe*",
            "logs:List*",
            "rds:Describe*",
            "rds:List*",
        ),
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


_SERVICE_ROLES = (
    "arn:aws:iam::*:role/aws-service-role/autoscaling.amazonaws.com/*",
    "arn:aws:iam::*:role/aws-service-role/spot.amazonaws.com/*",
)
_OWN_ROLES = "arn:aws:iam::*:role/homeostat-*"
_OWN_FUNCTIONS = "arn:aws:lambda:*:*:function:homeostat-*"

APPLY_PURPOSES = (
    Purpose(
        sid="ReadWhatIsApplied",
        actions=(
            "apigateway:GET",
            "autoscaling:Describe*",
            "ec2:Describe*",
            "elasticache:Describe*",
            "elasticache:List*",
            "iam:Get*",
            "iam:List*",
            "lambda:Get*",
            "lambda:List*",
            "logs:Describe*",
            "logs:List*",
            "rds:Describe*",
            "rds:List*",
            "savingsplans:Describe*",
            "savingsplans:List*",
            "scheduler:Get*",
            "scheduler:List*",
            "sts:GetCallerIdentity",
        ),
    ),
    # Instances, volumes and groups that exist are adopted under names of their own.
    Purpose(sid="ChangeMachines", actions=("ec2:*",)),
    Purpose(sid="ChangeGroups", actions=("autoscaling:*",)),
    Purpose(sid="LetServicesIn", actions=("iam:CreateServiceLinkedRole",), resource=_SERVICE_ROLES),
    # Leave it out where nothing is to be bought.
    Purpose(
        sid="BuyCommitments",
        actions=(
            "elasticache:AddTagsToResource",
            "elasticache:Purchase*",
            "elasticache:RemoveTagsFromResource",
            "rds:AddTagsToResource",
            "rds:Purchase*",
            "rds:RemoveTagsFromResource",
            "savingsplans:*",
        ),
    ),
    # What follows is for functions and timetables. A role that an instance profile of an adopted
    # template holds is not among them: add it to `PassOwnRoles` where there is one.
    Purpose(sid="PassOwnRoles", actions=("iam:PassRole",), resource=_OWN_ROLES),
    Purpose(sid="ChangeOwnRoles", actions=("iam:*",), resource=_OWN_ROLES),
    Purpose(sid="ChangeOwnFunctions", actions=("lambda:*",), resource=_OWN_FUNCTIONS),
    Purpose(sid="ChangeApis", actions=("apigateway:*",)),
    Purpose(sid="ChangeLogGroups", actions=("logs:*",)),
    Purpose(sid="ChangeTimetables", actions=("scheduler:*",)),
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
    return _operations(tasks.adapters)


def standin_operations() -> dict[str, tuple[str, ...]]:
    """Return what each module of resource types says it calls, by the module's name."""
    return _operations(resources)


def _operations(package: ModuleType) -> dict[str, tuple[str, ...]]:
    prefix = package.__name__ + "."
    found = {}
    for info in pkgutil.iter_modules(package.__path__, prefix):
        operations: tuple[str, ...] = getattr(importlib.import_module(info.name), "OPERATIONS", ())
        if operations:
            found[info.name] = operations
    return found


def policy_document(
    operations: Iterable[str], *, purposes: Sequence[Purpose] = PURPOSES
) -> dict[str, Any]:
    """Return the policy that allows some operations and nothing else, always in the same order.

    Args:
        operations: For example "s3:HeadObject"; IAM has an action of another name for some.
        purposes: Its statements; an action belongs to the first that knows it.

    Raises:
        UnplacedActionError: No statement is meant for one.
    """
    by_sid: dict[str, set[str]] = {}
    for operation in operations:
        action = action_of(*operation.split(":"))
        by_sid.setdefault(_purpose_of(action, purposes).sid, set()).add(action)
    statements = [
        _statement(purpose, by_sid[purpose.sid]) for purpose in purposes if purpose.sid in by_sid
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _purpose_of(action: str, purposes: Sequence[Purpose]) -> Purpose:
    for purpose in purposes:
        if _is_for(purpose, action):
            return purpose
    raise UnplacedActionError(action)


def _is_for(purpose: Purpose, action: str) -> bool:
    return any(fnmatchcase(action, pattern) for pattern in purpose.actions)


def _statement(purpose: Purpose, actions: set[str]) -> Mapping[str, Any]:
    return {
        "Sid": purpose.sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": purpose.resource
        if isinstance(purpose.resource, str)
        else list(purpose.resource),
    }


def _called_by_adapters() -> tuple[list[str], list[str]]:
    """Return what adapters call to look, and what they change beside the engine."""
    called = [name for names in adapter_operations().values() for name in names]
    looks: list[str] = []
    changes: list[str] = []
    for name in called:
        action = action_of(*name.split(":"))
        belongs = any(_is_for(purpose, action) for purpose in PURPOSES)
        is_change = any(_is_for(purpose, action) for purpose in APPLY_PURPOSES)
        # What neither knows is told by the policy for looking.
        (looks if belongs or not is_change else changes).append(name)
    return looks, changes


def policy_text() -> str:
    """Return the policy file as it should be."""
    looks, _ = _called_by_adapters()
    return json.dumps(policy_document([*looks, *BESIDE_ADAPTERS]), indent=2) + "\n"


def apply_policy_text() -> str:
    """Return the file of the policy for applying stacks as it should be."""
    _, changes = _called_by_adapters()
    called = {name for names in standin_operations().values() for name in names} - never_called()
    official = (*OFFICIAL_READS, *OFFICIAL_WRITES)
    document = policy_document([*called, *changes, *official], purposes=APPLY_PURPOSES)
    return json.dumps(document, indent=2) + "\n"


def main() -> None:
    """Write the policy files."""
    POLICY_FILE.write_text(policy_text())
    APPLY_POLICY_FILE.write_text(apply_policy_text())


if __name__ == "__main__":
    main()
