"""From opportunities to a changed account and back, with the real engine: `apply-savings`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from prefect.filesystems import LocalFileSystem

from blocks import AwsAccount, Guardrails, PulumiBackend, StackEntry, StackLedger
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from deployments.register import APPLY_ACCOUNT
from flows.savings import optimize_costs
from flows.stacks import apply_savings, undo_stack
from flows.usage import cluster_usage
from tasks.adapters.state import load_state
from tasks.stacks.updates import UPDATES_LOCK
from tests.flows.builders import Cloud, embedded_fleet, make_lock, save_blocks
from tests.support.reality import ToolPath

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.real("pulumi"),
    pytest.mark.usefixtures("prefect_server"),
]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Everything that one test's runs work with."""

    name: str
    parameters: dict[str, Any]

    def limits(self, **changed: Any) -> None:
        """Set guardrails of this place."""
        defaults: dict[str, Any] = {
            "mode": "auto",
            "max_usd_per_run": 5000.0,
            "cooldown_hours": 0.0,
            "alarm_quiet_minutes": 0.0,
        }
        Guardrails(**defaults | changed).save(self.name, overwrite=True)

    def entry(self, stack: str) -> StackEntry:
        return load_state(StackLedger, self.name).stacks[stack]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with embedded_fleet() as running:
        yield running


@pytest.fixture(scope="module")
def observed(
    cloud: Cloud, prefect_server: object, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Give what one run of each of the flows before left."""
    places = save_blocks(cloud, "stacks-observed", tmp_path_factory.mktemp("objects"))
    from blocks import SavingsSettings

    SavingsSettings().save("stacks-observed", overwrite=True)
    common = {"account": places["account"], "storage": places["storage"]}
    cluster_usage(**common, profile="stacks-observed")
    optimize_costs(
        **common,
        profile="stacks-observed",
        outlook="stacks-observed",
        settings="stacks-observed",
        savings="stacks-observed",
    )
    return places


@pytest.fixture
def place(
    cloud: Cloud,
    observed: dict[str, str],
    request: pytest.FixtureRequest,
    tool_path: ToolPath,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    name = request.node.name.replace("_", "-")[:60].strip("-")
    cli = tool_path("pulumi")
    monkeypatch.setenv("PATH", f"{cli.parent}{os.pathsep}{os.environ['PATH']}")
    changer = cast(
        "AwsAccount", cloud.account.model_copy(update={"aws_access_key_id": APPLY_ACCOUNT})
    )
    changer.save(f"{name}-apply", overwrite=True)
    PulumiBackend(
        url=f"file://{tmp_path / 'state'}",
        programs=str(tmp_path / "programs"),
        home=str(tmp_path / "home"),
        plugins=str(plugin_folder()),
    ).save(name, overwrite=True)
    LocalFileSystem(basepath=str(tmp_path / "objects")).save(name, overwrite=True)
    make_lock(UPDATES_LOCK)
    found = Place(
        name=name,
        parameters={
            "account": observed["account"],
            "apply_account": f"{name}-apply",
            "storage": observed["storage"],
            "profile": "stacks-observed",
            "outlook": "stacks-observed",
            "backend": name,
            "guardrails": name,
            "ledger": name,
        },
    )
    found.limits()
    return found


def volume(cloud: Cloud, volume_id: str) -> dict[str, Any]:
    client: Any = cloud.account.session().client("ec2", endpoint_url=cloud.aws.endpoint_url)
    found: dict[str, Any] = client.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]
    return found


def test_a_volume_is_changed_verified_and_brought_back(cloud: Cloud, place: Place) -> None:
    report = apply_savings(savings="stacks-observed", only=["volume-type"], **place.parameters)
    assert report.status == "verified", report
    entry = place.entry(report.stack)
    changed = [volume(cloud, one)["VolumeType"] for one in entry.resources]

    undone = undo_stack(stack=report.stack, **place.parameters)
    back = [volume(cloud, one)["VolumeType"] for one in entry.resources]

    assert set(changed) == {"gp3"}
    assert undone.status == "undone", undone
    assert "gp3" not in back
