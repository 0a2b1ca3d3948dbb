"""A preview with one of everything, for reports and messages."""

from __future__ import annotations

from dataclasses import replace

from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import Change, Phase
from tasks.domain.stacks.preview import (
    SECRET,
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
VOLUME = "aws:ebs/volume:Volume"
FUNCTION = "aws:lambda/function:Function"


def a_line(
    name: str,
    token: str,
    operation: Operation,
    *diffs: PropertyDiff,
    inputs: dict[str, Value] | None = None,
    resource_id: str | None = None,
    protected: bool = False,
) -> ResourceChange:
    """Return a line; its URN follows from its name."""
    return ResourceChange(
        name=name,
        token=token,
        urn=f"urn:pulumi:eu::homeostat::{token}::{name}",
        operation=operation,
        diffs=diffs,
        inputs_after=inputs,
        resource_id=resource_id,
        protected=protected,
    )


def a_change() -> Change:
    """Return the change that the instance of `a_preview` is in."""
    return Change(
        change_id="hs-0123456789ab",
        kind=Kind.RIGHT_SIZE,
        resource="i-0aa1",
        region="eu-west-1",
        summary="Change checkout from m5.xlarge to m5.large.",
        owner="payments",
        reason="Uses 18 % of its vCPUs at the 99th percentile.",
        saving=Usd(low=48.0, expected=70.08, high=70.08),
        restart=True,
        reversible=True,
        disruption=0.33,
    )


def a_preview() -> Preview:
    """Return what the engine would say of a stack with every operation."""
    resize = PropertyDiff(path="instanceType", before="m5.xlarge", after="m5.large")
    moved = PropertyDiff(
        path="availabilityZone", before="eu-west-1a", after="eu-west-1b", replaces=True
    )
    variables: dict[str, Value] = {"variables": {"DB_PASSWORD": "hunter2", "MODE": "live"}}
    return Preview(
        stack="eu-savings",
        region="eu-west-1",
        phase=Phase.CHANGE,
        source=Source.ENGINE,
        program_sha256="ab" * 32,
        state_serial="cd" * 32,
        engine="3.259.0",
        changes=(
            a_line(
                "checkout", INSTANCE, Operation.UPDATE, resize, resource_id="i-0aa1", protected=True
            ),
            a_line("scratch", VOLUME, Operation.REPLACE, moved, resource_id="vol-1"),
            a_line(
                "old-logs", "aws:cloudwatch/logGroup:LogGroup", Operation.DELETE, resource_id="/old"
            ),
            a_line(
                "api",
                FUNCTION,
                Operation.CREATE,
                inputs={
                    "role": UNKNOWN,
                    "memorySize": 256,
                    "environment": variables,
                    "kmsToken": SECRET,
                },
            ),
            a_line("data", VOLUME, Operation.IMPORT, resource_id="vol-2"),
            a_line("gone", VOLUME, Operation.FORGET, resource_id="vol-3"),
            a_line("quiet", INSTANCE, Operation.SAME, resource_id="i-0aa2"),
        ),
        drift=(
            a_line(
                "checkout",
                INSTANCE,
                Operation.UPDATE,
                PropertyDiff(path="tags.owner", before="payments", after=None),
            ),
        ),
        costs=(
            CostDelta(
                name="checkout",
                before_usd=140.16,
                after_usd=70.08,
                basis="0.1920 to 0.0960 USD/h x 730 h",
            ),
            CostDelta(name="scratch", before_usd=8.0, after_usd=8.0, basis="100 GiB gp3 x 0.0800"),
            CostDelta(name="api", before_usd=0.0, after_usd=None, basis="paid per use"),
        ),
        findings=(
            Finding(rule="tags", resource="api", message="tags missing; add them", mandatory=False),
            Finding(
                rule="stateful-kept",
                resource="scratch",
                message="it holds state and would be made anew for availabilityZone",
                mandatory=True,
            ),
        ),
        notes=("A tag of 300 characters was cut.",),
    )


def an_estimate() -> Preview:
    """Return the same without the engine, and nothing dangerous in it."""
    known = a_preview()
    return replace(
        known,
        source=Source.ESTIMATE,
        engine="",
        changes=known.doing(Operation.UPDATE, Operation.CREATE),
        drift=(),
        findings=(),
    )
