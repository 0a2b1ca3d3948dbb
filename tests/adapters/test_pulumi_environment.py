from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tasks.adapters.pulumi.checkpoint import (
    drop_broken_attributes,
    locks,
    restored_checkpoint,
)
from tasks.adapters.pulumi.engine import HOW_TO_GET, preview, required_version
from tasks.adapters.pulumi.environment import (
    AwsEnvironment,
    EngineSettings,
    engine_environment,
    engine_version,
)
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.changes import Phase

AWS = AwsEnvironment(
    region="eu-west-1",
    access_key_id="AKIA1",
    secret_access_key="very-secret",
    endpoint_url="http://127.0.0.1:1",
)


def settings(folder: Path, **more: object) -> EngineSettings:
    given = {"backend_url": f"file://{folder / 'state'}", "home": folder / "home"} | more
    return EngineSettings(**given)  # type: ignore[arg-type]


def command(folder: Path, script: str) -> Path:
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def checkpoint(folder: Path, content: str, *, suffix: str = "json") -> Path:
    path = folder / f"state/.pulumi/stacks/homeostat/eu.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_the_version_of_the_command_that_is_given_is_told(tmp_path: Path) -> None:
    found = settings(tmp_path, cli=command(tmp_path, "echo v3.259.0"))
    assert engine_version(found) == "3.259.0"


def test_a_command_is_asked_once_and_again_when_it_is_another_one(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    found = settings(tmp_path, cli=command(tmp_path, f"echo >> {asked}; echo v3.259.0"))
    assert [engine_version(found), engine_version(found)] == ["3.259.0", "3.259.0"]
    assert asked.read_text() == "\n"

    command(tmp_path, f"echo >> {asked}; echo v3.260.0-alpha")
    assert engine_version(found) == "3.260.0-alpha"


def test_without_a_command_there_is_no_version_and_updates_say_how_to_get_one(
    tmp_path: Path,
) -> None:
    found = settings(tmp_path, cli=tmp_path / "nothing")
    assert engine_version(found) is None
    with pytest.raises(PermanentError, match="make tools"):
        required_version(found)
    assert "pulumi.com" in HOW_TO_GET


def test_a_command_that_does_not_work_is_named(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="does not tell its version"):
        engine_version(settings(tmp_path, cli=command(tmp_path, "exit 3")))


def test_only_the_given_account_reaches_the_provider(tmp_path: Path) -> None:
    inherited = {"AWS_PROFILE": "mine", "PULUMI_ACCESS_TOKEN": "t", "HOME": "/elsewhere/me"}
    found = engine_environment(settings(tmp_path, aws=AWS), stack="eu", environ=inherited)
    assert found["HOME"] == "/elsewhere/me"
    assert "AWS_PROFILE" not in found
    assert "PULUMI_ACCESS_TOKEN" not in found
    assert (found["AWS_REGION"], found["AWS_ENDPOINT_URL"]) == ("eu-west-1", "http://127.0.0.1:1")


def test_without_an_account_the_person_s_own_variables_stay(tmp_path: Path) -> None:
    found = engine_environment(settings(tmp_path), stack="eu", environ={"AWS_PROFILE": "mine"})
    assert found["AWS_PROFILE"] == "mine"


def test_plugins_are_downloaded_unless_a_folder_has_them(tmp_path: Path) -> None:
    name = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
    assert name not in engine_environment(settings(tmp_path), stack="eu", environ={})
    found = engine_environment(settings(tmp_path, plugin_folder=tmp_path), stack="eu", environ={})
    assert found[name] == "true"
    assert found["PATH"].split(os.pathsep)[0] == str(tmp_path)


def test_settings_show_no_secret(tmp_path: Path) -> None:
    shown = repr(settings(tmp_path, aws=AWS, passphrase="open sesame"))
    assert "very-secret" not in shown
    assert "sesame" not in shown


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = settings(tmp_path, cli=command(tmp_path, "echo v3.259.0"))
    with pytest.raises(PermanentError, match=r"no undo program at .*undo/__main__.py"):
        preview(found, tmp_path, stack="eu", phase=Phase.UNDO)


def test_a_checkpoint_that_can_be_read_is_left_alone(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, '{"version": 3, "checkpoint": {}}')
    checkpoint(tmp_path, '{"checkpoint": {"old": 1}}', suffix="json.bak")
    assert restored_checkpoint(settings(tmp_path), stack="eu") is None
    assert json.loads(path.read_text()) == {"version": 3, "checkpoint": {}}


@pytest.mark.parametrize(
    "broken",
    ["", '{"version": 3, "checkp', "[]", "\0" * 40],
    ids=["empty", "cut off", "a list", "zeros"],
)
def test_a_broken_checkpoint_gives_way_to_its_backup_and_is_kept(
    tmp_path: Path, broken: str
) -> None:
    path = checkpoint(tmp_path, broken)
    checkpoint(tmp_path, '{"checkpoint": {"latest": 1}}', suffix="json.bak")
    assert restored_checkpoint(settings(tmp_path), stack="eu") == "eu.json.bak"
    assert json.loads(path.read_text()) == {"checkpoint": {"latest": 1}}
    assert path.with_suffix(".json.unreadable").read_text() == broken


def test_a_checkpoint_without_any_readable_backup_is_reported_and_left(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, "{")
    checkpoint(tmp_path, "{", suffix="json.bak")
    with pytest.raises(PermanentError, match="none of its 1 backups"):
        restored_checkpoint(settings(tmp_path), stack="eu")
    assert path.read_text() == "{"


def test_only_attributes_that_are_cut_off_are_dropped_and_only_of_this_stack(
    tmp_path: Path,
) -> None:
    path = checkpoint(tmp_path, '{"checkpoint": {}}')
    whole, cut_off = Path(f"{path}.bak.attrs"), Path(f"{path}.attrs")
    other = path.with_name("eu-west.json.attrs")
    whole.write_text('{"user.content_type": "text/plain"}')
    for one in (cut_off, other):
        one.write_text("")
    assert drop_broken_attributes(settings(tmp_path), stack="eu") == (cut_off.name,)
    assert whole.exists()
    assert other.exists()
    assert drop_broken_attributes(settings(tmp_path), stack="eu") == ()


def test_a_stack_that_was_removed_does_not_come_back(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, '{"checkpoint": {}}', suffix="json.bak")
    assert restored_checkpoint(settings(tmp_path), stack="eu") is None
    assert not path.with_suffix("").exists()


def test_a_lock_says_who_holds_it_since_when(tmp_path: Path) -> None:
    folder = tmp_path / "state/.pulumi/locks/organization/homeostat/eu"
    folder.mkdir(parents=True)
    told = {"pid": 7, "username": "ann", "hostname": "box", "timestamp": "2026-11-28T05:00:00Z"}
    (folder / "a.json").write_text(json.dumps(told))
    (folder / "b.json").write_text("")
    assert locks(settings(tmp_path), stack="eu") == (
        "ann@box (process 7) since 2026-11-28T05:00:00Z",
        "a lock that does not say by whom (b.json)",
    )
