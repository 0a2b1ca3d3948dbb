"""What the command says of the cluster."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

from rich.console import Console

from deployments import cluster_show
from deployments.simulator import Broken

WELL = {
    "replicas": 3, "ready": 3, "offered_rps": 100.0, "served_rps": 100.0, "failed_rps": 0.0,
    "latency_seconds": 0.02, "backlog": 0.0,
}  # fmt: skip
STATE: dict[str, Any] = {
    "now_seconds": 1_790_000_000.0,
    "faults": ["cart-slowdown"],
    "pods": {"all": 6, "ready": 5},
    "nodes": {"a": {"alive": True, "reports": True}, "b": {"alive": True, "reports": False}},
    "workloads": {
        "shop/web": WELL,
        "shop/cart": WELL | {"ready": 2, "failed_rps": 25.0, "latency_seconds": 2.5},
        "shop/reports": WELL | {"offered_rps": 0.0, "backlog": 12.0},
        "kube-system/other": WELL | {"replicas": 0, "ready": 0, "offered_rps": 0.0},
    },
}


def _console() -> tuple[Console, StringIO]:
    written = StringIO()
    return Console(file=written, width=120), written


def test_workloads_show_what_they_do_and_how_it_ends() -> None:
    console, written = _console()

    console.print(cluster_show.workloads(STATE))

    lines = written.getvalue()
    assert "5 of 6 pods ready, 1 of 2 nodes, faults: cart-slowdown" in lines
    cells = {
        line.split()[1]: [cell.strip() for cell in line.split("│")[2:-1]]
        for line in lines.splitlines()
        if "shop/" in line
    }
    assert cells["shop/web"] == ["3/3", "100.0", "0.0%", "20 ms", "-"]
    assert cells["shop/cart"] == ["2/3", "100.0", "25.0%", "2500 ms", "-"]
    assert cells["shop/reports"] == ["3/3", "0.0", "-", "20 ms", "12"]
    assert "kube-system" not in lines


def test_faults_in_force_are_listed_with_what_was_said() -> None:
    console, written = _console()
    fault = {"kind": "edge-loss", "source": "shop/web", "target": "*", "fraction": 0.3}

    found = [{"name": "web-edge-loss", "since_seconds": 0.0, "fault": fault}]
    cluster_show.faults(console, found, as_json=False)

    row = next(line for line in written.getvalue().splitlines() if "web-edge-loss" in line)
    assert "shop/web" in row
    assert "target=* fraction=0.3" in row


def test_nothing_in_force_says_where_to_look() -> None:
    console, written = _console()

    cluster_show.faults(console, [], as_json=False)

    assert "homeostat faults --kinds" in written.getvalue()


def test_what_was_broken_says_how_to_undo_it() -> None:
    found = Broken(
        name="cart-slowdown", kind="slowdown", subject="shop/cart", sentence="Slow.",
        values={"factor": 6.0}, undo="homeostat mend cart-slowdown",
    )  # fmt: skip
    console, written = _console()
    cluster_show.broken(console, found, as_json=False)

    assert "slowdown in shop/cart factor=6.0" in written.getvalue()
    assert "undo   homeostat mend cart-slowdown" in written.getvalue()

    console, written = _console()
    cluster_show.broken(console, found, as_json=True)
    assert json.loads(written.getvalue())["undo"] == "homeostat mend cart-slowdown"


def test_kinds_show_disguise_and_examples() -> None:
    fields = [
        {"name": "target", "needed": True},
        {"name": "pods", "needed": False, "default": []},
        {"name": "factor", "needed": True, "example": 6.0, "unit": ""},
        {"name": "every_seconds", "needed": False, "default": None},
    ]
    kind = {"kind": "slowdown", "sentence": "Slow.", "disguise": "a spike", "fields": fields}
    console, written = _console()

    mistake = {"kind": "image-tag", "sentence": "Another tag."}
    cluster_show.kinds(console, [kind], [mistake], as_json=False)

    text = written.getvalue()
    assert "Slow. Looks like a spike." in text
    assert "factor=6" in text
    assert "every_seconds" not in text
    assert "image-tag" in text
