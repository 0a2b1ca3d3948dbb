"""The stacks in pulumi/example; REGENERATE_GOLDEN=1 writes them anew, to be reviewed as a diff."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.adapters.pulumi.environment import EngineSettings
from tasks.adapters.pulumi.estimate import estimate
from tasks.domain.savings.money import Usd, VolumePrice
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.costs import cost_deltas
from tasks.domain.stacks.plan import stack_plans
from tasks.domain.stacks.program import StackPlan
from tasks.domain.stacks.source.project import project_files
from tasks.domain.stacks.stack_prices import LINUX, StackPrices
from tests.support import stack_fleet as fleet

EXAMPLE = Path(__file__).resolve().parents[2] / "pulumi" / "example"
FOLDERS = ("purchase", "region")
"""In the order of the plans: purchases, which belong to no region, come first."""
NOTES = (f"An example: its account is invented, its prices are those of {fleet.NOW:%Y-%m-%d}.",)
PRICES = StackPrices(
    on_demand={("m5.xlarge", LINUX): 0.192, ("m5.large", LINUX): 0.096},
    volumes={
        "gp2": VolumePrice(usd_per_gib=0.1),
        "gp3": VolumePrice(
            usd_per_gib=0.08, usd_per_mib_per_second=0.04, free_mib_per_second=125.0
        ),
    },
)
"""Of what the opportunities' arithmetic does not price."""
SEARCH_TEMPLATE = "lt-0123456789abcdef1"


def example_plans() -> tuple[StackPlan, ...]:
    """Something of every kind, what somebody asked to reserve, and one that is refused."""
    region = fleet.account().regions[fleet.REGION]
    live = fleet.account(
        groups={**region.groups, "search": fleet.group("search", template=SEARCH_TEMPLATE)},
        templates={
            **region.templates,
            SEARCH_TEMPLATE: fleet.template(SEARCH_TEMPLATE, users=("search",)),
        },
        template_users={**region.template_users, SEARCH_TEMPLATE: {"search": "3"}},
    )
    unattached = fleet.chosen(
        Kind.STOP, "vol-0bbbbbbbbbbbbbbb2", {"state": "deleted", "first": "snapshot"}
    )
    wanted = (*fleet.everything(), fleet.predictive("search"), unattached)
    return stack_plans(wanted, live, now=fleet.NOW, reservations=fleet.RESERVATIONS)


def example_files() -> Mapping[Path, bytes]:
    """The files of every example by path."""
    return {
        EXAMPLE / folder / path: content
        for folder, plan in zip(FOLDERS, example_plans(), strict=True)
        for path, content in project_files(plan, notes=NOTES).items()
    }


def test_the_example_is_what_its_plans_make() -> None:
    wanted = example_files()
    if os.environ.get("REGENERATE_GOLDEN"):
        for folder in FOLDERS:
            shutil.rmtree(EXAMPLE / folder, ignore_errors=True)
        for path, content in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    found = {path: path.read_bytes() for path in EXAMPLE.rglob("*") if _is_source(path)}

    assert sorted(found) == sorted(wanted)
    for path, content in wanted.items():
        assert found[path].decode() == content.decode(), path.relative_to(EXAMPLE)


def _is_source(path: Path) -> bool:
    return path.is_file() and not {".venv", "__pycache__", ".mypy_cache"} & set(path.parts)


def test_the_example_has_every_kind() -> None:
    kinds = {change.kind for plan in example_plans() for change in plan.changes}

    assert kinds == set(Kind)


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_savings_of_the_example_add_up_to_what_its_preview_says(
    folder: str, tmp_path: Path
) -> None:
    plan = example_plans()[FOLDERS.index(folder)]
    settings = EngineSettings(backend_url=f"file://{tmp_path}", home=tmp_path, cli=tmp_path)
    looked = estimate(
        settings, EXAMPLE / folder, stack=plan.stack, phase=Phase.CHANGE, region=plan.region
    )
    costs = cost_deltas(looked, prices=PRICES, given=plan.prices)
    priced = replace(looked, costs=costs)

    assert priced.unpriced == ()
    assert -priced.delta_usd == pytest.approx(
        Usd.total(change.saving for change in plan.changes).expected, abs=0.02
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_example_is_clean_under_mypy_strict(tmp_path: Path) -> None:
    programs = [path for path in example_files() if path.name == "__main__.py"]
    for number, path in enumerate(programs):
        # Elsewhere, and each under a name of its own: beside it `import pulumi` finds our folder.
        shutil.copy(path, tmp_path / f"program_{number}.py")

    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert len(programs) == 6
    assert done.returncode == 0, done.stdout + done.stderr
