"""The real engine with the stand-in provider on an embedded account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.stacks_kill_stack import ADOPTED, MADE, REGION, Account, Before, write_project
from deployments.embedded.aws.policy import SEEDING_KEY
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from tasks.adapters.interrupted_instances import started_again
from tasks.adapters.pulumi.engine import apply, current_serial, destroy, exported, forget, preview
from tasks.adapters.pulumi.environment import AwsEnvironment, EngineSettings
from tasks.adapters.pulumi.recover import recover
from tasks.adapters.tagged_resources import found_by_tags
from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.stacks.applied import is_adoption_only
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import Operation, PropertyDiff
from tasks.domain.stacks.recovery import CutOffError, Outcome, Recovery, remaining
from tests.support.reality import ToolPath

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.real("pulumi"),
    pytest.mark.timeout(1200),
]


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A generated project, an account with what it adopts, and settings of its own backend."""

    settings: EngineSettings
    folder: Path
    account: Account
    before: Before
    change_id: str
    name: str = "eu"

    def with_faults(self, *rules: dict[str, Any]) -> EngineSettings:
        return replace(self.settings, variables={"HOMEOSTAT_STANDIN_FAULTS": json.dumps(rules)})

    def adopt(self) -> None:
        done = apply(self.settings, self.folder, stack=self.name, phase=Phase.ADOPT)
        assert done.complete, done.error

    def recovered(self) -> Recovery:
        def client_for(service: str, _: str) -> Any:
            return self.account.client(service)

        return recover(
            self.settings,
            stack=self.name,
            find_by_tags=found_by_tags(client_for, region=REGION),
            start_again=started_again(client_for, region=REGION),
            look_again_seconds=0.5,
        )

    def names_made(self) -> list[str]:
        return sorted(name for name, _ in self.account.made(self.change_id))


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(fleet="none")) as running:
        yield running


@pytest.fixture
def stack(server: EmbeddedAws, tmp_path: Path, tool_path: ToolPath) -> Stack:
    account = Account(server.endpoint_url)
    before = account.seed()
    change_id = f"hs-{before.instance_id[2:14]}"
    write_project(tmp_path / "project", stack="eu", change_id=change_id, before=before)
    settings = EngineSettings(
        backend_url=f"file://{tmp_path / 'state'}",
        home=tmp_path / "home",
        passphrase="correct horse",
        cli=tool_path("pulumi"),
        plugin_folder=plugin_folder(),
        aws=AwsEnvironment(
            region=REGION,
            access_key_id=SEEDING_KEY,
            secret_access_key="not checked",
            endpoint_url=server.endpoint_url,
        ),
    )
    return Stack(
        settings=settings,
        folder=tmp_path / "project",
        account=account,
        before=before,
        change_id=change_id,
    )


def test_what_exists_is_adopted_changed_in_place_and_brought_back(
    stack: Stack, tmp_path: Path
) -> None:
    settings, folder, plan = stack.settings, stack.folder, tmp_path / "plan"

    adopting = preview(settings, folder, stack="eu", phase=Phase.ADOPT)
    assert is_adoption_only(adopting)
    assert [one.resource_id for one in adopting.changes] == [
        stack.before.volume_id,
        stack.before.instance_id,
    ]
    stack.adopt()

    shown = preview(settings, folder, stack="eu", phase=Phase.CHANGE, plan=plan)
    by_name = {one.name: one for one in shown.changes}
    assert by_name["web"].diffs == (
        PropertyDiff(path="instanceType", before="m5.xlarge", after="m5.large"),
    )
    assert by_name["web"].protected
    assert {by_name[name].operation for name in MADE} == {Operation.CREATE}
    assert (shown.drift, shown.notes) == ((), ())
    again = preview(settings, folder, stack="eu", phase=Phase.CHANGE)
    assert again == shown

    told: list[str] = []
    done = apply(
        settings,
        folder,
        stack="eu",
        phase=Phase.CHANGE,
        plan=plan,
        expected=shown,
        on_progress=lambda one: told.append(one.name),
    )
    assert done.complete, done.error
    assert sorted(told) == sorted((*ADOPTED, *MADE)) == sorted(one.name for one in done.done)
    assert done.serial_before == shown.state_serial != done.serial_after
    assert done.serial_after == current_serial(settings, stack="eu")
    assert stack.account.is_as_wanted(stack.before)
    assert stack.names_made() == sorted(MADE)

    with pytest.raises(PermanentError, match="the state changed after it was previewed"):
        apply(settings, folder, stack="eu", phase=Phase.CHANGE, expected=shown)

    undone = apply(settings, folder, stack="eu", phase=Phase.UNDO)
    assert undone.complete, undone.error
    assert stack.names_made() == []
    assert not stack.account.has("web", before=stack.before, change_id=stack.change_id)


def test_a_destroyed_stack_lets_go_of_what_it_adopted(stack: Stack) -> None:
    stack.adopt()
    apply(stack.settings, stack.folder, stack="eu", phase=Phase.CHANGE)
    gone = destroy(stack.settings, stack="eu")
    assert gone.complete, gone.error
    kept = {one.name for one in gone.done if one.operation is Operation.FORGET}
    assert kept == set(ADOPTED)
    assert stack.account.is_as_wanted(stack.before)
    assert stack.names_made() == []
    forget(stack.settings, stack="eu")


def test_the_change_before_the_adoption_is_no_adoption_and_makes_no_second_one(
    stack: Stack,
) -> None:
    """This engine imports and changes in one run: the caller has to look before it applies."""
    shown = preview(stack.settings, stack.folder, stack="eu", phase=Phase.CHANGE)
    assert not is_adoption_only(shown)
    by_name = {one.name: one for one in shown.changes}
    assert by_name["web"].operation in {Operation.UPDATE, Operation.IMPORT}
    assert by_name["web"].resource_id in {None, stack.before.instance_id}


def test_drift_is_told_and_changes_neither_state_nor_account(stack: Stack) -> None:
    stack.adopt()
    serial = current_serial(stack.settings, stack="eu")
    ec2 = stack.account.client("ec2")
    tag = {"Key": "Name", "Value": "renamed by hand"}
    ec2.create_tags(Resources=[stack.before.instance_id], Tags=[tag])
    shown = preview(stack.settings, stack.folder, stack="eu", phase=Phase.ADOPT)
    assert [(one.name, one.diffs) for one in shown.drift] == [
        ("web", (PropertyDiff(path="tags.Name", before="web", after="renamed by hand"),))
    ]
    assert shown.state_serial == serial == current_serial(stack.settings, stack="eu")


def test_an_update_that_fails_half_way_says_what_was_done_and_can_be_finished(
    stack: Stack,
) -> None:
    stack.adopt()
    approved = preview(stack.settings, stack.folder, stack="eu", phase=Phase.CHANGE)
    failing = stack.with_faults({"operation": "create", "name": "function", "error": "no quota"})
    done = apply(failing, stack.folder, stack="eu", phase=Phase.CHANGE, expected=approved)
    assert [(one.name, one.operation) for one in done.failed] == [("function", Operation.CREATE)]
    assert "no quota" in done.failed[0].message
    assert done.error.startswith("eu: function: ")
    assert "role" in {one.name for one in done.done}
    assert done.pending == ("creating function",)

    with pytest.raises(CutOffError, match="recover the stack"):
        preview(stack.settings, stack.folder, stack="eu", phase=Phase.CHANGE)
    (resolution,) = stack.recovered().resolutions
    assert (resolution.name, resolution.outcome) == ("function", Outcome.CLEARED)

    now = preview(stack.settings, stack.folder, stack="eu", phase=Phase.CHANGE)
    left = remaining(approved, now)
    assert left is not None
    assert {"function", "permission"} <= {one.name for one in left} < set(MADE)
    finished = apply(stack.settings, stack.folder, stack="eu", phase=Phase.CHANGE)
    assert finished.complete, finished.error
    assert stack.names_made() == sorted(MADE)


def test_what_a_dying_provider_made_is_found_and_not_made_again(stack: Stack) -> None:
    stack.adopt()
    dying = stack.with_faults(
        {"operation": "create", "name": "batch", "when": "after", "exit": True}
    )
    done = apply(dying, stack.folder, stack="eu", phase=Phase.CHANGE)
    assert not done.complete
    assert "batch" in stack.names_made()

    recovery = stack.recovered()
    outcome = {one.name: one.outcome for one in recovery.resolutions}
    assert outcome["batch"] is Outcome.ADOPTED
    finished = apply(stack.settings, stack.folder, stack="eu", phase=Phase.CHANGE)
    assert finished.complete, finished.error
    assert stack.names_made() == sorted(MADE)
    assert stack.account.is_as_wanted(stack.before)
    assert not stack.recovered().needed


def test_a_lock_names_its_holder_and_recovery_takes_it_away(stack: Stack) -> None:
    stack.adopt()
    folder = stack.settings.backend_folder
    assert folder is not None
    lock = folder / ".pulumi/locks/organization/homeostat/eu/other.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    told = {"pid": 7, "username": "ann", "hostname": "box", "timestamp": "2026-11-28T05:00:00Z"}
    lock.write_text(json.dumps(told))
    with pytest.raises(TransientError, match=r"locked by an update by ann@box \(process 7\)"):
        apply(stack.settings, stack.folder, stack="eu", phase=Phase.CHANGE)
    assert stack.names_made() == []
    assert stack.recovered().unlocked == ("ann@box (process 7) since 2026-11-28T05:00:00Z",)
    assert preview(stack.settings, stack.folder, stack="eu", phase=Phase.ADOPT).acting == ()


def test_a_cut_off_checkpoint_gives_way_to_its_backup(stack: Stack) -> None:
    stack.adopt()
    folder = stack.settings.backend_folder
    assert folder is not None
    path = folder / ".pulumi/stacks/homeostat/eu.json"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(PermanentError):
        exported(stack.settings, stack="eu")
    recovery = stack.recovered()
    assert recovery.restored_from is not None
    assert exported(stack.settings, stack="eu")["resources"]


def test_attributes_that_a_kill_left_empty_hide_no_state(stack: Stack) -> None:
    stack.adopt()
    before = exported(stack.settings, stack="eu")
    folder = stack.settings.backend_folder
    assert folder is not None
    # The backend writes the file beside a file in place, before it replaces the file itself.
    (folder / ".pulumi/stacks/homeostat/eu.json.attrs").write_bytes(b"")
    with pytest.raises(PermanentError, match="EOF"):
        exported(stack.settings, stack="eu")
    assert stack.recovered().restored_from is None
    assert exported(stack.settings, stack="eu")["resources"] == before["resources"]


def test_a_program_that_fails_is_told_in_one_line_without_secrets(stack: Stack) -> None:
    path = stack.folder / "__main__.py"
    path.write_text(
        "import os\nraise ValueError('word: ' + os.environ['PULUMI_CONFIG_PASSPHRASE'])"
    )
    with pytest.raises(PermanentError, match="word: <secret>") as refused:
        preview(stack.settings, stack.folder, stack="eu", phase=Phase.CHANGE)
    assert "correct horse" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_program_that_was_edited_after_its_preview_is_refused(stack: Stack) -> None:
    shown = preview(stack.settings, stack.folder, stack="eu", phase=Phase.ADOPT)
    path = stack.folder / "adopt/__main__.py"
    path.write_text(path.read_text() + "\n# harmless\n")
    done = apply(stack.settings, stack.folder, stack="eu", phase=Phase.ADOPT, expected=shown)
    assert "changed after it was previewed" in done.error
    assert done.done == ()
