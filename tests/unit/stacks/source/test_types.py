"""A generated program against the installed pulumi_aws: its types, its names, its run."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tasks.domain.stacks.program import Resource
from tasks.domain.stacks.source.naming import class_of
from tasks.domain.stacks.source.programs import program_source
from tasks.domain.stacks.source.project import (
    PULUMI_AWS_VERSION,
    PULUMI_VERSION,
    project_files,
)
from tests.unit.stacks.source.every_kind import HANDLER, every_kind, whole_plan

# pulumi_aws warns of classes of its own when some of its modules are imported.
pytestmark = pytest.mark.filterwarnings("ignore:aws[.].*deprecated:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[4]
RESOURCES = every_kind().resources
RUN = """
import json, runpy, sys
import pulumi

class Monitor(pulumi.runtime.Mocks):
    def __init__(self):
        self.seen = {}

    def new_resource(self, args):
        self.seen[args.name] = [args.typ, args.resource_id, args.inputs]
        return [f"{args.name}-id", {**args.inputs, "arn": f"arn:{args.name}", "name": args.name,
            "executionArn": f"execution:{args.name}", "invokeArn": f"invoke:{args.name}"}]

    def call(self, args):
        return {}

def plain(value):
    if isinstance(value, pulumi.AssetArchive):
        return {path: asset.text for path, asset in value.assets.items()}
    raise TypeError(type(value))

monitor = Monitor()
pulumi.runtime.set_mocks(monitor, preview=False)
runpy.run_path(sys.argv[1])
import asyncio
from pulumi.runtime.stack import wait_for_rpcs
asyncio.get_event_loop().run_until_complete(wait_for_rpcs())
print(json.dumps(monitor.seen, default=plain))
"""


Mypy = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def mypy_strict(tmp_path: Path, pytestconfig: pytest.Config) -> Mypy:
    """Give what mypy says of a program; what it knows of pulumi_aws it keeps between runs."""
    cache: pytest.Cache | None = getattr(pytestconfig, "cache", None)
    kept = tmp_path if cache is None else cache.mkdir("mypy-of-programs")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file="]

    def judge(source: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "__main__.py").write_text(source, encoding="utf-8")
        return subprocess.run(
            [*command, f"--cache-dir={kept}", "__main__.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return judge


@pytest.mark.slow
def test_a_program_of_every_kind_is_clean_under_mypy_strict(mypy_strict: Mypy) -> None:
    done = mypy_strict(program_source(every_kind()))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_strict_would_have_seen_a_misspelt_nested_input(mypy_strict: Mypy) -> None:
    source = program_source(every_kind()).replace("volume_size=", "volume_sizes=")

    done = mypy_strict(source)

    assert 'Unexpected keyword argument "volume_sizes"' in done.stdout


@pytest.mark.parametrize("one", RESOURCES, ids=lambda one: one.token)
def test_the_installed_package_has_the_class_and_its_inputs(one: Resource) -> None:
    module_name, kind = class_of(one.token)
    module = importlib.import_module(f"pulumi_aws.{module_name}")

    found = getattr(module, kind)
    inputs = inspect.signature(getattr(module, f"{kind}Args")).parameters

    assert found.pulumi_type == one.token
    assert set(one.inputs) <= set(inputs)


def test_the_installed_package_has_every_nested_class_and_its_inputs() -> None:
    for call in _calls(program_source(every_kind())):
        _, module_name, name = ast.unparse(call.func).split(".")
        module: ModuleType = importlib.import_module(f"pulumi_aws.{module_name}")
        if name.endswith("Args"):
            known = inspect.signature(getattr(module, name)).parameters
            assert {one.arg for one in call.keywords} <= set(known), name


@pytest.mark.slow
def test_executed_under_pulumis_own_mocks_a_program_gives_its_values(tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    program.write_text(program_source(every_kind()), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-c", RUN, str(program)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert {name: token for name, (token, *_) in seen.items()} == {
        one.name: one.token for one in RESOURCES
    }
    assert seen["web"][1] == "i-0123456789abcdef0"
    assert seen["web"][2]["tags"] == {"Name": 'a "quoted" name', "Stra\u00dfe": "\u202e{}%s"}
    assert seen["lambda"][2]["code"] == {"index.py": HANDLER, "empty.py": ""}
    assert seen["route"][2]["target"] == "integrations/integration-id"
    assert json.loads(seen["role-policy"][2]["policy"])["Statement"][0]["Resource"] == (
        "arn:health-logs:*"
    )
    assert json.loads(seen["schedule"][2]["target"]["input"]) == {"InstanceIds": ["web-id", None]}


def test_the_pinned_requirements_are_those_of_the_lock() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^(pulumi|pulumi-aws)==([0-9.]+)", lock, flags=re.MULTILINE))

    assert locked == {"pulumi": PULUMI_VERSION, "pulumi-aws": PULUMI_AWS_VERSION}
    assert project_files(whole_plan())["requirements.txt"].decode() == (
        f"pulumi=={locked['pulumi']}\npulumi-aws=={locked['pulumi-aws']}\n"
    )


def _calls(source: str) -> list[ast.Call]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [one for one in calls if ast.unparse(one.func).startswith("aws.")]
