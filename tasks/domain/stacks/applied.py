"""What an update did, also when it ended half-way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import Operation, Preview, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One operation that ended well.

    Attributes:
        resource_id: In the account, afterwards; before, for what was deleted or forgotten.
    """

    name: str
    token: str
    urn: str
    operation: Operation
    resource_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One operation that did not.

    Attributes:
        operation: What was tried. Whether the account did it is not known: look before repeating.
        message: The provider's words, shortened.
    """

    name: str
    token: str
    urn: str
    operation: Operation
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an update did.

    Attributes:
        done: In the order in which they ended; what stayed the same is not in it.
        failed: Empty when everything was done.
        error: The engine's words where it ended with an error; empty otherwise.
        pending: Operations that were begun and did not end, such as "creating web": recover first.
        outputs: Of the stack, by name.
        serial_before: Of the state that it began with.
        serial_after: Of the state that it left.
        notes: Warnings of the engine.
    """

    stack: str
    phase: Phase | None
    done: tuple[Done, ...]
    serial_before: str
    serial_after: str
    failed: tuple[Failed, ...] = ()
    error: str = ""
    pending: tuple[str, ...] = ()
    outputs: Mapping[str, Value] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything was done."""
        return not (self.failed or self.error or self.pending)


def is_adoption_only(preview: Preview) -> bool:
    """Return whether an update brings what exists under a stack and changes nothing in the account.

    Ask it of the previewed `adopt` program before it is applied. An engine of 2026 does not refuse
    an import whose inputs differ: it imports, and updates in the same run.
    """
    return all(one.operation in {Operation.IMPORT, Operation.SAME} for one in preview.changes)
