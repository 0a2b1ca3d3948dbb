"""One opportunity at work, and what it makes of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from tasks.domain.savings.opportunity import Fact, Opportunity
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.changes import Change, Refused
from tasks.domain.stacks.kinds.names import role_name
from tasks.domain.stacks.kinds.tags import change_tags, merged
from tasks.domain.stacks.live import LiveAccount, LiveRegion, LiveResource
from tasks.domain.stacks.program import Attribute, Input, Json, JsonText, Resource

Patch: TypeAlias = "Mapping[str, Input | None]"
"""Inputs that become something else; None takes one away."""
INSTANCE = "aws:ec2/instance:Instance"
INSTANCE_STATE = "aws:ec2transitgateway/instanceState:InstanceState"
GROUP = "aws:autoscaling/group:Group"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
VOLUME = "aws:ebs/volume:Volume"
POLICY = "aws:autoscaling/policy:Policy"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What becomes of something that exists.

    Attributes:
        name: Its logical name.
        patch: Over its inputs, or over those that an earlier change left.
        undo: What the undo program says besides its inputs of before: only how to get there,
            nothing that the account keeps.
        ignore_changes: Inputs that others may change.
        undo_ignores: The same in the undo program; None for the same ones.
        after: Logical names that come before it, when it is changed and when that is undone.
    """

    name: str
    live: LiveResource
    patch: Patch = field(default_factory=dict)
    undo: Mapping[str, Input] = field(default_factory=dict)
    ignore_changes: tuple[str, ...] = ()
    undo_ignores: tuple[str, ...] | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a change is in a program.

    Attributes:
        edits: Of what exists, in an order in which each comes after what it refers to.
        created: What is new, in such an order too.
        undone: What the undo program has besides what was adopted: what was created and stays, and
            what the change has too, in another state. What is only there for something created
            refers to it: where that was never made, neither is this.
        prices: USD a month before and after, by logical name.
        listed: The same of what its type has a price for: counts where a later change of the same
            resource has another price.
        exports: Outputs by name.
        notes: What a reviewer should know besides the opportunity's own notes.
    """

    edits: tuple[Edit, ...] = ()
    created: tuple[Resource, ...] = ()
    undone: tuple[Resource, ...] = ()
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    listed: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    exports: Mapping[str, Attribute] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An opportunity, what exists, and what changes before it made of that.

    Attributes:
        region: Where it is; for a purchase that of the account.
        so_far: Inputs after the changes before it, by logical name.
        now: Aware UTC.
        purchase_lead: How long a purchase is queued at least.
    """

    chosen: Chosen
    change: Change
    account: LiveAccount
    region: LiveRegion
    so_far: Mapping[str, Mapping[str, Input]]
    now: datetime
    purchase_lead: timedelta

    @property
    def opportunity(self) -> Opportunity:
        """What was chosen."""
        return self.chosen.opportunity

    @property
    def resource(self) -> str:
        """Id of what is changed."""
        return self.chosen.opportunity.resource

    def fact(self, key: str) -> Fact | None:
        """Return a value of the target; None without it."""
        return self.chosen.opportunity.target.get(key)

    def inputs(self, name: str, live: LiveResource) -> Mapping[str, Input]:
        """Return the inputs of something that exists, as earlier changes leave them."""
        return self.so_far.get(name, live.inputs)

    def refused(self, why: str) -> Refused:
        """Return that no change is made.

        Args:
            why: One sentence: what stands against it, and what would change the answer.
        """
        one = self.chosen.opportunity
        return Refused(kind=one.kind, resource=one.resource, region=one.region, why=why)

    def new(
        self,
        base: str,
        role: str,
        token: str,
        inputs: Mapping[str, Input],
        *,
        tags: Mapping[str, str] | None = None,
        after: tuple[str, ...] = (),
        protect: bool = False,
    ) -> Resource:
        """Return something that the program creates.

        Args:
            base: Logical name of what it is made for.
            role: What it is to that.
            token: Pulumi's type.
            inputs: Without tags.
            tags: To begin with; None for a type that takes none.
            after: Logical names that come before it.
            protect: The engine refuses to delete it.
        """
        name = role_name(base, role)
        given = dict(inputs)
        if tags is not None:
            given["tags"] = merged(tags, change_tags((self.change,), name))
        return Resource(
            name=name,
            token=token,
            inputs=given,
            depends_on=after,
            protect=protect,
            change_id=self.change.change_id,
        )


def iam_document(*statements: Mapping[str, Json]) -> JsonText:
    """Return a policy.

    Args:
        statements: As IAM names their elements.
    """
    return JsonText(document={"Version": "2012-10-17", "Statement": statements})


def step_usd(opportunity: Opportunity, *starts: str) -> float | None:
    """Return a line of the arithmetic in USD a month; None where there is none.

    Args:
        opportunity: Whose arithmetic.
        starts: How the line's name may begin; the first that is found counts.
    """
    for start in starts:
        for step in opportunity.steps:
            if step.what.startswith(start) and step.unit == "USD/month":
                return step.value
    return None


def priced(
    opportunity: Opportunity, name: str, before: str, after: str
) -> Mapping[str, tuple[float, float]]:
    """Return what a resource costs before and after, from the arithmetic; empty where it is not there.

    Args:
        opportunity: Whose arithmetic.
        name: Logical name.
        before: How the line of before begins.
        after: That of after; empty for nothing left to pay.
    """
    now = step_usd(opportunity, before)
    then = 0.0 if after == "" else step_usd(opportunity, after)
    return {} if now is None or then is None else {name: (now, then)}
