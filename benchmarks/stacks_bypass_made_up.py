"""Seeded previews of every kind that can be approved."""

from __future__ import annotations

from random import Random

from tasks.domain.stacks.approval import Demand, sha256
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import (
    UNKNOWN,
    CostDelta,
    Finding,
    Operation,
    Preview,
    PropertyDiff,
    ResourceChange,
    Source,
    Value,
)

INSTANCE = "aws:ec2/instance:Instance"
HARMLESS = (Operation.UPDATE, Operation.CREATE, Operation.IMPORT, Operation.FORGET)
PURCHASE = "aws:savingsplans/savingsPlan:SavingsPlan"


def made_up_preview(demand: Demand, *, number: int, rng: Random) -> Preview:
    """Return a preview of two to seven resources that act and one that does not."""
    operations = [rng.choice(HARMLESS) for _ in range(rng.randint(1, 5))]
    lines = [_line(f"web-{at}", one, rng) for at, one in enumerate(operations)]
    lines.append(_line("café-0", Operation.UPDATE, rng))
    if demand is Demand.SIGNATURE:
        bought = number % 2 == 0
        operation = Operation.CREATE if bought else Operation.REPLACE
        lines.append(_line("plan", operation, rng, token=PURCHASE if bought else INSTANCE))
    if demand is Demand.TWO_SIGNATURES:
        lines.append(_line("idle", Operation.DELETE, rng))
    lines.append(_line("still", Operation.SAME, rng))
    rng.shuffle(lines)
    return Preview(
        stack=f"savings-{demand}-{number}",
        region="eu-central-1",
        phase=Phase.CHANGE,
        source=Source.ENGINE,
        program_sha256=sha256(f"program {number}"),
        state_serial="42",
        changes=tuple(lines),
        drift=(_line("tagged-by-hand", Operation.UPDATE, rng),) if number % 3 == 1 else (),
        costs=tuple(_cost(one.name, rng) for one in lines),
        findings=(_advice(lines[0].name),) if number % 2 else (),
        engine="3.259.0",
        notes=("refreshed first",),
    )


def _line(name: str, operation: Operation, rng: Random, *, token: str = INSTANCE) -> ResourceChange:
    before, after = _inputs(name, rng), _inputs(name, rng)
    created, gone = operation is Operation.CREATE, operation is Operation.DELETE
    return ResourceChange(
        name=name,
        token=token,
        urn=f"urn:pulumi:savings::homeostat::{token}::{name}",
        operation=operation,
        resource_id=None if created else f"i-0{rng.getrandbits(44):x}",
        diffs=() if created or gone else _diffs(operation, before, after),
        inputs_before=None if created else before,
        inputs_after=None if gone else after,
        protected=operation is Operation.UPDATE,
    )


def _inputs(name: str, rng: Random) -> dict[str, Value]:
    return {
        "instanceType": rng.choice(["m5.large", "m6i.large", "t3.medium"]),
        "tags": {"owner": "café", "Name": name, "cost-centre": "0042"},
        "rootBlockDevice": {
            "volumeSize": rng.choice([8, 20, 100]),
            "encrypted": True,
            "throughput": None,
            "layers": ({"iops": 3000, "share": 0.25}, {"iops": 4000, "share": 0.75}),
        },
        "securityGroups": ("sg-1", "sg-2"),
        "arn": UNKNOWN,
    }


def _diffs(
    operation: Operation, before: dict[str, Value], after: dict[str, Value]
) -> tuple[PropertyDiff, ...]:
    return (
        PropertyDiff(
            path="instanceType",
            before=before["instanceType"],
            after=after["instanceType"],
            replaces=operation is Operation.REPLACE,
        ),
        PropertyDiff(
            path="rootBlockDevice", before=before["rootBlockDevice"], after=after["rootBlockDevice"]
        ),
    )


def _cost(name: str, rng: Random) -> CostDelta:
    before, after = (round(rng.uniform(1.0, 500.0), 2) for _ in range(2))
    known = rng.random() < 0.9
    return CostDelta(
        name=name, before_usd=before, after_usd=after if known else None, basis="USD/h x 730 h"
    )


def _advice(name: str) -> Finding:
    return Finding(rule="tags", resource=name, message="has no owner; add one", mandatory=False)
