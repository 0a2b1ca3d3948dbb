"""Ways to edit a request, an answer or its signatures; and to give the same in another form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from benchmarks.stacks_bypass_cases import UNDO, Case, Signed
from benchmarks.stacks_bypass_previews import STRAY
from tasks.domain.stacks.approval import Demand, ask


def hash_given(change: Callable[[str], str]) -> Callable[..., Case | None]:
    """Return an attempt with another hash in the answer."""

    def changed(case: Case, _: Random) -> Case | None:
        edited = change(case.given.hash)
        return (
            None
            if edited == case.given.hash
            else replace(case, given=replace(case.given, hash=edited))
        )

    return changed


def hash_everywhere(change: Callable[[str], str]) -> Callable[..., Case | None]:
    """Return an attempt with another hash in the request and the answer, signed anew or not."""

    def changed(case: Case, _: Random) -> Case | None:
        edited = change(case.request.hash)
        if edited == case.request.hash:
            return None
        return replace(
            case,
            request=replace(case.request, hash=edited),
            given=replace(case.given, hash=edited),
        )

    return changed


def in_request(**changes: Any) -> Callable[..., Case | None]:
    """Return an attempt with an edited request."""

    def changed(case: Case, _: Random) -> Case | None:
        edited = replace(case.request, **changes)
        return None if edited == case.request else replace(case, request=edited)

    return changed


def in_given(**changes: Any) -> Callable[..., Case | None]:
    """Return an attempt with an edited answer."""
    return lambda case, _: replace(case, given=replace(case.given, **changes))


def applied_at(moment: datetime) -> Callable[..., Case | None]:
    """Return an attempt to apply at another time."""
    return lambda case, _: replace(case, now=moment)


def answered_at_the_end(case: Case, _: Random) -> Case:
    """Answer ten seconds after the end, on a worker whose clock is ahead of the one that applies."""
    end = case.request.expires_at
    return replace(
        case,
        now=end - timedelta(seconds=30),
        given=replace(case.given, given_at=end + timedelta(seconds=10)),
    )


def swapped_document(case: Case, _: Random) -> Case | None:
    """A larger update under the old answer: request and hash are made anew, the signatures not."""
    larger = replace(case.preview, changes=(*case.preview.changes, STRAY))
    request = replace(
        ask(
            larger,
            request_id=case.request.request_id,
            requested_at=case.request.requested_at,
            expires_at=case.request.expires_at,
            record_sha256=UNDO,
        ),
        demand=case.request.demand,
    )
    signed = tuple(replace(one, text=f"{case.request.hash}\n") for one in case.signed)
    given = replace(case.given, hash=request.hash) if signed else case.given
    return replace(case, request=request, preview=larger, signed=signed, given=given)


def extended(case: Case, _: Random) -> Case | None:
    """Expiry put off in the request and in its document, the answer left as it was."""
    request = ask(
        case.preview,
        request_id=case.request.request_id,
        requested_at=case.request.requested_at,
        expires_at=case.request.expires_at + timedelta(days=365),
        record_sha256=UNDO,
    )
    return replace(case, request=request, now=case.request.expires_at + timedelta(hours=1))


def renamed(case: Case, _: Random) -> Case | None:
    """The answer to one request for the next one about the same preview."""
    request = ask(
        case.preview,
        request_id="the-next-one",
        requested_at=case.request.requested_at,
        expires_at=case.request.expires_at,
        record_sha256=UNDO,
    )
    signed = tuple(replace(one, text=f"{case.request.hash}\n") for one in case.signed)
    return replace(case, request=request, signed=signed)


def zone_swapped(case: Case, _: Random) -> Case:
    """Read the expiry's clock in a time zone where it is later."""
    later = case.request.expires_at.replace(tzinfo=timezone(-timedelta(hours=11)))
    return replace(
        case,
        request=replace(case.request, expires_at=later),
        now=case.request.expires_at + timedelta(hours=1),
    )


def unasked_demand(case: Case, _: Random) -> Case | None:
    """Lower what the request demands, and sign nothing."""
    if not case.signed:
        return None
    return replace(case, request=replace(case.request, demand=Demand.FORM), signed=())


def signed_by(
    *made: Signed, shape: Callable[[tuple[str, ...]], tuple[str, ...]] = tuple
) -> Callable[..., Case | None]:
    """Return an attempt with other signatures; of interest where one is demanded."""

    def changed(case: Case, _: Random) -> Case | None:
        return replace(case, signed=made, shape=shape) if case.signed else None

    return changed


def signed_text_of(change: Callable[[Case], str]) -> Callable[..., Case | None]:
    """Return an attempt in which allowed signers signed another text."""

    def changed(case: Case, _: Random) -> Case | None:
        made = tuple(replace(one, text=change(case)) for one in case.signed)
        return replace(case, signed=made) if made else None

    return changed


def one_of_two(made: tuple[Signed, ...]) -> Callable[..., Case | None]:
    """Return an attempt with other signatures where two are demanded."""

    def changed(case: Case, _: Random) -> Case | None:
        return replace(case, signed=made) if len(case.signed) == 2 else None

    return changed


def shuffled(case: Case, rng: Random) -> Case:
    """Put everything that has no order into another one."""

    def order(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(rng.sample(entries, len(entries)))

    lines = tuple(replace(one, diffs=order(one.diffs)) for one in order(case.preview.changes))
    return replace(
        case,
        preview=replace(
            case.preview,
            changes=lines,
            costs=order(case.preview.costs),
            findings=order(case.preview.findings),
            drift=order(case.preview.drift),
        ),
    )


def keys_turned(case: Case, _: Random) -> Case:
    """Turn the order of keys, and write lists for tuples and 1.0 for 1."""

    def swapped(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: swapped(value[key]) for key in reversed(value)}
        if isinstance(value, tuple):
            return [swapped(one) for one in value]
        return float(value) if type(value) is int else value

    lines = tuple(
        replace(
            one, inputs_before=swapped(one.inputs_before), inputs_after=swapped(one.inputs_after)
        )
        for one in case.preview.changes
    )
    return replace(case, preview=replace(case.preview, changes=lines))


def elsewhere(case: Case, _: Random) -> Case:
    """Give every instant in another time zone."""
    zone = timezone(timedelta(hours=9))
    return replace(
        case,
        now=case.now.astimezone(zone),
        request=replace(case.request, expires_at=case.request.expires_at.astimezone(zone)),
        given=replace(case.given, given_at=case.given.given_at.astimezone(zone)),
    )


def signed_honestly(*made: Signed) -> Callable[..., Case | None]:
    """Return a variation with other signers who are enough."""
    return lambda case, _: replace(case, signed=made) if case.signed else None
