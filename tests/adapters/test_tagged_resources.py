"""Everything a stack can have begun to make is found in an account, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.interrupted_instances import started_again
from tasks.adapters.tagged_resources import found_by_tags
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.changes import CHANGE_TAG, RESOURCE_TAG
from tasks.domain.stacks.recovery import Wanted
from tests.support.embedded_aws import seeding_client

pytestmark = pytest.mark.embedded("aws")
CHANGE_ID, REGION = "hs-0123456789ab", "us-east-1"
ALLOWED = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
RIGHTS = json.dumps({"Version": "2012-10-17", "Statement": [ALLOWED]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(fleet="none")) as running:
        yield running


def tags(name: str, change_id: str = CHANGE_ID) -> dict[str, str]:
    return {CHANGE_TAG: change_id, RESOURCE_TAG: name}


def pairs(name: str, change_id: str = CHANGE_ID) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags(name, change_id).items()]


def look(server: EmbeddedAws, token: str, logical_name: str, /, **inputs: Any) -> tuple[str, ...]:
    def client_for(service: str, region: str) -> Any:
        return seeding_client(server, service, region=region)

    wanted = Wanted(
        name=logical_name, token=token, urn="urn::any", change_id=CHANGE_ID, inputs=inputs
    )
    return found_by_tags(client_for, region=REGION)(wanted)


def run_instance(server: EmbeddedAws, name: str, change_id: str = CHANGE_ID) -> str:
    started = seeding_client(server, "ec2").run_instances(
        ImageId="ami-12345678",
        InstanceType="m5.large",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": pairs(name, change_id)}],
    )
    return str(started["Instances"][0]["InstanceId"])


def test_an_instance_is_found_by_both_tags_unless_it_is_gone(server: EmbeddedAws) -> None:
    token = "aws:ec2/instance:Instance"
    one = run_instance(server, "batch")
    run_instance(server, "batch", "hs-ba9876543210")
    run_instance(server, "other")
    assert look(server, token, "batch") == (one,)
    second = run_instance(server, "batch")
    assert set(look(server, token, "batch")) == {one, second}
    seeding_client(server, "ec2").terminate_instances(InstanceIds=[one])
    assert look(server, token, "batch") == (second,)


def test_a_volume_and_a_launch_template_are_found_by_their_tags(server: EmbeddedAws) -> None:
    ec2 = seeding_client(server, "ec2")
    assert look(server, "aws:ebs/volume:Volume", "data") == ()
    volume = ec2.create_volume(
        AvailabilityZone=f"{REGION}a",
        Size=8,
        TagSpecifications=[{"ResourceType": "volume", "Tags": pairs("data")}],
    )
    template = ec2.create_launch_template(
        LaunchTemplateName="t",
        LaunchTemplateData={"InstanceType": "m5.large"},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": pairs("t")}],
    )["LaunchTemplate"]
    assert look(server, "aws:ebs/volume:Volume", "data") == (volume["VolumeId"],)
    assert look(server, "aws:ec2/launchTemplate:LaunchTemplate", "t") == (
        template["LaunchTemplateId"],
    )


def test_a_role_of_that_name_that_is_not_ours_is_not_taken(server: EmbeddedAws) -> None:
    iam = seeding_client(server, "iam")
    token = "aws:iam/role:Role"
    assert look(server, token, "role", name="r-ours") == ()
    iam.create_role(RoleName="r-ours", AssumeRolePolicyDocument=TRUST, Tags=pairs("role"))
    iam.create_role(RoleName="r-theirs", AssumeRolePolicyDocument=TRUST)
    assert look(server, token, "role", name="r-ours") == ("r-ours",)
    assert look(server, token, "role", name="r-theirs") == ()
    policy = "aws:iam/rolePolicy:RolePolicy"
    assert look(server, policy, "rights", role="r-ours", name="p") == ()
    iam.put_role_policy(RoleName="r-ours", PolicyName="p", PolicyDocument=RIGHTS)
    assert look(server, policy, "rights", role="r-ours", name="p") == ("r-ours:p",)


def test_a_function_is_found_with_who_may_call_it(server: EmbeddedAws) -> None:
    seeding_client(server, "iam").create_role(RoleName="f", AssumeRolePolicyDocument=TRUST)
    client = seeding_client(server, "lambda")
    function, permission = "aws:lambda/function:Function", "aws:lambda/permission:Permission"
    assert look(server, function, "function", name="fn") == ()
    client.create_function(
        FunctionName="fn",
        Role="arn:aws:iam::123456789012:role/f",
        Runtime="python3.13",
        Handler="a.b",
        Code={"ZipFile": b"PK\x05\x06" + b"\0" * 18},
        Tags=tags("function"),
    )
    assert look(server, function, "function", name="fn") == ("fn",)
    asked = {
        "function": "fn",
        "action": "lambda:InvokeFunction",
        "principal": "events.amazonaws.com",
    }
    assert look(server, permission, "permission", **asked) == ()
    client.add_permission(
        FunctionName="fn",
        StatementId="one",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )
    assert look(server, permission, "permission", **asked) == ("one",)
    assert look(server, permission, "permission", **asked, statementId="two") == ()


def test_a_log_group_is_found_by_its_whole_name(server: EmbeddedAws) -> None:
    logs, token = seeding_client(server, "logs"), "aws:cloudwatch/logGroup:LogGroup"
    logs.create_log_group(logGroupName="/aws/fn-more", tags=tags("logs"))
    assert look(server, token, "logs", name="/aws/fn") == ()
    logs.create_log_group(logGroupName="/aws/fn", tags=tags("logs"))
    assert look(server, token, "logs", name="/aws/fn") == ("/aws/fn",)


def test_what_is_in_an_api_is_found_in_it(server: EmbeddedAws) -> None:
    client = seeding_client(server, "apigatewayv2")
    module = "aws:apigatewayv2"
    assert look(server, f"{module}/api:Api", "api") == ()
    api = client.create_api(Name="a", ProtocolType="HTTP", Tags=tags("api"))["ApiId"]
    assert look(server, f"{module}/api:Api", "api") == (api,)
    asked = {"apiId": api, "integrationUri": "arn:x"}
    assert look(server, f"{module}/integration:Integration", "i", **asked) == ()
    made = client.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri="arn:x", PayloadFormatVersion="2.0"
    )
    route = client.create_route(ApiId=api, RouteKey="GET /")
    client.create_stage(ApiId=api, StageName="$default")
    assert look(server, f"{module}/integration:Integration", "i", **asked) == (
        made["IntegrationId"],
    )
    assert look(server, f"{module}/route:Route", "r", apiId=api, routeKey="GET /") == (
        route["RouteId"],
    )
    assert look(server, f"{module}/stage:Stage", "s", apiId=api, name="$default") == ("$default",)
    assert look(server, f"{module}/route:Route", "r", apiId="gone", routeKey="GET /") == ()


def test_a_type_that_is_never_generated_is_refused(server: EmbeddedAws) -> None:
    with pytest.raises(PermanentError, match=r"no way to look for aws:s3/bucket:Bucket"):
        look(server, "aws:s3/bucket:Bucket", "bucket")


def test_without_our_tags_nothing_is_taken_for_ours(server: EmbeddedAws) -> None:
    wanted = Wanted(name="x", token="aws:ebs/volume:Volume", urn="u", change_id=None, inputs={})
    find = found_by_tags(lambda service, _: seeding_client(server, service), region=REGION)
    with pytest.raises(PermanentError, match="has no tags"):
        find(wanted)


def test_only_what_is_stopped_is_started_again(server: EmbeddedAws) -> None:
    down, up = run_instance(server, "down"), run_instance(server, "up")
    ec2 = seeding_client(server, "ec2")
    ec2.stop_instances(InstanceIds=[down])
    start = started_again(lambda service, _: seeding_client(server, service), region=REGION)
    assert start((down, up)) == (down,)
    assert start((down, up)) == ()
    assert start(()) == ()
    found = ec2.describe_instances(InstanceIds=[down])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] in {"pending", "running"}
