"""What the engine tells while it works, as the lines of a preview and the record of an update."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.adapters.pulumi.made_up_names import without_made_up_names
from tasks.adapters.pulumi.values import plain_inputs
from tasks.domain.stacks.applied import Done, Failed
from tasks.domain.stacks.diffs import first_key, masked, property_diffs, related
from tasks.domain.stacks.preview import Operation, PropertyDiff, ResourceChange, Value
from tasks.domain.stacks.recovery import name_of

LONGEST_MESSAGE = 600
Event = Mapping[str, Any]
"""As `tasks.adapters.pulumi.worker` writes it: kind, and what belongs to that kind."""

OPERATIONS = {
    "same": Operation.SAME,
    "create": Operation.CREATE,
    "update": Operation.UPDATE,
    "delete": Operation.DELETE,
    "replace": Operation.REPLACE,
    "create-replacement": Operation.REPLACE,
    "delete-replaced": Operation.REPLACE,
    "import": Operation.IMPORT,
    "import-replacement": Operation.REPLACE,
    "discard": Operation.FORGET,
    "discard-replaced": Operation.FORGET,
    "remove-pending-replace": Operation.FORGET,
}
"""A read changes nothing, and a refresh is told as drift."""
_RANK = {
    Operation.SAME: 0,
    Operation.IMPORT: 1,
    Operation.UPDATE: 2,
    Operation.CREATE: 3,
    Operation.FORGET: 4,
    Operation.DELETE: 5,
    Operation.REPLACE: 6,
}
"""Of several steps with a resource, the gravest is told: an import with an update is an update."""
_NO_NEWS = ("using pulumi-resource-", "update failed", "preview failed")
_COLOURS = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the state says of a resource besides its events.

    Attributes:
        retained: It stays in the account when the stack deletes it.
    """

    retained: bool = False


def resource_changes(
    events: Iterable[Event], *, known: Mapping[str, Known]
) -> tuple[ResourceChange, ...]:
    """Return one line for each resource, by URN; providers and the stack itself left out."""
    steps = _by_urn(event for event in events if event["kind"] in {"pre", "outputs"})
    found = (_change(urn, told, known.get(urn, Known())) for urn, told in steps.items())
    lines = sorted((one for one in found if one is not None), key=lambda one: one.urn)
    return without_made_up_names(lines)


def drift(events: Iterable[Event]) -> tuple[ResourceChange, ...]:
    """Return what a refresh found otherwise than in the state; what is gone is a deletion."""
    told = [event for event in events if event["kind"] == "outputs" and event["op"] == "refresh"]
    found = (_drifted(urn, steps[-1]) for urn, steps in _by_urn(told).items())
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.urn))


def operations_done(events: Iterable[Event], *, known: Mapping[str, Known]) -> tuple[Done, ...]:
    """Return what an update did, in the order in which it ended."""
    done: dict[tuple[str, Operation], Done] = {}
    for event in events:
        if event["kind"] != "outputs" or _internal(event):
            continue
        operation = _operation(event, known.get(event["urn"], Known()))
        if operation is not None and operation is not Operation.SAME:
            done[event["urn"], operation] = Done(
                name=name_of(event["urn"]),
                token=event["type"],
                urn=event["urn"],
                operation=operation,
                resource_id=_id(event["new"]) or _id(event["old"]),
            )
    return tuple(done.values())


def operations_failed(events: Sequence[Event], *, known: Mapping[str, Known]) -> tuple[Failed, ...]:
    """Return the operations that failed, with what the provider said about each."""
    return tuple(
        Failed(
            name=name_of(event["urn"]),
            token=event["type"],
            urn=event["urn"],
            operation=_operation(event, known.get(event["urn"], Known())) or Operation.SAME,
            message=error_text(events, urn=event["urn"]) or "the provider gave no reason",
        )
        for event in events
        if event["kind"] == "failed" and not _internal(event)
    )


def error_text(events: Iterable[Event], *, urn: str | None = None) -> str:
    """Return what went wrong, each sentence once, each with the name of its resource.

    Args:
        events: Of one operation.
        urn: Only errors of this resource, without its name.
    """
    told: dict[str, None] = {}
    for event in events:
        if event["kind"] == "message" and event["severity"] == "error":
            text, of = cleaned(event["message"]), event.get("urn") or ""
            if text and not text.startswith(_NO_NEWS) and urn in {None, of}:
                told[text if urn is not None or not of else f"{name_of(of)}: {text}"] = None
    return shortened("; ".join(told))


def warnings(events: Iterable[Event]) -> tuple[str, ...]:
    """Return the engine's warnings, each once."""
    told = (
        cleaned(event["message"])
        for event in events
        if event["kind"] == "message" and event["severity"] == "warning"
    )
    return tuple(dict.fromkeys(one for one in map(shortened, told) if _is_news(one)))


def cleaned(text: str) -> str:
    """Return a message of the engine in one line, without colours."""
    return " ".join(_COLOURS.sub("", text).split())


def shortened(text: str) -> str:
    """Return at most LONGEST_MESSAGE characters."""
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 3]}..."


def _is_news(text: str) -> bool:
    return bool(text) and not text.startswith(_NO_NEWS)


def _by_urn(events: Iterable[Event]) -> dict[str, list[Event]]:
    steps: dict[str, list[Event]] = {}
    for event in events:
        if not _internal(event):
            steps.setdefault(event["urn"], []).append(event)
    return steps


def _internal(event: Event) -> bool:
    return str(event["type"]).startswith("pulumi:")


def _operation(event: Event, known: Known) -> Operation | None:
    operation = OPERATIONS.get(event.get("op", ""))
    if operation is Operation.DELETE and known.retained:
        # The engine calls it a deletion, and the provider is never asked for one.
        return Operation.FORGET
    return operation


def _change(urn: str, told: list[Event], known: Known) -> ResourceChange | None:
    planned = [one for one in told if _operation(one, known) is not None]
    if not planned:
        return None
    operation = _gravest(planned, known)
    step = next(one for one in _steps_of(planned, operation, known))
    before, after = _inputs(step["old"]), _inputs(step["new"])
    before, after = _with_secrets_masked(before, after, told)
    return ResourceChange(
        name=name_of(urn),
        token=step["type"],
        urn=urn,
        operation=operation,
        resource_id=next((i for one in planned if (i := _id(one["old"]) or _id(one["new"]))), None),
        diffs=_diffs(operation, before, after, planned),
        inputs_before=before,
        inputs_after=None if operation in {Operation.DELETE, Operation.FORGET} else after,
        protected=any(_protected(one) for one in planned),
    )


def _gravest(planned: list[Event], known: Known) -> Operation:
    found = [one for event in planned if (one := _operation(event, known)) is not None]
    if {event["op"] for event in planned} == {"delete-replaced"}:
        return Operation.DELETE  # The second half of a replacement that was cut off.
    return max(found, key=_RANK.__getitem__)


def _steps_of(planned: list[Event], operation: Operation, known: Known) -> Iterator[Event]:
    # The step that has both sides comes first; "delete-replaced" has the old one alone.
    of_it = [one for one in planned if _operation(one, known) is operation]
    yield from (one for one in of_it if one["new"] is not None and one["old"] is not None)
    yield from of_it
    yield from planned


def _inputs(state: Mapping[str, Any] | None) -> dict[str, Value] | None:
    return None if state is None else plain_inputs(state.get("inputs"))


def _with_secrets_masked(
    before: dict[str, Value] | None, after: dict[str, Value] | None, told: list[Event]
) -> tuple[dict[str, Value] | None, dict[str, Value] | None]:
    # A refresh reads secrets from the account in the clear: what one event hides, none may show.
    sides = [
        side for one in told for key in ("old", "new") if (side := _inputs(one[key])) is not None
    ]
    for side in sides:
        before = None if before is None else _masked(before, side)
        after = None if after is None else _masked(after, side)
    return before, after


def _masked(inputs: dict[str, Value], like: Mapping[str, Value]) -> dict[str, Value]:
    return {key: masked(value, like.get(key)) for key, value in inputs.items()}


def _diffs(
    operation: Operation,
    before: dict[str, Value] | None,
    after: dict[str, Value] | None,
    planned: list[Event],
) -> tuple[PropertyDiff, ...]:
    if operation not in {Operation.UPDATE, Operation.REPLACE}:
        return ()
    return _told_diffs(before, after, planned)


def _told_diffs(
    before: dict[str, Value] | None, after: dict[str, Value] | None, steps: list[Event]
) -> tuple[PropertyDiff, ...]:
    """Return the differences that the provider sees, leaf by leaf.

    It alone knows that leaving something out can mean "as it is": after an import the state has
    every input there is, and the program the few that it says.
    """
    replaces = {path for one in steps for path in one.get("replaces", ())}
    differs = {path for one in steps for path in one.get("differs", ())}
    found = property_diffs(before, after, replaces=replaces)
    kept: list[PropertyDiff] = []
    for name in sorted({first_key(path) for path in differs}):
        of_it = [one for one in found if first_key(one.path) == name]
        # Where a provider writes its paths otherwise than we do, all of the property is shown.
        kept += [one for one in of_it if any(related(one.path, path) for path in differs)] or of_it
    return tuple(kept)


def _drifted(urn: str, step: Event) -> ResourceChange | None:
    before, after = _inputs(step["old"]), _inputs(step["new"])
    before, after = _with_secrets_masked(before, after, [step])
    diffs = _told_diffs(before, after, [step])
    if after is not None and not diffs:
        return None
    return ResourceChange(
        name=name_of(urn),
        token=step["type"],
        urn=urn,
        operation=Operation.DELETE if after is None else Operation.UPDATE,
        resource_id=_id(step["old"]),
        diffs=() if after is None else diffs,
        inputs_before=before,
        inputs_after=after,
        protected=_protected(step),
    )


def _id(state: Mapping[str, Any] | None) -> str | None:
    return (state or {}).get("id") or None


def _protected(event: Event) -> bool:
    return bool((event["new"] or event["old"] or {}).get("protect"))
