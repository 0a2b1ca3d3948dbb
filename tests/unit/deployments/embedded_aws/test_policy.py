from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deployments.embedded.aws.errors import InvalidFileError
from deployments.embedded.aws.policy import POLICY_FILE, Policy, read_policy


def policy(folder: Path, *statements: dict[str, Any]) -> Policy:
    path = folder / "policy.json"
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    return read_policy(path)


def test_what_is_not_allowed_is_denied_and_a_deny_wins(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["ec2:DescribeRegions"], "Resource": "*"},
    )

    assert found.allows("ec2:DescribeInstances")
    assert not found.allows("ec2:DescribeRegions")
    assert not found.allows("ec2:RunInstances")


def test_a_resource_bounds_what_is_allowed() -> None:
    shipped = read_policy(POLICY_FILE)

    assert shipped.allows("s3:PutObject", "arn:aws:s3:::homeostat-reports/a.png")
    assert not shipped.allows("s3:PutObject", "arn:aws:s3:::other/a.png")
    assert not shipped.allows("s3:DeleteBucket", "arn:aws:s3:::homeostat-reports")


def test_the_shipped_policy_changes_nothing_but_its_own_buckets_and_predictive_policies() -> None:
    document = json.loads(POLICY_FILE.read_text())
    actions = [
        action
        for statement in document["Statement"]
        if statement["Resource"] == "*" and statement["Sid"] != "ScaleAhead"
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    ]

    reads = ("Describe", "Get", "List", "GET")
    assert all(action.split(":")[1].startswith(reads) for action in actions)


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}},
        {"Effect": "Maybe", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*"},
    ],
)
def test_a_statement_that_is_not_understood_is_refused(
    tmp_path: Path, statement: dict[str, Any]
) -> None:
    with pytest.raises(InvalidFileError):
        policy(tmp_path, statement)
