"""Plain `pulumi` in a folder, with the real engine, its language host and the stand-in provider."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deployments.embedded.aws.policy import SEEDING_KEY
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from deployments.embedded.pulumi_aws.plugin import plugin_environment, plugin_folder
from tests.support.embedded_aws import seeding_client
from tests.support.reality import ToolPath

PROJECT = "name: homeostat\nruntime: python\n"
SETTINGS = "config:\n  aws:region: us-east-1\n"
PROGRAM = """
import os
import pulumi
from pulumi_aws import ebs

size = int(os.environ.get("SIZE", "20"))
disk = ebs.Volume("disk", availability_zone="us-east-1a", size=size, type="gp3", tags={"a/b": "c"})
pulumi.export("arn", disk.arn)
"""
ADOPTION = """
import os
import pulumi
from pulumi_aws import ebs

adopted = pulumi.ResourceOptions(
    import_=os.environ["VOLUME"], protect=True, retain_on_delete=True
)
ebs.Volume(
    "disk",
    availability_zone=os.environ.get("ZONE", "us-east-1a"),
    size=int(os.environ.get("SIZE", "20")),
    type="gp2",
    opts=adopted,
)
"""
MISSPELT = """
from pulumi_aws import ec2

ec2.Instance("web", ami="ami-1", instance_type="m5.large", root_block_device={"volume_sise": 3})
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.real("pulumi"),
    pytest.mark.real("pulumi-language-python"),
    pytest.mark.timeout(1200),
]


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A program of somebody's own, and the environment of their shell."""

    path: Path
    environment: dict[str, str]

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *command, "--non-interactive", "--color", "never"],
            cwd=self.path,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def done(self, *command: str, **variables: str) -> str:
        finished = self.run(*command, **variables)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def write(self, program: str) -> None:
        (self.path / "__main__.py").write_text(program)


@pytest.fixture
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(fleet="none")) as running:
        yield running


@pytest.fixture
def folder(server: EmbeddedAws, tmp_path: Path, tool_path: ToolPath) -> Folder:
    place, state = tmp_path / "program", tmp_path / "state"
    place.mkdir()
    state.mkdir()
    (place / "Pulumi.yaml").write_text(PROJECT)
    (place / "Pulumi.dev.yaml").write_text(SETTINGS)
    tools = [tool_path("pulumi").parent, tool_path("pulumi-language-python").parent]
    path = os.pathsep.join(map(str, [Path(sys.executable).parent, *tools, os.environ["PATH"]]))
    environment = {
        "HOME": str(tmp_path),
        "PATH": path,
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AWS_ENDPOINT_URL": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": SEEDING_KEY,
        "AWS_SECRET_ACCESS_KEY": "not checked",
    }
    made = Folder(path=place, environment={**environment, **plugin_environment(environment)})
    made.write(PROGRAM)
    made.done("stack", "init", "dev")
    return made


def volumes(server: EmbeddedAws) -> list[dict[str, Any]]:
    return list(seeding_client(server, "ec2").describe_volumes()["Volumes"])


def resource(folder: Folder) -> dict[str, Any]:
    state = json.loads(folder.done("stack", "export"))
    (found,) = [
        one for one in state["deployment"]["resources"] if one["type"] == "aws:ebs/volume:Volume"
    ]
    return dict(found)


def test_a_program_is_previewed_applied_refreshed_changed_and_destroyed(
    server: EmbeddedAws, folder: Folder
) -> None:
    preview = folder.done("preview", "--diff")
    assert "aws:ebs/volume:Volume: (create)" in preview
    assert volumes(server) == []

    folder.done("up", "--yes", "--skip-preview")
    (made,) = volumes(server)
    assert (made["Size"], made["VolumeType"]) == (20, "gp3")
    assert folder.done("stack", "output", "arn").strip().endswith(made["VolumeId"])
    assert "2 unchanged" in folder.done("refresh", "--yes")
    assert "2 unchanged" in folder.done("preview")

    changed = folder.done("up", "--yes", "--skip-preview", "--diff", SIZE="30")
    assert "~ size: 20 => 30" in changed
    assert [one["Size"] for one in volumes(server)] == [30]

    folder.done("destroy", "--yes", "--skip-preview")
    assert volumes(server) == []


def test_what_exists_is_adopted_with_no_change_and_stays_when_the_stack_goes(
    server: EmbeddedAws, folder: Folder
) -> None:
    folder.write(ADOPTION)
    volume = existing(server)
    before = volumes(server)
    preview = folder.done("preview", VOLUME=volume)
    adopted = folder.done("up", "--yes", "--skip-preview", VOLUME=volume)

    assert "= 1 to import" in preview
    assert "to update" not in preview
    assert "1 imported" in adopted
    assert volumes(server) == before
    assert resource(folder)["id"] == volume
    assert "2 unchanged" in folder.done("preview", VOLUME=volume)


def existing(server: EmbeddedAws) -> str:
    made = seeding_client(server, "ec2").create_volume(
        AvailabilityZone="us-east-1a", Size=20, VolumeType="gp2"
    )
    return str(made["VolumeId"])


def test_an_import_that_differs_in_place_is_an_update_that_a_preview_shows(
    server: EmbeddedAws, folder: Folder
) -> None:
    """The engine takes over and changes then: whoever adopts has to look at the preview."""
    folder.write(ADOPTION)
    preview = folder.done("preview", "--diff", VOLUME=existing(server), SIZE="40")

    assert "= 1 to import" in preview
    assert "~ 1 to update" in preview
    assert "~ size: 20 => 40" in preview
    assert [one["Size"] for one in volumes(server)] == [20]


def test_an_import_that_would_be_replaced_is_refused(server: EmbeddedAws, folder: Folder) -> None:
    folder.write(ADOPTION)
    volume = existing(server)
    refused = folder.run("up", "--yes", "--skip-preview", VOLUME=volume, ZONE="us-east-1b")

    assert refused.returncode != 0
    assert "1 errored" in refused.stdout
    assert [one["VolumeId"] for one in volumes(server)] == [volume]


def test_a_protected_resource_survives_the_end_of_its_stack(
    server: EmbeddedAws, folder: Folder
) -> None:
    folder.write(ADOPTION)
    volume = existing(server)
    folder.done("up", "--yes", "--skip-preview", VOLUME=volume)
    refused = folder.run("destroy", "--yes", "--skip-preview", VOLUME=volume)

    assert refused.returncode != 0
    folder.done("state", "unprotect", "--all", "--yes")
    folder.done("destroy", "--yes", "--skip-preview", VOLUME=volume)
    assert [one["VolumeId"] for one in volumes(server)] == [volume]


def test_a_misspelt_nested_key_is_refused_before_anything_is_made(
    server: EmbeddedAws, folder: Folder
) -> None:
    folder.write(MISSPELT)
    refused = folder.run("up", "--yes", "--skip-preview")

    assert refused.returncode != 0
    assert "volume_sise" in refused.stdout + refused.stderr


def test_a_real_account_is_left_to_the_official_provider(folder: Folder) -> None:
    refused = folder.run("preview", AWS_ENDPOINT_URL="https://ec2.us-east-1.amazonaws.com")

    assert refused.returncode != 0
    assert "install the official provider" in refused.stdout + refused.stderr


def test_a_provider_that_dies_after_the_call_leaves_a_resource_that_is_found_by_its_tag(
    server: EmbeddedAws, folder: Folder
) -> None:
    rules = [{"operation": "create", "when": "after", "exit": True}]
    died = folder.run("up", "--yes", "--skip-preview", HOMEOSTAT_STANDIN_FAULTS=json.dumps(rules))
    state = json.loads(folder.done("stack", "export"))

    assert died.returncode != 0
    assert [one["Size"] for one in volumes(server)] == [20]
    assert len(state["deployment"].get("pending_operations") or ()) <= 1
    assert seeding_client(server, "ec2").describe_volumes(
        Filters=[{"Name": "tag:a/b", "Values": ["c"]}]
    )["Volumes"]


def test_the_plugin_names_no_path_of_a_machine() -> None:
    script = (plugin_folder() / "pulumi-resource-aws").read_text()

    assert "/home" not in script
    assert script.startswith("#!/bin/sh\n")
