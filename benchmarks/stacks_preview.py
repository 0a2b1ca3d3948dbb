"""How long previews take: an estimate of 1,000 resources, and the real engine on 100.

Run with `python -m benchmarks.stacks_preview [--quick]`. The estimate runs two programs, what exists
and what it is to become; the engine adopts volumes of the embedded account and previews another type
for each, with its refresh.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Metrics, notice, show_table
from benchmarks.stacks_kill_stack import REGION, Account
from deployments.embedded.aws.policy import SEEDING_KEY
from deployments.embedded.aws.server import EmbeddedAwsConfig, serve_aws
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from deployments.tools.families import find_tool
from tasks.adapters.pulumi.engine import apply, preview
from tasks.adapters.pulumi.environment import AwsEnvironment, EngineSettings
from tasks.adapters.pulumi.estimate import estimate
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import Change, Phase
from tasks.domain.stacks.program import Program, Resource, StackPlan
from tasks.domain.stacks.source.project import project_files

STACK, CHANGE_ID = "volumes", "hs-0123456789ab"
ESTIMATED, QUICK_ESTIMATED = 1000, 100
PREVIEWED, QUICK_PREVIEWED = 100, 10


def measure(*, quick: bool) -> Metrics:
    """Return seconds; those of the engine are missing where there is none."""
    found = _estimate_seconds(QUICK_ESTIMATED if quick else ESTIMATED)
    cli = find_tool("pulumi")
    if cli is None:
        notice("no `pulumi` command: only the estimate is measured; `make tools` builds one")
    else:
        found |= _engine_seconds(cli, QUICK_PREVIEWED if quick else PREVIEWED)
    show_table("Previews", ["", "value"], list(found.items()))
    return found


def _estimate_seconds(count: int) -> Metrics:
    with tempfile.TemporaryDirectory(prefix="homeostat-preview-") as name:
        folder = Path(name)
        _write(folder, [f"vol-{number:017x}" for number in range(count)])
        settings = EngineSettings(backend_url=f"file://{folder}/state", home=folder / "home")
        begin = time.perf_counter()
        shown = estimate(settings, folder, stack=STACK, phase=Phase.CHANGE)
        seconds = time.perf_counter() - begin
    return {f"preview_seconds_{count}": seconds, "preview_updates": len(shown.acting)}


def _engine_seconds(cli: Path, count: int) -> Metrics:
    with (
        tempfile.TemporaryDirectory(prefix="homeostat-preview-") as name,
        serve_aws(EmbeddedAwsConfig(fleet="none")) as server,
    ):
        folder = Path(name)
        ec2 = Account(server.endpoint_url).client("ec2")
        made = [
            ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=20, VolumeType="gp2")["VolumeId"]
            for _ in range(count)
        ]
        _write(folder, made)
        settings = EngineSettings(
            backend_url=f"file://{folder}/state",
            home=folder / "home",
            cli=cli,
            plugin_folder=plugin_folder(),
            aws=AwsEnvironment(
                region=REGION,
                access_key_id=SEEDING_KEY,
                secret_access_key="not checked",  # noqa: S106 - the embedded account checks none
                endpoint_url=server.endpoint_url,
            ),
        )
        done = apply(settings, folder, stack=STACK, phase=Phase.ADOPT)
        if not done.complete:
            raise RuntimeError(done.error)
        begin = time.perf_counter()
        shown = preview(settings, folder, stack=STACK, phase=Phase.CHANGE)
        seconds = time.perf_counter() - begin
    return {f"engine_preview_seconds_{count}": seconds, "engine_preview_updates": len(shown.acting)}


def _write(folder: Path, volumes: list[str]) -> None:
    change = Change(
        change_id=CHANGE_ID,
        kind=Kind.VOLUME_TYPE,
        resource=volumes[0],
        region=REGION,
        summary="Move volumes to gp3",
        owner="",
        reason="the newer type costs less",
        saving=Usd(low=1.0, expected=2.0, high=3.0),
        restart=False,
        reversible=True,
        disruption=0.0,
    )
    exists, changed = tuple(_volumes(volumes, "gp2")), tuple(_volumes(volumes, "gp3"))
    plan = StackPlan(
        stack=STACK,
        region=REGION,
        changes=(change,),
        refused=(),
        adopt=_program(Phase.ADOPT, exists),
        change=_program(Phase.CHANGE, changed),
        undo=_program(Phase.UNDO, exists),
    )
    for path, content in project_files(plan).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _program(phase: Phase, resources: tuple[Resource, ...]) -> Program:
    return Program(stack=STACK, region=REGION, phase=phase, resources=resources)


def _volumes(volumes: list[str], kind: str) -> Iterator[Resource]:
    for number, identity in enumerate(volumes):
        yield Resource(
            name=f"volume-{number}",
            token="aws:ebs/volume:Volume",  # noqa: S106 - a type's name
            inputs={"availability_zone": f"{REGION}a", "size": 20, "type": kind},
            import_id=identity,
            protect=True,
            retain_on_delete=True,
            change_id=CHANGE_ID,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stacks_preview")
    parser.add_argument("--quick", action="store_true", help="a tenth of the resources")
    print(json.dumps(measure(quick=parser.parse_args().quick)))


if __name__ == "__main__":
    main()
