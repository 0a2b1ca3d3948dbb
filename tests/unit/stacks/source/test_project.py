"""A stack's whole project: what is in it, what differs, what a reviewer reads."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.stacks_generate import judge_markdown, judge_project
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import CHANGE_TAG, Refused
from tasks.domain.stacks.program import (
    Args,
    Input,
    JsonText,
    Resource,
    SourceArchive,
    StackPlan,
)
from tasks.domain.stacks.source.leaves import Difference, differences, is_label
from tasks.domain.stacks.source.markdown import code, prose
from tasks.domain.stacks.source.project import project_files
from tests.support.reality import ToolPath
from tests.unit.stacks.source.every_kind import (
    REGION,
    SERVERLESS,
    STACK,
    change,
    resource,
    whole_plan,
)

INSTANCE = "aws:ec2/instance:Instance"


def readme(plan: StackPlan, **other: Any) -> str:
    return project_files(plan, **other)["README.md"].decode()


def lines_of(files: Mapping[str, bytes], path: str) -> list[str]:
    return files[path].decode().splitlines()


def test_a_project_has_every_file_that_it_is_run_with() -> None:
    assert list(project_files(whole_plan())) == [
        "Pulumi.shop-eu-west-1.yaml",
        "Pulumi.yaml",
        "README.md",
        "__main__.py",
        "adopt/Pulumi.yaml",
        "adopt/__main__.py",
        "requirements.txt",
        "stack.json",
        "undo/Pulumi.yaml",
        "undo/__main__.py",
    ]


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert project_files(whole_plan()) == project_files(whole_plan())


def test_the_whole_project_passes_the_judge_of_hostile_inputs() -> None:
    judge_project(project_files(whole_plan()), whole_plan())


def test_three_programs_of_one_project_share_the_stacks_settings() -> None:
    files = project_files(whole_plan())

    settings = {p: yaml.safe_load(files[f"{p}Pulumi.yaml"]) for p in ("", "adopt/", "undo/")}
    assert {one["name"] for one in settings.values()} == {"homeostat"}
    assert [one.get("stackConfigDir") for one in settings.values()] == [None, "..", ".."]
    assert yaml.safe_load(files[f"Pulumi.{STACK}.yaml"]) == {"config": {"aws:region": REGION}}


def test_adoption_and_change_differ_by_exactly_the_change() -> None:
    plan = whole_plan()
    kept = {one.name for one in plan.adopt.resources}
    only = tuple(one for one in plan.change.resources if one.name in kept)
    plan = replace(plan, change=replace(plan.change, resources=only, exports={}))
    files = project_files(plan)

    found = difflib.unified_diff(
        lines_of(files, "adopt/__main__.py"), lines_of(files, "__main__.py"), n=0, lineterm=""
    )

    assert [line for line in found if line[0] in "+-" and line[:3] not in {"+++", "---"}] == [
        '-"""Stack shop-eu-west-1 in eu-west-1, phase adopt.',
        '+"""Stack shop-eu-west-1 in eu-west-1, phase change.',
        "-What exists comes under the stack as it is: nothing in the account changes.",
        "+The changes that were chosen, and what is new for them.",
        '-        instance_type="m5.xlarge",',
        '+        instance_type="m5.large",',
    ]


def test_what_is_new_is_only_added() -> None:
    files = project_files(whole_plan())

    found = difflib.unified_diff(
        lines_of(files, "adopt/__main__.py"), lines_of(files, "__main__.py"), n=0, lineterm=""
    )

    removed = [line for line in found if line.startswith("-") and line.strip("-")]
    assert [line[:20] for line in removed[1:]] == [
        '-"""Stack shop-eu-we',
        "-What exists comes u",
        "-        instance_ty",
    ]


def test_the_manifest_has_the_changes_and_the_fingerprints_of_the_programs() -> None:
    files = project_files(whole_plan())

    found = json.loads(files["stack.json"])

    assert (found["stack"], found["region"]) == (STACK, REGION)
    for program in found["programs"].values():
        assert program["sha256"] == hashlib.sha256(files[program["path"]]).hexdigest()
    first = found["changes"][0]
    assert first["saving_usd_per_month"] == {"low": 60.0, "expected": 70.08, "high": 75.0}
    assert first["resources"][:3] == ["web", "batch", "data"]
    assert found["saving_usd_per_month"]["expected"] == pytest.approx(140.16)
    assert [one["kind"] for one in found["refused"]] == ["spot"]


def test_the_readme_says_what_why_who_and_how_much() -> None:
    page = readme(whole_plan(), notes=("Prices were read from AWS.",))

    for line in (
        "2 changes in eu-west-1; together they save 140.16 USD a month (120.00 to 150.00).",
        "| hs-0123456789ab | right-size | 70.08 | yes | yes | 0.20 |",
        "### hs-0123456789ab: Change web from m5.xlarge to m5.large.",
        "- **Why:** Its busiest hour of 30 days needs 41 % of m5.large.",
        "- **Saves:** 70.08 USD a month (60.00 to 75.00)",
        "- **Owner:** `team-web`",
        "- **Restart:** something has to restart",
        "- **Undo:** the program in `undo/` brings everything back",
        "- `web`; `aws:ec2/instance:Instance`; is `i-0123456789abcdef0`, which exists, and changes; "
        "costs 140.16 before and 70.08 after, USD a month",
        "  - `instance_type`: `m5.xlarge` before, `m5.large` after",
        "- `data`; `aws:ebs/volume:Volume`; is `vol-0123456789abcdef0`, which exists, and stays as "
        "it is",
        "  - `policy.Statement[0].Resource`: `<arn of health-logs>:*`",
        "- spot of `i-00000000000000000`: It writes to its own disk; say in a tag that it may be "
        "interrupted.",
        "- Note: Prices were read from AWS.",
        f"pulumi -C adopt up --stack {STACK}    # look first: it may show imports and nothing else",
    ):
        assert line in page.splitlines(), line


def test_the_readme_says_what_cannot_be_undone_and_who_is_not_named() -> None:
    plan = replace(whole_plan(), changes=(change(reversible=False, owner=""), change(SERVERLESS)))

    page = readme(plan)

    assert "- **Undo:** **not possible**" in page
    assert "- **Owner:** nobody is named" in page


def test_a_plan_of_nothing_is_a_project_too() -> None:
    plan = whole_plan()
    nothing = {
        phase: replace(getattr(plan, phase), resources=(), exports={})
        for phase in ("adopt", "change", "undo")
    }
    plan = replace(plan, changes=(), refused=(), **nothing)

    assert "There are none." in readme(plan)
    judge_project(project_files(plan), plan)


def test_the_readme_says_what_would_be_deleted_though_it_was_there_before() -> None:
    plan = whole_plan()
    assert "though it was there before: `data`.\n" in readme(plan)

    kept = {
        phase: replace(
            getattr(plan, phase),
            resources=tuple(
                replace(one, protect=True, retain_on_delete=True)
                for one in getattr(plan, phase).resources
            ),
        )
        for phase in ("adopt", "change", "undo")
    }

    assert "`pulumi destroy` deletes none of it." in readme(replace(plan, **kept))


def test_what_leaves_the_stack_is_named() -> None:
    plan = whole_plan()
    kept = tuple(one for one in plan.change.resources if one.name not in {"data", "web-state"})
    plan = replace(plan, change=replace(plan.change, resources=kept))

    assert "`data`; `aws:ebs/volume:Volume`; leaves the stack and stays in the account" in readme(
        plan
    )


def test_values_that_look_alike_and_differ_are_shown_with_their_kinds() -> None:
    before = resource("web", INSTANCE, {"a": "8", "b": {"x.y": 1}, "c": True}, protect=True)
    after = resource("web", INSTANCE, {"a": 8, "b": {"x": {"y": 1}}, "c": True})

    assert differences(before, after) == (
        Difference(path="a", before="8 (str)", after="8 (int)"),
        Difference(path="b.x.y", before=None, after="1"),
        Difference(path="b.x.y", before="1", after=None),
        Difference(path="opts.protect", before="True", after=None),
    )


def test_tags_of_a_group_are_compared_by_their_keys() -> None:
    def group(*tags: tuple[str, str]) -> Resource:
        entries = [
            Args(of="GroupTagArgs", fields={"key": key, "value": value}) for key, value in tags
        ]
        return resource("workers", "aws:autoscaling/group:Group", {"tags": tuple(entries)})

    found = differences(group(("b", "1")), group(("a", "2"), ("b", "3")))

    assert found == (
        Difference(path="tags[a].key", before=None, after="a"),
        Difference(path="tags[a].value", before=None, after="2"),
        Difference(path="tags[b].value", before="1", after="3"),
    )
    assert [one.path for one in differences(None, group(("a", "1"), ("a", "2")))] == [
        "tags[0].key",
        "tags[0].value",
        "tags[1].key",
        "tags[1].value",
    ]


def test_tags_that_only_name_the_change_take_one_line() -> None:
    plan = whole_plan()
    tags: dict[str, Input] = {CHANGE_TAG: "hs-0123456789ab", f"{CHANGE_TAG}-not": "x", "team": "y"}
    tagged = resource("tagged", INSTANCE, {"tags": tags})
    plan = replace(plan, change=replace(plan.change, resources=(*plan.change.resources, tagged)))

    lines = readme(plan).splitlines()

    at = lines.index(f"- `tagged`; `{INSTANCE}`; is new")
    assert lines[at + 1 : at + 4] == [
        f"  - `tags.{CHANGE_TAG}-not`: `x`",
        "  - `tags.team`: `y`",
        "  - tags that say which change it belongs to, and why",
    ]


def test_such_a_tag_that_was_there_before_is_shown_when_it_changes() -> None:
    before = resource("web", INSTANCE, {"tags": {CHANGE_TAG: "x"}})
    after = resource("web", INSTANCE, {"tags": {CHANGE_TAG: "y"}})

    assert [is_label(one) for one in differences(before, after)] == [False]


def test_the_notes_of_a_change_are_in_the_readme_and_the_manifest() -> None:
    plan = whole_plan()
    noted = change(notes=("Alarms are made by hand.", "<b>"))
    files = project_files(replace(plan, changes=(noted, plan.changes[1])))

    lines = files["README.md"].decode().splitlines()
    assert {"- **Note:** Alarms are made by hand.", "- **Note:** `<b>`"} <= set(lines)
    assert json.loads(files["stack.json"])["changes"][0]["notes"] == list(noted.notes)


def test_a_file_is_shown_by_its_length_and_fingerprint() -> None:
    new = resource(
        "fn",
        INSTANCE,
        {"code": SourceArchive(files={"a.py": "x\ny\n"}), "j": JsonText(document=())},
    )

    digest = hashlib.sha256(b"x\ny\n").hexdigest()
    assert differences(None, new) == (
        Difference(path="code/a.py", before=None, after=f"2 lines, sha256 {digest}"),
        Difference(path="j", before=None, after="nothing in it"),
    )


def test_a_long_list_of_inputs_is_cut_and_says_so() -> None:
    plan = whole_plan()
    many = resource("many", INSTANCE, {"tags": {f"t-{n}": "x" for n in range(100)}})
    resources = (*plan.change.resources, many)

    page = readme(replace(plan, change=replace(plan.change, resources=resources)))

    assert "  - and 60 more in the program" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "`plain`"),
        ("", "(empty)"),
        ("  ", "(2 spaces)"),
        ("`", "`` ` ``"),
        ("a``b`", "``` a``b` ```"),
        ("a\nb", "`a\\nb`"),
        ("<b>|*_[x](y)", "`<b>|*_[x](y)`"),
        ("\u202e", "`\\u202e`"),
        ("x" * 200, f"`{'x' * 160}... (200 letters)`"),
    ],
)
def test_a_value_stands_in_a_code_span(text: str, shown: str) -> None:
    assert code(text) == shown
    judge_markdown(f"- {shown}\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Its p99 is 41 % (0.5-0.7).", "Its p99 is 41 % (0.5-0.7)."),
        ("see [x](https://a.example) now", "see `[x](https://a.example)` now"),
        ("a https://a.example b", "a `https://a.example` b"),
        ("WWW.a.example", "`WWW.a.example`"),
        ("ask me@a.example or #12", "ask `me@a.example` or `#12`"),
        ("two <i>odd</i> *words* here", "two `<i>odd</i> *words*` here"),
        ("  spaces  ", "spaces"),
        ("", ""),
        ("Stra\u00dfe \u4e00\u3042", "Stra\u00dfe \u4e00\u3042"),
        ("a\n# b", "`a\\n#` b"),
    ],
)
def test_a_sentence_keeps_its_plain_words(text: str, shown: str) -> None:
    assert prose(text) == shown
    judge_markdown(f"- Why: {shown}\n")


def test_hostile_texts_are_no_markup_in_the_readme() -> None:
    text = "x\n\n# big\n\n- [a](javascript:b) <img src=x> ![c](https://d.example) ``` | e@f.example"
    refused = Refused(kind=Kind.SPOT, resource=text, region=REGION, why=text)
    hostile = change(summary=text, reason=text, owner=text, resource=text)
    plan = replace(whole_plan(), changes=(hostile, change(SERVERLESS)), refused=(refused,))

    judge_markdown(readme(plan, notes=(text,)))


@pytest.mark.slow
@pytest.mark.real("pulumi")
def test_every_program_of_a_project_sees_the_stacks_region(
    tool_path: ToolPath, tmp_path: Path
) -> None:
    for path, content in project_files(whole_plan()).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "state").mkdir()
    environment = os.environ | {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }

    def pulumi(*arguments: str) -> str:
        command = [str(tool_path("pulumi")), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    pulumi("stack", "select", "--create", STACK)
    for folder in (".", "adopt", "undo"):
        assert pulumi("-C", folder, "config", "get", "aws:region", "--stack", STACK) == REGION
    assert yaml.safe_load((tmp_path / f"Pulumi.{STACK}.yaml").read_text())["config"] == {
        "aws:region": REGION
    }
