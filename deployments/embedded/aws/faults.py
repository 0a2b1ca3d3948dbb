"""Faults on demand: throttling, server errors, delays and dropped connections."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import UnknownServiceError
from moto.core.utils import get_service_model

from deployments.embedded.aws.calls import Call, Protocol, model_name
from deployments.embedded.aws.errors import AwsError, InvalidFileError

MOST_DELAY_SECONDS = 60.0
_OPERATION = re.compile(r"\*|[a-z0-9*?-]+:[A-Za-z0-9*?]+")


class InvalidFaultError(Exception):
    """A rule that names something unknown or is out of bounds."""

    def __init__(self, *, rule: int, reason: str) -> None:
        super().__init__(f"fault rule {rule}: {reason}")


class ConnectionDroppedError(Exception):
    """Tells the server to hang up without an answer."""


class FaultKind(StrEnum):
    """What goes wrong."""

    THROTTLE = "throttle"
    ERROR = "error"
    DELAY = "delay"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One way in which some calls go wrong.

    Attributes:
        operation: As in a policy, wildcards included: "ec2:DescribeSpotPriceHistory", "ec2:*", "*".
        kind: What goes wrong.
        probability: Of each matching call; above 0, at most 1.
        count: After so many faults the rule rests; None for never.
        seconds: Of a delay, above 0 and at most 60; nothing for the other kinds.
        seed: Of the draws; the same sequence of calls meets the same faults.
    """

    operation: str
    kind: FaultKind
    probability: float = 1.0
    count: int | None = None
    seconds: float | None = None
    seed: int = 0


class FaultPlan:
    """The rules in force, and how often each has fired. Safe to use from several threads."""

    def __init__(self, rules: Sequence[FaultRule] = ()) -> None:
        self._lock = threading.Lock()
        self.replace(rules)

    def replace(self, rules: Sequence[FaultRule]) -> None:
        """Put other rules in force; counts start at zero."""
        with self._lock:
            self._rules = tuple(rules)
            self._fired = [0] * len(rules)
            self._draws = [random.Random(rule.seed) for rule in rules]  # noqa: S311 - not a secret

    def fire(self, operation: str) -> tuple[FaultRule, ...]:
        """Return the faults that meet a call, in the order of the rules: delays, then one other."""
        met: list[FaultRule] = []
        with self._lock:
            for index, rule in enumerate(self._rules):
                if not self._meets(index, rule, operation):
                    continue
                self._fired[index] += 1
                met.append(rule)
                if rule.kind is not FaultKind.DELAY:
                    break
        return tuple(met)

    def _meets(self, index: int, rule: FaultRule, operation: str) -> bool:
        if not fnmatchcase(operation, rule.operation):
            return False
        if rule.count is not None and self._fired[index] >= rule.count:
            return False
        return self._draws[index].random() < rule.probability

    def describe(self) -> dict[str, Any]:
        """Return the rules, each with how often it fired."""
        with self._lock:
            pairs = zip(self._rules, self._fired, strict=True)
            return {"rules": [{**asdict(rule), "fired": fired} for rule, fired in pairs]}


def fault_error(call: Call, kind: FaultKind) -> AwsError:
    """Return the refusal that a throttled or failed call gets, in its service's words."""
    if kind is FaultKind.ERROR:
        message = "An internal error has occurred"
        return AwsError(code="InternalError", message=message, status=500)
    if call.protocol is Protocol.EC2:
        return AwsError(code="RequestLimitExceeded", message="Request limit exceeded.", status=503)
    if call.service == "s3":
        message = "Please reduce your request rate."
        return AwsError(code="SlowDown", message=message, status=503)
    code = "Throttling" if call.protocol is Protocol.QUERY else "ThrottlingException"
    return AwsError(code=code, message="Rate exceeded")


def read_faults(path: Path) -> tuple[FaultRule, ...]:
    """Return the rules in a YAML or JSON file.

    Raises:
        InvalidFileError: The file or one of its rules is not valid.
    """
    try:
        return fault_rules(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, InvalidFaultError) as error:
        raise InvalidFileError(path, str(error)) from error


def fault_rules(document: Any) -> tuple[FaultRule, ...]:
    """Return the rules of a document: a list of rules, or a mapping with a list under "rules".

    Raises:
        InvalidFaultError: Names the rule, counted from 1, the field and its limit.
    """
    items = document.get("rules") if isinstance(document, Mapping) else document
    if not isinstance(items, list):
        raise InvalidFaultError(rule=0, reason='give a list of rules, or {"rules": [...]}')
    return tuple(_rule(item, number) for number, item in enumerate(items, start=1))


def _rule(item: Any, number: int) -> FaultRule:
    known = [entry.name for entry in fields(FaultRule)]
    if not isinstance(item, Mapping) or not {"operation", "kind"} <= set(item):
        raise InvalidFaultError(rule=number, reason='needs the fields "operation" and "kind"')
    unknown = sorted(set(item) - {*known, "fired"})
    if unknown:
        reason = f"field {unknown[0]!r} is unknown; fields are {', '.join(known)}"
        raise InvalidFaultError(rule=number, reason=reason)
    try:
        kind = FaultKind(item["kind"])
    except ValueError as error:
        reason = f"kind {item['kind']!r} is unknown; kinds are {', '.join(FaultKind)}"
        raise InvalidFaultError(rule=number, reason=reason) from error
    rule = FaultRule(**{name: item[name] for name in known if name in item} | {"kind": kind})
    for problem in _problems(rule):
        raise InvalidFaultError(rule=number, reason=problem)
    return rule


def _problems(rule: FaultRule) -> list[str]:
    wants_seconds = rule.kind is FaultKind.DELAY
    checks = [
        (
            _names_operation(rule.operation),
            f"operation {rule.operation!r} matches no AWS operation",
        ),
        (
            _is_number(rule.probability) and 0 < rule.probability <= 1,
            f"probability {rule.probability!r} is not above 0 and at most 1",
        ),
        (
            rule.count is None or (_is_whole(rule.count) and rule.count >= 1),
            f"count {rule.count!r} is not a whole number of at least 1, or null for no limit",
        ),
        (
            wants_seconds or rule.seconds is None,
            f"seconds {rule.seconds!r} is for the kind delay only",
        ),
        (
            not wants_seconds
            or (_is_number(rule.seconds) and 0 < (rule.seconds or 0) <= MOST_DELAY_SECONDS),
            f"seconds {rule.seconds!r} is not above 0 and at most {MOST_DELAY_SECONDS:g}",
        ),
        (_is_whole(rule.seed), f"seed {rule.seed!r} is not a whole number"),
    ]
    return [reason for passed, reason in checks if not passed]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _names_operation(pattern: object) -> bool:
    """Return whether the pattern can ever match: a misspelt operation would never fail."""
    if not isinstance(pattern, str) or not _OPERATION.fullmatch(pattern):
        return False
    service, _, operation = pattern.partition(":")
    if not operation or set(service) & set("*?"):
        return True
    try:
        names = get_service_model(model_name(service)).operation_names
    except UnknownServiceError:
        return False
    return any(fnmatchcase(name, operation) for name in names)
