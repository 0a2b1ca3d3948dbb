"""Put a generated stack on a git branch, for a review where the team reviews everything else.

Working tree and index stay as they are: the commit is made of git's own objects, through an index
in a temporary folder, and the branch is moved only from where it was seen.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from tasks.domain.errors import PermanentError, TransientError

STACKS = "pulumi"
"""Folder of the stacks in a repository."""
TRAILER = "Homeostat-Stack"
"""In the message of every commit made here: what lacks it was written by somebody else."""
STACK_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
PATH_PART = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}")
AUTHOR = re.compile(r"(?P<name>[^<>\n\0]+) <(?P<email>[^<>\s\0]+@[^<>\s\0]+)>")
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
TIMEOUT_SECONDS = 120.0
GIT_PLACES = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
"""Set by a hook that runs this: then they are of another repository."""


class ProposeError(PermanentError):
    """The stack cannot be put on the branch."""


@dataclass(frozen=True, slots=True)
class _Git:
    """Git in one repository, with an environment of its own."""

    repository: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str, given: bytes = b"", codes: Sequence[int] = (0,)) -> str:
        """Return what a git command prints, without the newline at its end."""
        inherited = {name: text for name, text in os.environ.items() if name not in GIT_PLACES}
        quiet = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        try:
            done = subprocess.run(
                ["git", "-C", str(self.repository), *words],
                input=given,
                capture_output=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
                env=inherited | quiet | dict(self.environment),
            )
        except FileNotFoundError as error:
            message = "git is not on PATH; install it"
            raise ProposeError(message) from error
        except subprocess.TimeoutExpired as error:
            message = f"git {words[0]} took longer than {TIMEOUT_SECONDS:g} s; try again"
            raise TransientError(message) from error
        if done.returncode not in codes:
            said = CREDENTIALS.sub("", done.stderr.decode(errors="replace")).strip()
            message = f"git {words[0]} in {self.repository} ended with {done.returncode}: {said}"
            raise ProposeError(message)
        return done.stdout.decode(errors="surrogateescape").removesuffix("\n")

    def commit(self, name: str) -> str | None:
        """Return the id of the commit that a name stands for; None where there is none."""
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return self.run(*words, codes=(0, 1, 128)) or None

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Return whether a commit is, or comes before, another."""
        return self.run("merge-base", commit, of, codes=(0, 1)) == commit


def propose(
    files: Mapping[str, bytes],
    *,
    stack: str,
    repository: Path,
    branch: str,
    base: str,
    message: str,
    author: str,
    remote: str | None = None,
    at: datetime | None = None,
) -> str:
    """Return the commit with a stack's files on a branch; the same input gives no second commit.

    Args:
        files: Everything in the stack's folder, by path within it; what else is there is removed.
        stack: Name of the stack and its folder: lower-case letters, digits and dashes.
        repository: Anywhere in a git repository.
        branch: Made where it does not exist.
        base: What the branch begins from and is to be merged into.
        message: Of the commit; its first line is the subject.
        author: "Name <address>".
        remote: Where the branch is pushed to, never by force; None for nowhere.
        at: Date of the commit, aware; None for now.

    Raises:
        ProposeError: A path leaves the folder, the branch went another way, or git refuses.
        TransientError: The branch moved meanwhile, or git took too long.
    """
    _check(files, stack=stack, branch=branch, base=base)
    git = replace(_Git(repository), environment=_identity(author, at))
    if not repository.is_dir() or git.run("rev-parse", "--git-dir", codes=(0, 128)) == "":
        problem = f"{repository} is not in a git repository; name one, or make it with `git init`"
        raise ProposeError(problem)
    start = _known(git, base)
    tip = git.commit(f"refs/heads/{branch}")
    folder = f"{STACKS}/{stack}"
    if tip is not None:
        _check_branch(git, branch=branch, base=base, start=start, tip=tip, folder=folder)
    parent = tip or start
    with _own_index(git) as own:
        tree = _tree(own, files, parent=parent, folder=folder)
    commit = tip if tree == git.run("rev-parse", f"{parent}^{{tree}}") else None
    if commit is None:
        text = f"{message.strip()}\n\n{TRAILER}: {stack}\n"
        commit = git.run("commit-tree", tree, "-p", parent, "-F", "-", given=text.encode())
        _move(git, branch=branch, to=commit, seen=tip)
    if remote is not None:
        _push(git, commit, branch=branch, remote=remote)
    return commit


def _check(files: Mapping[str, bytes], *, stack: str, branch: str, base: str) -> None:
    if not STACK_NAME.fullmatch(stack):
        problem = (
            f"{stack!r:.100} is no stack's name; lower-case letters, digits, dashes, at most 60"
        )
        raise ProposeError(problem)
    if not files:
        problem = f"stack {stack} has no files; generate it first"
        raise ProposeError(problem)
    for path in files:
        _check_path(path, stack=stack)
    # Two that a file system without cases takes for one, or a file where a folder is.
    folders = {str(parent).lower() for path in files for parent in PurePosixPath(path).parents}
    lower = [path.lower() for path in files]
    if clash := sorted(p for p in lower if lower.count(p) > 1 or p in folders):
        problem = f"{clash[0]!r:.200} is there twice, or as a file and a folder; rename one"
        raise ProposeError(problem)
    if branch == base or branch.startswith("-") or base.startswith("-"):
        problem = f"{branch!r:.100} is no branch beside {base!r:.100}; name one, for example propose/{stack}"
        raise ProposeError(problem)


def _check_path(path: str, *, stack: str) -> None:
    parts = path.split("/")
    leaves = any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    if leaves or not all(PATH_PART.fullmatch(part) for part in parts):
        problem = (
            f"{path!r:.200} is no path within {STACKS}/{stack}; letters, digits, dots, dashes and "
            "underscores, parted by slashes"
        )
        raise ProposeError(problem)


def _identity(author: str, at: datetime | None) -> dict[str, str]:
    found = AUTHOR.fullmatch(author)
    if found is None:
        problem = f"author {author!r:.100} is not of the form 'Name <name@example.org>'"
        raise ProposeError(problem)
    names = {"NAME": found["name"], "EMAIL": found["email"]}
    if at is not None:
        names["DATE"] = at.isoformat(timespec="seconds")
    return {
        f"GIT_{who}_{key}": text for who in ("AUTHOR", "COMMITTER") for key, text in names.items()
    }


def _known(git: _Git, base: str) -> str:
    start = git.commit(base)
    if start is None:
        problem = (
            f"there is no commit {base!r:.100} in {git.repository}; fetch it, or name another base"
        )
        raise ProposeError(problem)
    return start


def _check_branch(git: _Git, *, branch: str, base: str, start: str, tip: str, folder: str) -> None:
    """Refuse what somebody else would lose by, or wonder at."""
    if f"branch refs/heads/{branch}" in git.run("worktree", "list", "--porcelain").splitlines():
        problem = (
            f"branch {branch} is checked out, and its files would seem changed; switch to another"
        )
        raise ProposeError(problem)
    if not git.is_ancestor(start, tip):
        problem = (
            f"branch {branch} went another way than {base}: rebase it onto {base}, or remove it with "
            f"`git branch -D {branch}`, then propose again"
        )
        raise ProposeError(problem)
    last = git.run("log", "-1", "--format=%h%n%B", f"{start}..{tip}", "--", folder)
    if last and f"{TRAILER}: " not in last:
        problem = (
            f"commit {last.split()[0]} on branch {branch} changed {folder} by hand; merge it, or "
            "propose to another branch"
        )
        raise ProposeError(problem)


@contextmanager
def _own_index(git: _Git) -> Iterator[_Git]:
    with tempfile.TemporaryDirectory(prefix="homeostat-propose-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        yield replace(git, environment={**git.environment, **index})


def _tree(git: _Git, files: Mapping[str, bytes], *, parent: str, folder: str) -> str:
    """Return the tree of a commit with one folder of it replaced."""
    git.run("read-tree", parent)
    listed = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", parent, "--", folder)
    lines = [f"0 {'0' * len(parent)}\t{path}" for path in listed.split("\0") if path]
    for path, content in sorted(files.items()):
        blob = git.run("hash-object", "-w", "--stdin", given=content)
        lines.append(f"100644 {blob}\t{folder}/{path}")
    entries = "".join(f"{line}\0" for line in lines)
    git.run("update-index", "-z", "--index-info", given=entries.encode(errors="surrogateescape"))
    return git.run("write-tree")


def _move(git: _Git, *, branch: str, to: str, seen: str | None) -> None:
    git.run("check-ref-format", "--branch", branch)
    old = seen or "0" * len(to)
    try:
        git.run("update-ref", "-m", "homeostat propose", f"refs/heads/{branch}", to, old)
    except ProposeError as error:
        message = f"branch {branch} moved meanwhile, or its name is taken; propose again: {error}"
        raise TransientError(message) from error


def _push(git: _Git, commit: str, *, branch: str, remote: str) -> None:
    try:
        git.run("push", "--quiet", "--", remote, f"{commit}:refs/heads/{branch}")
    except ProposeError as error:
        where = CREDENTIALS.sub("", remote)
        message = (
            f"{branch} is committed here and was not pushed to {where}; where others pushed to it, "
            f"`git fetch {where} {branch}:{branch}` and propose again. {error}"
        )
        raise ProposeError(message) from error
