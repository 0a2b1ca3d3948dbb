"""What the command prints of the cluster that `up` started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from deployments.simulator import SUBJECTS, Broken

Json = dict[str, Any]
LEAST_RPS = 0.01
"""Of nothing, no share fails."""
LATE_SECONDS, FAILING_SHARE = 1.0, 0.01
"""Above which a workload is shown in red."""


def broken(console: Console, found: Broken, *, as_json: bool) -> None:
    """Print what was broken and how to undo it."""
    if as_json:
        console.print_json(data=asdict(found))
        return
    said = " ".join(f"{name}={value}" for name, value in found.values.items())
    title = Text.assemble((found.kind, "red"), " in ", (found.subject, "bold"), f" {said}")
    console.print(title, soft_wrap=True)
    for line in (found.sentence, "watch  homeostat workloads --watch", f"undo   {found.undo}"):
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)


def faults(console: Console, found: Sequence[Json], *, as_json: bool) -> None:
    """Print the faults in force."""
    if as_json:
        console.print_json(data=list(found))
        return
    if not found:
        console.print(
            "no fault is in force; `homeostat faults --kinds` lists what can be put in",
            soft_wrap=True,
        )
        return
    table = Table("name", "kind", "where", "since", "values", box=None, pad_edge=False)
    # Names are what `mend` is given.
    table.columns[0].no_wrap = True
    for one in found:
        inside = one["fault"]
        where = next(inside[name] for name in SUBJECTS if name in inside)
        hidden = {"kind", *(name for name in SUBJECTS if inside.get(name) == where)}
        values = [f"{key}={value}" for key, value in inside.items() if _is_said(key, value, hidden)]
        since = datetime.fromtimestamp(one["since_seconds"]).astimezone()
        cells = (one["name"], inside["kind"], where, f"{since:%H:%M:%S}", " ".join(values))
        table.add_row(*map(Text, cells))
    console.print(table)


def _is_said(key: str, value: object, hidden: set[str]) -> bool:
    return key not in hidden and value not in (None, "", [], 1.0)


def kinds(
    console: Console, found: Sequence[Json], mistakes: Sequence[Json], *, as_json: bool
) -> None:
    """Print every kind of fault with its fields, and the mistakes in specifications."""
    if as_json:
        console.print_json(data={"faults": list(found), "mistakes": list(mistakes)})
        return
    table = Table("fault", "what it does", "fields (example or default)", title_justify="left",
                  title="faults: homeostat break WORKLOAD|NODE FAULT [field=value ...]")  # fmt: skip
    for one in found:
        disguise = one["disguise"] and f" Looks like {one['disguise']}."
        table.add_row(*map(Text, (one["kind"], one["sentence"] + disguise, _fields(one))))
    console.print(table)
    table = Table("mistake", "what it does", title_justify="left",
                  title="mistakes in a Deployment, undone by kubectl rollout undo")  # fmt: skip
    for one in mistakes:
        table.add_row(*map(Text, (one["kind"], one["sentence"])))
    console.print(table)


def _fields(kind: Json) -> str:
    first = next(name for name in SUBJECTS if any(one["name"] == name for one in kind["fields"]))
    said = []
    for one in kind["fields"]:
        value = one.get("example") if one["needed"] else one["default"]
        if one["name"] not in (first, "pods") and value is not None:
            unit = one.get("unit") or ""
            said.append(
                f"{one['name']}={value:g}" if isinstance(value, float) else f"{one['name']}={value}"
            )
            said[-1] += f" {unit}" if unit else ""
    return ", ".join(said)


def workloads(state: Json) -> Group:
    """Return a line on the cluster, and a table of the workloads: replicas, work, failures, latency."""
    when = datetime.fromtimestamp(state["now_seconds"]).astimezone()
    table = Table()
    table.add_column("workload")
    for name in ("ready", "requests/s", "failing", "latency", "waiting"):
        table.add_column(name, justify="right")
    for name, one in state["workloads"].items():
        if one["replicas"] or one["offered_rps"]:
            table.add_row(name, *_cells(one))
    # A title would be squeezed to the table's width.
    return Group(Text(f"{when:%H:%M:%S}  {_summary(state)}"), table)


def _summary(state: Json) -> str:
    pods, nodes = state["pods"], state["nodes"].values()
    alive = sum(one["alive"] and one["reports"] for one in nodes)
    faults = ", ".join(state["faults"]) or "none"
    return (
        f"{pods.get('ready', 0)} of {pods.get('all', 0)} pods ready, "
        f"{alive} of {len(nodes)} nodes, faults: {faults}"
    )


def _cells(one: Json) -> list[Text]:
    failed = one["failed_rps"]
    # Messages fail when they are taken from the queue, which may be later than they came.
    offered = max(one["offered_rps"], failed)
    share = failed / offered if offered >= LEAST_RPS else None
    latency = one["latency_seconds"]
    return [
        _marked(f"{one['ready']}/{one['replicas']}", bad=one["ready"] < one["replicas"]),
        Text(f"{one['offered_rps']:.1f}"),
        Text("-") if share is None else _marked(f"{share:.1%}", bad=share > FAILING_SHARE),
        _marked(f"{latency * 1000:.0f} ms", bad=latency > LATE_SECONDS),
        Text(f"{one['backlog']:.0f}" if one["backlog"] else "-"),
    ]


def _marked(text: str, *, bad: bool) -> Text:
    return Text(text, style="red" if bad else "")
