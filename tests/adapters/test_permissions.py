"""The shipped policy allows what the adapters call, all of it and nothing else."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

import tasks.adapters
from deployments.aws_policy import (
    BESIDE_ADAPTERS,
    UnplacedActionError,
    adapter_operations,
    policy_document,
    policy_text,
)
from deployments.embedded.aws.calls import model_name
from deployments.embedded.aws.policy import POLICY_FILE, action_of
from deployments.embedded.aws.server import serve_aws
from tests.support.embedded_aws import aws_client

ADAPTERS = sorted(Path(tasks.adapters.__path__[0]).glob("[a-z]*.py"))
OPERATION = re.compile(r"[a-z0-9-]+:[A-Z]\w+")
SERVICES = (
    "autoscaling", "ce", "cloudwatch", "ec2", "elasticloadbalancing", "kms", "lambda", "pricing", "s3",
    "savingsplans", "scheduler", "sts",
)  # fmt: skip


@cache
def operations_of(service: str) -> dict[str, str]:
    """A service's operations by the name of boto3's method."""
    client: Any = boto3.client(model_name(service), region_name="us-east-1")  # type: ignore[call-overload]
    return {xform_name(name): name for name in client.meta.service_model.operation_names}


def listed(source: ast.Module) -> set[str]:
    """What an adapter says it calls."""
    for node in source.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OPERATIONS":
            return set(ast.literal_eval(node.value))
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "OPERATIONS":
            assert node.value is not None
            return set(ast.literal_eval(node.value))
    return set()


def named(source: ast.Module) -> set[str]:
    """What an adapter names in its code, as in `translated("ec2:DescribeInstances")`."""
    rest = [node for node in source.body if "OPERATIONS" not in ast.unparse(node).split("=")[0]]
    return {
        node.value
        for statement in rest
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and OPERATION.fullmatch(node.value)
    }


def methods(source: ast.Module) -> Iterator[str]:
    """Names of methods that are used, and of operations that are paged."""
    for node in ast.walk(source):
        if isinstance(node, ast.Attribute):
            yield node.attr
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get_paginator"
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_lists_what_it_names_and_names_what_it_lists(path: Path) -> None:
    source = ast.parse(path.read_text())
    # Some look at many services in one way: there it is the method that is named.
    left = listed(source) - named(source)

    assert named(source) <= listed(source)
    assert {one for one in left if not method_of(one) & words(source)} == set()


def method_of(operation: str) -> set[str]:
    """Names of boto3's methods for an operation; several where its action is a method of HTTP."""
    service, _, name = operation.partition(":")
    if service != "apigateway":
        return {xform_name(name)}
    prefix = f"{name.lower()}_"
    return {one for one in operations_of("apigatewayv2") if one.startswith(prefix)}


def words(source: ast.Module) -> set[str]:
    """Attributes and texts of a module."""
    nodes = list(ast.walk(source))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return {str(one) for one in texts} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_calls_nothing_of_boto3_that_it_does_not_list(path: Path) -> None:
    source = ast.parse(path.read_text())
    allowed = {operation.partition(":")[2] for operation in listed(source)}
    # Shared words such as `copy` are no calls of boto3: its operations have several.
    called = {name for name in methods(source) if "_" in name}
    found = {
        operations_of(service)[name]
        for service in SERVICES
        for name in called & operations_of(service).keys()
    }

    assert found <= allowed


def test_adapters_are_looked_at_where_they_are() -> None:
    assert adapter_operations()["tasks.adapters.placement"] == (
        "ec2:DescribeAvailabilityZones",
        "ec2:GetSpotPlacementScores",
    )
    assert all(
        set(importlib.import_module(name).OPERATIONS) == set(operations)
        for name, operations in adapter_operations().items()
    )


def test_the_shipped_policy_is_what_the_adapters_make() -> None:
    assert POLICY_FILE.read_text() == policy_text(), "run: python -m deployments.aws_policy"


@pytest.mark.parametrize(
    "operation",
    sorted(
        {*BESIDE_ADAPTERS, *(name for names in adapter_operations().values() for name in names)}
    ),
)
def test_every_operation_exists_and_its_action_too(operation: str) -> None:
    service, _, name = operation.partition(":")
    if service == "apigateway":  # its actions are methods of HTTP, and so is what adapters list
        assert name in {"GET", "PATCH", "POST", "PUT", "DELETE"}
        return

    assert name in operations_of(service).values()
    # Besides S3's, these services' actions have the names of their operations.
    action = action_of(service, name).partition(":")[2]
    assert service == "s3" or action in operations_of(service).values()


def test_an_action_without_a_purpose_is_not_let_in() -> None:
    with pytest.raises(UnplacedActionError, match="ec2:TerminateInstances belongs to no statement"):
        policy_document(["ec2:TerminateInstances"])


def test_operations_become_actions_of_other_names_and_keep_their_order() -> None:
    one = policy_document(["s3:HeadObject", "ec2:DescribeVolumes", "s3:ListObjectsV2"])
    other = policy_document(["s3:ListObjectsV2", "s3:HeadObject", "ec2:DescribeVolumes"])

    assert one == other
    assert [(s["Action"], s["Resource"]) for s in one["Statement"]] == [
        (["ec2:DescribeVolumes"], "*"),
        (["s3:ListBucket"], "arn:aws:s3:::homeostat-*"),
        (["s3:GetObject"], "arn:aws:s3:::homeostat-*/*"),
    ]


def test_nothing_is_changed_but_objects_of_our_own_buckets() -> None:
    for statement in json.loads(POLICY_FILE.read_text())["Statement"]:
        reads = all(
            action.split(":")[1].startswith(("Describe", "Get", "List", "GET"))
            for action in statement["Action"]
        )
        assert reads or statement["Resource"].startswith("arn:aws:s3:::homeostat-")


@pytest.mark.embedded("aws")
def test_an_operation_outside_of_the_policy_is_refused() -> None:
    with serve_aws() as server, pytest.raises(ClientError) as refused:
        aws_client(server, "ec2").stop_instances(InstanceIds=["i-1"])

    assert refused.value.response["Error"]["Code"] == "UnauthorizedOperation"
    assert "not authorized to perform: ec2:StopInstances" in str(refused.value)
