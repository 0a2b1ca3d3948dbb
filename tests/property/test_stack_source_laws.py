"""Laws of generated programs: whatever goes in is carried exactly or refused, and never executed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.stacks_execution import judge_source
from benchmarks.stacks_generate import judge_markdown, judge_project, judged, measure
from benchmarks.stacks_hostile import (
    BREAKOUTS,
    FILE_LIMIT_BYTES,
    GOOD_NAMES,
    MARKDOWN,
    SHORT_LIMIT_BYTES,
    VALUE_LIMIT_BYTES,
    Hostile,
    hostile_inputs,
)
from benchmarks.stacks_plans import plan_with
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.program import (
    Args,
    Attribute,
    Input,
    Joined,
    Json,
    JsonText,
    Program,
    Resource,
    SourceArchive,
)
from tasks.domain.stacks.source import checks
from tasks.domain.stacks.source.errors import ProgramRefusedError
from tasks.domain.stacks.source.markdown import code, prose
from tasks.domain.stacks.source.naming import NAME_LETTERS, is_name, variable_of
from tasks.domain.stacks.source.programs import program_sha256, program_source
from tasks.domain.stacks.source.project import project_files

CHANGE = "hs-0123456789ab"
ATTACKS = st.sampled_from([*BREAKOUTS, *MARKDOWN])
CARRIED = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
    lambda letter: letter in "\t\n\r" or ord(letter) >= 0x20
)
CARRIED_TEXT = re.compile("[\t\n\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
TEXTS = st.one_of(st.text(CARRIED), st.text("\"'\\\n{}%#`<>[]()| "), ATTACKS)
ANY_TEXT = st.one_of(st.text(st.characters()), TEXTS)
WORDS = st.text("abcxyz019", min_size=1, max_size=9)
NAMES = st.lists(WORDS, min_size=1, max_size=6).map("-".join) | st.sampled_from(
    [*GOOD_NAMES, "a" * 79, "a" * 60, "1-a", "a---b"]
)
FIELDS = st.lists(WORDS, max_size=3).map(lambda words: "_".join(("of", *words)))
NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
REFERENCE = st.just(Attribute(resource="first", name="arn"))
JOINED = st.lists(st.one_of(TEXTS, REFERENCE), max_size=4).map(lambda p: Joined(parts=tuple(p)))


def nested(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(values, max_size=4).map(tuple),
        st.dictionaries(TEXTS, values, max_size=4),
    )


def typed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(FIELDS, values, max_size=4)
    return st.one_of(nested(values), fields.map(lambda found: Args(of="SomeArgs", fields=found)))


JSON: st.SearchStrategy[Json] = st.recursive(
    st.one_of(st.none(), TEXTS, NUMBERS, REFERENCE, JOINED), nested, max_leaves=8
)
FILES = st.dictionaries(
    st.sampled_from(["index.py", "a/b-c_d.py", "A.1", "x/y/z", "__init__.py"]),
    TEXTS,
    max_size=3,
)
INPUTS: st.SearchStrategy[Input] = st.recursive(
    st.one_of(
        TEXTS,
        NUMBERS,
        REFERENCE,
        JOINED,
        JSON.map(lambda found: JsonText(document=found)),
        FILES.map(lambda found: SourceArchive(files=found)),
    ),
    typed,
    max_leaves=12,
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    names = draw(st.lists(NAMES.filter(lambda name: name != "first"), max_size=3, unique=True))
    resources = [_resource("first", {})]
    for name in names:
        inputs = draw(st.dictionaries(FIELDS, INPUTS, max_size=3))
        resources.append(
            _resource(
                name,
                inputs,
                import_id=draw(st.none() | st.just(f"i-{name}")),
                protect=draw(st.booleans()),
                depends_on=draw(st.sampled_from([(), ("first",)])),
                ignore_changes=tuple(draw(st.lists(TEXTS.filter(bool), max_size=2))),
            )
        )
    reference = Attribute(resource="first", name="id")
    exports = draw(st.dictionaries(TEXTS.filter(bool), st.just(reference), max_size=2))
    return Program(
        stack="stack",
        region="eu-west-1",
        phase=Phase.CHANGE,
        resources=tuple(resources),
        exports=exports,
    )


def _resource(name: str, inputs: dict[str, Input], **options: Any) -> Resource:
    token = "aws:lambda/function:Function"
    return Resource(name=name, token=token, inputs=inputs, change_id=CHANGE, **options)


@settings(max_examples=200)
@given(program=programs())
def test_executed_a_program_declares_exactly_what_it_was_generated_from(program: Program) -> None:
    judge_source(program_source(program), program)


@settings(max_examples=300)
@given(text=ANY_TEXT)
def test_any_text_is_carried_exactly_or_refused_clearly(text: str) -> None:
    inputs: dict[str, Input] = {
        "a": text,
        "b": {text: text},
        "c": SourceArchive(files={"index.py": text}),
    }
    program = Program(
        stack="stack",
        region="eu-west-1",
        phase=Phase.CHANGE,
        resources=(_resource("first", inputs),),
    )
    if CARRIED_TEXT.fullmatch(text) is None:
        with pytest.raises(ProgramRefusedError, match="resource first, ") as caught:
            program_source(program)
        assert str(caught.value).isprintable()
    else:
        judge_source(program_source(program), program)


@settings(max_examples=200)
@given(name=st.one_of(NAMES, ANY_TEXT))
def test_any_name_is_a_free_variable_or_refused(name: str) -> None:
    program = Program(
        stack="stack", region="eu-west-1", phase=Phase.CHANGE, resources=(_resource(name, {}),)
    )
    if is_name(name):
        variable = variable_of(name)
        ast.parse(f"{variable} = {variable}.arn")
        judge_source(program_source(program), program)
    else:
        with pytest.raises(ProgramRefusedError):
            program_source(program)


@settings(max_examples=300)
@given(names=st.lists(NAMES.map(lambda name: name[:NAME_LETTERS]), min_size=2, unique=True))
def test_different_names_never_share_a_variable(names: list[str]) -> None:
    assert len({variable_of(name) for name in names}) == len(names)


@settings(max_examples=300)
@given(text=ANY_TEXT)
def test_any_text_is_no_markup_in_a_page(text: str) -> None:
    page = (
        f"# Page\n\n- **Why:** {prose(text)}\n- {code(text)}; {code(text)}\n  - {code(text)}: x\n"
    )

    judge_markdown(page)
    assert page.count("\n") == 5


@given(
    inputs=st.lists(
        st.sampled_from([i for i in hostile_inputs(400, seed=9) if i.carried]), max_size=5
    )
)
def test_the_same_plan_gives_the_same_bytes(inputs: list[Hostile]) -> None:
    try:
        files = project_files(plan_with(inputs))
    except ProgramRefusedError:
        return  # Two of one name, or of one import id.
    assert project_files(plan_with(inputs)) == files
    judge_project(files, plan_with(inputs))


@pytest.mark.slow
def test_the_formatter_leaves_every_program_alone(tmp_path: Path) -> None:
    """All of them in one run: starting the formatter takes longer than what it does."""

    @settings(max_examples=200)
    @given(program=programs())
    def write(program: Program) -> None:
        source = program_source(program)
        (tmp_path / f"{program_sha256(source)}.py").write_text(source, encoding="utf-8")

    write()
    assert len(list(tmp_path.glob("*.py"))) > 50
    _assert_formatted(tmp_path)


@pytest.mark.slow
def test_the_formatter_leaves_a_program_of_hostile_texts_alone(tmp_path: Path) -> None:
    texts = {i.text for i in hostile_inputs(3000, seed=3) if i.carried and len(i.text) < 9000}
    resources = [
        _resource(
            f"r-{position}",
            {
                "a": text,
                "b": {"x": text, text[:300]: text},
                "c": (text, text),
                "d": JsonText(document={text[:300]: (text, None)}),
                "e": SourceArchive(files={"a.py": text}),
                "f": Joined(parts=(text, text)),
                "g": Args(of="SomeArgs", fields={"a": text, "b": (text,)}),
            },
        )
        for position, text in enumerate(sorted(texts))
    ]
    program = Program(
        stack="stack", region="eu-west-1", phase=Phase.CHANGE, resources=tuple(resources[:800])
    )

    (tmp_path / "__main__.py").write_text(program_source(program), encoding="utf-8")
    _assert_formatted(tmp_path)


def _assert_formatted(folder: Path) -> None:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=100", "--diff"]
    done = subprocess.run([*command, "."], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_thousand_hostile_inputs_are_carried_or_refused_as_they_should_be() -> None:
    inputs = hostile_inputs(1000, seed=11)

    wrong = [why for outcome, why in judged(inputs) if outcome not in {"carried", "refused"}]

    assert wrong == []


def test_the_judge_and_the_generator_agree_on_the_limits() -> None:
    assert (VALUE_LIMIT_BYTES, FILE_LIMIT_BYTES, SHORT_LIMIT_BYTES) == (
        checks.VALUE_LIMIT_BYTES,
        checks.FILE_LIMIT_BYTES,
        checks.SHORT_LIMIT_BYTES,
    )


@pytest.mark.slow
def test_the_benchmark_finds_nothing_executed_and_nothing_invalid() -> None:
    found = measure(quick=True)

    assert found["hostile_inputs"] == 1000.0
    assert (found["hostile_executed"], found["hostile_invalid"]) == (0.0, 0.0)
    assert 0.0 < found["hostile_refused"] < 1000.0
