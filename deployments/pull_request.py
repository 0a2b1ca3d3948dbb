"""Put a preview under a pull request of GitHub, in place of the one of the last run.

    python -m deployments.pull_request comment --file preview.md --number 12

The token comes from GITHUB_TOKEN, which the platform sets, and goes to GITHUB_API_URL only.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
from cyclopts import App, Parameter, validators

from tasks.domain.errors import InfraError, PermanentError, TransientError

GITHUB_API = "https://api.github.com"
BY_ACTIONS = "github-actions[bot]"
"""Who comments with the token of a GitHub Actions job."""
MARKER = re.compile(r"<!-- homeostat-preview [A-Za-z0-9-]{1,100} -->")
REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
COMMENT_LIMIT = 65_536
PAGE, MOST_PAGES = 100, 30
PAUSES_SECONDS = (1.0, 4.0)
TIMEOUT_SECONDS = 20.0
AGAIN = frozenset({429, 500, 502, 503, 504})
HINTS = {
    401: "set GITHUB_TOKEN to a token that is valid",
    403: "the token needs the permission pull-requests: write; of a fork it never has it",
    404: "check repository and number, and that the token may read them",
}

Number = Annotated[int, Parameter(validator=validators.Number(gte=1))]

app = App(name="pull_request", help="Comments on pull requests.")


class PullRequestError(PermanentError):
    """The comment cannot be posted."""


class GitHub:
    """A connection to one repository's pull requests.

    Args:
        token: Never shown.
        repository: "owner/name".
        api_url: Of GitHub, or of a server of one's own; HTTPS unless on this machine.
        pause: Waits so many seconds.
    """

    def __init__(
        self,
        *,
        token: str,
        repository: str,
        api_url: str = GITHUB_API,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        place = urlsplit(api_url)
        if place.scheme != "https" and place.hostname not in ("127.0.0.1", "localhost", "::1"):
            message = f"{place.scheme}://{place.hostname} would see the token; use an https address"
            raise PullRequestError(message)
        if not REPOSITORY.fullmatch(repository) or ".." in repository:
            message = f"{repository!r:.100} is no repository; name it as owner/name"
            raise PullRequestError(message)
        self._repository, self._pause = repository, pause
        self._http = httpx.Client(
            base_url=api_url,
            timeout=TIMEOUT_SECONDS,
            headers={
                "authorization": f"Bearer {token}",
                "accept": "application/vnd.github+json",
                "x-github-api-version": "2022-11-28",
            },
        )

    def __enter__(self) -> GitHub:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def comment(self, number: int, body: str, *, by: str = BY_ACTIONS) -> str:
        """Return the address of a comment with a preview, new or in place of the earlier one.

        Args:
            number: Of the pull request.
            body: Its first line is the marker by which the next one finds it.
            by: Whose comments may be replaced: anybody can write a marker.

        Raises:
            PullRequestError: The text is no preview or too long, or GitHub refuses.
            TransientError: GitHub does not answer.
        """
        marker = body.split("\n", 1)[0].strip()
        if not MARKER.fullmatch(marker):
            message = f"a preview begins with its marker, not with {marker!r:.100}"
            raise PullRequestError(message)
        if len(body) > COMMENT_LIMIT:
            message = f"{len(body)} characters; GitHub takes {COMMENT_LIMIT}: cut the preview"
            raise PullRequestError(message)
        comments = f"/repos/{self._repository}/issues/{number}/comments"
        earlier = self._earlier(comments, marker, by=by)
        if earlier is None:
            return str(self._call("POST", comments, body)["html_url"])
        place = f"/repos/{self._repository}/issues/comments/{earlier}"
        return str(self._call("PATCH", place, body)["html_url"])

    def _earlier(self, comments: str, marker: str, *, by: str) -> int | None:
        for one in self._pages(comments):
            of = (one.get("user") or {}).get("login")
            if of == by and str(one.get("body") or "").split("\n", 1)[0].strip() == marker:
                return int(one["id"])
        return None

    def _pages(self, comments: str) -> Iterator[dict[str, Any]]:
        for page in range(1, MOST_PAGES + 1):
            found = self._call("GET", f"{comments}?per_page={PAGE}&page={page}")
            yield from found
            if len(found) < PAGE:
                return

    def _call(self, method: str, path: str, body: str | None = None) -> Any:
        # A comment that was not acknowledged may be there: posting again would make a second.
        pauses = () if method == "POST" else PAUSES_SECONDS
        for pause in pauses:
            try:
                return self._once(method, path, body)
            except TransientError:
                self._pause(pause)
        return self._once(method, path, body)

    def _once(self, method: str, path: str, body: str | None) -> Any:
        where = self._http.base_url.host
        try:
            sent = None if body is None else {"body": body}
            answer = self._http.request(method, path, json=sent)
        except httpx.TransportError as error:
            message = f"{where} does not answer ({type(error).__name__}); run it again"
            raise TransientError(message) from error
        if answer.status_code in AGAIN:
            message = f"{where} is busy ({answer.status_code}); run it again"
            raise TransientError(message)
        if not answer.is_success:
            hint = HINTS.get(answer.status_code, "the address may have changed, or the text is odd")
            message = f"{where} refused {method} {path} ({answer.status_code}): {hint}"
            raise PullRequestError(message)
        try:
            return answer.json()
        except ValueError as error:
            message = f"{where} did not answer in JSON; check GITHUB_API_URL"
            raise PullRequestError(message) from error


@app.command
def comment(
    *, file: Path, number: Number, repository: str | None = None, by: str = BY_ACTIONS
) -> int:
    """Post a preview, or put it in the place of the one that is there.

    Args:
        file: As `homeostat preview` writes it for a pull request.
        number: Of the pull request.
        repository: As owner/name; by default GITHUB_REPOSITORY.
        by: Whose comments may be replaced.
    """
    return _post(file, number, repository=repository, by=by, environment=os.environ)


def _post(
    file: Path,
    number: int,
    *,
    repository: str | None,
    by: str,
    environment: Mapping[str, str],
) -> int:
    try:
        token = environment.get("GITHUB_TOKEN", "")
        if not token:
            message = "GITHUB_TOKEN is not set; the platform's secrets set it"
            raise PullRequestError(message)
        with GitHub(
            token=token,
            repository=repository or environment.get("GITHUB_REPOSITORY", ""),
            api_url=environment.get("GITHUB_API_URL") or GITHUB_API,
        ) as github:
            _say(sys.stdout, github.comment(number, file.read_text(encoding="utf-8"), by=by))
    except (InfraError, OSError, UnicodeDecodeError) as error:
        _say(sys.stderr, f"not commented: {error}")
        return 1
    return 0


def _say(where: Any, text: str) -> None:
    where.write(f"{text}\n")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code."""
    code = app(words, exit_on_error=True, result_action="return_value")
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
