"""From the account to opportunities, over the wire: `cluster-usage`, then `optimize-costs`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.filesystems import LocalFileSystem

from blocks import IgnoredResource, SavingsOutlook, SavingsSettings, UsageProfile
from deployments.embedded.aws.faults import FaultKind, FaultRule
from flows.blocks import NoSuchBlockError
from flows.savings import SavingsReport, optimize_costs
from flows.usage import cluster_usage
from tasks.adapters.documents import from_json
from tasks.adapters.objects import load_object
from tasks.adapters.state import load_state, publish_state, stored_object
from tasks.domain.savings.report import SavingsDocument
from tasks.savings.opportunities import UseUnknownError
from tests.flows.builders import Cloud, embedded_fleet, save_blocks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.usefixtures("prefect_server"),
]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with embedded_fleet() as running:
        yield running


@pytest.fixture(autouse=True)
def undisturbed(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.aws.faults.replace(())


@pytest.fixture
def places(cloud: Cloud, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return blocks_of(cloud, request.node.name.replace("_", "-")[:60].strip("-"), tmp_path)


@pytest.fixture(scope="module")
def observed(
    cloud: Cloud, prefect_server: object, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Give the places of an account whose use was observed once."""
    places = blocks_of(cloud, "observed-once", tmp_path_factory.mktemp("objects"))
    cluster_usage(**usage_parameters(places))
    return places


def blocks_of(cloud: Cloud, name: str, folder: Path) -> dict[str, str]:
    save_blocks(cloud, name, folder)
    SavingsSettings().save(name, overwrite=True)
    return {"name": name, "storage": f"local-file-system/{name}"}


def usage_parameters(places: dict[str, str]) -> dict[str, Any]:
    name = places["name"]
    return {"account": name, "storage": places["storage"], "profile": name}


def savings_parameters(places: dict[str, str], *, savings: str) -> dict[str, Any]:
    name = places["name"]
    return {
        **usage_parameters(places),
        "outlook": name,
        "settings": name,
        "savings": savings,
    }


def artifacts(state: State[Any]) -> dict[str, Any]:
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
    return {str(artifact.key): artifact.data for artifact in found}


def document(places: dict[str, str], savings: str) -> SavingsDocument:
    pointer = load_state(SavingsOutlook, savings).opportunities
    assert pointer is not None
    storage = cast("LocalFileSystem", LocalFileSystem.load(places["name"]))
    return from_json(SavingsDocument, load_object(storage, stored_object(pointer)))


def test_a_usage_run_leaves_archetypes_tables_chart_and_state(places: dict[str, str]) -> None:
    state = cluster_usage(**usage_parameters(places), return_state=True)
    shown, stored = artifacts(state), load_state(UsageProfile, places["name"])

    assert "business-hours" in shown["usage-summary"]
    assert '"resource": "workstation-1", "archetype": "business-hours"' in shown["usage-resources"]
    assert httpx.get(shown["usage-profiles"], trust_env=False).content.startswith(b"\x89PNG")
    assert stored.resources > 70
    assert 0 < stored.memory_unknown < stored.resources
    assert sum(one.resources for one in stored.archetypes) == stored.resources


@pytest.mark.usefixtures("no_pauses")
def test_throttling_and_server_faults_change_no_membership(
    cloud: Cloud, observed: dict[str, str], places: dict[str, str]
) -> None:
    cloud.aws.faults.replace(
        (
            FaultRule(operation="*", kind=FaultKind.THROTTLE, probability=0.2, seed=1),
            FaultRule(operation="*", kind=FaultKind.ERROR, probability=0.05, seed=2),
        )
    )
    cluster_usage(**usage_parameters(places))
    disturbed = load_state(UsageProfile, places["name"])

    assert disturbed.membership == load_state(UsageProfile, observed["name"]).membership


def test_nothing_moves_between_two_runs_on_the_same_use(observed: dict[str, str]) -> None:
    assert cluster_usage(**usage_parameters(observed)).moved == 0


def test_savings_ask_for_an_observation_where_there_is_none(places: dict[str, str]) -> None:
    with pytest.raises(UseUnknownError, match=r"no use was observed yet; run cluster-usage"):
        optimize_costs(**savings_parameters(places, savings="nothing-observed"))


def test_savings_on_use_that_is_too_old_are_refused(observed: dict[str, str]) -> None:
    old = datetime.now(UTC) - timedelta(hours=49)
    publish_state(UsageProfile, "too-old", lambda one: one.model_copy(update={"observed_at": old}))
    parameters = savings_parameters(observed, savings="too-old") | {"profile": "too-old"}

    with pytest.raises(UseUnknownError, match=r"was observed 49 h ago, at most 48 h are allowed"):
        optimize_costs(**parameters)


def test_settings_that_do_not_exist_are_named_with_the_way_out(observed: dict[str, str]) -> None:
    parameters = savings_parameters(observed, savings="unset") | {"settings": "nobody-made"}

    with pytest.raises(NoSuchBlockError, match=r"savings-settings/nobody-made; create it"):
        optimize_costs(**parameters)


def test_a_savings_run_leaves_every_kind_of_evidence(observed: dict[str, str]) -> None:
    state = optimize_costs(**savings_parameters(observed, savings="evidence"), return_state=True)
    report: SavingsReport = state.result()
    shown, found = artifacts(state), document(observed, "evidence")

    assert {"savings-summary", "savings-opportunities", "savings-arithmetic"} <= shown.keys()
    assert {"savings-rejected", "savings-spend"} <= shown.keys()
    assert 0 < report.saving_usd_per_month < report.bill_usd_per_month
    assert sum(one.net.expected for one in found.chosen) == pytest.approx(
        found.before_usd - found.after_usd
    )
    assert all(one.opportunity.steps for one in found.chosen)
    assert report.month_end_usd is not None


def test_an_ignored_resource_is_reported_with_its_reason_and_not_proposed(
    observed: dict[str, str],
) -> None:
    rules = [
        IgnoredResource(resource="workstation-1", reason="kept for the audit until May"),
        IgnoredResource(resource="wrokstation-2", reason="a slip of the pen"),
    ]
    SavingsSettings(ignored=rules).save("ignoring", overwrite=True)
    parameters = savings_parameters(observed, savings="ignoring") | {"settings": "ignoring"}
    optimize_costs(**parameters)
    found = document(observed, "ignoring")
    (name,) = [one for one, called in found.names.items() if called == "workstation-1"]

    assert found.rules_without_match == ("wrokstation-2",)
    assert name not in {one.opportunity.resource for one in found.chosen}
    assert any(
        one.resource == name and "kept for the audit until May" in one.why for one in found.rejected
    )
