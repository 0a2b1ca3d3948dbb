"""From opportunities to a changed account and back, with the real engine: `apply-savings`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect import flow
from prefect.filesystems import LocalFileSystem

from blocks import Guardrails, PulumiBackend, SavingsSettings, StackEntry, StackLedger
from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from deployments.register import APPLY_ACCOUNT
from flows.savings import optimize_costs
from flows.stacks import Market, apply_savings, market_of, proposed, site_of, undo_stack
from flows.usage import cluster_usage
from tasks.adapters.state import load_state
from tasks.domain.stacks.approval import Given
from tasks.stacks.applying import apply_answered
from tasks.stacks.finishing import finish
from tasks.stacks.ledger import record
from tasks.stacks.outcome import StackReport
from tasks.stacks.proposing import Proposal
from tasks.stacks.settling import settle
from tasks.stacks.site import Site
from tasks.stacks.undoing import undo
from tasks.stacks.updates import UPDATES_LOCK, only_update
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
    SavingsSettings().save("stacks-observed", overwrite=True)
    common: dict[str, Any] = {"account": places["account"], "storage": places["storage"]}
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
    changer = cloud.account.model_copy(update={"aws_access_key_id": APPLY_ACCOUNT})
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


def applied(place: Place) -> StackReport:
    report: StackReport = apply_savings(
        savings="stacks-observed", only=["volume-type"], **place.parameters
    )
    return report


def kinds(cloud: Cloud, entry: StackEntry) -> set[str]:
    return {volume(cloud, one)["VolumeType"] for one in entry.resources}


def asking_site(place: Place) -> tuple[Site, Market, Proposal]:
    """Return a run's proposal as it is when the run is suspended."""
    names = place.parameters
    site = replace(
        site_of(
            names["account"],
            names["apply_account"],
            names["storage"],
            names["backend"],
            names["guardrails"],
            names["ledger"],
        ),
        run_id=str(uuid4()),
    )
    market = market_of(site, "us-east-1", profile=names["profile"], outlook=names["outlook"])
    found = proposed(
        site, market, region="us-east-1", only=["volume-type"], savings="stacks-observed"
    )
    assert isinstance(found, Proposal), found
    return site, market, found


def answered(proposal: Proposal, **changed: Any) -> Given:
    assert proposal.request is not None
    given: dict[str, Any] = {
        "hash": proposal.request.hash,
        "approver": "ada",
        "reason": "looked at it",
        "approved": True,
        "signatures": (),
        "given_at": datetime.now(UTC),
    }
    return Given(**given | changed)


def test_a_volume_is_changed_verified_and_brought_back(cloud: Cloud, place: Place) -> None:
    report = applied(place)
    assert report.status == "verified", report
    entry = place.entry(report.stack)
    changed = kinds(cloud, entry)

    undone = undo_stack(stack=report.stack, **place.parameters)

    assert changed == {"gp3"}
    assert undone.status == "undone", undone
    assert "gp3" not in kinds(cloud, entry)


def test_nothing_is_touched_where_the_guardrails_only_let_it_be_shown(
    cloud: Cloud, place: Place
) -> None:
    place.limits(mode="recommend")

    report = applied(place)

    assert report.status == "proposed"
    assert report.delta_usd_per_month is not None
    assert report.delta_usd_per_month < 0.0
    assert "gp3" not in kinds(cloud, place.entry(report.stack))


def test_the_kill_switch_leaves_nothing_to_do(place: Place) -> None:
    place.limits(kill_switch=True)

    report = applied(place)

    assert report.status == "nothing"
    assert "kill switch" in report.message


@flow
def approving(place: Place, cloud: Cloud) -> dict[str, Any]:
    """Ask once, answer in every way that must be refused, then as it should be."""
    site, market, proposal = asking_site(place)
    found: dict[str, Any] = {"asked": place.entry(proposal.record.stack).status}
    with only_update():
        edited = apply_answered(
            site, proposal, answered(proposal, hash="0" * 64), market.prices, last=True
        )
    found["edited"] = edited
    found["after edited"] = kinds(cloud, place.entry(edited.stack))
    with only_update():
        replayed = apply_answered(site, proposal, answered(proposal), market.prices, last=True)
    found["replayed"] = replayed
    site, market, proposal = asking_site(place)
    with only_update():
        right = apply_answered(site, proposal, answered(proposal), market.prices, last=True)
    found["right"] = finish(site, right, market.prices)
    found["after right"] = kinds(cloud, place.entry(right.stack))
    with only_update():
        found["undone"] = undo(site, right.stack, market.prices, why="the test is over")
    return found


def test_only_the_answer_to_what_was_asked_is_applied_and_only_once(
    cloud: Cloud, place: Place
) -> None:
    place.limits(mode="approve")

    found = approving(place, cloud)

    assert found["asked"] == "waiting"
    assert found["edited"].status == "refused"
    assert "answer the latest request" in found["edited"].message
    assert "gp3" not in found["after edited"]
    assert found["replayed"].status == "refused"
    assert "carried out already" in found["replayed"].message
    assert found["right"].status == "verified"
    assert found["after right"] == {"gp3"}
    assert found["undone"].status == "undone"


@flow
def interrupted(place: Place, cloud: Cloud) -> dict[str, Any]:
    """Begin an update, lose the run before the engine starts, and let another run settle it."""
    site, market, proposal = asking_site(place)
    stack = proposal.record.stack
    record(site.ledger, stack, now=datetime.now(UTC), run_id=site.run_id, status="applying")
    later = replace(site, run_id=str(uuid4()))
    with only_update():
        left = settle(later, market.prices)
    ended = [finish(later, one, market.prices) for one in left]
    after = kinds(cloud, place.entry(stack))
    with only_update():
        undo(later, stack, market.prices, why="the test is over")
    return {"ended": ended, "after": after}


def test_an_update_that_was_cut_off_is_finished_by_the_next_run(cloud: Cloud, place: Place) -> None:
    place.limits(mode="approve")

    found = interrupted(place, cloud)

    assert [one.status for one in found["ended"]] == ["verified"]
    assert found["after"] == {"gp3"}


def test_a_change_that_the_account_refuses_is_taken_back(cloud: Cloud, place: Place) -> None:
    cloud.aws.faults.replace(
        (FaultRule(operation="ec2:ModifyVolume", kind=FaultKind.ERROR, probability=1.0, seed=1),)
    )
    try:
        report = applied(place)
    finally:
        cloud.aws.faults.replace(())

    assert report.status == "undone", report
    assert "gp3" not in kinds(cloud, place.entry(report.stack))
