"""A preview under a pull request: one comment for each stack, whoever else writes there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments import pull_request
from deployments.pull_request import BY_ACTIONS, GitHub, PullRequestError
from tasks.domain.errors import TransientError
from tasks.domain.stacks.report import comment_markdown, comment_marker
from tests.support.previews import a_preview
from tests.support.receivers import Answer, HttpReceiver, Received, http_receiver

TEMPLATE = Path(__file__).parents[3] / "deployments" / "ci" / "preview-stack.yml"
TOKEN = "ghs_not_for_eyes"
MARKED = f"{comment_marker('eu')}\nfirst\n"


@dataclass(kw_only=True)
class Forge:
    """As much of GitHub's comments as is needed, with its state; it can be told to fail."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    token: str = TOKEN

    def add(self, body: str, *, by: str) -> int:
        self.comments.append({"id": len(self.comments) + 1, "body": body, "user": {"login": by}})
        return len(self.comments)

    def __call__(self, asked: Received) -> Answer:
        if self.failures:
            return Answer(status=self.failures.pop(0), body={"message": asked.headers})
        if asked.headers["authorization"] != f"Bearer {self.token}":
            return Answer(status=401)
        if asked.method == "GET":
            found = re.fullmatch(
                r"/repos/o/r/issues/7/comments\?per_page=(\d+)&page=(\d+)", asked.path
            )
            if found is None:
                return Answer(status=404)
            size, page = int(found[1]), int(found[2])
            return Answer(body=self.comments[(page - 1) * size : page * size])
        if asked.method == "PATCH":
            number = int(asked.path.rpartition("/")[2])
            self.comments[number - 1]["body"] = asked.json["body"]
            return Answer(body={"html_url": f"https://forge/{number}"})
        number = self.add(asked.json["body"], by=BY_ACTIONS)
        return Answer(status=201, body={"html_url": f"https://forge/{number}"})


@pytest.fixture
def forge() -> Forge:
    return Forge()


@pytest.fixture
def receiver(forge: Forge) -> Iterator[HttpReceiver]:
    with http_receiver(forge) as running:
        yield running


def no_pause(_: float) -> None:
    """Go on at once."""


def github(receiver: HttpReceiver, token: str = TOKEN) -> GitHub:
    return GitHub(token=token, repository="o/r", api_url=receiver.address, pause=no_pause)


def test_the_first_preview_is_a_new_comment(forge: Forge, receiver: HttpReceiver) -> None:
    forge.add("looks good", by="person")

    with github(receiver) as api:
        assert api.comment(7, MARKED) == "https://forge/2"

    assert forge.comments[1]["body"] == MARKED


def test_the_next_preview_takes_its_place(forge: Forge, receiver: HttpReceiver) -> None:
    with github(receiver) as api:
        first = api.comment(7, MARKED)
        api.comment(7, f"{comment_marker('us')}\nanother stack\n")
        assert api.comment(7, MARKED.replace("first", "second")) == first

    assert [one["body"].splitlines()[-1] for one in forge.comments] == ["second", "another stack"]


def test_a_comment_on_a_later_page_is_found(forge: Forge, receiver: HttpReceiver) -> None:
    for _ in range(250):
        forge.add("talk", by="person")
    forge.add(MARKED, by=BY_ACTIONS)

    with github(receiver) as api:
        assert api.comment(7, MARKED) == "https://forge/251"


def test_a_marker_that_somebody_else_wrote_is_left_alone(
    forge: Forge, receiver: HttpReceiver
) -> None:
    forge.add(MARKED, by="person")

    with github(receiver) as api:
        api.comment(7, MARKED)

    assert len(forge.comments) == 2


def test_a_whole_preview_is_taken(forge: Forge, receiver: HttpReceiver) -> None:
    text = comment_markdown(a_preview())

    with github(receiver) as api:
        api.comment(7, text)

    assert forge.comments[0]["body"] == text


@pytest.mark.parametrize(
    ("body", "says"),
    [("hello", "begins with its marker"), (MARKED + "x" * 70_000, "70040 characters|GitHub takes")],
)
def test_what_is_no_preview_is_not_sent(body: str, says: str, receiver: HttpReceiver) -> None:
    with github(receiver) as api, pytest.raises(PullRequestError, match=says):
        api.comment(7, body)
    assert receiver.received == []


def test_a_busy_server_is_asked_again_and_never_for_a_second_comment(
    forge: Forge, receiver: HttpReceiver
) -> None:
    forge.failures += [503, 429]
    with github(receiver) as api:
        api.comment(7, MARKED)
        assert len(forge.comments) == 1
    forge.comments.clear()
    forge.failures.clear()

    def fail_once_posted(asked: Received) -> Answer:
        answer = forge(asked)
        return Answer(status=502) if asked.method == "POST" else answer

    with http_receiver(fail_once_posted) as shaky, github(shaky) as api:
        with pytest.raises(TransientError, match="busy"):
            api.comment(7, MARKED)
        assert len(forge.comments) == 1
        api.comment(7, MARKED)
    assert len(forge.comments) == 1


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "GITHUB_TOKEN"),
        (403, "pull-requests: write"),
        (404, "repository and number"),
        (301, "refused GET"),
    ],
)
def test_a_refusal_says_what_to_do_and_not_the_token(
    status: int, says: str, forge: Forge, receiver: HttpReceiver
) -> None:
    forge.failures.append(status)

    with github(receiver) as api, pytest.raises(PullRequestError, match=says) as refused:
        api.comment(7, MARKED)
    assert TOKEN not in str(refused.value)


def test_a_server_that_is_not_there_is_named(receiver: HttpReceiver) -> None:
    api = GitHub(token=TOKEN, repository="o/r", api_url="http://127.0.0.1:1", pause=no_pause)

    with api, pytest.raises(TransientError, match=r"127\.0\.0\.1 does not answer"):
        api.comment(7, MARKED)


@pytest.mark.parametrize("address", ["http://forge.example", "ftp://forge.example", "//forge"])
def test_the_token_is_not_sent_without_encryption(address: str) -> None:
    with pytest.raises(PullRequestError, match="https"):
        GitHub(token=TOKEN, repository="o/r", api_url=address)


@pytest.mark.parametrize("repository", ["", "o", "o/r/x", "../r", "o/r?x=1"])
def test_a_repository_is_owner_and_name(repository: str) -> None:
    with pytest.raises(PullRequestError, match="owner/name"):
        GitHub(token=TOKEN, repository=repository)


@pytest.fixture
def command(
    receiver: HttpReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    monkeypatch.setenv("GITHUB_API_URL", receiver.address)
    (tmp_path / "preview.md").write_text(MARKED)

    def run(*words: str) -> int:
        return pull_request.main(["comment", "--file", str(tmp_path / "preview.md"), *words])

    return run


def test_the_command_prints_where_the_comment_is(
    command: Callable[..., int], forge: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--number", "7") == 0
    assert capsys.readouterr().out == "https://forge/1\n"
    assert forge.comments[0]["body"] == MARKED


def test_the_command_fails_with_a_reason(
    command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command("--number", "8") == 1
    monkeypatch.delenv("GITHUB_TOKEN")
    assert command("--number", "7") == 1

    said = capsys.readouterr().err
    assert "repository and number" in said
    assert "GITHUB_TOKEN is not set" in said


def test_the_template_pins_every_action_and_gives_each_job_what_it_needs() -> None:
    text = TEMPLATE.read_text()
    workflow = yaml.safe_load(text)

    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["preview"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert workflow["jobs"]["comment"]["permissions"] == {
        "contents": "read",
        "pull-requests": "write",
    }
    actions = re.findall(r"uses: (\S+)", text)
    assert actions
    assert all(re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", action) for action in actions), actions


def test_the_template_puts_nothing_of_a_pull_request_into_a_script() -> None:
    jobs = yaml.safe_load(TEMPLATE.read_text())["jobs"]
    scripts = [step.get("run", "") for job in jobs.values() for step in job["steps"]]

    assert not any("${{" in script for script in scripts)


def test_the_job_that_may_comment_has_no_secret_and_runs_the_base() -> None:
    job = yaml.safe_load(TEMPLATE.read_text())["jobs"]["comment"]

    assert "secrets." not in str(job)
    checkout = next(step for step in job["steps"] if "checkout" in step.get("uses", ""))
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"


def test_the_template_previews_what_a_pull_request_changes_and_no_more(tmp_path: Path) -> None:
    steps = yaml.safe_load(TEMPLATE.read_text())["jobs"]["preview"]["steps"]
    script = next(step["run"] for step in steps if step.get("name") == "Preview")
    for stack in ("eu", "us", "gone"):
        _write(tmp_path / f"pulumi/{stack}/Pulumi.yaml", "name: homeostat\n")
    base = _committed(tmp_path)
    _write(tmp_path / "pulumi/eu/__main__.py", "changed\n")
    _write(tmp_path / "pulumi/policy/policy.yaml", "changed\n")
    _write(tmp_path / "pulumi/$(touch hacked)/Pulumi.yaml", "changed\n")
    (tmp_path / "pulumi/gone/Pulumi.yaml").unlink()
    _committed(tmp_path)
    # In the place of the command: it writes down how it was called.
    _write(tmp_path / ".venv/bin/homeostat", '#!/bin/sh\necho "$@" >>calls\n')
    (tmp_path / ".venv/bin/homeostat").chmod(0o755)

    subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=os.environ | {"BASE_SHA": base}, check=True
    )

    assert (tmp_path / "calls").read_text() == "preview eu --comment previews/eu.md\n"
    assert not (tmp_path / "hacked").exists()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _committed(folder: Path) -> str:
    who = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*who, *words], cwd=folder, check=True)
    asked = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, check=True
    )
    return asked.stdout.decode().strip()
