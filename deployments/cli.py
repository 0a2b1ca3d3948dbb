"""The `homeostat` command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import version

from cyclopts import App, Group

from deployments.commands.cluster import break_, faults, mend, workloads
from deployments.commands.installation import doctor, down, status, up
from deployments.commands.models import models, rollback
from deployments.commands.runs import run
from deployments.commands.stacks import approve, preview, propose, stacks, undo

EXAMPLES = """Examples:

- `homeostat up`: start everything here, with an embedded cloud

- `homeostat run forecast-spot-prices need.vcpu=64`: one run, its result in the terminal

- `homeostat run optimize-costs`: what could be saved, net of overlap

- `homeostat run apply-savings only=[volume-type]`: a stack of it, previewed, and applied once approved

- `homeostat break cart memory-demand`: more memory than its limit, in the simulated cluster

- `homeostat workloads --watch`: how it fails, and heals

- `homeostat models`: which model serves, which one waits, and how good they are

- `homeostat stacks`: how every stack stands, and what waits for an answer

- `homeostat status`: what runs, and how the last run of each flow ended

- `homeostat down`: stop everything
"""

app = App(
    name="homeostat",
    help="Autonomous, self-healing, cost-aware cloud infrastructure as Prefect flows.",
    help_epilogue=EXAMPLES,
    version=lambda: version("homeostat"),
    version_flags=["--version"],
)

COMMANDS: dict[str, tuple[Callable[..., int], ...]] = {
    "Installation": (up, status, doctor, down),
    "Flows": (run,),
    "Cluster": (workloads, break_, mend, faults),
    "Stacks": (stacks, preview, propose, approve, undo),
    "Models": (models, rollback),
}
"""By their heading in the help, in its order."""

for heading, commands in COMMANDS.items():
    group = Group.create_ordered(heading)
    for command in commands:
        app.command(command, name=command.__name__.strip("_"), group=group)


def main() -> None:
    """Run the command and end with its code."""
    sys.exit(app() or 0)


if __name__ == "__main__":
    main()
