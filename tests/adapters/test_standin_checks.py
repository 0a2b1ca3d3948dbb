"""What the stand-in refuses, what it says before anything is done, and how it differs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as proto

from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from deployments.embedded.pulumi_aws.values import (
    MARK,
    SECRET,
    UNKNOWN,
    from_struct,
    to_struct,
    zip_of,
)
from tests.support.embedded_aws import seeding_client
from tests.support.standin import Driver, Made, driving, environment, urn

GROUP = "aws:autoscaling/group:Group"
INSTANCE = "aws:ec2/instance:Instance"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
VOLUME = "aws:ebs/volume:Volume"
DISK = {"availabilityZone": "us-east-1a", "size": 10, "type": "gp3"}
pytestmark = pytest.mark.embedded("aws")


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(fleet="shipped")) as running:
        yield running


@pytest.fixture(scope="module")
def driver(server: EmbeddedAws) -> Iterator[Driver]:
    with driving(environment(server)) as made:
        made.configure(region="us-east-1")
        yield made


@pytest.fixture(scope="module")
def machine(server: EmbeddedAws, driver: Driver) -> Made:
    """An instance that exists, as an import would read it."""
    found = seeding_client(server, "ec2").describe_instances()["Reservations"][0]["Instances"][0]
    made = driver.imported(INSTANCE, "machine", found["InstanceId"])
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        (VOLUME, {"availability_zone": "us-east-1a"}, "availability_zone"),
        (VOLUME, {"availabilityZone": "a", "sise": 3}, "sise"),
        (VOLUME, {"size": 3}, "availabilityZone"),
        (VOLUME, {"availabilityZone": "a", "size": "large"}, "size"),
        (INSTANCE, {"rootBlockDevice": {"volume_size": 3}}, "rootBlockDevice.volume_size"),
        (INSTANCE, {"monitoring": "perhaps"}, "monitoring"),
        (INSTANCE, {"tags": {"a": ["b"]}}, "tags.a"),
        (INSTANCE, {"vpcSecurityGroupIds": "sg-1"}, "vpcSecurityGroupIds"),
        (
            GROUP,
            {
                "minSize": 1,
                "maxSize": 2,
                "mixedInstancesPolicy": {
                    "launchTemplate": {
                        "launchTemplateSpecification": {},
                        "overrides": [{"instanceType": "m5.large"}, {"instance_type": "a"}],
                    }
                },
            },
            "mixedInstancesPolicy.launchTemplate.overrides[1].instance_type",
        ),
    ],
)
def test_what_pulumi_aws_does_not_have_is_refused(
    driver: Driver, token: str, inputs: dict[str, Any], path: str
) -> None:
    _, failures = driver.check(token, "one", inputs)

    assert path in failures


def test_a_refusal_says_what_was_meant(driver: Driver) -> None:
    _, failures = driver.check(INSTANCE, "one", {"instance_type": "m5.large"})

    assert "it is 'instanceType'" in failures["instance_type"]


def test_what_is_not_known_yet_may_be_right(driver: Driver) -> None:
    inputs = {"name": "g", "minSize": UNKNOWN, "maxSize": 2, "launchTemplate": {"id": UNKNOWN}}
    _, failures = driver.check(GROUP, "one", inputs)

    assert failures == {}


def test_a_type_that_is_not_embedded_is_refused_with_what_there_is(driver: Driver) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        driver.check("aws:s3/bucket:Bucket", "one", {})

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "Install the official AWS provider" in refused.value.details()


@pytest.mark.parametrize(
    "endpoint", ["https://ec2.us-east-1.amazonaws.com", "http://10.0.0.1:80", ""]
)
def test_an_endpoint_that_is_not_on_this_machine_is_refused(endpoint: str) -> None:
    with (
        driving({"AWS_ENDPOINT_URL": endpoint}) as driver,
        pytest.raises(grpc.RpcError, match="install the official provider"),
    ):
        driver.configure(region="us-east-1")


def test_nothing_is_called_without_an_account(server: EmbeddedAws) -> None:
    with driving(environment(server)) as driver, pytest.raises(grpc.RpcError, match="configured"):
        driver.imported(VOLUME, "one", "vol-1")


def test_a_configuration_of_the_official_provider_alone_is_refused(driver: Driver) -> None:
    news = to_struct({"region": "us-east-1", "defaultTags": "{}"})
    answer = driver.stub.CheckConfig(proto.CheckRequest(urn="urn", news=news))

    assert [one.property for one in answer.failures] == ["defaultTags"]


def test_a_preview_leaves_open_what_the_account_decides(driver: Driver) -> None:
    found = driver.preview(VOLUME, "one", DISK)

    assert found["size"] == 10
    assert found["arn"] == found["iops"] == UNKNOWN
    assert found["multiAttachEnabled"] is False


def test_a_preview_of_a_new_version_leaves_its_number_open(driver: Driver) -> None:
    one = driver.create(TEMPLATE, "template", {"instanceType": "m5.large"})
    changed = driver.update(one, {**one.inputs, "instanceType": "c5.large"}, preview=True)
    tagged = driver.update(one, {**one.inputs, "tags": {"a": "b"}}, preview=True)

    assert changed.state["latestVersion"] == UNKNOWN
    assert tagged.state["latestVersion"] == 1


def test_a_name_is_made_up_once_and_kept(driver: Driver) -> None:
    first, _ = driver.check(LOG_GROUP, "logs", {})
    again, _ = driver.check(LOG_GROUP, "logs", {}, first)
    other, _ = driver.check(LOG_GROUP, "logs", {}, {"name": "mine"})

    assert first["name"].startswith("logs-")
    assert first == again
    assert other["name"] == "mine"


def test_a_secret_comes_back_in_its_envelope(driver: Driver) -> None:
    secret = {MARK: SECRET, "value": {"team": "search"}}
    one = driver.create(VOLUME, "secret", {**DISK, "tags": secret})

    assert one.state["tags"] == secret
    assert driver.diff(one, {**DISK, "tags": secret}) == {}
    assert driver.diff(one, {**DISK, "tags": {"team": "b"}}) == {"tags.team": "UPDATE"}


@pytest.mark.parametrize(
    ("token", "identity"),
    [
        (GROUP, "storefront"),
        (GROUP, "thumbnails"),
        ("aws:autoscaling/policy:Policy", "thumbnails/thumbnails-predictive"),
        ("aws:lambda/function:Function", "rotate-logs"),
    ],
)
def test_an_import_agrees_with_each_truth_and_with_no_falsehood(
    driver: Driver, token: str, identity: str
) -> None:
    one = driver.imported(token, "one", identity)
    assert one is not None

    _check_each(driver, one)


def test_an_import_of_an_instance_agrees_with_each_truth_and_with_no_falsehood(
    driver: Driver, machine: Made
) -> None:
    assert machine.inputs["instanceType"]
    _check_each(driver, machine)


def _check_each(driver: Driver, one: Made) -> None:
    """Any subset of what is true makes no difference, and one word that is false does."""
    assert driver.diff(one, one.inputs) == {}
    said = {key: each for key, each in one.inputs.items() if key in _needed(one)}
    for key, value in one.inputs.items():
        assert driver.diff(one, {**said, key: value}) == {}
        false = _otherwise(value)
        if false is not None and key not in {"name", "region"}:
            found = driver.diff(one, {**said, key: false})
            assert {path.split(".")[0].split("[")[0] for path in found} == {key}, key


def _needed(one: Made) -> set[str]:
    """What must be said: required inputs, and tags, which the provider takes away otherwise."""
    always = {
        "autoscalingGroupName",
        "desiredCapacity",
        "maxSize",
        "minSize",
        "name",
        "role",
        "tags",
    }
    return always | {"policyType", "predictiveScalingConfiguration", "memorySize", "timeout"}


def _otherwise(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}-not"
    if isinstance(value, list):
        return [*value, "x"] if value and isinstance(value[0], str) else None
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return {key: f"{each}-not" for key, each in value.items()} or None
    return None


def test_tags_that_a_program_leaves_out_would_be_taken_away(driver: Driver, machine: Made) -> None:
    rest = {key: value for key, value in machine.inputs.items() if key != "tags"}

    assert driver.diff(machine, rest) == {"tags": "DELETE"}


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"instanceType": "c5.large"}, {"instanceType": "UPDATE"}),
        ({"ami": "ami-2"}, {"ami": "UPDATE_REPLACE"}),
        ({"availabilityZone": "us-east-1f"}, {"availabilityZone": "UPDATE_REPLACE"}),
        (
            {"instanceMarketOptions": {"marketType": "spot"}},
            {"instanceMarketOptions": "ADD_REPLACE"},
        ),
        (
            {"rootBlockDevice": {"volumeType": "io2", "encrypted": True}},
            {
                "rootBlockDevice.encrypted": "UPDATE_REPLACE",
                "rootBlockDevice.volumeType": "UPDATE",
            },
        ),
    ],
)
def test_an_instance_is_changed_in_place_or_replaced_by_the_documented_rules(
    driver: Driver, machine: Made, changes: dict[str, Any], kinds: dict[str, str]
) -> None:
    assert driver.diff(machine, {**machine.inputs, **changes}) == kinds


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"type": "gp2", "size": 20}, {"type": "UPDATE", "size": "UPDATE"}),
        ({"iops": 4000, "throughput": 200}, {"iops": "UPDATE", "throughput": "UPDATE"}),
        ({"availabilityZone": "us-east-1b"}, {"availabilityZone": "UPDATE_REPLACE"}),
        ({"encrypted": True}, {"encrypted": "UPDATE_REPLACE"}),
        ({"size": "10"}, {}),
        ({"tags": {"a.b/c": "d"}}, {'tags["a.b/c"]': "ADD"}),
    ],
)
def test_a_volume_is_changed_in_place_or_replaced_by_the_documented_rules(
    driver: Driver, changes: dict[str, Any], kinds: dict[str, str]
) -> None:
    one = driver.create(VOLUME, "one", DISK)

    assert driver.diff(one, {**one.inputs, **changes}) == kinds


def test_a_document_that_says_the_same_in_other_words_is_the_same(driver: Driver) -> None:
    token = "aws:iam/role:Role"
    policy = {"Version": "2012-10-17", "Statement": []}
    inputs = {"name": "homeostat-words", "assumeRolePolicy": json.dumps(policy, indent=2)}
    one = driver.create(token, "role", inputs)

    assert driver.diff(one, {**inputs, "assumeRolePolicy": json.dumps(policy)}) == {}


def test_what_others_may_change_is_left_to_them(driver: Driver) -> None:
    one = driver.imported(GROUP, "one", "storefront")
    assert one is not None
    wanted = {**one.inputs, "desiredCapacity": one.inputs["desiredCapacity"] + 1}

    assert driver.diff(one, wanted) == {"desiredCapacity": "UPDATE"}
    assert driver.diff(one, wanted, ignore=["desiredCapacity"]) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"iamInstanceProfile": "admin"}, "iamInstanceProfile is not as the program says"),
        ({"metadataOptions": {"httpTokens": "required"}}, "metadataOptions of an instance"),
    ],
)
def test_a_change_that_is_not_embedded_is_no_silent_success(
    driver: Driver, machine: Made, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(grpc.RpcError, match=said):
        driver.update(machine, {**machine.inputs, **change})


def test_a_refresh_tells_drift_in_the_words_of_the_program(
    server: EmbeddedAws, driver: Driver
) -> None:
    one = driver.create(VOLUME, "drifting", DISK)
    client = seeding_client(server, "ec2")
    client.modify_volume(VolumeId=one.identity, Size=50)
    client.create_tags(Resources=[one.identity], Tags=[{"Key": "by", "Value": "hand"}])
    there = driver.refreshed(one)
    assert there is not None

    assert there.inputs == {**DISK, "size": 50, "tags": {"by": "hand"}}
    assert driver.diff(there, DISK) == {"size": "UPDATE", "tags": "DELETE"}


def test_what_somebody_deleted_has_no_id(server: EmbeddedAws, driver: Driver) -> None:
    one = driver.create(VOLUME, "gone", DISK)
    seeding_client(server, "ec2").delete_volume(VolumeId=one.identity)

    assert driver.refreshed(one) is None
    assert driver.imported(VOLUME, "gone", "vol-0123") is None


def faulty(server: EmbeddedAws, **rule: Any) -> dict[str, str]:
    return environment(server, HOMEOSTAT_STANDIN_FAULTS=json.dumps([rule]))


def volumes(server: EmbeddedAws) -> int:
    return len(seeding_client(server, "ec2").describe_volumes()["Volumes"])


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_it_fails_before_or_after_the_call_when_it_is_told_to(
    server: EmbeddedAws, when: str, made: int
) -> None:
    before = volumes(server)
    rule = {"operation": "create", "name": "da*", "when": when, "error": "no", "times": 1}
    with driving(faulty(server, **rule)) as driver:
        driver.configure(region="us-east-1")
        with pytest.raises(grpc.RpcError, match="on purpose"):
            driver.create(VOLUME, "data", DISK)
        assert volumes(server) == before + made
        driver.create(VOLUME, "data", DISK)


def test_a_making_that_fails_on_the_way_tells_what_was_made(server: EmbeddedAws) -> None:
    rule = {"operation": "ec2:DescribeVolumes", "error": "no", "times": 1}
    with driving(faulty(server, **rule)) as driver:
        driver.configure(region="us-east-1")
        with pytest.raises(grpc.RpcError) as refused:
            driver.create(VOLUME, "data", DISK)

    (metadata,) = [value for key, value in refused.value.trailing_metadata() if "details" in key]
    assert b"ErrorResourceInitFailed" in metadata
    assert "made as vol-" in refused.value.details()


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"operation": "create", "wen": "before"}, "'wen' is unknown"),
        ({"operation": "create", "when": "then"}, "when is 'then'"),
        ({"operation": "create", "delay_seconds": 1000}, "0 to 60 is allowed"),
    ],
)
def test_a_fault_that_is_misspelt_is_refused(
    server: EmbeddedAws, rule: dict[str, Any], named: str
) -> None:
    with driving(faulty(server, **rule)) as driver, pytest.raises(grpc.RpcError, match=named):
        driver.configure(region="us-east-1")


def test_the_region_of_a_resource_wins_over_that_of_the_provider(
    server: EmbeddedAws, driver: Driver
) -> None:
    one = driver.create(
        VOLUME, "west", {**DISK, "availabilityZone": "us-west-2a", "region": "us-west-2"}
    )
    west = seeding_client(server, "ec2", region="us-west-2")

    assert [each["VolumeId"] for each in west.describe_volumes()["Volumes"]] == [one.identity]
    assert driver.diff(one, {**one.inputs, "region": "us-east-1"}) == {"region": "UPDATE_REPLACE"}


def test_a_look_up_that_is_embedded_is_answered_and_another_refused(driver: Driver) -> None:
    region = "aws:index/getRegion:getRegion"
    answer = driver.stub.Invoke(proto.InvokeRequest(tok=region, args=to_struct({})))
    with pytest.raises(grpc.RpcError) as refused:
        driver.stub.Invoke(proto.InvokeRequest(tok="aws:ec2/getAmi:getAmi", args=to_struct({})))

    assert from_struct(getattr(answer, "return"))["region"] == "us-east-1"
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_engine_is_told_what_it_asks_first(driver: Driver) -> None:
    assert driver.stub.Handshake(proto.ProviderHandshakeRequest()).accept_secrets
    news = to_struct({"region": "eu-west-1"})
    answer = driver.stub.DiffConfig(
        proto.DiffRequest(urn=urn("x", "y"), olds=to_struct({"region": "us-east-1"}), news=news)
    )
    assert list(answer.replaces) == ["region"]


def test_the_same_archive_is_the_same_bytes() -> None:
    archive = {"assets": {"b.py": {"text": "1"}, "a.py": {"text": "2"}}}
    turned = {"assets": dict(reversed(archive["assets"].items()))}

    assert zip_of(archive) == zip_of(turned)
