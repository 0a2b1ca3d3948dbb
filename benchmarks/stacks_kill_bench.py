"""What the updates that are killed share: an account, the engine's settings, usual durations."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.stacks_kill_account import REGION, Account
from benchmarks.stacks_kill_stack import write_project
from deployments.embedded.aws.policy import SEEDING_KEY
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from tasks.adapters.pulumi.engine import apply, preview
from tasks.adapters.pulumi.environment import AwsEnvironment, EngineSettings
from tasks.domain.stacks.approval import sha256
from tasks.domain.stacks.changes import Phase

AT_ONCE = 2
"""Updates at a time, also while their usual durations are measured."""


@dataclass(kw_only=True)
class Bench:
    """What scenarios share.

    Attributes:
        usual_seconds: How long an update takes that nobody kills, by phase, while another one runs.
    """

    folder: Path
    endpoint_url: str
    account: Account
    cli: Path
    usual_seconds: dict[Phase, float] = field(default_factory=dict)

    def settings(self, name: str, faults: list[dict[str, Any]]) -> EngineSettings:
        """Return settings with a backend and an engine's home of their own."""
        return EngineSettings(
            backend_url=f"file://{self.folder / name}",
            home=self.folder / "home",
            passphrase="not a secret",  # noqa: S106 - of a stack that is thrown away
            cli=self.cli,
            plugin_folder=plugin_folder(),
            aws=AwsEnvironment(
                region=REGION,
                access_key_id=SEEDING_KEY,
                secret_access_key="not checked",  # noqa: S106 - the embedded account checks none
                endpoint_url=self.endpoint_url,
            ),
            variables={"HOMEOSTAT_STANDIN_FAULTS": json.dumps(faults)} if faults else {},
        )


def warm_up(bench: Bench) -> None:
    """Find out how long updates take, as many at once as are killed at once.

    The first ones of an engine's home take longer and are not counted. Clients are made before
    threads share them.
    """
    for service in ("ec2", "iam", "lambda", "logs"):
        bench.account.client(service)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for phases in ((Phase.ADOPT,), (Phase.ADOPT, Phase.CHANGE)):
            names = [f"usual-{len(phases)}-{number}" for number in range(AT_ONCE)]
            taken = list(pool.map(partial(seconds_of, bench, phases), names))
    bench.usual_seconds.update(mean_by_phase(taken))


def mean_by_phase(taken: Sequence[Mapping[Phase, float]]) -> dict[Phase, float]:
    """Return the mean duration of each phase that all have gone through, in seconds."""
    return {phase: fmean(one[phase] for one in taken) for phase in taken[0]}


def seconds_of(bench: Bench, phases: Sequence[Phase], name: str) -> dict[Phase, float]:
    """Carry out updates of a stack of its own that nobody kills, and return how long each took.

    Raises:
        RuntimeError: One of them did not go through.
    """
    before, change_id = bench.account.seed(), f"hs-{sha256(name)[:12]}"
    settings, folder = bench.settings(name, []), bench.folder / f"{name}-project"
    write_project(folder, stack=name, change_id=change_id, before=before)
    plan, taken = bench.folder / f"{name}.plan", {}
    for phase in phases:
        seen = preview(settings, folder, stack=name, phase=phase, plan=plan)
        begin = time.perf_counter()
        done = apply(settings, folder, stack=name, phase=phase, plan=plan, expected=seen)
        taken[phase] = time.perf_counter() - begin
        if not done.complete:
            raise RuntimeError(done.error)
    return taken
