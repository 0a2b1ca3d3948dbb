"""What a request asks for: kind, place, part and options, from its path and query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployments.embedded.kubernetes.errors import (
    bad_request,
    invalid_options,
    no_page,
    nowhere,
    unexplained,
)
from deployments.embedded.kubernetes.kinds import Kind, Kinds
from deployments.embedded.kubernetes.objects import Deletion, Writer
from deployments.embedded.kubernetes.selectors import Selector, field_selector, label_selector

MOST_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a path leads to.

    Attributes:
        kind: Of the objects, as the path shows them.
        stored: As which they are stored; the same for all but events.
        namespace: Empty for all, and for kinds without.
        name: Empty for all of them.
        part: Subresource; empty for the object itself.
    """

    kind: Kind
    stored: Kind
    namespace: str = ""
    name: str = ""
    part: str = ""


def namespace_of(target: Target) -> str:
    """Return the namespace that a role has to cover; a namespace object lies in itself."""
    return target.name if target.kind.name == "Namespace" else target.namespace


def target_of(path: str, kinds: Kinds) -> Target:
    """Return what a path leads to.

    Raises:
        ApiError: 404 where it leads nowhere.
    """
    parts = [part for part in path.split("/") if part]
    match parts:
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest]:
            pass
        case _:
            raise no_page()
    if not kinds.has_group(group, version):
        raise no_page()
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and kinds.find(group, version, rest[2]):
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3:
        raise nowhere()
    kind = kinds.find(group, version, rest[0])
    if kind is None or (namespace and not kind.namespaced):
        raise nowhere()
    name, part = (*rest[1:], "", "")[:2]
    if part and part not in kind.subresources:
        raise nowhere()
    if name and kind.namespaced and not namespace:
        raise nowhere()
    return Target(kind=kind, stored=kinds.stored(kind), namespace=namespace, name=name, part=part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How a list or a watch is narrowed and read.

    Attributes:
        labels: What labels have to be.
        fields: What fields have to be.
        limit: Most objects of a page; 0 for all.
        token: Of the next page; empty for the first.
        version: Said by the client; None for none.
        exact: Whether the list has to be of that version.
        bookmarks: Whether a watch tells versions without changes.
        seconds: How long a watch lasts; None for long.
        initial: Whether a watch begins with what is there and says so.
    """

    labels: Selector
    fields: Selector
    limit: int = 0
    token: str = ""
    version: int | None = None
    exact: bool = False
    bookmarks: bool = False
    seconds: float | None = None
    initial: bool = False


LIST, DELETE = "ListOptions", "DeleteOptions"
EXACT, NOT_OLDER = "Exact", "NotOlderThan"


def listing_of(query: Mapping[str, str], kind: Kind) -> Listing:
    """Return how a query narrows a list.

    Raises:
        ApiError: 400 where a part of it cannot be read, 422 where parts do not go together.
    """
    _check_match(query)
    token, version = query.get("continue", ""), _version(query)
    if token and version:
        message = "specifying resource version is not allowed when using continue"
        raise bad_request(message)
    return Listing(
        labels=label_selector(query.get("labelSelector", "")),
        fields=field_selector(query.get("fieldSelector", ""), kind),
        limit=_number(query, "limit") or 0,
        token=token,
        version=version,
        exact=query.get("resourceVersionMatch") == EXACT,
        bookmarks=is_true(query.get("allowWatchBookmarks")),
        seconds=_number(query, "timeoutSeconds"),
        initial=is_true(query.get("sendInitialEvents")),
    )


def _check_match(query: Mapping[str, str]) -> None:
    match, watches = query.get("resourceVersionMatch", ""), is_watch(query)
    name, causes = "resourceVersionMatch", []
    if watches and "sendInitialEvents" in query and match != NOT_OLDER:
        message = f"sendInitialEvents requires setting resourceVersionMatch to {NOT_OLDER}"
        causes.append((name, f"Forbidden: {message}"))
    elif watches and match and "sendInitialEvents" not in query:
        message = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        causes.append((name, f"Forbidden: {message}"))
    elif not watches and match and not query.get("resourceVersion"):
        message = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        causes.append((name, f"Forbidden: {message}"))
    elif match not in ("", EXACT, NOT_OLDER):
        listed = f'"{EXACT}", "{NOT_OLDER}", ""'
        causes.append((name, f'Unsupported value: "{match}": supported values: {listed}'))
    if causes:
        raise invalid_options(LIST, *causes)


def is_watch(query: Mapping[str, str]) -> bool:
    """Return whether a list goes on."""
    return is_true(query.get("watch"))


def writer_of(query: Mapping[str, str], agent: str) -> Writer:
    """Return who writes: the manager that is said, else the first word of the client's name."""
    manager = query.get("fieldManager") or agent.partition("/")[0].partition(" ")[0] or "unknown"
    return Writer(manager=manager[:128], dry_run=query.get("dryRun") == "All")


POLICIES = ("Foreground", "Background", "Orphan")


def deletion_of(query: Mapping[str, str], body: Mapping[str, Any]) -> Deletion:
    """Return how something is deleted; the body says more than the query.

    Raises:
        ApiError: 400 for seconds that are no number, 422 for an unknown policy.
    """
    said = dict(query) | {k: v for k, v in body.items() if v is not None}
    grace = str(said.get("gracePeriodSeconds", ""))
    if grace and not grace.lstrip("-").isdigit():
        message = f'strconv.ParseInt: parsing "{grace}": invalid syntax'
        raise bad_request(message)
    met = said.get("preconditions")
    conditions = met if isinstance(met, dict) else {}
    propagation = said.get("propagationPolicy")
    if propagation is not None and propagation not in POLICIES:
        listed = ", ".join(f'"{one}"' for one in (*POLICIES, "nil"))
        message = f'Unsupported value: "{propagation}": supported values: {listed}'
        raise invalid_options(DELETE, ("propagationPolicy", message))
    if propagation is None and said.get("orphanDependents") is not None:
        propagation = "Orphan" if is_true(str(said["orphanDependents"])) else "Background"
    return Deletion(
        grace_seconds=int(grace) if grace else None,
        propagation=propagation,
        uid=conditions.get("uid"),
        version=conditions.get("resourceVersion"),
        dry_run="All" in str(said.get("dryRun", "")),
    )


def is_true(text: str | None) -> bool:
    """Return whether a parameter says yes."""
    return text is not None and text.lower() in ("1", "true")


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.isdigit():
        message = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise bad_request(message)
    return int(text)


def _version(query: Mapping[str, str]) -> int | None:
    text = query.get("resourceVersion", "")
    if text and not text.isdigit():
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        message = f'resourceVersion: Invalid value: "{text}": {why}'
        raise unexplained(message) if is_watch(query) else bad_request(message)
    return int(text) if text else None
