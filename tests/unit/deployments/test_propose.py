"""A stack goes to a branch; the person's working tree and index never notice."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.propose import ProposeError, propose
from tasks.domain.errors import TransientError

FILES = {
    "__main__.py": b"import pulumi\n",
    "Pulumi.yaml": b"name: homeostat\n",
    "src/a.py": b"\r\n",
}
AUTHOR = "Homeostat <homeostat@example.org>"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def git(folder: Path, *words: str, given: str = "") -> str:
    who = ["-c", "user.name=A Person", "-c", "user.email=person@example.org"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, input=given, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # What a person's own configuration says is not to be told from what the code does.
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "team"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "README.md").write_text("ours\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Begin")
    return folder


def proposed(repository: Path, files: dict[str, bytes] | None = None, **other: Any) -> str:
    given: dict[str, Any] = {
        "stack": "eu-savings",
        "repository": repository,
        "branch": "propose/eu-savings",
        "base": "main",
        "message": "Right-size checkout",
        "author": AUTHOR,
    } | other
    return propose(FILES if files is None else files, **given)


def content(repository: Path, where: str) -> dict[str, str]:
    names = git(repository, "ls-tree", "-r", "--name-only", where).splitlines()
    return {name: git(repository, "rev-parse", f"{where}:{name}") for name in names}


def blob(repository: Path, text: bytes) -> str:
    return git(repository, "hash-object", "--stdin", given=text.decode())


def commit_on(repository: Path, branch: str, name: str, text: str) -> None:
    """Commit a file by hand, and come back."""
    git(repository, "checkout", "-q", branch)
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text(text)
    git(repository, "add", name)
    git(repository, "commit", "-q", "-m", "By hand")
    if branch != "main":
        git(repository, "checkout", "-q", "main")


def test_the_branch_has_the_base_and_the_stack_byte_by_byte(repository: Path) -> None:
    commit = proposed(repository, at=AT)

    assert git(repository, "rev-parse", "propose/eu-savings") == commit
    assert content(repository, commit) == {
        "README.md": git(repository, "rev-parse", "main:README.md"),
    } | {f"pulumi/eu-savings/{name}": blob(repository, text) for name, text in FILES.items()}
    said = git(repository, "log", "-1", "--format=%an <%ae>|%ct|%s|%(trailers)", commit)
    assert said == f"{AUTHOR}|{AT.timestamp():.0f}|Right-size checkout|Homeostat-Stack: eu-savings"


def test_working_tree_and_index_stay_as_they_are(repository: Path) -> None:
    (repository / "README.md").write_text("edited\n")
    (repository / "new.txt").write_text("new\n")
    git(repository, "add", "new.txt")
    index = (repository / ".git" / "index").read_bytes()
    before = git(repository, "status", "--porcelain")

    proposed(repository)

    assert (repository / ".git" / "index").read_bytes() == index
    assert git(repository, "status", "--porcelain") == before
    assert git(repository, "branch", "--show-current") == "main"
    assert not (repository / "pulumi").exists()


def test_the_same_again_makes_no_second_commit(repository: Path) -> None:
    assert proposed(repository) == proposed(repository)


def test_what_differs_is_a_commit_on_top_and_what_is_gone_is_removed(repository: Path) -> None:
    first = proposed(repository)

    second = proposed(repository, {"__main__.py": b"import pulumi_aws\n"})

    assert git(repository, "rev-parse", f"{second}^") == first
    assert set(content(repository, second)) == {"README.md", "pulumi/eu-savings/__main__.py"}


def test_other_stacks_stay(repository: Path) -> None:
    commit_on(repository, "main", "pulumi/us/__main__.py", "us\n")
    commit_on(repository, "main", "pulumi/eu-savings-2/__main__.py", "2\n")

    found = content(repository, proposed(repository))

    assert {"pulumi/us/__main__.py", "pulumi/eu-savings-2/__main__.py"} < set(found)


def test_a_file_may_stand_where_a_folder_was(repository: Path) -> None:
    proposed(repository)

    found = content(repository, proposed(repository, {"src": b"now a file\n"}))

    assert set(found) == {"README.md", "pulumi/eu-savings/src"}


def test_a_stack_that_is_on_the_base_already_needs_no_commit(repository: Path) -> None:
    git(repository, "merge", "-q", proposed(repository))

    commit = proposed(repository, branch="propose/again")

    assert git(repository, "diff", "main", commit) == ""


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/x",
        "",
        "a//b",
        ".",
        ".git/config",
        "a/.GIT/x",
        "a\\b",
        "a\nb",
        "-x",
        "ü",
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(path: str, repository: Path) -> None:
    with pytest.raises(ProposeError, match="no path within pulumi/eu-savings"):
        proposed(repository, {path: b""})
    assert git(repository, "branch", "--list") == "* main"


@pytest.mark.parametrize("paths", [("a", "A"), ("a", "a/b"), ("src/x", "SRC")])
def test_paths_that_are_one_on_some_machines_are_refused(
    paths: tuple[str, str], repository: Path
) -> None:
    with pytest.raises(ProposeError, match="there twice, or as a file and a folder"):
        proposed(repository, dict.fromkeys(paths, b""))


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"stack": "../x"}, "no stack's name"),
        ({"stack": "Eu"}, "no stack's name"),
        ({"branch": "main"}, "no branch beside"),
        ({"branch": "--force"}, "no branch beside"),
        ({"branch": "a..b"}, "check-ref-format"),
        ({"base": "nowhere"}, "no commit 'nowhere'"),
        ({"author": "nobody"}, "not of the form"),
        ({"author": "A\n <a@b>"}, "not of the form"),
    ],
)
def test_what_makes_no_sense_is_refused(other: dict[str, Any], says: str, repository: Path) -> None:
    with pytest.raises(ProposeError, match=says):
        proposed(repository, **other)


def test_nothing_to_propose_is_refused(repository: Path) -> None:
    with pytest.raises(ProposeError, match="no files"):
        proposed(repository, {})


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProposeError, match="not in a git repository"):
        proposed(tmp_path)
    with pytest.raises(ProposeError, match="not in a git repository"):
        proposed(tmp_path / "missing")


def test_a_branch_that_went_another_way_is_refused_and_kept(repository: Path) -> None:
    commit = proposed(repository)
    commit_on(repository, "main", "other.txt", "other\n")

    with pytest.raises(ProposeError, match=r"went another way than main.*git branch -D"):
        proposed(repository, {"x.py": b""})
    assert git(repository, "rev-parse", "propose/eu-savings") == commit


def test_what_somebody_edited_on_the_branch_is_not_overwritten(repository: Path) -> None:
    proposed(repository)
    commit_on(repository, "propose/eu-savings", "pulumi/eu-savings/__main__.py", "better\n")

    with pytest.raises(ProposeError, match="by hand"):
        proposed(repository, {"x.py": b""})


def test_what_somebody_added_elsewhere_on_the_branch_stays(repository: Path) -> None:
    proposed(repository)
    commit_on(repository, "propose/eu-savings", "notes.md", "notes\n")

    assert "notes.md" in content(repository, proposed(repository, {"x.py": b""}))


def test_a_branch_that_is_checked_out_is_refused(repository: Path) -> None:
    proposed(repository)
    git(repository, "checkout", "-q", "propose/eu-savings")

    with pytest.raises(ProposeError, match="is checked out"):
        proposed(repository, {"x.py": b""})


def test_a_name_that_a_folder_of_branches_has_can_be_tried_again(repository: Path) -> None:
    git(repository, "branch", "propose/eu-savings/deeper")

    with pytest.raises(TransientError, match="its name is taken"):
        proposed(repository)


def test_a_hook_that_runs_it_does_not_lead_it_elsewhere(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))

    commit = proposed(repository)

    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert git(repository, "rev-parse", "propose/eu-savings") == commit
    assert not (tmp_path / "index").exists()


def test_a_bare_repository_does(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")

    commit = proposed(tmp_path / "bare.git")

    assert git(tmp_path / "bare.git", "rev-parse", "propose/eu-savings") == commit


def test_the_branch_is_pushed_also_when_there_is_nothing_new(
    repository: Path, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "--bare", "hub.git")
    git(repository, "remote", "add", "origin", str(tmp_path / "hub.git"))
    proposed(repository)

    commit = proposed(repository, remote="origin")

    assert git(tmp_path / "hub.git", "rev-parse", "propose/eu-savings") == commit


def test_a_push_never_forces_and_an_error_has_no_password(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "hub.git")
    git(repository, "remote", "add", "origin", str(tmp_path / "hub.git"))
    proposed(repository, remote="origin")
    git(repository, "branch", "-D", "propose/eu-savings")

    with pytest.raises(ProposeError, match=r"(?s)was not pushed.*rejected"):
        proposed(repository, {"x.py": b""}, remote="origin")
    with pytest.raises(ProposeError) as refused:
        proposed(repository, {"x.py": b""}, remote="http://me:hunter2@127.0.0.1:1/x.git")
    assert "hunter2" not in str(refused.value)
