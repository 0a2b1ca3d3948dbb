"""What a request on another server's objects is: who wants to do what, and how it is told there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from multidict import CIMultiDict, CIMultiDictProxy

from deployments.embedded.kubernetes.access import Attempt, User
from deployments.embedded.kubernetes.requests import is_watch

VERBS = {
    "GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch",
    "DELETE": "delete",
}  # fmt: skip
OF_ALL = {"delete": "deletecollection", "get": "list"}
OF_A_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length",
})  # fmt: skip
"""Headers that are between two ends of one connection, and those that are written anew."""
PARTS_OF_NAMESPACES = ("status", "finalize")


def attempt_of(method: str, path: str, query: Mapping[str, str]) -> Attempt:
    """Return what a request wants to do, by its path alone: its kinds are known elsewhere."""
    verb = VERBS.get(method, "")
    _, group, _, *rest = [part for part in path.split("/") if part]
    if not rest:
        return Attempt(verb=verb, path=path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in PARTS_OF_NAMESPACES:
            rest = rest[2:]
    plural, name, part = (*rest, "", "")[:3]
    if not name:
        verb = "watch" if verb == "get" and is_watch(query) else OF_ALL.get(verb, verb)
        name = _named(query) if verb in ("list", "watch", "deletecollection") else ""
    return Attempt(verb=verb, group=group, plural=plural, part=part, namespace=namespace, name=name)


def _named(query: Mapping[str, str]) -> str:
    """Return the one object that a list is narrowed to."""
    label, _, name = query.get("fieldSelector", "").partition("=")
    return name.removeprefix("=") if label == "metadata.name" and "," not in name else ""


def query_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a query as it is passed on: by the names of the parameters, escaped alike."""
    return urlencode(sorted(pairs, key=lambda one: one[0]))


def headers_for(known: CIMultiDictProxy[str], user: User, *, path: str) -> CIMultiDict[str]:
    """Return the headers that are passed on: of who asks their name, not how they proved it."""
    dropped = {one.strip().lower() for one in known.get("Connection", "").split(",")} | OF_A_HOP
    found = CIMultiDict[str]()
    for name, value in known.items():
        low = name.lower()
        if low in dropped or low in ("authorization", "host") or low.startswith("x-remote-"):
            continue
        found.add(name, value)
    found["X-Forwarded-Host"], found["X-Forwarded-Uri"] = known.get("Host", ""), path
    found["X-Remote-User"] = user.name
    for one in user.all_groups:
        found.add("X-Remote-Group", one)
    return found


def answered(known: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """Return the headers of an answer that are passed back."""
    return CIMultiDict([(name, one) for name, one in known.items() if name.lower() not in OF_A_HOP])
