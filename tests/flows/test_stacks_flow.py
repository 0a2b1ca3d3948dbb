"""From opportunities to a changed account and back, with the real engine: `apply-savings`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from prefect import flow
from prefect.filesystems import LocalFileSystem

from blocks import Guardrails, PulumiBackend, SavingsSettings, StackEntry, StackLedger
from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.aws.policy import SEEDING_KEY
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from deployments.register import APPLY_ACCOUNT
from flows.savings import optimize_costs
from flows.stacks import Market, apply_savings, market_of, proposed, site_of, undo_stack
from flows.usage import cluster_usage
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.guardrails.modes import Mode
from tasks.domain.stacks.approval import Given
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import Preview
from tasks.stacks.applying import apply_answered
from tasks.stacks.finishing import finish
from tasks.stacks.ledger import SupersededError, record
from tasks.stacks.outcome import StackReport
from tasks.stacks.previews import preview_stack
from tasks.stacks.proposing import Proposal
from tasks.stacks.settling import settle
from tasks.stacks.site import Site
from tasks.stacks.undoing import NotUndoneError, undo
from tasks.stacks.updates import UPDATES_LOCK, only_update, update_stack
from tests.flows.builders import Cloud, embedded_fleet, make_lock, save_blocks
from tests.support.reality import ToolPath

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.real("pulumi"),
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.timeout(1200),
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


def asking_site(
    place: Place, only: Sequence[str] = ("volume-type",)
) -> tuple[Site, Market, Proposal]:
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
    found = proposed(site, market, region="us-east-1", only=list(only), savings="stacks-observed")
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


def answer(site: Site, proposal: Proposal, market: Market) -> StackReport:
    return apply_answered(
        site,
        proposal,
        answered(proposal),
        market.prices,
        population=market.population,
        last=True,
    )


@flow
def approving(place: Place, cloud: Cloud) -> dict[str, Any]:
    """Ask once, answer in every way that must be refused, then as it should be."""
    site, market, proposal = asking_site(place)
    found: dict[str, Any] = {"asked": place.entry(proposal.record.stack).status}
    with only_update():
        edited = apply_answered(
            site,
            proposal,
            answered(proposal, hash="0" * 64),
            market.prices,
            population=market.population,
            last=True,
        )
    found["edited"] = edited
    found["after edited"] = kinds(cloud, place.entry(edited.stack))
    with only_update(), pytest.raises(SupersededError, match="is refused meanwhile"):
        answer(site, proposal, market)
    site, market, proposal = asking_site(place)
    shut = site.with_policy(replace(site.policy, mode=Mode.OBSERVE))
    with only_update():
        found["narrowed"] = answer(shut, proposal, market)
    site, market, proposal = asking_site(place)
    with only_update():
        right = answer(site, proposal, market)
    with only_update(), pytest.raises(SupersededError, match="is applied meanwhile"):
        answer(site, proposal, market)
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
    assert found["narrowed"].status == "refused"
    assert "observe" in found["narrowed"].message
    assert found["right"].status == "verified"
    assert found["after right"] == {"gp3"}
    assert found["undone"].status == "undone"


def begun(site: Site, proposal: Proposal, market: Market) -> None:
    """Do one of two things of an update, as a run does that is killed in the middle of it."""
    record_ = proposal.record
    settings, folder = site.engine(record_.region), site.folder(record_.stack)

    def without(urn: str) -> Preview:
        return preview_stack(
            settings,
            folder,
            Sealed(record_),
            Phase.CHANGE,
            Sealed(market.prices),
            pack=site.pack,
            exclude=(urn,),
        )

    # One waits for the other: left out are what is named and what depends on it.
    first, second = (one.urn for one in proposal.preview.acting)
    left_out, seen = first, without(first)
    if not seen.acting:
        left_out, seen = second, without(second)
    assert len(seen.acting) == 1
    record(site.ledger, record_.stack, now=datetime.now(UTC), run_id=site.run_id, status="applying")
    update_stack(settings, folder, seen, plan=None, exclude=(left_out,))


@flow
def interrupted(place: Place, *, begin: bool, mode: str = "approve") -> dict[str, Any]:
    """Lose a run in the middle of its update, and let another run settle it."""
    site, market, proposal = asking_site(place, only=["right-size"])
    stack = proposal.record.stack
    if begin:
        begun(site, proposal, market)
    else:
        record(site.ledger, stack, now=datetime.now(UTC), run_id=site.run_id, status="applying")
    later = replace(
        site, run_id=str(uuid4()), policy=replace(site.policy, mode=Mode(mode), scopes=())
    )
    settle(later, market.prices)
    status = place.entry(stack).status
    if status == "verified":
        with only_update():
            undo(later, stack, market.prices, why="the test is over")
    return {"status": status, "message": place.entry(stack).message}


def test_an_update_that_was_cut_off_in_the_middle_is_finished_by_the_next_run(place: Place) -> None:
    place.limits(mode="approve", max_resources_per_run=2)

    assert interrupted(place, begin=True)["status"] == "verified"


def test_it_is_taken_back_where_the_guardrails_were_narrowed_since(place: Place) -> None:
    place.limits(mode="approve", max_resources_per_run=2)

    assert interrupted(place, begin=True, mode="observe")["status"] == "undone"


def test_an_update_that_was_cut_off_before_it_began_has_to_be_asked_anew(place: Place) -> None:
    place.limits(mode="approve", max_resources_per_run=2)

    found = interrupted(place, begin=False)

    assert found["status"] == "refused"
    assert "before it changed anything" in found["message"]


@flow
def changed_by_hand(place: Place, cloud: Cloud) -> dict[str, Any]:
    site, market, proposal = asking_site(place)
    with only_update():
        report = answer(site, proposal, market)
    stack, volume_id = report.stack, proposal.record.resources[0]
    client: Any = boto3.client(
        "ec2",
        region_name="us-east-1",
        endpoint_url=cloud.aws.endpoint_url,
        aws_access_key_id=SEEDING_KEY,
        aws_secret_access_key="not checked",
    )
    client.modify_volume(VolumeId=volume_id, VolumeType="gp3", Iops=4242)
    found: dict[str, Any] = {}
    try:
        with only_update():
            undo(site, stack, market.prices, why="the test asks for it")
    except NotUndoneError as error:
        found["refused"] = str(error)
    found["kept"] = volume(cloud, volume_id)["Iops"]
    found["status"] = place.entry(stack).status
    with only_update():
        found["insisted"] = undo(
            site, stack, market.prices, why="the test insists", insist=True
        ).status
    return found


def test_an_undo_leaves_alone_what_somebody_else_changed_unless_people_insist(
    cloud: Cloud, place: Place
) -> None:
    place.limits(mode="approve")

    found = changed_by_hand(place, cloud)

    assert "somebody else changed" in found["refused"]
    assert "4242" in found["refused"]
    assert (found["kept"], found["status"]) == (4242, "applied")
    assert found["insisted"] == "undone"


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
