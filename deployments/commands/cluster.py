"""Commands about the cluster that `up` started: break it, mend it, look at it."""

from __future__ import annotations

import time
from typing import Annotated

from cyclopts import Parameter
from rich.live import Live

from deployments import cluster_show
from deployments.commands.runs import parameters_from
from deployments.commands.terminal import complain, console
from deployments.lifecycle import NotUpError
from deployments.local import Local, default_home
from deployments.simulator import SimulatorError, running_simulator

AsJson = Annotated[bool, Parameter(name="--json", negative="")]
WATCH_SECONDS = 2.0


def break_(what: str, fault: str, *values: str, as_json: AsJson = False) -> int:
    """Break something in the simulated cluster, and say how to undo it.

    Args:
        what: A workload such as cart, a node such as node-3, or a service outside.
        fault: Kind of fault, or of mistake in its Deployment; `homeostat faults --kinds` lists them.
        values: field=value, for example factor=4 share=0.5; examples are taken for what is not said.
        as_json: For programs.
    """
    try:
        given = parameters_from(values, example="factor=4")
        with running_simulator(Local(home=default_home())) as simulator:
            found = simulator.break_(what, fault, given)
    except (NotUpError, SimulatorError, ValueError) as error:
        return complain("nothing broken", error)
    cluster_show.broken(console, found, as_json=as_json)
    return 0


def mend(*names: str, all_: Annotated[bool, Parameter(name="--all", negative="")] = False) -> int:
    """Withdraw faults that `break` put in; what they did heals as it would for real, or does not.

    Args:
        names: Of faults, or of the workloads and nodes that they are in.
        all_: Every fault in force.
    """
    if bool(names) == all_:
        return complain("nothing withdrawn", ValueError("name faults, or say --all"))
    try:
        with running_simulator(Local(home=default_home())) as simulator:
            found = simulator.mend(names)
    except (NotUpError, SimulatorError) as error:
        return complain("nothing withdrawn", error)
    console.print(f"withdrawn: {', '.join(found) or 'none was in force'}", highlight=False)
    return 0


def faults(
    *, kinds: Annotated[bool, Parameter(negative="")] = False, as_json: AsJson = False
) -> int:
    """List the faults in force in the simulated cluster.

    Args:
        kinds: List what can be put in instead, with fields and examples.
        as_json: For programs.
    """
    try:
        with running_simulator(Local(home=default_home())) as simulator:
            if kinds:
                # Late: it brings numpy with it.
                from deployments.embedded.workloads.changes import CHANGES

                mistakes = [
                    {"kind": one.kind, "sentence": one.sentence} for one in CHANGES.values()
                ]
                cluster_show.kinds(console, simulator.kinds(), mistakes, as_json=as_json)
            else:
                cluster_show.faults(console, simulator.faults(), as_json=as_json)
    except (NotUpError, SimulatorError) as error:
        return complain("no answer", error)
    return 0


def show_workloads(local: Local) -> None:
    """Print the workloads as they are now."""
    try:
        with running_simulator(local) as simulator:
            console.print(cluster_show.workloads(simulator.state()))
    except (NotUpError, SimulatorError) as error:
        complain("workloads not shown", error)


def workloads(
    *, watch: Annotated[bool, Parameter(negative="")] = False, as_json: AsJson = False
) -> int:
    """Show the simulated workloads: replicas, work, failures and latency.

    Args:
        watch: Until Ctrl-C, every two seconds.
        as_json: For programs; once.
    """
    try:
        with running_simulator(Local(home=default_home())) as simulator:
            if as_json:
                console.print_json(data=simulator.state())
                return 0
            table = cluster_show.workloads(simulator.state())
            if not watch:
                console.print(table)
                return 0
            with Live(table, console=console) as live:
                while True:
                    time.sleep(WATCH_SECONDS)
                    live.update(cluster_show.workloads(simulator.state()))
    except (NotUpError, SimulatorError) as error:
        return complain("no answer", error)
    except KeyboardInterrupt:
        return 0
