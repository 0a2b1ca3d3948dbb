"""Which series a selector means, and their values at instants."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import numpy as np
from promql_parser import Matcher, MatchOp, VectorSelector

from deployments.embedded.prometheus.labels import NAME, Labels
from deployments.embedded.prometheus.promql.values import BadQueryError, QueryError, Vector
from deployments.embedded.prometheus.samples import Samples, Selected, TooManySamplesError
from deployments.embedded.workloads.physics.arrays import Floats, Ints

LOOK_BACK_MS = 5 * 60_000
"""A sample counts for so long, unless its series ended."""
TOO_MANY = "query processing would load too many samples into memory in query execution"


def milliseconds(length: timedelta | None) -> int:
    """Return a duration in milliseconds; 0 for none."""
    return 0 if length is None else round(length.total_seconds() * 1000)


def wanted(selector: VectorSelector) -> Callable[[Labels], bool]:
    """Return whether labels fit a selector.

    Raises:
        BadQueryError: A pattern is no regular expression, or alternatives are asked for.
    """
    if selector.matchers.or_matchers:
        msg = "alternatives of matchers in one selector are not part of this server; use the operator or"
        raise BadQueryError(msg)
    tests = [(one.name, _test(one)) for one in selector.matchers.matchers]
    if selector.name is not None:
        name = selector.name
        tests.append((NAME, lambda value: value == name))

    def fits(labels: Labels) -> bool:
        found = dict(labels)
        return all(test(found.get(name, "")) for name, test in tests)

    return fits


def metric_name(selector: VectorSelector) -> str | None:
    """Return the name of the only metric that a selector can mean; None where that is open."""
    if selector.name is not None:
        return selector.name
    names = [one.value for one in selector.matchers.matchers if one.name == NAME and one.op == MatchOp.Equal]  # fmt: skip
    return names[0] if names else None


def _test(matcher: Matcher) -> Callable[[str], bool]:
    value = matcher.value
    if matcher.op == MatchOp.Equal:
        return lambda found: found == value
    if matcher.op == MatchOp.NotEqual:
        return lambda found: found != value
    try:
        compiled = re.compile(f"(?:{value})", re.DOTALL)
    except re.error as error:
        msg = f'parse error: the pattern of {matcher.name} is no regular expression: "{value}": {error}'
        raise BadQueryError(msg) from error
    if matcher.op == MatchOp.Re:
        return lambda found: compiled.fullmatch(found) is not None
    return lambda found: compiled.fullmatch(found) is None


def select(samples: Samples, selector: VectorSelector, *, start: int, end: int) -> list[Selected]:
    """Return samples of the series of a selector; both ends in milliseconds and with them.

    Raises:
        QueryError: There are too many samples, or the selector uses what is not known here.
    """
    if selector.at is not None:
        msg = "the modifier @ is not part of this server"
        raise QueryError(msg)
    try:
        return samples.select(wanted(selector), start=start, end=end, name=metric_name(selector))
    except TooManySamplesError as error:
        raise QueryError(TOO_MANY) from error


def instants(found: Selected, ends: Ints) -> tuple[Vector, Floats]:
    """Return the last samples before instants, at most `LOOK_BACK_MS` old, of series that go on.

    Args:
        found: Samples.
        ends: (K,) milliseconds.

    Returns:
        The vector, and (S, K) when its samples are of, in seconds.
    """
    if not len(found.times):
        empty = np.zeros((len(found.labels), len(ends)))
        return Vector(labels=found.labels, values=empty, present=empty > 0), empty
    told = np.where(found.present | found.ended, np.arange(len(found.times)), -1)
    newest = np.maximum.accumulate(told, axis=1)
    column = np.searchsorted(found.times, ends, side="right") - 1
    at = np.where(column >= 0, newest[:, np.maximum(column, 0)], -1)
    place = np.maximum(at, 0)
    times = found.times[place]
    present = np.take_along_axis(found.present, place, axis=1)
    present &= (at >= 0) & (times > ends - LOOK_BACK_MS)
    values = np.take_along_axis(found.values, place, axis=1)
    return Vector(labels=found.labels, values=values, present=present), times / 1000.0
