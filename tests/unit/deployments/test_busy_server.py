"""A Prefect server whose database is locked for a moment."""

from __future__ import annotations

import httpx
import pytest

from deployments import prefect_api
from deployments.prefect_api import PrefectApi, RefusedError

ADDRESS = "http://127.0.0.1:4200/api"


def api_of(answers: list[int], monkeypatch: pytest.MonkeyPatch) -> PrefectApi:
    def answer(request: httpx.Request) -> httpx.Response:
        status = answers.pop(0)
        return httpx.Response(status, json=[] if status == 200 else {"detail": "busy"})

    monkeypatch.setattr(prefect_api, "BUSY_PAUSES_SECONDS", (0.0, 0.0, 0.0))
    api = PrefectApi(ADDRESS)
    api._http = httpx.Client(base_url=ADDRESS, transport=httpx.MockTransport(answer))
    return api


def test_a_call_goes_on_when_the_server_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert api_of([503, 503, 200], monkeypatch).deployments() == {}


def test_a_server_that_stays_busy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match="503"):
        api_of([503] * 4, monkeypatch).deployments()


def test_other_refusals_are_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match="500"):
        api_of([500, 200], monkeypatch).deployments()
