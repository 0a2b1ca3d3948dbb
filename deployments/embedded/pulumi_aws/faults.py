"""What goes wrong on purpose: errors, waiting, and the end of the provider's process.

`HOMEOSTAT_STANDIN_FAULTS` holds a JSON list of rules, for example
`[{"operation": "create", "name": "web-*", "when": "after", "exit": true}]`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from deployments.embedded.pulumi_aws.errors import InjectedError, StandInError

FAULTS_VARIABLE = "HOMEOSTAT_STANDIN_FAULTS"
MOST_DELAY_SECONDS = 60.0
EXIT_CODE = 70
_WHEN = ("before", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that goes wrong.

    Attributes:
        operation: "create", "read", "update" or "delete" for the whole of it, or one call of AWS
            such as "ec2:StopInstances"; wildcards are allowed.
        token: Pattern of Pulumi's type.
        name: Pattern of the logical name.
        when: "before" or "after" it was carried out.
        times: After so many the rule rests; None for never. Counted by process.
        error: Text of the error; None for none.
        exit: The provider's process ends at once, as if it had been killed.
        delay_seconds: Waited first, 0 to 60.
    """

    operation: str
    token: str = "*"  # noqa: S105 - a pattern of types
    name: str = "*"
    when: str = "before"
    times: int | None = None
    error: str | None = None
    exit: bool = False
    delay_seconds: float = 0.0


class Faults:
    """The rules in force. Safe to use from several threads.

    Args:
        rules: In order; all that match are met, delays before errors.
    """

    def __init__(self, rules: tuple[Rule, ...] = ()) -> None:
        self._rules = rules
        self._met = [0] * len(rules)
        self._lock = threading.Lock()
        self._place = threading.local()

    @contextmanager
    def around(self, operation: str, *, token: str, name: str) -> Iterator[None]:
        """Carry out an operation on a resource, with what goes wrong before, in and after it.

        Raises:
            InjectedError: A rule says so.
        """
        self._place.token, self._place.name = token, name
        self.meet(operation, when="before")
        yield
        self.meet(operation, when="after")

    def meet(self, operation: str, *, when: str) -> None:
        """Do what the rules say about an operation of the resource that is worked on.

        Raises:
            InjectedError: A rule says so.
        """
        for index, rule in enumerate(self._rules):
            if self._matches(rule, operation, when) and self._counts(index, rule):
                _act(rule, operation)

    def _matches(self, rule: Rule, operation: str, when: str) -> bool:
        token, name = getattr(self._place, "token", ""), getattr(self._place, "name", "")
        return (
            rule.when == when
            and fnmatchcase(operation, rule.operation)
            and fnmatchcase(token, rule.token)
            and fnmatchcase(name, rule.name)
        )

    def _counts(self, index: int, rule: Rule) -> bool:
        with self._lock:
            self._met[index] += 1
            return rule.times is None or self._met[index] <= rule.times


def _act(rule: Rule, operation: str) -> None:
    if rule.delay_seconds:
        time.sleep(rule.delay_seconds)
    if rule.exit:
        os._exit(EXIT_CODE)
    if rule.error is not None:
        message = f"{operation}: {rule.error} (on purpose: {FAULTS_VARIABLE})"
        raise InjectedError(message)


def faults_from(environ: Mapping[str, str]) -> Faults:
    """Return the faults that an environment asks for.

    Raises:
        StandInError: They are not a list of rules; names what is wrong.
    """
    text = environ.get(FAULTS_VARIABLE, "")
    try:
        return Faults(tuple(_rule(item) for item in json.loads(text or "[]")))
    except (ValueError, TypeError, AttributeError) as error:
        message = f"{FAULTS_VARIABLE} is not a list of rules: {error}"
        raise StandInError(message) from error


def _rule(item: Mapping[str, Any]) -> Rule:
    known = {entry.name for entry in fields(Rule)}
    if unknown := sorted(set(item) - known):
        message = f"{unknown[0]!r} is unknown; there are {', '.join(sorted(known))}"
        raise ValueError(message)
    rule = Rule(**item)
    if rule.when not in _WHEN:
        message = f"when is {rule.when!r} and has to be one of {', '.join(_WHEN)}"
        raise ValueError(message)
    if not 0 <= rule.delay_seconds <= MOST_DELAY_SECONDS:
        message = f"delay_seconds is {rule.delay_seconds!r}, 0 to {MOST_DELAY_SECONDS:g} is allowed"
        raise ValueError(message)
    return rule
