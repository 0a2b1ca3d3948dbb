"""What applied changes really saved, over the wire: `cluster-usage`, then `verify-savings`.

The account's clock stands ten days ago while it is changed, and now while it is looked at. What the
stacks did is written into ledgers as `apply-savings` writes it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.filesystems import LocalFileSystem
from prefect_aws import AwsClientParameters
from pydantic import SecretStr

from blocks import (
    AwsAccount,
    Guardrails,
    ObjectPointer,
    PulumiBackend,
    SavingsRealised,
    SavingsSettings,
    StackEntry,
    StackLedger,
)
from deployments.embedded.aws.server import EmbeddedAwsConfig, serve_aws
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from deployments.register import APPLY_ACCOUNT, REPORT_BUCKET, create_bucket
from flows.realised import NOTHING, RealisedReport, verify_savings
from flows.savings import optimize_costs
from flows.stacks import apply_savings, undo_stack
from flows.usage import cluster_usage
from tasks.adapters.documents import from_json, to_json
from tasks.adapters.inventory import instances, volumes
from tasks.adapters.objects import load_object, store_object
from tasks.adapters.state import load_state, object_pointer, publish_state, stored_object
from tasks.domain.inventory import Instance
from tasks.domain.savings.money import VolumePrice
from tasks.domain.savings.realised.report import RealisedDocument
from tasks.domain.savings.realised.values import Interval, Method, Realised, Verdict
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.applied import Applied
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.dated import dated_changes
from tasks.domain.stacks.hourly import hourly_prices
from tasks.domain.stacks.realised import KEPT
from tasks.domain.stacks.record import StackRecord, stack_record
from tasks.domain.stacks.stack_prices import LINUX, StackPrices
from tasks.savings.opportunities import UseUnknownError
from tasks.stacks.updates import UPDATES_LOCK
from tests.flows.builders import Cloud, make_lock, save_blocks
from tests.support import stack_fleet as fleet
from tests.support.embedded_aws import Clock, seeding_client
from tests.support.reality import ToolPath

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.timeout(1200),
]

REGION = "us-east-1"
DAYS = 10
NOW = datetime.now(UTC)
CHANGED_AT = NOW - timedelta(days=DAYS)
PRICES = StackPrices(
    on_demand={
        ("m5.large", LINUX): 0.096,
        ("m5.xlarge", LINUX): 0.192,
        ("m5.2xlarge", LINUX): 0.384,
    },
    volumes={"gp2": VolumePrice(usd_per_gib=0.1), "gp3": VolumePrice(usd_per_gib=0.08)},
)
HOURS = 730.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account that was changed ten days ago, and whose use was observed now.

    Attributes:
        ids: Instance ids by name. "queue-1" became an m5.large, "proof-of-concept-1" was stopped.
        disk: A gp2 volume of 100 GiB that became gp3.
    """

    cloud: Cloud
    places: dict[str, str]
    ids: dict[str, str]
    disk: str


@contextmanager
def fleet_of_then() -> Iterator[Cloud]:
    clock = Clock(CHANGED_AT)
    config = EmbeddedAwsConfig(fleet="shipped", clock=clock, replay_ends=f"+{DAYS + 1}d")
    with serve_aws(config) as aws:
        account = AwsAccount(
            aws_access_key_id="homeostat",
            aws_secret_access_key=SecretStr("embedded"),
            region_name=REGION,
            report_bucket=REPORT_BUCKET,
            aws_client_parameters=AwsClientParameters(endpoint_url=aws.endpoint_url),
        )
        create_bucket(account)
        yield Cloud(aws=aws, clock=clock, account=account)


@pytest.fixture(scope="module")
def account(prefect_server: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with fleet_of_then() as cloud:
        ec2 = seeding_client(cloud.aws, "ec2")
        named = {one.tags.get("Name", ""): one for one in instances(ec2, region=REGION)}
        ids = {name: one.instance_id for name, one in named.items()}
        disk = disk_of(ec2, named["queue-3"])
        shrunk, idle = ids["queue-1"], ids["proof-of-concept-1"]
        ec2.stop_instances(InstanceIds=[shrunk, idle])
        ec2.modify_instance_attribute(InstanceId=shrunk, InstanceType={"Value": "m5.large"})
        ec2.start_instances(InstanceIds=[shrunk])
        ec2.modify_volume(VolumeId=disk, VolumeType="gp3")
        cloud.clock.now = NOW
        places = save_blocks(cloud, "realised-observed", tmp_path_factory.mktemp("objects"))
        cluster_usage(
            account=places["account"], storage=places["storage"], profile="realised-observed"
        )
        yield Account(cloud=cloud, places=places, ids=ids, disk=disk)


def disk_of(ec2: Any, one: Instance) -> str:
    found = [v for v in volumes(ec2, region=REGION) if v.attached_to == one.instance_id]
    return min(v.volume_id for v in found if v.kind == "gp2")


@dataclass(kw_only=True)
class Place:
    """A ledger of its own, and what runs leave."""

    name: str
    account: Account
    stacks: dict[str, StackEntry] = field(default_factory=dict)

    @property
    def storage(self) -> LocalFileSystem:
        return cast("LocalFileSystem", LocalFileSystem.load("realised-observed"))

    def write(
        self,
        *wanted: Chosen,
        stack: str = "savings-us-east-1-01234567",
        applied_at: datetime = CHANGED_AT,
        **fields: Any,
    ) -> None:
        """Write an entry as apply-savings leaves it."""
        record = record_of(*wanted)
        applied = Applied(
            stack=stack, phase=Phase.CHANGE, done=(), serial_before="1", serial_after="2"
        )
        defaults: dict[str, Any] = {
            "region": REGION,
            "status": "verified",
            "updated_at": applied_at,
            "run_id": "run",
            "change_ids": [one.change_id for one in record.changes],
            "resources": list(record.resources),
            "plan": self.stored(StackRecord, record),
            "applied": self.stored(Applied, applied),
            "applied_at": applied_at,
        }
        self.stacks[stack] = StackEntry.model_validate({**defaults, **fields})
        publish_state(
            StackLedger, self.name, lambda one: one.model_copy(update={"stacks": self.stacks})
        )

    def stored(self, kind: type[Any], value: Any) -> ObjectPointer:
        content = to_json(kind, value)
        return object_pointer(
            store_object(self.storage, content, prefix="stacks/programs", suffix=".json")
        )

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            **self.account.places,
            "profile": "realised-observed",
            "ledger": self.name,
            "realised": self.name,
        }

    def run(self, **more: Any) -> RealisedReport:
        found: RealisedReport = verify_savings(**{**self.parameters, **more})
        return found

    @property
    def state(self) -> SavingsRealised:
        return load_state(SavingsRealised, self.name)

    @property
    def document(self) -> RealisedDocument:
        pointer = self.state.details
        assert pointer is not None
        content = load_object(self.storage, stored_object(pointer))
        return from_json(RealisedDocument, content)

    def said(self, resource: str) -> Realised:
        (found,) = (one for one in self.document.changes if one.change.resource == resource)
        return found


@pytest.fixture
def place(account: Account, request: pytest.FixtureRequest) -> Place:
    name = re.sub(r"[^a-z0-9]+", "-", str(request.node.name))[:60].strip("-")
    return Place(name=name, account=account)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One run over a ledger with everything in it."""

    place: Place
    report: RealisedReport
    shown: dict[str, Any]

    def said(self, name: str) -> Realised:
        return self.place.said(self.place.account.ids[name])


UNDONE_AT = NOW - timedelta(hours=30)


@pytest.fixture(scope="module")
def seen(account: Account) -> Seen:
    place, ids = Place(name="realised-everything", account=account), account.ids
    place.write(
        smaller(ids["queue-1"]),
        fleet.stop(ids["proof-of-concept-1"]),
        fleet.volume(account.disk),
        stack="done",
    )
    place.write(smaller(ids["cache-2"], "m5.2xlarge", "m5.xlarge"), stack="taken-back-by-hand")
    place.write(
        smaller(ids["nightly-report-1"], "m5.2xlarge", "m5.xlarge"),
        stack="young",
        applied_at=NOW - timedelta(days=2),
    )
    place.write(smaller(ids["queue-3"]), stack="undone", status="undone", updated_at=UNDONE_AT)
    place.write(smaller(ids["workstation-1"]), stack="half", status="undo-failed")
    place.write(fleet.commitment(), stack="plan")
    gone = ObjectPointer(key="stacks/programs/gone.json", sha256="0" * 64, size_bytes=3)
    place.write(smaller(ids["signups-2"]), stack="lost", plan=gone)
    state = verify_savings(**place.parameters, return_state=True)
    return Seen(place=place, report=state.result(), shown=artifacts(state))


def record_of(*wanted: Chosen) -> StackRecord:
    """Return a record of some changes, from an account as it was before them."""
    ids = [one.opportunity.resource for one in wanted]
    disk = fleet.live_volume("vol", size_gib=100)
    inputs = {**disk.resource.inputs, "size": 100}
    live = fleet.account(
        instances={one: fleet.instance(one, instance_type=type_before(one, wanted)) for one in ids},
        types=fleet.TYPES | {"m5.2xlarge": fleet.facts("m5.2xlarge")},
        volumes={
            one: replace(disk, resource=replace(disk.resource, import_id=one, inputs=inputs))
            for one in ids
        },
    )
    plan = fleet.planned(*wanted, live=live)
    assert not plan.refused, plan.refused
    return stack_record(
        plan,
        {},
        generated_at=CHANGED_AT,
        spot_usd_per_hour={},
        hourly=hourly_prices(plan, PRICES),
    )


def type_before(resource: str, wanted: tuple[Chosen, ...]) -> str:
    targets = [one.opportunity.target for one in wanted if one.opportunity.resource == resource]
    return str(targets[0].get("from_instance_type", "m5.large"))


def smaller(resource: str, old: str = "m5.xlarge", new: str = "m5.large") -> Chosen:
    return fleet.right_size(resource, old, new)


def artifacts(state: State[Any]) -> dict[str, Any]:
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
    return {str(artifact.key): artifact.data for artifact in found}


def test_an_instance_of_another_type_saved_the_difference(seen: Seen) -> None:
    found = seen.said("queue-1")

    assert (found.verdict, found.method) == (Verdict.REALISED, Method.DIFFERENCE_IN_DIFFERENCES)
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(0.096 * HOURS, rel=0.02)
    assert found.saving.low <= 0.096 * HOURS <= found.saving.high
    assert found.days_after >= DAYS - 2


def test_an_instance_that_was_stopped_saved_what_it_cost(seen: Seen) -> None:
    found = seen.said("proof-of-concept-1")

    assert found.verdict is Verdict.REALISED
    assert found.saving is not None
    # An hour in which it reported nothing counts as one in which it did not run.
    assert 0.9 * 0.096 * HOURS < found.saving.expected <= 0.096 * HOURS + 0.01


def test_a_volume_saved_by_the_price_that_it_really_has(seen: Seen) -> None:
    found = seen.place.said(seen.place.account.disk)

    assert (found.verdict, found.method) == (Verdict.PARTLY, Method.EXACT)
    # 100 GiB of gp2 became gp3: 2 of the 9.88 USD that were promised.
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(2.0)


def test_a_change_that_the_account_does_not_show_saved_nothing(seen: Seen) -> None:
    found = seen.said("cache-2")

    assert found.verdict is Verdict.NOT
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(0.0, abs=0.01)


def test_right_after_a_change_it_is_too_early_and_the_day_is_named(seen: Seen) -> None:
    found = seen.said("nightly-report-1")

    assert found.verdict is Verdict.TOO_EARLY
    assert found.known_at is not None
    assert timedelta(days=4) < found.known_at - NOW < timedelta(days=7)
    assert seen.report.next_look_at == seen.place.state.next_look_at == found.known_at
    assert f"Look again on {found.known_at:%d %b %Y}." in seen.shown["realised-summary"]


def test_what_was_undone_is_listed_as_such_with_what_it_saved_until_then(seen: Seen) -> None:
    found = seen.said("queue-3")

    assert found.verdict is Verdict.UNDONE
    assert found.saving is not None
    assert found.saving.expected == pytest.approx(0.096 * HOURS, rel=0.02)
    assert f"undone on {UNDONE_AT:%d %b %Y %H:%M} UTC" in found.notes[0]
    assert "Undone, and in no figure:" in seen.shown["realised-summary"]


def test_what_is_half_undone_is_not_measured(seen: Seen) -> None:
    assert seen.said("workstation-1").notes == ("its stack is undo-failed",)


def test_a_commitment_is_not_measured_and_the_reason_is_told(seen: Seen) -> None:
    found = seen.place.said("account")

    assert found.verdict is Verdict.NOT_MEASURED
    assert "see its utilisation in Cost Explorer" in found.notes[0]


def test_a_stack_whose_record_is_lost_is_named_and_hides_no_other(seen: Seen) -> None:
    assert "Applied, but what was done is lost:" in seen.shown["realised-summary"]
    assert "`lost`" in seen.shown["realised-summary"]


def test_what_stacks_changed_is_compared_with_nothing(seen: Seen) -> None:
    controls = {name for one in seen.place.document.changes for name in one.controls}
    names = ("queue-1", "proof-of-concept-1", "cache-2", "queue-3", "workstation-1")

    assert len(controls) > 10
    assert not controls & {seen.place.account.ids[one] for one in names}


def test_only_changes_with_a_verdict_that_stand_are_in_the_totals(seen: Seen) -> None:
    state, report = seen.place.state, seen.report
    told = [seen.said(one).saving for one in ("queue-1", "proof-of-concept-1", "cache-2")]

    assert report.verdicts == {
        "realised": 2, "partly": 1, "not": 1, "too-early": 1, "not-measured": 2, "undone": 1,
    }  # fmt: skip
    assert report.changes == 8
    assert (state.realised, state.partly, state.not_realised) == (2, 1, 1)
    assert (state.too_early, state.not_measured, state.undone) == (1, 2, 1)
    assert state.told_expected_usd_per_month == pytest.approx(3 * 70.08 + 9.88)
    assert state.expected_usd_per_month == pytest.approx(5 * 70.08 + 9.88 + 299.3)
    total = 2.0 + sum(one.expected for one in told if one is not None)
    assert report.realised_usd_per_month == state.realised_usd_per_month == pytest.approx(total)


def test_the_table_has_a_row_for_each_change(seen: Seen) -> None:
    table = seen.shown["realised-changes"]

    assert table.count('"verdict"') == 8
    assert '"verdict": "undone"' in table
    assert '"resource": "queue-1"' in table


def test_a_second_run_on_the_same_use_says_the_same(seen: Seen) -> None:
    kept = seen.place.state.details

    assert seen.place.run() == seen.report
    assert seen.place.state.details == kept


def test_where_nothing_was_applied_a_run_says_so_and_ends_well(place: Place) -> None:
    state = verify_savings(**place.parameters, return_state=True)
    report: RealisedReport = state.result()

    assert report == RealisedReport(message=NOTHING)
    assert "Nothing has been applied yet." in artifacts(state)["realised-summary"]
    assert place.state.details is None


def test_nothing_applied_needs_no_account_and_no_use(place: Place) -> None:
    report = place.run(account="nobody-made", profile="nobody-observed")

    assert report.message == NOTHING


def test_a_ledger_that_was_begun_anew_empties_what_was_said_of_the_old_one(
    place: Place,
) -> None:
    document = RealisedDocument(observed_at=NOW, changes=())
    details = place.stored(RealisedDocument, document)
    SavingsRealised(observed_at=NOW, realised=7, details=details).save(place.name)
    place.run()

    assert (place.state.realised, place.state.details) == (0, None)


def test_what_was_measured_stays_when_the_days_before_it_are_no_longer_observed(
    place: Place,
) -> None:
    long_ago = NOW - timedelta(days=26)
    resource = place.account.ids["queue-1"]
    place.write(smaller(resource), applied_at=long_ago)
    (change,) = dated_changes(record_of(smaller(resource)), applied=None, applied_at=long_ago)
    before = Realised(
        change=change.change,
        verdict=Verdict.REALISED,
        method=Method.DIFFERENCE_IN_DIFFERENCES,
        saving=Interval(low=60.0, expected=70.0, high=80.0),
        days_before=28,
        days_after=14,
    )
    details = place.stored(RealisedDocument, RealisedDocument(observed_at=NOW, changes=(before,)))
    SavingsRealised(details=details).save(place.name)
    report = place.run()

    assert report.verdicts == {"realised": 1}
    assert place.said(resource).saving == before.saving
    assert KEPT in place.said(resource).notes


def test_a_newer_observation_stays(place: Place) -> None:
    place.write(smaller(place.account.ids["queue-1"]))
    later = NOW + timedelta(days=1)
    SavingsRealised(observed_at=later, realised=7).save(place.name)
    place.run()

    assert (place.state.observed_at, place.state.realised) == (later, 7)


def test_changes_without_a_fresh_observation_ask_for_one(place: Place) -> None:
    place.write(smaller(place.account.ids["queue-1"]))

    with pytest.raises(UseUnknownError, match="no use was observed yet; run cluster-usage"):
        place.run(profile="nobody-observed")


@pytest.fixture(scope="module")
def savings(account: Account) -> str:
    """Give the name of what `optimize-costs` chose."""
    SavingsSettings().save("realised-observed", overwrite=True)
    optimize_costs(
        account=account.places["account"],
        storage=account.places["storage"],
        profile="realised-observed",
        outlook="realised-observed",
        settings="realised-observed",
        savings="realised-observed",
    )
    return "realised-observed"


@pytest.mark.real("pulumi")
def test_what_the_real_engine_changed_and_took_back_is_measured_from_what_it_left(
    place: Place, savings: str, tool_path: ToolPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tool_path('pulumi').parent}{os.pathsep}{os.environ['PATH']}")
    stacks = engine_blocks(place, tmp_path)
    report = apply_savings(only=["volume-type"], savings=savings, **stacks)
    assert report.status == "verified", report
    entry = load_state(StackLedger, place.name).stacks[report.stack]
    fresh = place.run()
    told = place.document.changes
    undone = undo_stack(stack=report.stack, **stacks)
    assert undone.status == "undone", undone
    after = place.run()

    assert fresh.verdicts == {"too-early": len(entry.change_ids)}
    assert {one.change.resource for one in told} == set(entry.resources)
    for one in told:
        before_usd, after_usd = one.change.usd_per_hour_before, one.change.usd_per_hour_after
        assert before_usd is not None
        assert after_usd is not None
        saved = (before_usd - after_usd) * HOURS
        assert saved == pytest.approx(one.change.expected.expected, rel=0.01)
    assert after.verdicts == {"undone": len(entry.change_ids)}
    assert place.state.expected_usd_per_month == 0.0


def engine_blocks(place: Place, folder: Path) -> dict[str, Any]:
    """Save what `apply-savings` needs besides; return its parameters."""
    name, cloud = place.name, place.account.cloud
    changer = cloud.account.model_copy(update={"aws_access_key_id": APPLY_ACCOUNT})
    changer.save(f"{name[:40]}-apply", overwrite=True)
    PulumiBackend(
        url=f"file://{folder / 'state'}",
        programs=str(folder / "programs"),
        home=str(folder / "home"),
        plugins=str(plugin_folder()),
    ).save(name, overwrite=True)
    Guardrails(
        mode="auto", max_usd_per_run=5000.0, cooldown_hours=0.0, alarm_quiet_minutes=0.0
    ).save(name, overwrite=True)
    make_lock(UPDATES_LOCK)
    return {
        **place.account.places,
        "apply_account": f"{name[:40]}-apply",
        "profile": "realised-observed",
        "backend": name,
        "guardrails": name,
        "ledger": name,
    }
