"""What one hour of each changed thing costs, before and after: kept with the stack for a later look.

Weeks later the account only shows how things are then, and price lists move. What a change was from
is known while its programs are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasks.domain.savings.money import HOURS_PER_MONTH
from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import Change
from tasks.domain.stacks.kinds.made import GROUP, INSTANCE, TEMPLATE, VOLUME
from tasks.domain.stacks.program import Args, Input, Program, Resource, StackPlan
from tasks.domain.stacks.quotes import volume_quote
from tasks.domain.stacks.stack_prices import StackPrices

Hourly = tuple[float, float]
"""USD of one running hour, or of an hour of a volume: before and after."""
_REFERENCES = frozenset({"id", "name", "launch_template_id", "launch_template_name"})


def hourly_prices(plan: StackPlan, prices: StackPrices) -> dict[str, Hourly]:
    """Return what an hour costs before and after each change, by change id.

    Changes of one resource all have the price before the first and the one after the last. What is
    stopped costs nothing after. Left out is what has no hours of its own (functions, commitments)
    and whatever has a price that is not known.

    Args:
        plan: Programs with the types.
        prices: Of its region.
    """
    sides = _Sides(plan=plan, prices=prices)
    found = ((one.change_id, sides.of(one)) for one in plan.changes)
    return {identity: hourly for identity, hourly in found if hourly is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The plan's resources before and after, with prices."""

    plan: StackPlan
    prices: StackPrices

    def of(self, change: Change) -> Hourly | None:
        """Return the price before and after of what a change is about; None where unknown."""
        before = _imported(self.plan.adopt, change.resource)
        after = _imported(self.plan.change, change.resource)
        if before is None or after is None:
            return None
        if before.token == INSTANCE:
            return self._instance(change, before, after)
        if before.token == GROUP:
            return self._group(before, after)
        if before.token == VOLUME:
            return _both(self._volume(before), self._volume(after))
        return None

    def _instance(self, change: Change, before: Resource, after: Resource) -> Hourly | None:
        was = self._machine(before.inputs, before.import_id)
        if change.kind is Kind.STOP:
            return _both(was, 0.0)
        if change.kind is Kind.SPOT:
            new = (
                one
                for one in self.plan.change.resources
                if one.token == INSTANCE and one.change_id == change.change_id and not one.adopted
            )
            becomes = next(
                (self._machine(n.inputs, before.import_id, spot=True) for n in new), None
            )
            return _both(was, becomes)
        return _both(was, self._machine(after.inputs, before.import_id))

    def _group(self, before: Resource, after: Resource) -> Hourly | None:
        """Return the price of one of a group; on spot, in the proportion of its monthly amounts."""
        was = _template_inputs(self.plan.adopt, before) or _first_override(after)
        price = self._machine(was, before.import_id)
        newly_mixed = {"mixed_instances_policy"} & (after.inputs.keys() - before.inputs.keys())
        if not newly_mixed:
            becomes = _template_inputs(self.plan.change, before) or was
            return _both(price, self._machine(becomes, before.import_id))
        month_before, month_after = self.plan.prices.get(before.name, (0.0, 0.0))
        if price is None or month_before <= 0.0:
            return None
        return price, price * month_after / month_before

    def _machine(
        self, inputs: Mapping[str, Input], identity: str | None, *, spot: bool = False
    ) -> float | None:
        kind = inputs.get("instance_type")
        if not isinstance(kind, str):
            return None
        return self.prices.hourly(kind, product=self.prices.product_of(identity), spot=spot)

    def _volume(self, one: Resource) -> float | None:
        plain = {key: v for key, v in one.inputs.items() if isinstance(v, str | int | float)}
        usd = volume_quote(plain, self.prices).usd
        return None if usd is None else usd / HOURS_PER_MONTH


def _both(before: float | None, after: float | None) -> Hourly | None:
    return None if before is None or after is None else (before, after)


def _imported(program: Program, identity: str) -> Resource | None:
    wanted = {INSTANCE, GROUP, VOLUME}
    found = (r for r in program.resources if r.import_id == identity and r.token in wanted)
    return next(found, None)


def _template_inputs(program: Program, group: Resource) -> Mapping[str, Input]:
    """Return the inputs of a group's launch template; empty where the program has not got it."""
    named = set(_references(group.inputs.get("launch_template")))
    named |= set(_references(group.inputs.get("mixed_instances_policy")))
    for one in program.resources:
        if one.token == TEMPLATE and {one.import_id, one.inputs.get("name")} & named:
            return one.inputs
    return {}


def _references(value: Input | None) -> Iterator[str]:
    if isinstance(value, Args):
        for key, inner in value.fields.items():
            if key in _REFERENCES and isinstance(inner, str):
                yield inner
            yield from _references(inner)


def _first_override(group: Resource) -> Mapping[str, Input]:
    """Return the type that a newly mixed group had: it is put first."""
    policy = group.inputs.get("mixed_instances_policy")
    template = policy.fields.get("launch_template") if isinstance(policy, Args) else None
    overrides = template.fields.get("overrides") if isinstance(template, Args) else None
    first = overrides[0] if isinstance(overrides, tuple) and overrides else None
    return first.fields if isinstance(first, Args) else {}
