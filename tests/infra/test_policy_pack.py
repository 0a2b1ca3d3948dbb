"""The policy pack: each rule by hand-made cases, and the same verdicts with the engine's protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2, struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import analyzer_pb2 as analyzer
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tasks.adapters.policy_pack import SHIPPED_PACK, PolicyPackError, policy_findings
from tasks.adapters.pulumi.environment import EngineSettings
from tasks.adapters.pulumi.estimate import estimate
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.preview import (
    UNKNOWN,
    Finding,
    Operation,
    Preview,
    PropertyDiff,
    ResourceChange,
    Source,
)
from tasks.domain.stacks.source.project import project_files
from tests.support import stack_fleet
from tests.support.reality import ToolPath

ROOT = Path(__file__).resolve().parents[2]
TAGS = {"homeostat/change-id": "hs-0123456789ab", "homeostat/reason": "idle"}
INSTANCE = "aws:ec2/instance:Instance"
VOLUME = "aws:ebs/volume:Volume"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"
FUNCTION = "aws:lambda/function:Function"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
URL = "aws:lambda/functionUrl:FunctionUrl"
ROUTE = "aws:apigatewayv2/route:Route"
PERMISSION = "aws:lambda/permission:Permission"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
DATABASE = "aws:rds/instance:Instance"
PLAN = "aws:savingsplans/savingsPlan:SavingsPlan"
IMAGE = "aws:ec2/amiLaunchPermission:AmiLaunchPermission"
TOKENS = {"httpTokens": "required"}


def line(
    token: str,
    inputs: Mapping[str, Any] | None,
    operation: Operation = Operation.CREATE,
    *,
    before: Mapping[str, Any] | None = None,
    protected: bool | None = None,
    name: str = "one",
) -> ResourceChange:
    """A line of a preview; what was there before is protected, as adopted things are."""
    was_there = operation not in (Operation.CREATE, Operation.REPLACE)
    return ResourceChange(
        name=name,
        token=token,
        urn=f"urn:pulumi:dev::homeostat::{token}::{name}",
        operation=operation,
        inputs_after=inputs,
        inputs_before=before,
        protected=was_there if protected is None else protected,
    )


def preview(*lines: ResourceChange, phase: Phase = Phase.CHANGE) -> Preview:
    return Preview(
        stack="dev",
        region="eu-west-1",
        phase=phase,
        source=Source.ENGINE,
        program_sha256="0" * 64,
        state_serial="1",
        changes=lines,
    )


def verdicts(*lines: ResourceChange, phase: Phase = Phase.CHANGE, **allowed: object) -> set[str]:
    """Return broken rules; advice with a question mark."""
    found = policy_findings(preview(*lines, phase=phase), settings=allowed)
    return {one.rule if one.mandatory else f"{one.rule}?" for one in found}


def policy(*actions: str, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a rule makes of one line of a preview."""

    says: str
    of: ResourceChange
    breaks: frozenset[str] = frozenset()


def case(says: str, of: ResourceChange, *breaks: str) -> Case:
    return Case(says=says, of=of, breaks=frozenset(breaks))


GOOD_INSTANCE = {
    "instanceType": "m7i.large",
    "rootBlockDevice": {"encrypted": True},
    "metadataOptions": TOKENS,
    "tags": TAGS,
}
GOOD_TEMPLATE = {
    "instanceType": "m7i.large",
    "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}}],
    "metadataOptions": TOKENS,
    "tags": TAGS,
}
GOOD_FUNCTION = {"role": UNKNOWN, "name": "f", "loggingConfig": {"logGroup": "f"}, "tags": TAGS}
OPEN = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}


def spread(**more: object) -> dict[str, Any]:
    part = {"onDemandPercentageAboveBaseCapacity": 25} | more
    return {"mixedInstancesPolicy": {"instancesDistribution": part}, "tags": TAGS}


CREATED = [
    case("a careful instance", line(INSTANCE, GOOD_INSTANCE), "stateful-protected?"),
    case("an encrypted volume", line(VOLUME, {"encrypted": True, "tags": TAGS}, protected=True)),
    case("a plain volume", line(VOLUME, {"tags": TAGS}), "encryption", "stateful-protected?"),
    case(
        "a volume of a snapshot",
        line(VOLUME, {"snapshotId": "snap-1", "tags": TAGS}),
        "encryption?",
        "stateful-protected?",
    ),
    case(
        "a volume that says no",
        line(VOLUME, {"encrypted": False, "tags": TAGS}),
        "encryption",
        "stateful-protected?",
    ),
    case(
        "a volume of which it is not known",
        line(VOLUME, {"encrypted": UNKNOWN, "tags": TAGS}),
        "encryption?",
        "stateful-protected?",
    ),
    case(
        "an instance without a word on its root",
        line(INSTANCE, GOOD_INSTANCE | {"rootBlockDevice": {}}),
        "encryption",
        "stateful-protected?",
    ),
    case(
        "an instance with an unencrypted second device",
        line(INSTANCE, GOOD_INSTANCE | {"ebsBlockDevices": [{"deviceName": "/dev/sdf"}]}),
        "encryption",
        "stateful-protected?",
    ),
    case(
        "an instance that answers without a token",
        line(INSTANCE, GOOD_INSTANCE | {"metadataOptions": {"httpTokens": "optional"}}),
        "instance-metadata",
        "stateful-protected?",
    ),
    case("a careful template", line(TEMPLATE, GOOD_TEMPLATE)),
    case(
        "a template that trusts its image",
        line(TEMPLATE, GOOD_TEMPLATE | {"blockDeviceMappings": []}),
        "encryption",
    ),
    case(
        "a template without metadata options",
        line(TEMPLATE, {k: v for k, v in GOOD_TEMPLATE.items() if k != "metadataOptions"}),
        "instance-metadata",
    ),
    case("a role without tags", line(ROLE, {}), "tags"),
    case(
        "a role with an empty reason", line(ROLE, {"tags": TAGS | {"homeostat/reason": ""}}), "tags"
    ),
    case("a route needs no tags", line(ROUTE, {"authorizationType": "AWS_IAM"})),
    case(
        "a group has its tags as a list",
        line(GROUP, {"tags": [{"key": key, "value": value} for key, value in TAGS.items()]}),
    ),
    case("a group with other tags", line(GROUP, {"tags": [{"key": "a", "value": "b"}]}), "tags"),
    case("an open port", line(SECURITY_GROUP, {"ingress": [OPEN], "tags": TAGS}), "ingress"),
    case(
        "every port of IPv6",
        line(INGRESS_RULE, {"ipProtocol": "-1", "cidrIpv6": "::/0"}),
        "ingress",
    ),
    case(
        "half of all addresses",
        line(
            INGRESS_RULE,
            {"ipProtocol": "tcp", "fromPort": 1, "toPort": 2, "cidrIpv4": "128.0.0.0/1"},
        ),
        "ingress",
    ),
    case(
        "a private network",
        line(
            INGRESS_RULE,
            {"ipProtocol": "tcp", "fromPort": 1, "toPort": 2, "cidrIpv4": "10.0.0.0/8"},
        ),
    ),
    case(
        "a source that is not known",
        line(INGRESS_RULE, {"ipProtocol": "tcp", "fromPort": 1, "toPort": 2, "cidrIpv4": UNKNOWN}),
        "ingress?",
    ),
    case(
        "a rule of egress",
        line("aws:ec2/securityGroupRule:SecurityGroupRule", OPEN | {"type": "egress"}),
    ),
    case("a public function URL", line(URL, {"authorizationType": "NONE"}), "ingress"),
    case("a function URL with authorization", line(URL, {"authorizationType": "AWS_IAM"})),
    case("a public route", line(ROUTE, {"routeKey": "GET /"}), "ingress"),
    case("a permission for everybody", line(PERMISSION, {"principal": "*"}), "ingress"),
    case(
        "a permission for one API",
        line(PERMISSION, {"principal": "apigateway.amazonaws.com", "sourceArn": UNKNOWN}),
    ),
    case(
        "a database on the internet",
        line(
            DATABASE,
            {"storageEncrypted": True, "publiclyAccessible": True, "tags": TAGS},
            protected=True,
        ),
        "ingress",
    ),
    case(
        "a type that is too large",
        line(INSTANCE, GOOD_INSTANCE | {"instanceType": "m7i.8xlarge"}, protected=True),
        "instance-size",
    ),
    case(
        "a whole machine",
        line(INSTANCE, GOOD_INSTANCE | {"instanceType": "m5.metal"}, protected=True),
        "instance-size",
    ),
    case(
        "a large type among overrides",
        line(
            GROUP,
            {
                "mixedInstancesPolicy": {
                    "launchTemplate": {"overrides": [{"instanceType": "c7g.12xlarge"}]}
                },
                "tags": TAGS,
            },
        ),
        "instance-size",
    ),
    case("an unprotected plan", line(PLAN, {"tags": TAGS}), "stateful-protected"),
    case("a protected plan", line(PLAN, {"tags": TAGS}, protected=True)),
    case("an image for everybody", line(IMAGE, {"group": "all"}), "public-image"),
    case("an image for an account", line(IMAGE, {"accountId": "123456789012"})),
    case("logs for ever", line(LOGS, {"tags": TAGS}), "log-retention"),
    case(
        "logs for ten years", line(LOGS, {"retentionInDays": 3653, "tags": TAGS}), "log-retention"
    ),
    case("logs for two weeks", line(LOGS, {"retentionInDays": 14, "tags": TAGS})),
    case("a function with a role", line(FUNCTION, GOOD_FUNCTION)),
    case(
        "a function without a role", line(FUNCTION, GOOD_FUNCTION | {"role": None}), "function-role"
    ),
    case(
        "a function without a log group",
        line(FUNCTION, {"role": UNKNOWN, "name": "f", "tags": TAGS}),
        "function-logs?",
    ),
    case("named actions", line(ROLE_POLICY, {"policy": policy("logs:PutLogEvents")})),
    case("every action", line(ROLE_POLICY, {"policy": policy("*")}), "policy-wildcard"),
    case("actions by prefix", line(ROLE_POLICY, {"policy": policy("s3:Get*")}), "policy-wildcard"),
    case(
        "all actions but some",
        line(ROLE_POLICY, {"policy": policy("a:B", NotAction="iam:*")}),
        "policy-wildcard",
    ),
    case("denied wildcards", line(ROLE_POLICY, {"policy": policy("s3:*", Effect="Deny")})),
    case("a policy that is not known", line(ROLE_POLICY, {"policy": UNKNOWN}), "policy-wildcard?"),
    case(
        "a role for everybody",
        line(
            ROLE,
            {"assumeRolePolicy": policy("sts:AssumeRole", Principal={"AWS": "*"}), "tags": TAGS},
        ),
        "policy-wildcard",
    ),
    case(
        "administrator",
        line(
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        "policy-wildcard",
    ),
    case(
        "spot by price alone",
        line(GROUP, spread(spotAllocationStrategy="lowest-price")),
        "spot-allocation",
    ),
    case("spot without a strategy", line(GROUP, spread()), "spot-allocation"),
    case(
        "spot by price and capacity",
        line(GROUP, spread(spotAllocationStrategy="price-capacity-optimized")),
    ),
    case("no spot at all", line(GROUP, spread(onDemandPercentageAboveBaseCapacity=100))),
]

BARE_INSTANCE = {"instanceType": "m7i.24xlarge"}
GROWN = GOOD_INSTANCE | {"instanceType": "m7i.12xlarge"}
WAS = {"ingress": [OPEN | {"fromPort": 80, "toPort": 80}]}
THERE = [
    case(
        "what is adopted is never stopped",
        line(INSTANCE, BARE_INSTANCE, Operation.IMPORT),
        "encryption?",
        "instance-metadata?",
        "instance-size?",
    ),
    case(
        "an old fault is advice",
        line(
            VOLUME,
            {"type": "gp3", "tags": TAGS},
            Operation.UPDATE,
            before={"type": "gp2"},
        ),
        "encryption?",
    ),
    case(
        "a new fault stops",
        line(
            INSTANCE,
            GOOD_INSTANCE | {"metadataOptions": {"httpTokens": "optional"}},
            Operation.UPDATE,
            before=GOOD_INSTANCE,
        ),
        "instance-metadata",
    ),
    case(
        "a second open port stops",
        line(
            SECURITY_GROUP,
            {"ingress": [*WAS["ingress"], OPEN], "tags": TAGS},
            Operation.UPDATE,
            before=WAS,
        ),
        "ingress",
        "ingress?",
    ),
    case(
        "a change says why",
        line(VOLUME, {"encrypted": True}, Operation.UPDATE, before={"encrypted": True}),
        "tags",
    ),
    case(
        "shrinking to what is still large is advice",
        line(INSTANCE, GROWN, Operation.UPDATE, before=GOOD_INSTANCE | BARE_INSTANCE),
        "instance-size?",
    ),
    case(
        "growing to it stops",
        line(INSTANCE, GROWN, Operation.UPDATE, before=GOOD_INSTANCE),
        "instance-size",
    ),
    case("deleting a volume", line(VOLUME, None, Operation.DELETE, before={}), "stateful-kept"),
    case(
        "making an instance anew",
        line(INSTANCE, GOOD_INSTANCE, Operation.REPLACE, before=GOOD_INSTANCE, protected=True),
        "stateful-kept",
    ),
    case("forgetting a volume", line(VOLUME, None, Operation.FORGET, before={})),
    case("deleting a route", line(ROUTE, None, Operation.DELETE, before={})),
    case(
        "leaving it unprotected",
        line(VOLUME, {"encrypted": True}, Operation.SAME, protected=False),
        "stateful-protected?",
    ),
]


@pytest.mark.parametrize("found", CREATED + THERE, ids=lambda found: found.says)
def test_a_rule_judges(found: Case) -> None:
    assert verdicts(found.of) == found.breaks


def test_every_rule_is_broken_by_some_case() -> None:
    broken = {rule.rstrip("?") for one in CREATED for rule in one.breaks}

    # No case is of a region: every region is allowed until some are named.
    assert broken | {"regions", "stateful-kept"} == set(_pack_rules())


def _pack_rules() -> list[str]:
    text = (SHIPPED_PACK / "rules" / "pack.py").read_text()
    return [part.split('"')[0] for part in text.split('name="')[1:]]


def test_a_region_that_is_not_allowed_stops_what_is_created_there() -> None:
    created = line(ROUTE, {"authorizationType": "JWT"})

    assert verdicts(created, regions=["us-east-1"]) == {"regions"}
    assert verdicts(created, regions=["us-east-1", "eu-west-1"]) == set()
    assert verdicts(replace(created, operation=Operation.IMPORT), regions=["us-east-1"]) == {
        "regions?"
    }


def test_the_log_group_of_a_function_is_looked_for_in_the_whole_stack() -> None:
    function = line(FUNCTION, {"role": UNKNOWN, "name": "f", "tags": TAGS})
    logs = {"name": "/aws/lambda/f", "retentionInDays": 14, "tags": TAGS}

    assert verdicts(function, line(LOGS, logs, name="logs")) == set()
    assert verdicts(function, line(LOGS, logs | {"name": "/other"}, name="logs")) == {
        "function-logs?"
    }


def test_putting_back_what_was_is_never_stopped() -> None:
    back = line(
        VOLUME, {"type": "gp2"}, Operation.UPDATE, before={"encrypted": True} | {"tags": TAGS}
    )

    assert verdicts(back, phase=Phase.UNDO) == {"encryption?"}


def test_an_undo_that_deletes_what_holds_state_is_stopped() -> None:
    assert verdicts(line(VOLUME, None, Operation.DELETE), phase=Phase.UNDO) == {"stateful-kept"}


def test_a_replacement_names_the_property_that_asks_for_it() -> None:
    anew = replace(
        line(INSTANCE, GOOD_INSTANCE, Operation.REPLACE, protected=True),
        diffs=(PropertyDiff(path="subnetId", before="a", after="b", replaces=True),),
    )

    found = policy_findings(preview(anew))

    assert [one.rule for one in found] == ["stateful-kept"]
    assert "subnetId" in found[0].message


def test_settings_make_a_rule_advice_or_turn_it_off() -> None:
    route = line(ROUTE, {})

    assert verdicts(route, levels={"ingress": "advice"}) == {"ingress?"}
    assert verdicts(route, levels={"ingress": "off"}) == set()
    assert verdicts(route, public_routes=True) == set()
    assert verdicts(line(URL, {"authorizationType": "NONE"}), public_routes=True) == {"ingress"}


def test_open_ports_are_those_that_are_named_and_no_range_around_them() -> None:
    web = OPEN | {"fromPort": 443, "toPort": 443}
    around = OPEN | {"fromPort": 440, "toPort": 443}

    assert (
        verdicts(line(SECURITY_GROUP, {"ingress": [web], "tags": TAGS}), open_ports=[443]) == set()
    )
    assert verdicts(
        line(SECURITY_GROUP, {"ingress": [around], "tags": TAGS}), open_ports=[443]
    ) == {"ingress"}


def test_a_type_beyond_the_limit_can_be_allowed_by_name() -> None:
    large = line(INSTANCE, GOOD_INSTANCE | {"instanceType": "r7i.8xlarge"}, protected=True)

    assert verdicts(large, allowed_types=["r7i.*"]) == set()
    assert verdicts(large, largest_vcpus=32) == set()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"region": ["eu-west-1"]}, "unknown setting 'region'"),
        ({"regions": "eu-west-1"}, "regions is a list of texts"),
        ({"largest_vcpus": 0}, "largest_vcpus is a whole number from 1"),
        ({"largest_vcpus": True}, "largest_vcpus is a whole number"),
        ({"open_ports": [70000]}, "1 to 65535"),
        ({"public_routes": "yes"}, "true or false"),
        ({"levels": {"ingres": "off"}}, "unknown rule 'ingres'"),
        ({"levels": {"ingress": "loud"}}, "mandatory or advice or off"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(PolicyPackError, match=says):
        policy_findings(preview(), settings=wrong)


def test_yaml_that_says_off_turns_a_rule_off() -> None:
    levels = yaml.safe_load("levels: {ingress: off}")

    assert verdicts(line(ROUTE, {}), **levels) == set()


def test_what_the_shipped_file_says_are_the_defaults() -> None:
    shipped = yaml.safe_load((SHIPPED_PACK / "policy.yaml").read_text())

    assert verdicts(line(ROLE, {"tags": {}}), **shipped) == {"tags"}
    assert shipped["largest_vcpus"] == 16


def test_a_folder_without_a_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyPackError, match="cannot be read"):
        policy_findings(preview(), pack=tmp_path)
    (tmp_path / "policy.yaml").write_text("")
    with pytest.raises(PolicyPackError, match="no rules in"):
        policy_findings(preview(), pack=tmp_path)


def test_loading_the_rules_leaves_nothing_behind() -> None:
    path, modules = list(sys.path), set(sys.modules)

    policy_findings(preview(line(ROLE, {})))

    assert sys.path == path
    assert {name for name in set(sys.modules) - modules if "policy" in name} == set()


def test_rules_that_were_edited_are_the_ones_that_judge(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED_PACK, tmp_path / "pack", ignore=shutil.ignore_patterns("__pycache__"))
    bare = preview(line(ROLE, {}))
    assert policy_findings(bare, pack=tmp_path / "pack")[0].rule == "tags"
    rules = tmp_path / "pack" / "rules" / "pack.py"

    rules.write_text(rules.read_text().replace('name="tags"', 'name="labels"'))

    assert policy_findings(bare, pack=tmp_path / "pack")[0].rule == "labels"


def test_what_stops_an_update_comes_first() -> None:
    found = policy_findings(preview(line(VOLUME, {}, Operation.IMPORT), line(ROLE, {}, name="two")))

    assert [one.mandatory for one in found] == sorted(
        (one.mandatory for one in found), reverse=True
    )
    assert found[0] == Finding(
        rule="tags",
        resource="two",
        message="tags missing or empty: homeostat/change-id, homeostat/reason; add them",
        mandatory=True,
    )


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just(UNKNOWN),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
of_interest = [key for one in CREATED for key in (one.of.inputs_after or {})]
odd_inputs = st.dictionaries(st.sampled_from(sorted(set(of_interest))), json_values, max_size=8)
tokens = st.sampled_from(sorted({one.of.token for one in CREATED}))


@settings(max_examples=150)
@given(
    token=tokens,
    inputs=odd_inputs,
    before=st.none() | odd_inputs,
    operation=st.sampled_from(Operation),
)
def test_no_input_however_odd_breaks_a_rule_itself(
    token: str, inputs: dict[str, Any], before: dict[str, Any] | None, operation: Operation
) -> None:
    policy_findings(preview(line(token, inputs, operation, before=before)))


@given(token=tokens, inputs=odd_inputs)
def test_what_is_imported_as_it_is_is_never_stopped(token: str, inputs: dict[str, Any]) -> None:
    found = policy_findings(preview(line(token, inputs, Operation.IMPORT), phase=Phase.ADOPT))

    assert not any(one.mandatory for one in found)


UNKNOWN_TO_THE_ENGINE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine tells a pack of a text that it does not know yet."""


@contextmanager
def running_pack(**environment: str) -> Iterator[AnalyzerStub]:
    """Run the pack as the engine does: a process that prints its port and answers over gRPC."""
    process = subprocess.Popen(
        [sys.executable, "-u", str(SHIPPED_PACK)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": ""} | environment,
    )
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield AnalyzerStub(channel)
        process.terminate()


@pytest.fixture(scope="module")
def pack() -> Iterator[AnalyzerStub]:
    with running_pack() as stub:
        yield stub


def told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: told(one) for key, one in value.items()}
    if isinstance(value, list):
        return [told(one) for one in value]
    return UNKNOWN_TO_THE_ENGINE if value == UNKNOWN else value


def parts(of: ResourceChange, region: str) -> dict[str, Any]:
    properties, provider = struct_pb2.Struct(), struct_pb2.Struct()
    properties.update(told(of.inputs_after))
    provider.update({"region": region})
    return {
        "type": of.token,
        "urn": of.urn,
        "name": of.name,
        "properties": properties,
        "options": analyzer.AnalyzerResourceOptions(protect=of.protected),
        "provider": analyzer.AnalyzerProviderResource(
            type="pulumi:providers:aws", properties=provider
        ),
    }


def engine_verdicts(pack: AnalyzerStub, of: ResourceChange, region: str = "eu-west-1") -> set[str]:
    """Return what the running pack says of one resource, in the same notation."""
    one = pack.Analyze(analyzer.AnalyzeRequest(**parts(of, region)))
    every = pack.AnalyzeStack(
        analyzer.AnalyzeStackRequest(resources=[analyzer.AnalyzerResource(**parts(of, region))])
    )
    found = set()
    for said in [*one.diagnostics, *every.diagnostics]:
        stops = said.enforcementLevel == analyzer.MANDATORY
        assert said.policyName.endswith("-advice") is not stops
        found.add(said.policyName if stops else f"{said.policyName.removesuffix('-advice')}?")
    return found


@pytest.mark.parametrize("found", CREATED, ids=lambda found: found.says)
def test_over_the_engines_protocol_the_verdict_is_the_same(found: Case, pack: AnalyzerStub) -> None:
    # The engine does not tell what is created: what is not protected is.
    protected_is_there = found.of.protected
    stops = {rule for rule in found.breaks if not rule.endswith("?")}

    said = engine_verdicts(pack, found.of)

    if protected_is_there:
        assert {rule.rstrip("?") for rule in said} == {rule.rstrip("?") for rule in found.breaks}
        assert all(rule.endswith("?") for rule in said)
    else:
        assert said == found.breaks
        assert {rule for rule in said if not rule.endswith("?")} == stops


def test_over_the_engines_protocol_an_adoption_is_never_stopped(pack: AnalyzerStub) -> None:
    adopted = line(INSTANCE, BARE_INSTANCE | {"tags": {}}, Operation.IMPORT)

    assert engine_verdicts(pack, adopted) == {
        "encryption?",
        "instance-metadata?",
        "instance-size?",
        "tags?",
    }


def test_the_pack_tells_the_engine_two_policies_for_every_rule(pack: AnalyzerStub) -> None:
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())

    assert info.name == "homeostat"
    names = {one.name: one.enforcementLevel for one in info.policies}
    assert names == dict.fromkeys(_pack_rules(), analyzer.MANDATORY) | {
        f"{rule}-advice": analyzer.ADVISORY for rule in _pack_rules()
    }


def test_no_setting_of_a_stack_makes_the_pack_look_away() -> None:
    """A pull request can bring a stack's settings, and must not judge itself by them."""
    config = {"homeostat:phase": "undo", "homeostat:policy": "off"}

    with running_pack(PULUMI_CONFIG=json.dumps(config)) as pack:
        assert engine_verdicts(pack, line(ROLE, {"tags": {}})) == {"tags"}


@pytest.mark.slow
@pytest.mark.real("pulumi")
def test_the_real_engine_stops_at_what_is_mandatory_and_shows_the_advice(
    tool_path: ToolPath, tmp_path: Path
) -> None:
    folders = (str(tool_path("pulumi").parent), str(Path(sys.executable).parent))
    (tmp_path / "state").mkdir()
    environment = {
        "PATH": os.pathsep.join((*folders, os.environ["PATH"])),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }

    # The executable: a policy pack as a folder takes the language host of the official command.
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.judged_preview", str(SHIPPED_PACK / "run")],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["said"] == [
        ["encryption-advice", "data", "advisory"],
        ["log-retention", "logs", "mandatory"],
        ["tags-advice", "data", "advisory"],
    ]
    assert "preview failed" in found["outcome"]


def test_the_page_about_the_pack_names_every_rule() -> None:
    page = (SHIPPED_PACK / "README.md").read_text()

    assert [rule for rule in _pack_rules() if f"| `{rule}` |" not in page] == []


@pytest.mark.slow
@pytest.mark.parametrize("phase", Phase)
def test_what_is_generated_of_every_kind_is_never_stopped(phase: Phase, tmp_path: Path) -> None:
    """The estimate runs the generated programs themselves, in processes of their own."""
    engine = EngineSettings(backend_url=f"file://{tmp_path / 'state'}", home=tmp_path / "home")
    for plan in stack_plans(stack_fleet.everything(), stack_fleet.account(), now=stack_fleet.NOW):
        folder = tmp_path / plan.stack
        for name, content in project_files(plan).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

        seen = estimate(engine, folder, stack=plan.stack, phase=phase, region="us-east-1")

        assert [one for one in policy_findings(seen) if one.mandatory] == []
