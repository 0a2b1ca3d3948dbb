from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasks.adapters.pulumi.environment import EngineSettings, engine_environment, journal_file
from tasks.adapters.pulumi.journal import Journal, as_in_state
from tasks.adapters.pulumi.process import run_worker, stop_leftovers, without_secrets
from tasks.adapters.pulumi.values import secret_texts
from tasks.domain.stacks.recovery import CutOffError

WAIT_FOREVER = [sys.executable, "-c", "import sys; sys.stdin.read()"]


def settings(folder: Path) -> EngineSettings:
    return EngineSettings(backend_url=f"file://{folder / 'state'}", home=folder / "home")


def test_a_process_that_ends_without_an_answer_says_to_recover(tmp_path: Path) -> None:
    with pytest.raises(CutOffError, match=r"eu: the engine's process ended .* recover the stack"):
        run_worker(settings(tmp_path), {"operation": "up"}, stack="eu", module="platform")


def test_what_is_left_of_an_update_is_ended_and_nothing_else(tmp_path: Path) -> None:
    found = settings(tmp_path)
    with ExitStack() as undo:
        ours, others = (
            undo.enter_context(
                subprocess.Popen(
                    WAIT_FOREVER,
                    stdin=subprocess.PIPE,
                    env=engine_environment(found, stack=stack),
                    start_new_session=True,
                )
            )
            for stack in ("eu", "us")
        )
        assert stop_leftovers(found, stack="eu") == 1
        assert ours.poll() is not None
        assert others.poll() is None
        assert stop_leftovers(found, stack="eu") == 0
        assert others.stdin is not None
        others.stdin.close()


def test_secrets_are_taken_out_of_texts_unless_every_word_would_go(tmp_path: Path) -> None:
    assert without_secrets("the word is hunter2, a lot", ["hunter2", "a"]) == (
        "the word is <secret>, a lot"
    )


def test_failed_operations_are_kept_until_they_are_cleared(tmp_path: Path) -> None:
    path = journal_file(settings(tmp_path), "eu")
    journal = Journal(path)
    assert journal.read() == []
    journal.add("create", {"urn": "a"})
    journal.add("same", {"urn": "b"})
    journal.add("update", {"urn": "c"})
    assert Journal(path).read() == [
        {"type": "creating", "resource": {"urn": "a"}},
        {"type": "updating", "resource": {"urn": "c"}},
    ]
    journal.clear()
    journal.clear()
    assert journal.read() == []


def test_a_secret_of_an_event_has_a_word_in_its_place_in_the_state() -> None:
    signature = "4dabf18193072939515e22adb298388d"
    hidden = {signature: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    state = as_in_state({"tags": {"word": hidden, "n": ["x"]}})
    assert secret_texts(state) == {"[secret]"}
    assert state["tags"]["n"] == ["x"]


def test_a_process_that_dies_before_it_took_the_request_is_a_cut_off(tmp_path: Path) -> None:
    # More than a pipe holds: the rest is never taken.
    request = {"operation": "up", "program": "x" * 300_000}

    with pytest.raises(CutOffError, match="recover the stack"):
        run_worker(settings(tmp_path), request, stack="eu", module="platform")
