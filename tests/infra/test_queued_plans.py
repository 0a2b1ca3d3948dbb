"""A queued purchase through a provider that waits for an active plan: bought once, found, kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.embedded.aws.policy import APPLYING_KEY
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from tasks.adapters.interrupted_instances import started_again
from tasks.adapters.live_resources import live_account
from tasks.adapters.pulumi.engine import apply, preview
from tasks.adapters.pulumi.environment import AwsEnvironment, EngineSettings
from tasks.adapters.pulumi.recover import recover
from tasks.adapters.tagged_resources import found_by_tags
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.recovery import Outcome, Recovery
from tasks.domain.stacks.source.project import project_files
from tests.support import stack_fleet as fleet
from tests.support.embedded_aws import Clock, aws_client
from tests.support.reality import ToolPath

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.real("pulumi"),
    pytest.mark.timeout(1200),
]

REGION = "us-east-1"
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
WAITS = {
    "HOMEOSTAT_STANDIN_SAVINGS_PLAN": "waits",
    "HOMEOSTAT_STANDIN_SAVINGS_PLAN_SECONDS": "0.5",
}


@pytest.fixture
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW))) as running:
        yield running


@pytest.fixture
def settings(server: EmbeddedAws, tmp_path: Path, tool_path: ToolPath) -> EngineSettings:
    return EngineSettings(
        backend_url=f"file://{tmp_path / 'state'}",
        home=tmp_path / "home",
        passphrase="correct horse",
        cli=tool_path("pulumi"),
        plugin_folder=plugin_folder(),
        aws=AwsEnvironment(
            region=REGION,
            access_key_id=APPLYING_KEY,
            secret_access_key="not checked",
            endpoint_url=server.endpoint_url,
        ),
    )


def plans(server: EmbeddedAws) -> list[dict[str, Any]]:
    client = aws_client(server, "savingsplans")
    found = client.describe_savings_plans(states=["active", "payment-pending", "queued"])
    return list(found["savingsPlans"])


def recovered(server: EmbeddedAws, settings: EngineSettings, stack: str) -> Recovery:
    def client_for(service: str, region: str) -> Any:
        return aws_client(server, service, region=region, key=APPLYING_KEY)

    return recover(
        settings,
        stack=stack,
        find_by_tags=found_by_tags(client_for, region=REGION),
        start_again=started_again(client_for, region=REGION),
        look_again_seconds=0.0,
    )


def test_a_queued_plan_that_a_provider_waited_for_in_vain_is_found_and_not_bought_again(
    server: EmbeddedAws, settings: EngineSettings, tmp_path: Path
) -> None:
    bought = (fleet.commitment(),)
    live = live_account(
        lambda service, region: aws_client(server, service, region=region),
        [one.opportunity for one in bought],
    )
    (plan,) = stack_plans(bought, live, now=NOW)
    assert plan.refused == ()
    for path, content in project_files(plan).items():
        (tmp_path / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / path).write_bytes(content)
    waits = replace(settings, variables=WAITS)

    failed = apply(waits, tmp_path / "project", stack=plan.stack, phase=Phase.CHANGE)
    assert not failed.complete
    assert "to be active" in failed.error
    (queued,) = plans(server)
    assert queued["state"] == "queued"

    (resolution,) = recovered(server, waits, plan.stack).resolutions
    assert resolution.outcome is Outcome.ADOPTED
    assert resolution.resource_id == queued["savingsPlanId"]

    left = preview(waits, tmp_path / "project", stack=plan.stack, phase=Phase.CHANGE)
    assert left.acting == ()
    finished = apply(waits, tmp_path / "project", stack=plan.stack, phase=Phase.CHANGE)
    assert finished.complete, finished.error
    assert plans(server) == [queued]
