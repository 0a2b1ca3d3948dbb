"""What is kept of a stack: its changes and the bytes of its programs.

Programs are kept as they were generated and shown, never generated anew from stored values: what
is applied is the text that was approved.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tasks.domain.stacks.canonical import canonical_json
from tasks.domain.stacks.changes import Change, Phase, Refused
from tasks.domain.stacks.preview import Operation, ResourceChange
from tasks.domain.stacks.program import StackPlan

UNDO_PROGRAM = "undo/__main__.py"
STEADY = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A resource of a stack.

    Attributes:
        name: Logical name.
        token: Pulumi's type.
        import_id: Id of what was there before; None for what the stack makes.
        change_id: Of the change that it belongs to.
        ignores: Inputs that others may change, such as a group's capacity, in snake_case.
    """

    name: str
    token: str
    import_id: str | None
    change_id: str
    ignores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRecord:
    """Everything about a stack that a later run needs.

    Attributes:
        generated_at: Aware UTC.
        changes: Smallest disruption first.
        refused: Opportunities of the region that are not in it, and why.
        members: Every resource of the change program.
        files: The project, text by path.
        prices: USD a month (before, after) by logical name, where it follows from the opportunity.
        spot_usd_per_hour: Spot prices by instance type that the preview was reckoned with.
        exports: Names of the stack's outputs once the change is applied.
        names: What people call the resources of its changes, by id: guardrails may use either.
        hourly: USD of one hour (before, after) by change id, where it is known.
    """

    stack: str
    region: str
    generated_at: datetime
    changes: tuple[Change, ...]
    refused: tuple[Refused, ...]
    members: tuple[Member, ...]
    files: Mapping[str, str]
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    spot_usd_per_hour: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    exports: tuple[str, ...] = ()
    hourly: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def record_sha256(self) -> str:
        """Of everything that a later run takes from it: programs, the way back, prices, tolerances."""
        document = {
            "stack": self.stack,
            "region": self.region,
            "files": self.files,
            "prices": self.prices,
            "spot_usd_per_hour": self.spot_usd_per_hour,
            "hourly": self.hourly,
            "names": self.names,
            "changes": [
                [one.change_id, str(one.kind), one.region, one.resource] for one in self.changes
            ],
            "members": [
                [one.name, one.token, one.import_id, one.change_id, one.ignores]
                for one in self.members
            ],
        }
        return hashlib.sha256(canonical_json(document).encode()).hexdigest()

    @property
    def resources(self) -> tuple[str, ...]:
        """What it changes, as in the opportunities, each once."""
        return tuple(dict.fromkeys(one.resource for one in self.changes))

    @property
    def managed(self) -> tuple[str, ...]:
        """Everything that belongs to it while it is active: what it changes and what it adopts."""
        adopted = (one.import_id for one in self.members if one.import_id is not None)
        return tuple(dict.fromkeys((*self.resources, *adopted)))

    def unexpected(self, drift: Iterable[ResourceChange]) -> tuple[ResourceChange, ...]:
        """Return drift without what others may change: scaling moves a group's capacity all day.

        Args:
            drift: As the engine tells it.
        """
        ignored = {one.name: frozenset(map(camel_case, one.ignores)) for one in self.members}
        found = (_without(one, ignored.get(one.name, frozenset())) for one in drift)
        return tuple(one for one in found if one is not None)


def stack_record(
    plan: StackPlan,
    files: Mapping[str, bytes],
    *,
    generated_at: datetime,
    spot_usd_per_hour: Mapping[str, float],
    hourly: Mapping[str, tuple[float, float]],
) -> StackRecord:
    """Return what is kept of a plan and its generated files.

    Args:
        plan: Its changes and programs.
        files: UTF-8 text by path.
        generated_at: Now, aware UTC.
        spot_usd_per_hour: By instance type, as quoted now.
        hourly: By change id: `hourly_prices`.
    """
    return StackRecord(
        stack=plan.stack,
        region=plan.region,
        generated_at=generated_at,
        changes=plan.changes,
        refused=plan.refused,
        members=tuple(
            Member(
                name=one.name,
                token=one.token,
                import_id=one.import_id,
                change_id=one.change_id,
                ignores=one.ignore_changes,
            )
            for one in plan.program(Phase.CHANGE).resources
        ),
        files={path: content.decode() for path, content in files.items()},
        exports=tuple(sorted(plan.program(Phase.CHANGE).exports)),
        prices=dict(plan.prices),
        spot_usd_per_hour=dict(spot_usd_per_hour),
        hourly=dict(hourly),
    )


def camel_case(name: str) -> str:
    """Return an input's name as Pulumi writes it: "desired_capacity" is "desiredCapacity"."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _without(line: ResourceChange, ignored: frozenset[str]) -> ResourceChange | None:
    if line.operation is not Operation.UPDATE or not line.diffs:
        return line
    kept = tuple(one for one in line.diffs if re.split(r"[.\[]", one.path)[0] not in ignored)
    return replace(line, diffs=kept) if kept else None


def steady_prices(then: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Return the spot prices to reckon with when something is previewed again.

    Spot prices move by the hour, and an approval is bound to every cent. A price that has not risen
    by more than a tenth since the preview that was approved counts as it did then; one that has,
    or that was not known then, counts as it is now, and the approval is void.

    Args:
        then: USD an hour by instance type.
        now: The same.
    """
    return {
        kind: then[kind] if kind in then and usd <= then[kind] * STEADY else usd
        for kind, usd in now.items()
    }
