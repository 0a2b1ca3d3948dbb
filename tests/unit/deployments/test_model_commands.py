"""What the command says of models."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from deployments import model_show
from deployments.commands import models as commands
from deployments.models import ModelCommandError, client_environment, models, roll_back
from deployments.prefect_api import PrefectApi, RefusedError

ADDRESS = "http://127.0.0.1:4200/api"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(letter: str, *, days: int, **metrics: float) -> dict[str, Any]:
    return {
        "key": f"models/load-cpu/{letter}.skops",
        "sha256": letter * 64,
        "size_bytes": 10,
        "kind": "load/1",
        "trained_at": (NOON - timedelta(days=days)).isoformat().replace("+00:00", "Z"),
        "trained_by": "run",
        "data_sha256": "d" * 64,
        "code_version": "0.1.0",
        "metrics": metrics,
    }


LOAD_CPU = {
    "champion": entry("b", days=8, mase=0.6123, coverage_80=0.8),
    "challenger": entry("c", days=1, mase=0.59),
    "shadow_since": (NOON - timedelta(hours=5)).isoformat(),
    "previous": [entry("a", days=15)],
    "refused": {"f" * 64: "worse on bursty"},
    "message": "cccccccccccc was published",
}
EMPTY: dict[str, Any] = {"champion": None, "previous": []}


def server(documents: dict[str, Any] | None, *, status: int = 200) -> PrefectApi:
    """A server that holds these documents of the registry; None for one without their type."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/block_types/slug/model-registry/block_documents"
        if documents is None:
            return httpx.Response(404, json={"detail": "Block type not found"})
        found = [{"name": name, "data": data} for name, data in documents.items()]
        return httpx.Response(status, json=found if status == 200 else {"detail": "broken"})

    api = PrefectApi(ADDRESS)
    api._http = httpx.Client(base_url=ADDRESS, transport=httpx.MockTransport(answer))
    return api


def printed(api: PrefectApi) -> str:
    console = Console(file=StringIO(), width=110, force_terminal=False)
    model_show.models(console, models(api), now=NOON, as_json=False)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_each_version_has_a_row_with_its_part_its_age_and_its_backtest() -> None:
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in printed(server({"load-cpu": LOAD_CPU})).splitlines()
        if line.startswith("│")
    ]

    assert rows == [
        ["load-cpu", "b" * 12, "champion", "8 d ago", "coverage_80 0.8, mase 0.612"],
        ["", "c" * 12, "challenger for 5 h", "1 d ago", "mase 0.59"],
        ["", "a" * 12, "previous", "15 d ago", "-"],
    ]


def test_below_is_what_happened_last_and_how_to_go_back() -> None:
    lines = printed(server({"load-cpu": LOAD_CPU, "spot": EMPTY})).splitlines()

    assert lines[-2:] == [
        "load-cpu: cccccccccccc was published",
        "bring the earlier one back: homeostat rollback load-cpu",
    ]


@pytest.mark.parametrize("documents", [None, {}])
def test_before_the_first_model_it_says_what_trains_one(documents: dict[str, Any] | None) -> None:
    assert (
        printed(server(documents)) == "no model yet; `homeostat run retrain-models` trains them\n"
    )


def test_programs_get_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    found = models(server({"load-cpu": LOAD_CPU}))

    model_show.models(Console(), found, now=NOON, as_json=True)

    [model] = json.loads(capsys.readouterr().out)
    assert model["name"] == "load-cpu"
    assert [one["role"] for one in model["versions"]] == ["champion", "challenger", "previous"]
    assert model["versions"][0]["metrics"] == {"mase": 0.6123, "coverage_80": 0.8}
    assert model["refused"] == {"f" * 64: "worse on bursty"}


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=59), "less than 1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=23), "23 h"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_an_age_is_in_its_largest_unit(passed: timedelta, said: str) -> None:
    assert model_show.age(passed) == said


def test_after_a_rollback_it_says_which_version_serves() -> None:
    [model] = models(server({"load-cpu": LOAD_CPU | {"message": "rolled back: worse [live]"}}))
    console = Console(file=StringIO(), width=60, force_terminal=False)

    model_show.rolled_back(console, model, now=NOON)

    assert isinstance(console.file, StringIO)
    said = "load-cpu: bbbbbbbbbbbb, trained 8 d ago, serves; rolled back: worse [live]\n"
    assert console.file.getvalue() == said


def test_a_model_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(ModelCommandError, match="no model 'lod-cpu'; there are: load-cpu, spot"):
        roll_back(server({"spot": EMPTY, "load-cpu": LOAD_CPU}), "lod-cpu", reason="worse")
    with pytest.raises(ModelCommandError, match="there are: none yet; `homeostat run"):
        roll_back(server(None), "load-cpu", reason="worse")


def test_a_server_that_refuses_is_not_taken_for_one_without_models() -> None:
    with pytest.raises(RefusedError, match="500"):
        models(server({}, status=500))


def test_the_way_to_the_server_goes_past_a_proxy_and_tells_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("no_proxy", "intranet.example")

    found = client_environment()

    assert found["NO_PROXY"] == found["no_proxy"] == "intranet.example,127.0.0.1,localhost"
    assert found["DO_NOT_TRACK"] == "1"


def test_where_nothing_is_up_the_commands_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOMEOSTAT_HOME", str(tmp_path))

    assert commands.models() == 1
    assert commands.rollback("load-cpu") == 1

    said = capsys.readouterr().err
    assert "no answer: " in said
    assert "not rolled back: " in said
