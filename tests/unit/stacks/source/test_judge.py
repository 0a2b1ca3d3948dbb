"""The judge of generated projects sees what it is there for."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.stacks_execution import (
    FiredError,
    UnlikeError,
    canonical,
    executed,
    judge_source,
)
from benchmarks.stacks_generate import judge_markdown, judge_project, outcome_of
from benchmarks.stacks_hostile import FIRE, NAMES, TEXTS, Hostile, Place, hostile_inputs
from benchmarks.stacks_plans import plan_of_size
from tasks.domain.stacks.program import Attribute
from tasks.domain.stacks.source.programs import program_source
from tasks.domain.stacks.source.project import project_files
from tests.unit.stacks.source.every_kind import every_kind, whole_plan

SOURCE = program_source(every_kind())


def test_a_program_of_every_kind_is_passed() -> None:
    judge_source(SOURCE, every_kind())


@pytest.mark.parametrize(
    "attack",
    [
        FIRE,
        "__import__('os').getpid()",
        "open('/dev/null')",
        "import os",
        "x = f'{1}'",
        "x = lambda: 1",
        "x = [a for a in ()]",
        "x = 1j",
        "x = web.stop()",
        "# mypy: ignore-errors",
        "# hs-0123456789ab: x # type: ignore",
        "x = '\u202e'",
        "x = '\u200b'",
    ],
)
def test_anything_but_a_declaration_is_seen(attack: str) -> None:
    with pytest.raises(FiredError):
        judge_source(f"{SOURCE}{attack}\n", every_kind())


@pytest.mark.parametrize("attack", [FIRE, "open('/not/there')", "import os"])
def test_what_was_executed_is_seen_whatever_the_tree_looks_like(attack: str) -> None:
    with pytest.raises(FiredError):
        executed(ast.parse(f"{SOURCE}{attack}\n"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m5.xlarge", "m5.large"),
        ("desired_capacity=2", "desired_capacity=2.0"),
        ("min_size=-1", "min_size=True"),
        ("role=role.arn", 'role="role.arn"'),
        ("protect=True", "protect=False"),
        ('import_="i-', 'import_="j-'),
        ("depends_on=[web, data]", "depends_on=[data, web]"),
        ('pulumi.export("web", web.id)', 'pulumi.export("web", web.arn)'),
        ("InstanceState(", "InstanceStat("),
    ],
)
def test_a_program_that_says_something_else_is_seen(old: str, new: str) -> None:
    assert old in SOURCE

    with pytest.raises(UnlikeError):
        judge_source(SOURCE.replace(old, new, 1), every_kind())


def test_a_resource_more_or_less_is_seen() -> None:
    program = every_kind()

    with pytest.raises(ValueError, match="zip"):
        judge_source(SOURCE, replace(program, resources=program.resources[:-1]))


@pytest.mark.parametrize(
    "text",
    [
        "[x](https://a.example)",
        "https://a.example",
        "www.a.example",
        "<b>x</b>",
        "![x](y)",
        "me@a.example",
        "a *b* c",
        "- # big",
    ],
)
def test_markup_in_a_page_is_seen(text: str) -> None:
    with pytest.raises(FiredError):
        judge_markdown(f"- Why: {text}\n" if not text.startswith("-") else f"{text}\n")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("Pulumi.yaml", "runtime: python", "runtime: nodejs"),
        ("adopt/Pulumi.yaml", "stackConfigDir: ..\n", ""),
        ("Pulumi.shop-eu-west-1.yaml", "eu-west-1", "eu-west-2"),
        ("stack.json", "team-web", "team-other"),
    ],
)
def test_a_project_that_says_something_else_is_seen(path: str, old: str, new: str) -> None:
    files = dict(project_files(whole_plan()))
    files[path] = files[path].decode().replace(old, new).encode()

    with pytest.raises(UnlikeError):
        judge_project(files, whole_plan())


def test_values_of_other_types_are_not_the_same() -> None:
    alike: list[Any] = [1, 1.0, True, "1", (1,), {"1": 1}, Attribute(resource="1", name="1"), None]
    alike += [0.0, -0.0, "", (), {}]

    assert len({repr(canonical(one)) for one in alike}) == len(alike)


def test_a_wrong_verdict_of_the_generator_counts_as_invalid() -> None:
    fine = Hostile(place=Place.VALUE, text="fine", carried=True)
    refused = Hostile(place=Place.VALUE, text="\x00", carried=False)

    assert outcome_of([fine])[0] == "carried"
    assert outcome_of([refused])[0] == "refused"
    assert outcome_of([replace(fine, carried=False)])[0] == "invalid"
    assert outcome_of([replace(refused, carried=True)])[0] == "invalid"


def test_hostile_inputs_come_in_every_place_and_are_the_same_for_a_seed() -> None:
    inputs = hostile_inputs(2000, seed=1)

    assert inputs == hostile_inputs(2000, seed=1) != hostile_inputs(2000, seed=2)
    assert {one.place for one in inputs} == set(Place) == {*NAMES, *TEXTS}
    assert {(one.place, one.carried) for one in inputs} >= {
        (place, carried) for place in TEXTS for carried in (True, False)
    }


def test_a_plan_of_a_size_has_it() -> None:
    plan = plan_of_size(30, seed=1)

    assert len(plan.change.resources) == len(plan.changes) == 30
    judge_project(project_files(plan), plan)
