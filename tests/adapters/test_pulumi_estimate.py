from __future__ import annotations

from pathlib import Path

import pytest

from tasks.adapters.pulumi.environment import EngineSettings
from tasks.adapters.pulumi.estimate import estimate
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import (
    SECRET,
    UNKNOWN,
    Operation,
    PropertyDiff,
    ResourceChange,
    Source,
)

ADOPT = """
import pulumi
import pulumi_aws as aws

aws.ec2.Instance(
    "web",
    ami="ami-1",
    instance_type="m5.xlarge",
    root_block_device=aws.ec2.InstanceRootBlockDeviceArgs(volume_size=20),
    opts=pulumi.ResourceOptions(import_="i-1", protect=True, retain_on_delete=True),
)
aws.ebs.Volume(
    "data",
    availability_zone="us-east-1a",
    size=20,
    opts=pulumi.ResourceOptions(import_="vol-1", retain_on_delete=True),
)
"""
CHANGE = (
    ADOPT.replace("m5.xlarge", "m5.large")
    + """
role = aws.iam.Role("role", assume_role_policy=pulumi.Output.json_dumps({"a": 1}))
aws.lambda_.Function(
    "function",
    role=role.arn,
    environment=aws.lambda_.FunctionEnvironmentArgs(
        variables={"WORD": pulumi.Output.secret("hush")}
    ),
)
pulumi.export("arn", role.arn)
"""
)


def project(folder: Path, *, adopt: str | None = ADOPT, change: str = CHANGE) -> Path:
    texts = {"__main__.py": change, "undo/__main__.py": ADOPT, "adopt/__main__.py": adopt}
    for path, text in texts.items():
        if text is not None:
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
    return folder


def lines(folder: Path, phase: Phase) -> dict[str, ResourceChange]:
    settings = EngineSettings(
        backend_url=f"file://{folder}/s", home=folder / "h", cli=folder / "no"
    )
    found = estimate(settings, folder, stack="eu", phase=phase, region="us-east-1")
    assert found.source is Source.ESTIMATE
    assert "cannot be approved" in found.notes[0]
    return {one.name: one for one in found.changes}


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ResourceChange]:
    return lines(project(tmp_path_factory.mktemp("project")), Phase.CHANGE)


@pytest.mark.slow
def test_an_adopted_resource_is_changed_in_place(change: dict[str, ResourceChange]) -> None:
    assert change["web"].operation is Operation.UPDATE
    assert change["web"].diffs == (
        PropertyDiff(path="instanceType", before="m5.xlarge", after="m5.large"),
    )
    assert (change["web"].resource_id, change["web"].protected) == ("i-1", True)
    assert change["data"].operation is Operation.SAME


@pytest.mark.slow
def test_inputs_have_the_names_and_the_urns_that_the_engine_gives(
    change: dict[str, ResourceChange],
) -> None:
    assert change["web"].inputs_after == {
        "ami": "ami-1",
        "instanceType": "m5.large",
        "rootBlockDevice": {"volumeSize": 20},
    }
    assert change["web"].urn == "urn:pulumi:eu::homeostat::aws:ec2/instance:Instance::web"


@pytest.mark.slow
def test_what_is_not_known_yet_and_what_is_secret_are_words(
    change: dict[str, ResourceChange],
) -> None:
    assert change["function"].operation is Operation.CREATE
    assert change["function"].inputs_after is not None
    assert change["function"].inputs_after["role"] == UNKNOWN
    assert "hush" not in repr(change)
    assert SECRET in repr(change["function"].inputs_after)


@pytest.mark.slow
def test_adoption_imports_and_undo_forgets_nothing_that_was_there(tmp_path: Path) -> None:
    folder = project(tmp_path)
    adopt, undo = lines(folder, Phase.ADOPT), lines(folder, Phase.UNDO)
    assert {one.operation for one in adopt.values()} == {Operation.IMPORT}
    assert {name: one.operation for name, one in undo.items()} == {
        "web": Operation.UPDATE,
        "data": Operation.SAME,
        "role": Operation.DELETE,
        "function": Operation.DELETE,
    }


@pytest.mark.slow
def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    folder = project(tmp_path, change="import pulumi_aws as aws\naws.ec2.Instance('a', amii=1)")
    with pytest.raises(PermanentError, match="unexpected keyword argument 'amii'"):
        lines(folder, Phase.CHANGE)


@pytest.mark.slow
def test_what_a_program_prints_and_where_it_stands_disturbs_nobody(tmp_path: Path) -> None:
    before = Path.cwd()
    printing = f"print('{{}}')\nimport os\nos.chdir('/')\n{CHANGE}"
    assert len(lines(project(tmp_path, change=printing), Phase.CHANGE)) == 4
    assert Path.cwd() == before


@pytest.mark.slow
def test_a_module_beside_the_program_is_not_run(tmp_path: Path) -> None:
    """The hash that is approved is of the program alone."""
    folder = project(tmp_path)
    for name in ("pulumi_aws.py", "adopt/pulumi_aws.py"):
        (folder / name).write_text("raise SystemExit('ran unseen')")
    assert lines(folder, Phase.CHANGE)["web"].operation is Operation.UPDATE
