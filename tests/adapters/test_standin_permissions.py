"""The policy for applying stacks allows what their programs lead to, all of it and nothing else."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from deployments.aws_policy import (
    APPLY_PURPOSES,
    adapter_operations,
    apply_policy_text,
    standin_operations,
)
from deployments.embedded.aws.calls import model_name
from deployments.embedded.aws.policy import (
    APPLY_POLICY_FILE,
    APPLYING_KEY,
    POLICY_FILE,
    action_of,
    read_policy,
)
from deployments.embedded.aws.server import serve_aws
from deployments.embedded.pulumi_aws import resources
from deployments.embedded.pulumi_aws.catalogue import KINDS
from deployments.official_calls import OFFICIAL_READS, OFFICIAL_WRITES
from deployments.plan_verbs import PLAN_VERBS, Verb, never_called
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.program import Program
from tests.support import stack_fleet as fleet
from tests.support.embedded_aws import aws_client, seeding_client

MODULES = sorted(Path(resources.__path__[0]).glob("[a-z]*.py"))
NO_OPERATION = {"iam:PassRole"}  # a right beside calls, and no call
TRUST = '{"Version": "2012-10-17", "Statement": []}'
CODE = {"ZipFile": b"PK"}


@cache
def operations_of(service: str) -> dict[str, str]:
    """A service's operations by the name of boto3's method."""
    client: Any = boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]
    return {xform_name(name): name for name in client.meta.service_model.operation_names}


def services_of(source: ast.Module) -> set[str]:
    """Names of the clients that a module asks for."""
    return {
        str(node.args[0].value)
        for node in ast.walk(source)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "client"
        and isinstance(node.args[0], ast.Constant)
    }


def called(source: ast.Module) -> Iterator[frozenset[str]]:
    """What each used method may stand for: several services have methods of one name."""
    methods = {node.attr for node in ast.walk(source) if isinstance(node, ast.Attribute)}
    services = services_of(source)
    for method in methods:
        found = {
            f"{service}:{operations_of(service)[method]}"
            for service in services
            if method in operations_of(service)
        }
        if found:
            yield frozenset(found)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_lists_what_it_calls(path: Path) -> None:
    listed = set(standin_operations().get(f"{resources.__name__}.{path.stem}", ()))
    # A helper gives tags to what others make.
    shared = {"ec2:CreateTags", "ec2:DeleteTags"} if path.stem == "tags" else set()

    for meanings in called(ast.parse(path.read_text())):
        assert meanings & (listed | shared), meanings


def test_everything_that_is_listed_is_called_somewhere() -> None:
    listed = {name for names in standin_operations().values() for name in names}
    found = {
        name
        for path in MODULES
        for meanings in called(ast.parse(path.read_text()))
        for name in meanings
    }

    assert listed - NO_OPERATION <= found


@pytest.mark.parametrize("operation", OFFICIAL_READS)
def test_every_read_of_the_official_provider_exists_and_changes_nothing(operation: str) -> None:
    service, _, name = operation.partition(":")

    assert name in operations_of(model_name(service)).values()
    assert name.startswith(("Describe", "Get", "List"))


@pytest.mark.parametrize("operation", OFFICIAL_WRITES)
def test_every_change_of_the_official_provider_exists(operation: str) -> None:
    service, _, name = operation.partition(":")

    assert name in operations_of(service).values()


def test_the_shipped_policy_is_what_the_resource_types_make() -> None:
    assert APPLY_POLICY_FILE.read_text() == apply_policy_text(), "python -m deployments.aws_policy"


def test_the_policy_allows_what_is_called_and_nothing_else() -> None:
    document = json.loads(APPLY_POLICY_FILE.read_text())
    allowed = {action for one in document["Statement"] for action in one["Action"]}
    operations = {name for names in standin_operations().values() for name in names}
    operations -= never_called()
    adapters = {name for names in adapter_operations().values() for name in names}
    wanted = {
        action_of(*name.split(":")) for name in operations.union(OFFICIAL_READS, OFFICIAL_WRITES)
    }
    beside = {action_of(*name.split(":")) for name in adapters}

    assert wanted <= allowed
    assert allowed - wanted <= beside
    assert not any("*" in action for action in allowed)


def test_it_is_known_of_every_type_what_plans_do_with_it() -> None:
    listed = {name for names in standin_operations().values() for name in names}

    assert PLAN_VERBS.keys() == KINDS.keys()
    assert never_called() < listed


def test_plans_of_every_kind_do_nothing_with_a_type_that_the_table_does_not_say() -> None:
    plans = [
        *stack_plans(
            fleet.everything(),
            fleet.account(),
            now=fleet.NOW,
            reservations=fleet.RESERVATIONS,
        ),
        fleet.planned(fleet.predictive("shop", "tracking")),
    ]
    for plan in plans:
        assert plan.refused == ()
        for token, verb in done_by(plan.adopt, plan.change, plan.undo):
            assert verb in PLAN_VERBS[token], (token, verb)


def done_by(adopt: Program, change: Program, undo: Program) -> set[tuple[str, Verb]]:
    """What the engine may do from the adoption to the undo."""
    adopted = {one.name: one for one in adopt.resources}
    later = {one.name: one for program in (change, undo) for one in program.resources}
    kept = {one.name for one in undo.resources}
    found = {(one.token, Verb.UPDATE) for one in later.values()}
    found |= {(one.token, Verb.CREATE) for name, one in later.items() if name not in adopted}
    return found | {
        (one.token, Verb.DELETE)
        for one in (*adopted.values(), *change.resources)
        if one.name not in kept and not (one.protect or one.retain_on_delete)
    }


def test_nothing_that_was_there_before_can_be_deleted_and_no_disk_or_group_made() -> None:
    found = read_policy(APPLY_POLICY_FILE)
    dangerous = (
        "autoscaling:CreateAutoScalingGroup",
        "autoscaling:DeleteAutoScalingGroup",
        "ec2:CreateSnapshot",
        "ec2:CreateVolume",
        "ec2:DeleteLaunchTemplate",
        "ec2:DeleteSnapshot",
        "ec2:DeleteVolume",
        "ec2:TerminateInstances",
        "savingsplans:DeleteQueuedSavingsPlan",
    )

    assert [action for action in dangerous if found.allows(action)] == []


def test_the_policy_fits_into_what_iam_takes_for_one() -> None:
    text = "".join(APPLY_POLICY_FILE.read_text().split())

    assert len(text) <= 6144


def test_roles_and_functions_of_others_are_out_of_reach() -> None:
    found = read_policy(APPLY_POLICY_FILE)
    ours, theirs = "arn:aws:iam::123456789012:role/homeostat-a", "arn:aws:iam::1:role/admin"

    assert found.allows("iam:PassRole", ours)
    assert not found.allows("iam:PassRole", theirs)
    assert not found.allows("iam:PutRolePolicy", theirs)
    assert not found.allows("lambda:DeleteFunction", "arn:aws:lambda:us-east-1:1:function:pay")


def test_nobody_makes_users_keys_or_policies_that_outlive_a_role() -> None:
    actions = [
        action
        for one in json.loads(APPLY_POLICY_FILE.read_text())["Statement"]
        for action in one["Action"]
        if action.startswith("iam:")
    ]

    assert all(
        "Role" in action or "Profile" in action or "Attached" in action for action in actions
    )
    assert {one.sid for one in APPLY_PURPOSES if one.resource != "*"} == {
        "ChangeOwnFunctions",
        "ChangeOwnRoles",
        "LetServicesIn",
        "PassOwnRoles",
    }


@pytest.mark.embedded("aws")
def test_only_the_key_for_changes_changes_anything() -> None:
    with serve_aws() as server:
        made = seeding_client(server, "ec2").create_volume(
            AvailabilityZone="us-east-1a", Size=8, VolumeType="gp2"
        )
        volume = made["VolumeId"]
        aws_client(server, "ec2", key=APPLYING_KEY).modify_volume(VolumeId=volume, Size=9)
        with pytest.raises(ClientError, match="not authorized to perform: ec2:ModifyVolume"):
            aws_client(server, "ec2").modify_volume(VolumeId=volume, Size=10)
        with pytest.raises(ClientError, match="not authorized to perform: ec2:DeleteVolume"):
            aws_client(server, "ec2", key=APPLYING_KEY).delete_volume(VolumeId=volume)


@pytest.mark.embedded("aws")
def test_a_role_of_a_service_is_made_for_spot_and_for_nobody_else() -> None:
    with serve_aws() as server:
        iam = aws_client(server, "iam", key=APPLYING_KEY)
        made = iam.create_service_linked_role(AWSServiceName="spot.amazonaws.com")
        refused = "not authorized to perform: iam:CreateServiceLinkedRole on resource"
        with pytest.raises(ClientError, match=refused):
            iam.create_service_linked_role(AWSServiceName="organizations.amazonaws.com")

    assert made["Role"]["Path"] == "/aws-service-role/spot.amazonaws.com/"


@pytest.mark.embedded("aws")
def test_the_key_for_changes_reads_what_everybody_reads() -> None:
    assert read_policy(POLICY_FILE).allows("pricing:GetProducts")
    assert not read_policy(APPLY_POLICY_FILE).allows("pricing:GetProducts")
    with serve_aws() as server:
        client = aws_client(server, "pricing", key=APPLYING_KEY)
        found = client.get_products(ServiceCode="AmazonEC2", MaxResults=1)

    assert found["PriceList"]


@pytest.mark.embedded("aws")
def test_a_role_is_passed_to_a_function_only_when_it_is_ours() -> None:
    with serve_aws() as server:
        iam = aws_client(server, "iam", key=APPLYING_KEY)
        functions = aws_client(server, "lambda", key=APPLYING_KEY)
        made = iam.create_role(RoleName="homeostat-a", AssumeRolePolicyDocument=TRUST)
        with pytest.raises(ClientError, match="not authorized to perform: iam:CreateRole"):
            iam.create_role(RoleName="admin", AssumeRolePolicyDocument=TRUST)
        with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
            functions.create_function(
                FunctionName="homeostat-f", Role="arn:aws:iam::123456789012:role/admin", Code=CODE
            )
        with pytest.raises(ClientError, match="not authorized to perform: lambda:CreateFunction"):
            functions.create_function(FunctionName="f", Role=made["Role"]["Arn"], Code=CODE)


@pytest.mark.embedded("aws")
def test_an_api_is_made_by_its_methods_of_http() -> None:
    with serve_aws() as server:
        apis = aws_client(server, "apigatewayv2", key=APPLYING_KEY)
        made = apis.create_api(Name="homeostat-a", ProtocolType="HTTP")
        with pytest.raises(ClientError, match="not authorized to perform: apigateway:POST"):
            aws_client(server, "apigatewayv2").create_api(Name="b", ProtocolType="HTTP")

        assert apis.get_api(ApiId=made["ApiId"])["Name"] == "homeostat-a"
