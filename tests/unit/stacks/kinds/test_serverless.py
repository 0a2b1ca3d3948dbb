"""A function beside the instances of a small service."""

from __future__ import annotations

import ast

import pytest

from tasks.domain.guardrails.check import check
from tasks.domain.guardrails.modes import Mode
from tasks.domain.guardrails.policy import GuardrailPolicy
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import SAVING_TAG
from tasks.domain.stacks.kinds.serverless import (
    FUNCTION,
    HANDLER,
    LOG_GROUP,
    PERMISSION,
    ROUTE,
)
from tasks.domain.stacks.program import Attribute, Joined
from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import of_type, planned, refusal


def test_a_function_has_a_role_that_may_write_its_own_log_and_nothing_else() -> None:
    plan = planned(fleet.serverless())
    (function,), (logs,) = of_type(plan.change, FUNCTION), of_type(plan.change, LOG_GROUP)
    (policy,) = of_type(plan.change, "aws:iam/rolePolicy:RolePolicy")
    (role,) = of_type(plan.change, "aws:iam/role:Role")

    assert function.inputs["role"] == Attribute(resource=role.name, name="arn")
    assert logs.inputs["name"] == f"/aws/lambda/{function.inputs['name']}"
    assert logs.inputs["retention_in_days"] == 30
    assert f"log-group:{logs.inputs['name']}:*" in repr(policy.inputs["policy"])
    assert logs.name in function.depends_on


def test_only_that_api_may_call_it() -> None:
    plan = planned(fleet.serverless())
    (permission,) = of_type(plan.change, PERMISSION)
    (api,) = of_type(plan.change, "aws:apigatewayv2/api:Api")

    assert permission.inputs["principal"] == "apigateway.amazonaws.com"
    assert permission.inputs["source_arn"] == Joined(
        parts=(Attribute(resource=api.name, name="execution_arn"), "/*/*")
    )


def test_nobody_calls_the_api_without_a_signature() -> None:
    (route,) = of_type(planned(fleet.serverless()).change, ROUTE)

    assert route.inputs["authorization_type"] == "AWS_IAM"


def test_the_handler_is_a_program_that_answers_501() -> None:
    names: dict[str, object] = {}
    exec(compile(ast.parse(HANDLER), "main.py", "exec"), names)  # noqa: S102 - our own text
    handler = names["handler"]

    assert callable(handler)
    assert handler({}, None)["statusCode"] == 501


def test_its_instances_are_not_touched_and_the_plan_says_so() -> None:
    plan = planned(fleet.serverless())

    assert not any(one.adopted for one in plan.change.resources)
    assert any("its instances are not touched" in note for note in plan.changes[0].notes)
    assert list(plan.change.exports) == [
        "service-targetgroup-reports-29c7abba2fd903ca-2754de75-endpoint"
    ]


def test_it_costs_until_its_instances_are_off_and_saves_only_then() -> None:
    plan = planned(fleet.serverless())
    (change,) = plan.changes
    (function,) = of_type(plan.change, FUNCTION)
    tags = function.inputs["tags"]

    assert change.saving == Usd.exactly(-0.21)
    assert change.later == fleet.serverless().net
    assert any("then this saves 30.30 USD a month" in note for note in change.notes)
    assert "will save 30.30 USD" in change.reason
    assert isinstance(tags, dict)
    assert tags[SAVING_TAG] == "-0.21"


def test_it_saves_nothing_by_itself_where_its_cost_is_not_known() -> None:
    wanted = fleet.chosen(Kind.SERVERLESS, "a", {"memory_mib": 512, "front": "HTTP API"})

    assert planned(wanted).changes[0].saving == Usd.exactly(0.0)


def test_what_it_saves_later_makes_it_worth_proposing() -> None:
    changes = planned(fleet.serverless()).changes
    least, more = (
        GuardrailPolicy(mode=Mode.APPROVE, min_saving_usd=usd, max_percent_per_run=100.0)
        for usd in (5.0, 31.0)
    )
    allowed = check(changes, least, population=10, now=fleet.NOW, history=(), applying=False)
    refused = check(changes, more, population=10, now=fleet.NOW, history=(), applying=False)

    assert allowed.allowed == changes
    assert "saves 30.30 USD a month, less than" in refused.refused[0].why


@pytest.mark.parametrize("memory", [64, 20_000, "512", 512.5])
def test_memory_that_no_function_has_is_refused(memory: str | float) -> None:
    wanted = fleet.chosen(Kind.SERVERLESS, "a", {"memory_mib": memory, "front": "HTTP API"})

    assert "is no memory of a function" in refusal(wanted)
