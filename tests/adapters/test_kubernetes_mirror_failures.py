"""Requests that are answered late, wrongly or not at all: what is sent, and what a mirror does of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kubernetes.client import ApiClient, Configuration

from tasks.adapters.kubernetes import mirror as mirrors
from tasks.adapters.kubernetes.connection import ClusterConnection
from tasks.adapters.kubernetes.errors import (
    ClusterUnreachableError,
    ExpiredError,
    ForbiddenError,
    RefusedError,
    ThrottledError,
)
from tasks.adapters.kubernetes.mirror import LONGEST_PAUSE_SECONDS, Mirror
from tasks.adapters.pace import Pace

MAPS = "/api/v1/namespaces/default/configmaps"
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer) -> Iterator[ClusterConnection]:
    """Serve answers that no API server can be told to give."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        def do_PUT(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        settings: Any = Configuration()
        settings.host = f"http://127.0.0.1:{server.server_port}"
        yield ClusterConnection(ApiClient(settings), requests_per_second=10_000.0)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10.0)


def say(to: BaseHTTPRequestHandler, body: Any, code: int = 200, **headers: str) -> None:
    content = json.dumps(body).encode() + b"\n"
    to.send_response(code)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        to.send_header(name.replace("_", "-"), value)
    to.end_headers()
    to.wfile.write(content)


def listed(version: int, *names: str) -> dict[str, Any]:
    items = [{"metadata": {"name": one, "resourceVersion": "1"}} for one in names]
    return {"metadata": {"resourceVersion": str(version)}, "items": items}


class Pauses:
    """Remembers how long a mirror would have waited, and ends it after some times."""

    def __init__(self, most: int) -> None:
        self.seconds: list[float] = []
        self.done = threading.Event()
        self._most = most

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        if len(self.seconds) == self._most:
            self.done.set()
        return self.done.is_set()


def test_a_write_whose_answer_is_lost_is_sent_once() -> None:
    sent = []

    def answer(to: BaseHTTPRequestHandler) -> None:
        sent.append(to.command)
        to.close_connection = True

    with serving(answer) as connection, pytest.raises(ClusterUnreachableError, match="PUT /api"):
        connection.replace(f"{MAPS}/a", {})
    assert sent == ["PUT"]


def test_who_asks_for_patience_is_asked_once_and_each_request_keeps_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent, paced = [], []
    monkeypatch.setattr(Pace, "wait", lambda _, points: paced.append(points))

    def answer(to: BaseHTTPRequestHandler) -> None:
        sent.append(to.path)
        say(to, {"message": "slower"}, 429, Retry_After="7")

    with serving(answer) as connection:
        for _ in range(3):
            with pytest.raises(ThrottledError, match="slower") as caught:
                connection.get(MAPS)
            assert caught.value.retry_after_seconds == 7.0
        assert (len(sent), len(paced), connection.requests) == (3, 3, 3)


def test_an_answer_that_breaks_off_and_one_of_somebody_else_are_told_as_such() -> None:
    def answer(to: BaseHTTPRequestHandler) -> None:
        if to.path == "/short":
            say(to, {}, Content_Length="100")
        elif to.path == "/moved":
            say(to, {}, 302, Location="/login")
        else:
            to.send_response(200)
            to.end_headers()
            to.wfile.write(b"<html>a login page")
        to.close_connection = True

    with serving(answer) as connection:
        with pytest.raises(ClusterUnreachableError, match="does not answer"):
            connection.get("/short")
        with pytest.raises(RefusedError, match="302"):
            connection.get("/moved")
        with pytest.raises(ClusterUnreachableError, match="a login page"):
            connection.get("/login")


@pytest.mark.parametrize(
    ("status", "error", "after"),
    [
        ({"code": 410, "message": "too old"}, ExpiredError, None),
        ({"code": 403, "message": "no more"}, ForbiddenError, None),
        ({"code": 500, "message": "broken"}, ClusterUnreachableError, None),
        ({"message": "without a code"}, ClusterUnreachableError, None),
        ({"code": 429, "details": {"retryAfterSeconds": 50}}, ThrottledError, 50.0),
    ],
)
def test_an_error_within_a_watch_is_sorted_by_its_code(
    status: dict[str, Any], error: type[Exception], after: float | None
) -> None:
    pauses = Pauses(1)

    def answer(to: BaseHTTPRequestHandler) -> None:
        say(to, {"type": "ERROR", "object": status} if "watch=" in to.path else listed(5))

    with serving(answer) as connection, Mirror(connection, MAPS, pause=pauses) as mirror:
        assert pauses.done.wait(10.0)
        assert type(mirror.failed) is error
    assert pauses.seconds == [after or 0.2]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param((410, {"message": "too old"}), id="too old"),
        pytest.param((200, {"type": "BOOKMARK", "object": listed(6)}), id="ended at once"),
        pytest.param((200, ["no", "event"]), id="no event"),
    ],
)
def test_watches_that_end_at_once_are_asked_for_ever_less_often(said: tuple[int, Any]) -> None:
    pauses = Pauses(10)

    def answer(to: BaseHTTPRequestHandler) -> None:
        code, body = said
        if "watch=" in to.path:
            say(to, body, code)
        else:
            say(to, listed(5))

    with serving(answer) as connection, Mirror(connection, MAPS, pause=pauses) as mirror:
        assert pauses.done.wait(10.0)
        assert (mirror.watches, mirror.lists) == (10, 10)
    assert pauses.seconds[:4] == [0.2, 0.4, 0.8, 1.6]
    assert pauses.seconds[-1] == LONGEST_PAUSE_SECONDS


def test_a_mirror_waits_as_long_as_it_is_asked_to() -> None:
    pauses = Pauses(2)
    with (
        serving(lambda to: say(to, {}, 503, Retry_After="9")) as connection,
        Mirror(connection, MAPS, pause=pauses) as mirror,
    ):
        assert pauses.done.wait(10.0)
        assert not mirror.wait(0.0)
    assert pauses.seconds == [9.0, 9.0]


def test_a_mirror_lists_anew_where_a_server_comes_back_with_younger_versions() -> None:
    lists = [listed(900, "a", "b"), listed(3, "b", "c")]
    watched: list[str] = []
    silent = threading.Event()

    def answer(to: BaseHTTPRequestHandler) -> None:
        if "watch=" not in to.path:
            say(to, lists[min(len(watched), 1)])
            return
        watched.append(to.path)
        to.send_response(200)
        to.end_headers()
        # The first one ends cleanly, as that of a server that is told to stop.
        if len(watched) > 1:
            silent.wait(10.0)

    with serving(answer) as connection, Mirror(connection, MAPS, pause=lambda _: False) as mirror:
        for _ in range(1_000):
            if len(watched) > 1:
                break
            silent.wait(0.01)
        names = {one["metadata"]["name"] for one in mirror.all()}
        silent.set()
    assert names == {"b", "c"}
    assert "resourceVersion=3&" in watched[1]


def test_a_watch_that_lasted_its_time_goes_on_without_a_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirrors, "WATCH_SECONDS", 0)
    watched = threading.Semaphore(0)

    def answer(to: BaseHTTPRequestHandler) -> None:
        if "watch=" in to.path:
            watched.release()
        say(to, {"type": "BOOKMARK", "object": listed(6)} if "watch=" in to.path else listed(5))

    with serving(answer) as connection, Mirror(connection, MAPS) as mirror:
        assert all(watched.acquire(timeout=10.0) for _ in range(3))
        assert (mirror.lists, mirror.failed) == (1, None)


def test_a_mirror_outlives_the_loss_of_its_role_and_says_that_it_is_behind() -> None:
    lists = iter([listed(5, "a"), None, listed(7, "a", "late")])
    now, refused, given_back, end = [100.0], threading.Event(), threading.Event(), threading.Event()

    def answer(to: BaseHTTPRequestHandler) -> None:
        watched = "watch=" in to.path
        found = None if watched else next(lists)
        if found is not None:
            say(to, found)
        elif watched and given_back.is_set():
            to.send_response(200)
            to.end_headers()
            end.wait(10.0)
        else:
            say(to, {"message": "forbidden"}, 403)

    def pause(_: float) -> bool:
        refused.set()
        return not given_back.wait(10.0)

    with (
        serving(answer) as connection,
        Mirror(connection, MAPS, pause=pause, clock=lambda: now[0]) as mirror,
    ):
        assert refused.wait(10.0)
        now[0] += 5.0
        assert isinstance(mirror.failed, ForbiddenError)
        assert (mirror.wait(0.0), mirror.age_seconds(), len(mirror.all())) == (False, 5.0, 1)
        given_back.set()
        assert mirror.wait(10.0)
        assert (mirror.age_seconds(), len(mirror.all())) == (0.0, 2)
        failed: Exception | None = mirror.failed
        assert failed is None
        end.set()


def test_a_closed_mirror_leaves_neither_thread_nor_watch() -> None:
    ended, opened = threading.Event(), threading.Event()

    def answer(to: BaseHTTPRequestHandler) -> None:
        if "watch=" not in to.path:
            say(to, listed(5))
            return
        to.send_response(200)
        to.end_headers()
        opened.set()
        # A connection that its client closed can be read to its end.
        to.connection.settimeout(10.0)
        if to.connection.recv(1) == b"":
            ended.set()

    with serving(answer) as connection:
        with Mirror(connection, MAPS) as mirror:
            assert opened.wait(10.0)
        assert f"mirror {MAPS}" not in {one.name for one in threading.enumerate()}
        assert ended.wait(10.0)
        assert mirror.failed is None
