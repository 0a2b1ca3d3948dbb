"""What cannot be carried is refused: by name, with the value, the limit and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.savings.money import Usd
from tasks.domain.stacks.changes import Phase, Refused
from tasks.domain.stacks.program import (
    Args,
    Attribute,
    Joined,
    JsonText,
    Program,
    Resource,
    SourceArchive,
    StackPlan,
)
from tasks.domain.stacks.source.errors import ProgramRefusedError
from tasks.domain.stacks.source.programs import program_source
from tasks.domain.stacks.source.project import project_files
from tests.unit.stacks.source.every_kind import REGION, STACK, change, resource, whole_plan

INSTANCE = "aws:ec2/instance:Instance"
UNKNOWN_MARK = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"


def program(*resources: Resource, **other: Any) -> Program:
    given: dict[str, Any] = {"stack": STACK, "region": REGION, "phase": Phase.CHANGE}
    return Program(**given | {"resources": resources} | other)


def refusal(found: Program) -> ProgramRefusedError:
    with pytest.raises(ProgramRefusedError) as caught:
        program_source(found)
    return caught.value


def refusal_of_inputs(inputs: Mapping[str, Any]) -> ProgramRefusedError:
    return refusal(program(resource("web", INSTANCE, dict(inputs))))


def test_a_refusal_names_resource_value_limit_and_next_step() -> None:
    error = refusal_of_inputs({"tags": {"owner": "a\x00b"}})

    assert isinstance(error, PermanentError)
    assert str(error) == (
        'resource web, tags.owner: found "a\\x00b", allowed no control characters but tab and line '
        "ends, no half surrogate pairs (U+0000 at 1): AWS cannot store them; remove the character "
        "where the text comes from"
    )
    assert (error.where, error.found) == ("resource web, tags.owner", '"a\\x00b"')


def test_a_refusal_shows_a_long_value_shortened_and_on_one_line() -> None:
    error = refusal_of_inputs({"user_data": '\u202e\n"' * 50_000})

    assert str(error).isprintable()
    assert "(150,000 letters)" in error.found
    assert "32,768 bytes" in error.allowed
    assert len(str(error)) < 600


@pytest.mark.parametrize("text", ["\x1b[2J", "\ud800", "\udc00x", "\ufffe", "\x08", "\x00"])
@pytest.mark.parametrize(
    "inputs",
    [
        lambda text: {"user_data": text},
        lambda text: {"tags": {text: "x"}},
        lambda text: {"l": ("a", text)},
        lambda text: {"n": Args(of="InstanceArgs", fields={"a": text})},
        lambda text: {"j": JsonText(document={"a": ({"b": text},)})},
        lambda text: {"j": Joined(parts=("a", text))},
        lambda text: {"c": SourceArchive(files={"a.py": text})},
    ],
)
def test_characters_that_aws_cannot_store_are_refused_everywhere(text: str, inputs: Any) -> None:
    refusal_of_inputs(inputs(text))


@pytest.mark.parametrize(
    "number",
    [math.nan, math.inf, -math.inf, 2**53 + 1, -(2**60), pytest.param(10**5000, id="long")],
)
def test_numbers_that_would_lose_digits_on_the_wire_are_refused(number: float) -> None:
    assert len(str(refusal_of_inputs({"volume_size": number}))) < 300


@pytest.mark.parametrize("value", [None, b"x", {1, 2}, object(), ["a list"], 1j])
def test_values_of_other_types_are_refused(value: object) -> None:
    assert "resource web, ami" in str(refusal_of_inputs({"ami": value}))


def test_typed_inputs_within_a_json_document_are_refused() -> None:
    document: Any = {"a": Args(of="InstanceArgs", fields={})}

    refusal_of_inputs({"user_data": JsonText(document=document)})


@pytest.mark.parametrize("key", [SIGNATURE, "__defaults"])
def test_a_mapping_that_the_engine_would_read_as_a_file_is_refused(key: str) -> None:
    """With the first key and a path, an ordinary tag would upload a file of the machine."""
    asset = {key: "c44067f5952c0a294b673a41bacd8c17", "path": "/etc/passwd"}

    assert "the engine reads" in str(refusal_of_inputs({"tags": asset}))


def test_a_value_that_the_engine_would_read_as_not_known_yet_is_refused() -> None:
    """A preview would hide what is applied."""
    assert "not known yet" in str(refusal_of_inputs({"ami": UNKNOWN_MARK}))


def test_a_limit_is_of_bytes_and_not_of_letters() -> None:
    program_source(program(resource("web", INSTANCE, {"user_data": "\u4e00" * (32 * 1024 // 3)})))

    refusal_of_inputs({"user_data": "\u4e00" * (32 * 1024 // 3 + 1)})


def test_a_file_may_be_longer_than_a_value() -> None:
    def code(size: int) -> Program:
        files = SourceArchive(files={"index.py": "#" * size})
        return program(resource("web", INSTANCE, {"code": files}))

    program_source(code(64 * 1024))
    refusal(code(64 * 1024 + 1))


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../a", "a/../../b", "a//b", "a\\b", "", ".", "C:a"]
)
def test_a_file_cannot_leave_its_folder(path: str) -> None:
    refusal_of_inputs({"code": SourceArchive(files={path: "x"})})


def test_a_reference_to_nothing_to_itself_or_to_what_comes_later_is_refused() -> None:
    web = resource("web", INSTANCE, {"ami": Attribute(resource="other", name="id")})
    other = resource("other", INSTANCE, {})

    assert 'found "other"' in str(refusal(program(web)))
    assert 'found "other"' in str(refusal(program(web, other)))
    assert "import pulumi" in program_source(program(other, web))
    itself = replace(web, inputs={"ami": Attribute(resource="web", name="id")})
    refusal(program(itself))
    refusal(program(replace(web, inputs={}, depends_on=("other",)), other))
    refusal(program(other, exports={"x": Attribute(resource="nobody", name="id")}))


def test_a_name_or_an_import_that_is_there_twice_is_refused() -> None:
    web = resource("web", INSTANCE, {}, import_id="i-1")

    assert "each name once" in str(refusal(program(web, replace(web, import_id="i-2"))))
    assert "web is the same one" in str(refusal(program(web, replace(web, name="other"))))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Web"),
        ("name", "web\n"),
        ("name", "-web"),
        ("name", "w" * 81),
        ("token", "aws:ec2/instance:instance"),
        ("token", "aws:ec2/image:Instance"),
        ("token", "gcp:ec2/instance:Instance"),
        ("token", "aws:ec2.os/instance:Instance"),
        ("change_id", "hs-xyz"),
        ("import_id", ""),
        ("depends_on", ("nobody",)),
        ("ignore_changes", ("a\x00",)),
        ("inputs", {"class": 1}),
        ("inputs", {"__class__": 1}),
        ("inputs", {"a=1, b": 1}),
        ("inputs", {"a": Args(of="os.system", fields={})}),
        ("inputs", {"a": Args(of="InstanceArgs", fields={"B": 1})}),
    ],
)
def test_names_that_are_none_are_refused(field: str, value: object) -> None:
    one = resource("web", INSTANCE, {})

    refusal(program(replace(one, **{field: value})))  # type: ignore[arg-type]


def test_an_output_that_is_no_name_is_refused() -> None:
    web = resource("web", INSTANCE, {})
    for name in ("__class__", "a.b", "arn()", "", "Arn", "import"):
        refusal(program(web, exports={"x": Attribute(resource="web", name=name)}))


def test_a_stack_is_refused_above_its_number_of_resources() -> None:
    many = [resource(f"r-{n}", INSTANCE, {}) for n in range(2001)]

    assert "at most 2,000 resources" in str(refusal(program(*many)))


def test_depth_and_number_of_values_are_limited() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = (deep,)

    assert "16 levels" in str(refusal_of_inputs({"a": deep}))
    assert "2,000 values" in str(refusal_of_inputs({"a": tuple(range(5000))}))


def test_what_is_just_within_the_limits_is_written() -> None:
    deep: Any = "x"
    for _ in range(15):
        deep = (deep,)
    many = [resource(f"r-{n}", INSTANCE, {}) for n in range(2000)]

    assert program_source(program(resource("web", INSTANCE, {"a": deep})))
    refusal_of_inputs({"a": (deep,)})
    assert program_source(program(*many)).count("InstanceArgs(") == 2000


def test_a_refusal_stays_short_however_long_the_keys_on_the_way() -> None:
    value: Any = "\x00"
    for _ in range(9):
        value = {"k" * 1000: value}

    assert len(str(refusal_of_inputs({"tags": value}))) < 600


def plan_refusal(plan: StackPlan, **other: Any) -> str:
    with pytest.raises(ProgramRefusedError) as caught:
        project_files(plan, **other)
    return str(caught.value)


def test_a_plan_whose_parts_do_not_belong_together_is_refused() -> None:
    plan = whole_plan()

    assert "the program of adopt" in plan_refusal(replace(plan, adopt=plan.change))
    assert "the program of adopt" in plan_refusal(replace(plan, stack="other"))
    assert "the id of a change of the plan" in plan_refusal(replace(plan, changes=()))
    assert "each change once" in plan_refusal(replace(plan, changes=(change(), change())))


def test_adoption_that_would_create_something_is_refused() -> None:
    plan = whole_plan()
    adopt = replace(plan.change, phase=Phase.ADOPT)

    assert "adoption creates nothing" in plan_refusal(replace(plan, adopt=adopt))


def test_money_that_is_not_known_is_refused_and_not_written_as_a_number() -> None:
    plan = whole_plan()
    unknown = change(saving=Usd(low=0.0, expected=math.nan, high=1.0))

    assert "finite amounts" in plan_refusal(replace(plan, changes=(unknown, plan.changes[1])))
    assert "finite amounts" in plan_refusal(replace(plan, prices={"web": (1.0, math.inf)}))


def test_texts_for_people_that_cannot_be_written_are_refused() -> None:
    plan = whole_plan()
    bad: Any = "no kind"
    refused = Refused(kind=bad, resource="i-1", region=REGION, why="x")

    assert "owner" in plan_refusal(replace(plan, changes=(change(owner="\ud800"), plan.changes[1])))
    noted = change(notes=("fine", "\x1b"))
    assert "note 2" in plan_refusal(replace(plan, changes=(noted, plan.changes[1])))
    assert "kind" in plan_refusal(replace(plan, refused=(refused,)))
    assert "note 1" in plan_refusal(plan, notes=("\x00",))


@pytest.mark.parametrize(
    "version", ["", "3", "3.1\n", "3.1; os_name == 'x'", ">=3.1", "v3.1", "3.1 #"]
)
def test_a_version_that_is_none_is_refused(version: str) -> None:
    assert "released version" in plan_refusal(whole_plan(), pulumi_version=version)
    assert "released version" in plan_refusal(whole_plan(), pulumi_aws_version=version)
