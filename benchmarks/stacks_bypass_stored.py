"""From what is stored between asking and applying to the judge: the way that the flow takes.

The steps are those of the flow from storage to the judge, with its own functions: bytes are checked
against the ledger's pointers and read, the fresh preview gets the program, the drift and the money
that follow from the stored record, and the judge decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.stacks_bypass_cases import NOW, Case, case_in_order
from benchmarks.stacks_bypass_made_up import INSTANCE
from tasks.adapters.documents import from_json, to_json
from tasks.adapters.objects import StoredObject, load_object, store_object
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.approval import ApprovalRequest, sha256
from tasks.domain.stacks.costs import cost_deltas
from tasks.domain.stacks.preview import Operation, Preview, ResourceChange
from tasks.domain.stacks.record import UNDO_PROGRAM, StackRecord, steady_prices
from tasks.domain.stacks.stack_prices import LINUX, StackPrices

CHANGE_PROGRAM = "__main__.py"
SPOT_TYPE, SPOT_USD = "m6i.large", 0.04
ON_DEMAND = {("m5.large", LINUX): 0.115, ("m6i.large", LINUX): 0.115, ("t3.medium", LINUX): 0.048}
BURST = ResourceChange(
    name="burst",
    token=INSTANCE,
    urn=f"urn:pulumi:s::homeostat::{INSTANCE}::burst",
    operation=Operation.CREATE,
    inputs_after={
        "instanceType": SPOT_TYPE,
        "instanceMarketOptions": {"marketType": "spot"},
    },
)
Json = dict[str, Any]


class StoppedError(PermanentError):
    """What is stored was refused before anybody could judge."""


class Memory:
    """A storage of objects by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def read_path(self, path: str) -> bytes:
        """Return an object."""
        if path not in self.objects:
            raise FileNotFoundError(path)
        return self.objects[path]

    def write_path(self, path: str, content: bytes) -> None:
        """Keep an object."""
        self.objects[path] = content


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What lies between asking and applying.

    Attributes:
        case: In order: its preview is what the engine says now, its request what was asked.
        pointers: The ledger's, by "plan", "preview" and "approval".
        spot_usd: Of `SPOT_TYPE`, USD an hour now; None where it is not quoted.
    """

    case: Case
    storage: Memory
    pointers: Mapping[str, StoredObject]
    spot_usd: float | None = SPOT_USD


def kept(case: Case) -> Kept:
    """Return a case as the flow keeps it, with a machine on spot among what is made."""
    program = f"program of {case.preview.stack}"
    plain = replace(
        case.preview,
        program_sha256=sha256(program),
        changes=(*case.preview.changes, BURST),
    )
    record = _record(plain, program)
    preview = _seen(plain, record, spot_usd=SPOT_USD)
    asked = case_in_order(preview, case.request.demand, record_sha256=record.record_sha256)
    storage = Memory()
    documents = {
        "plan": to_json(StackRecord, record),
        "preview": to_json(Preview, preview),
        "approval": to_json(ApprovalRequest, asked.request),
    }
    pointers = {
        name: store_object(storage, content, prefix=f"stacks/{name}", suffix=".json")
        for name, content in documents.items()
    }
    return Kept(case=asked, storage=storage, pointers=pointers)


def through_the_door(state: Kept) -> Case:
    """Return what the judge is given, as applying makes it of what is stored.

    Raises:
        StoppedError: Something stored is not what the ledger points to, or cannot be read.
    """
    try:
        record = from_json(StackRecord, load_object(state.storage, state.pointers["plan"]))
        from_json(Preview, load_object(state.storage, state.pointers["preview"]))
        request = from_json(ApprovalRequest, load_object(state.storage, state.pointers["approval"]))
        undo = record.record_sha256
        seen = _seen(state.case.preview, record, spot_usd=state.spot_usd)
    except (PermanentError, KeyError) as error:  # a program that is not there
        raise StoppedError(str(error)) from error
    text = f"{state.case.request.hash}\n"
    return replace(
        state.case,
        preview=seen,
        request=request,
        record_sha256=undo,
        signed=tuple(replace(one, text=text) for one in state.case.signed),
    )


def _seen(engine: Preview, record: StackRecord, *, spot_usd: float | None) -> Preview:
    """Return what the engine says of the stored program, with drift and money by the record."""
    spot = {} if spot_usd is None else {SPOT_TYPE: spot_usd}
    prices = StackPrices(
        on_demand=ON_DEMAND, spot=steady_prices(record.spot_usd_per_hour, spot), product=LINUX
    )
    told = replace(
        engine,
        program_sha256=sha256(record.files[CHANGE_PROGRAM]),
        drift=record.unexpected(engine.drift),
    )
    return replace(told, costs=cost_deltas(told, prices=prices, given=record.prices))


def _record(preview: Preview, program: str) -> StackRecord:
    return StackRecord(
        stack=preview.stack,
        region=preview.region,
        generated_at=NOW,
        changes=(),
        refused=(),
        members=(),
        files={CHANGE_PROGRAM: program, UNDO_PROGRAM: "undo"},
        spot_usd_per_hour={SPOT_TYPE: SPOT_USD},
    )


def edited(state: Kept, which: str, edit: Callable[[Json], Any], *, follows: bool) -> Kept:
    """Return what is kept with one stored document edited.

    Args:
        state: Before.
        which: "plan", "preview" or "approval".
        edit: Changes the parsed JSON, or returns what is written instead.
        follows: The ledger's pointer is that of the edited document; else the edited one lies where
            the old one did.
    """
    old = state.pointers[which]
    document = json.loads(state.storage.objects[old.key])
    instead = edit(document)
    content = json.dumps(document if instead is None else instead).encode()
    if not follows:
        state.storage.objects[old.key] = content
        return state
    new = store_object(state.storage, content, prefix=f"stacks/{which}", suffix=".json")
    return replace(state, pointers={**state.pointers, which: new})
