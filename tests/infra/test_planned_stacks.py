"""Planned stacks, carried out by the real engine with the rights that users are asked to give it."""

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
from tasks.adapters.inventory import region_inventory
from tasks.adapters.live_resources import live_account
from tasks.adapters.pulumi.engine import apply, preview
from tasks.adapters.pulumi.environment import AwsEnvironment, EngineSettings
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.live import LiveRegion, LiveTemplate
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.preview import Operation
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
SPOT_POOLS = "c5.2xlarge in us-east-1a, c5a.2xlarge in us-east-1b"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="shipped")) as running:
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


def selected(server: EmbeddedAws) -> tuple[Chosen, ...]:
    """Something of most kinds of the shipped account."""
    inventory = region_inventory(
        lambda service: aws_client(server, service), region=REGION, observed_at=NOW
    )
    ids = {one.tags.get("Name"): one.instance_id for one in inventory.instances}
    disk = next(one for one in inventory.volumes if one.kind == "gp2" and one.size_gib >= 500.0)
    return (
        fleet.right_size(ids["queue-1"], "m5.xlarge", "m5.large"),
        fleet.right_size("thumbnails", "c5.large", "c6a.large"),
        fleet.spot("transcoder", SPOT_POOLS, 0.25),
        fleet.spot(ids["crawler-1"], "c5.xlarge in us-east-1a", 0.0),
        fleet.stop(ids["proof-of-concept-1"]),
        fleet.schedule(ids["workstation-2"]),
        fleet.volume(disk.volume_id, throughput=250.0),
        fleet.serverless(),
    )


def live_now(server: EmbeddedAws, chosen: tuple[Chosen, ...]) -> Any:
    def client_for(service: str, region: str) -> Any:
        return aws_client(server, service, region=region)

    return live_account(client_for, [one.opportunity for one in chosen])


def but_for_versions(region: LiveRegion) -> LiveRegion:
    """A region as it is, whatever number the latest version of a template has."""

    def first(one: LiveTemplate) -> LiveTemplate:
        return replace(one, latest=1, same_as_latest={})

    return replace(region, templates={k: first(one) for k, one in region.templates.items()})


def scheduled(chosen: tuple[Chosen, ...]) -> str:
    """The only instance with a clock."""
    found = [one.opportunity for one in chosen if one.opportunity.kind is Kind.SCHEDULE]
    (resource,) = {one.resource for one in found}
    return resource


def test_a_plan_is_adopted_without_a_change_done_and_undone(
    server: EmbeddedAws, settings: EngineSettings, tmp_path: Path
) -> None:
    chosen = selected(server)
    before = live_now(server, chosen)
    (plan,) = stack_plans(chosen, before, now=NOW)
    assert plan.refused == ()
    for path, content in project_files(plan).items():
        (tmp_path / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / path).write_bytes(content)

    def carry_out(phase: Phase) -> None:
        done = apply(settings, tmp_path / "project", stack=plan.stack, phase=phase)
        assert done.complete, done.error

    carry_out(Phase.ADOPT)
    assert live_now(server, chosen) == before

    looked = preview(settings, tmp_path / "project", stack=plan.stack, phase=Phase.CHANGE)
    assert {one.operation for one in looked.acting} == {Operation.CREATE, Operation.UPDATE}
    carry_out(Phase.CHANGE)
    again = preview(settings, tmp_path / "project", stack=plan.stack, phase=Phase.CHANGE)
    assert [*again.acting, *again.drift] == []

    back = preview(settings, tmp_path / "project", stack=plan.stack, phase=Phase.UNDO)
    changed = {one.urn for one in looked.acting}
    stray = [one for one in back.acting if one.urn not in changed]
    assert back.drift == ()
    # What the clock may have stopped by now is started, and nothing else is new.
    assert [(one.operation, one.name) for one in stray] == [
        (Operation.CREATE, f"instance-{scheduled(chosen)}-state")
    ]
    carry_out(Phase.UNDO)
    after = live_now(server, chosen)
    assert but_for_versions(after.regions[REGION]) == but_for_versions(before.regions[REGION])
