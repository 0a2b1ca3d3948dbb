"""Text of a program: laid out for a reviewer, and the tree that was meant."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import pytest

from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.program import Attribute, Input, Joined, JsonText, Program, SourceArchive
from tasks.domain.stacks.source.letters import columns, shown, visible
from tasks.domain.stacks.source.naming import TAKEN, variable_of
from tasks.domain.stacks.source.printer import docstring_text, statement_text
from tasks.domain.stacks.source.programs import program_sha256, program_source, proven
from tests.unit.stacks.source.every_kind import (
    REGION,
    RIGHT_SIZE,
    STACK,
    change,
    every_kind,
    resource,
)

INSTANCE = "aws:ec2/instance:Instance"


def program(**inputs: Input) -> Program:
    web = resource("web", INSTANCE, inputs, import_id="i-1", protect=True)
    return Program(stack=STACK, region=REGION, phase=Phase.ADOPT, resources=(web,))


def constants(source: str) -> list[object]:
    return [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]


def test_a_program_reads_like_one_written_by_hand() -> None:
    found = program_source(
        program(instance_type="m5.large", tags={"Name": "web"}), [change(owner="")]
    )

    assert found == (
        '"""Stack shop-eu-west-1 in eu-west-1, phase adopt.\n'
        "\n"
        "What exists comes under the stack as it is: nothing in the account changes.\n"
        '"""\n'
        "\n"
        "import pulumi\n"
        "import pulumi_aws as aws\n"
        "\n"
        f"# {RIGHT_SIZE}: Change web from m5.xlarge to m5.large.\n"
        "# | Saves 70.08 USD a month (60.00 to 75.00). Owner: nobody is named. Something restarts. The undo\n"
        "# | program brings everything back.\n"
        "web = aws.ec2.Instance(\n"
        '    "web",\n'
        "    aws.ec2.InstanceArgs(\n"
        '        instance_type="m5.large",\n'
        "        tags={\n"
        '            "Name": "web",\n'
        "        },\n"
        "    ),\n"
        "    opts=pulumi.ResourceOptions(\n"
        '        import_="i-1",\n'
        "        protect=True,\n"
        "    ),\n"
        ")\n"
    )


def test_the_fingerprint_is_of_the_bytes() -> None:
    source = program_source(program(ami="\u00e9"))

    done = subprocess.run(
        ["sha256sum"], input=source.encode(), capture_output=True, check=True
    ).stdout.decode()

    assert program_sha256(source) == done.split()[0]


def test_the_formatter_leaves_a_program_of_every_kind_alone(tmp_path: Path) -> None:
    source = program_source(every_kind(), [change(), change("hs-ba9876543210")])
    written = tmp_path / "__main__.py"
    written.write_text(source, encoding="utf-8")

    for command in ("format", "check"):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "ruff",
                command,
                "--isolated",
                "--line-length=100",
                written.name,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert written.read_text(encoding="utf-8") == source


def test_the_formatter_agrees_where_a_line_is_just_full(tmp_path: Path) -> None:
    texts = [f"{'x' * size}\n{'y' * 9}" for size in range(30, 85)]
    inputs: dict[str, Input] = {f"plain_{size}": text for size, text in enumerate(texts)}
    for size, text in enumerate(texts):
        archive = SourceArchive(files={"a": text})
        inputs[f"nested_{size}"] = ({"key": text}, (text, "z"), archive)
    (tmp_path / "__main__.py").write_text(program_source(program(**inputs)), encoding="utf-8")

    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=100", "--diff"]
    done = subprocess.run(
        [*command, "."], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_only_a_single_text_or_class_makes_a_line_of_more_than_a_hundred_columns() -> None:
    lines = program_source(every_kind()).splitlines()

    long = [line for line in lines if len(line) > 100]
    assert long
    assert all(re.fullmatch(r" *(['\"].*['\"],?|\w+=aws\.\w+\.\w+\()", line) for line in long)


def test_lines_of_a_long_text_stand_one_below_the_other() -> None:
    text = "#!/bin/sh\n" + "echo it\n" * 12 + "exit"

    found = program_source(program(user_data=text))

    assert '        user_data=(\n            "#!/bin/sh\\n"\n            "echo it\\n"\n' in found
    assert text in constants(found)


def test_what_is_invisible_or_reorders_is_written_as_its_code() -> None:
    hidden = "\u202e\u2066\u200b\ufeff\xad\x7f\x85\u2028\u0430\u05d0\U0001f600\t\r\n"

    found = program_source(program(ami=hidden, description="Stra\u00dfe \u4e00\u3042\ud55c"))

    assert (
        '"\\u202e\\u2066\\u200b\\ufeff\\xad\\x7f\\x85\\u2028\\u0430\\u05d0\\U0001f600\\t\\r\\n"'
        in found
    )
    assert '"Stra\u00dfe \u4e00\u3042\ud55c"' in found
    assert hidden in constants(found)


def test_wide_letters_count_as_two_columns() -> None:
    assert columns("a\u00e9") == 2
    assert columns("\u4e00\u3042") == 4
    assert visible("\\\n") == "\\\\n"
    assert shown("\\\n'", quote="'") == "\\\\\\n\\'"


def test_a_member_of_an_enumeration_is_its_text() -> None:
    class Size(StrEnum):
        LARGE = "m5.large"

    assert 'instance_type="m5.large"' in program_source(program(instance_type=Size.LARGE))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-1, "-1"),
        (-0.0, "-0.0"),
        (1e16, "1e16"),
        (1e-7, "1e-07"),
        (True, "True"),
        (2**53, "9007199254740992"),
        ((), "[]"),
        ({}, "{}"),
        (Joined(parts=()), "pulumi.Output.concat()"),
        (JsonText(document=None), "pulumi.Output.json_dumps(None)"),
    ],
)
def test_values_are_written_as_python_does(value: Input, text: str) -> None:
    assert f"        ami={text},\n" in program_source(program(ami=value))


def test_a_comment_cannot_end_early_or_speak_to_a_tool() -> None:
    text = "x\n__import__('os')\r\u2028# type: ignore\n# mypy: ignore-errors " + "y" * 400

    found = program_source(program(), [change(summary=text, owner=f"{text}\n")])

    comments = [line for line in found.splitlines() if "mypy" in line or "__import__" in line]
    assert comments
    assert all(line.startswith(("# hs-", "# | ")) and line.count("#") == 1 for line in comments)
    assert all(len(line) <= 100 for line in comments)


def test_a_comment_stands_at_each_change() -> None:
    web = program().resources[0]
    other = replace(web, name="other", change_id="hs-ba9876543210", import_id="i-2")
    last = replace(web, name="last", import_id="i-3")
    found = replace(
        program(), resources=(web, replace(web, name="same", import_id="i-4"), other, last)
    )

    source = program_source(found, [change(), change("hs-ba9876543210")])

    assert source.count("# hs-0123456789ab: ") == 2
    assert source.count("# hs-ba9876543210: ") == 1


def test_no_variable_hides_a_builtin_an_import_or_a_keyword() -> None:
    for name in ("class", "pulumi", "aws", "print", "id", "match", "none", "lambda", "exit"):
        variable = variable_of(name)
        assert variable.isidentifier()
        assert variable not in TAKEN
        ast.parse(f"{variable} = 1")
    assert (variable_of("class"), variable_of("1-a"), variable_of("web-a")) == (
        "class_",
        "_1_a",
        "web_a",
    )


def test_different_names_are_different_variables() -> None:
    names = ["a-b", "a--b", "1-a", "class", "a" * 48, "a" * 49, "a" * 80, f"{'a' * 79}b", "9" * 80]

    assert len({variable_of(name) for name in names}) == len(names)
    assert all(len(variable_of(name)) <= 49 for name in names)


def test_a_text_that_is_not_its_tree_is_never_returned() -> None:
    node = ast.parse("web = f('a')").body[0]
    assert proven(node) == 'web = f(\n    "a",\n)'

    class Text(StrEnum):
        ONE = "a"

    for meant in (
        ast.Name(id="a.b"),
        ast.Name(id="1"),
        ast.Constant(value=-1),
        ast.Constant(value=Text.ONE),
        ast.List(elts=[ast.Name(id="a, b", ctx=ast.Load())], ctx=ast.Load()),
    ):
        with pytest.raises(AssertionError, match="not its tree"):
            proven(ast.Expr(value=meant))


@pytest.mark.parametrize(
    "code",
    ["x = lambda: 1", "x = f'{a}'", "x = f(*a)", "x = f(**a)", "x = {**a}", "del x", "x = y = 1"],
)
def test_what_no_generated_program_has_is_not_printed(code: str) -> None:
    with pytest.raises(TypeError, match="a generated program has no"):
        statement_text(ast.parse(code).body[0])


@pytest.mark.parametrize("text", ['"', "\\", "'", "\u00e9", "\t"])
def test_a_docstring_holds_only_plain_letters(text: str) -> None:
    with pytest.raises(ValueError, match="docstring"):
        docstring_text(ast.Expr(value=ast.Constant(value=text)))
    with pytest.raises(TypeError):
        docstring_text(ast.Expr(value=ast.Constant(value=1)))


def test_outputs_are_attributes_of_variables() -> None:
    web, other = program().resources[0], resource("class", INSTANCE, {})
    reader = resource("reader", INSTANCE, {"ami": Attribute(resource="class", name="arn")})
    found = replace(program(), resources=(web, other, replace(reader, depends_on=("class",))))

    source = program_source(replace(found, exports={"x": Attribute(resource="web", name="id")}))

    assert "ami=class_.arn," in source
    assert "depends_on=[class_]," in source
    assert source.endswith('\n\npulumi.export("x", web.id)\n')
