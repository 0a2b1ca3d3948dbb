"""What every line of a preview costs a month, before and after.

A line has a difference only where it does something: adopting what exists, or leaving it behind,
costs nothing. What one line changes in another that itself stays the same (a new template of a
group, a machine that is stopped) is counted at the line that does it. A line whose price is not
known has an unknown difference, unless nothing that its price depends on changes: then it is left
out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.cost_links import (
    ACTING,
    GROUP,
    INSTANCE,
    INSTANCE_STATE,
    TEMPLATE,
    Links,
    after,
    before,
    change_of,
)
from tasks.domain.stacks.inputs import NOTHING, Inputs, number
from tasks.domain.stacks.preview import CostDelta, Operation, Preview, ResourceChange
from tasks.domain.stacks.quotes import (
    Quote,
    group_quote,
    machine_quote,
    plan_quote,
    volume_quote,
    with_disks,
)
from tasks.domain.stacks.stack_prices import StackPrices

VOLUME = "aws:ebs/volume:Volume"
SAVINGS_PLAN = "aws:savingsplans/savingsPlan:SavingsPlan"
PER_USE = (
    "aws:apigatewayv2/api:",
    "aws:cloudwatch/logGroup:",
    "aws:lambda/function:",
)
FREE = (
    "aws:apigatewayv2/",
    "aws:autoscaling/policy:",
    "aws:autoscaling/schedule:",
    "aws:ec2/securityGroup",
    "aws:iam/",
    "aws:lambda/permission:",
    "aws:scheduler/",
    "aws:vpc/securityGroup",
)
"""By the start of the type; what is paid per use is looked for first. Fourteen million calls a
month of a schedule are free."""
_ENGINE = "pulumi:"
_TAGS = frozenset({"tags", "tagsAll"})
FREE_OF_CHARGE = "free of charge"
GIVEN = "from the opportunity's arithmetic"
_ABSENT = Quote(usd=0.0, basis="not there")

Side = Callable[[ResourceChange], Inputs | None]
"""`before` or `after`."""


def cost_deltas(
    preview: Preview, *, prices: StackPrices, given: Mapping[str, tuple[float, float]]
) -> tuple[CostDelta, ...]:
    """Return what each line costs before and after, USD a month, in the preview's order.

    Args:
        preview: Of any of a stack's programs.
        prices: Of its region.
        given: USD a month before and after the change, by logical name, where an opportunity knows
            it better than the resource's type: it wins. For the undo they change places.

    Returns:
        No line twice, and none for what the engine itself keeps. An amount that is not known is
        None and never 0.
    """
    lines = _Lines(
        phase=preview.phase, links=Links.among(preview.changes), prices=prices, given=given
    )
    found = (lines.delta(one) for one in preview.changes if not one.token.startswith(_ENGINE))
    return tuple(one for one in found if one is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """Everything that a line's cost follows from."""

    phase: Phase
    links: Links
    prices: StackPrices
    given: Mapping[str, tuple[float, float]]

    def delta(self, line: ResourceChange) -> CostDelta | None:
        """Return a line's cost; None where it does not change and is not known."""
        acts = line.operation in ACTING
        # What an opportunity knows is about the change; an adoption that acts is something else.
        if line.name in self.given and not (acts and self.phase is Phase.ADOPT):
            return self._as_given(line)
        sides = self.quote(line, before), self.quote(line, after)
        if not acts or self._same_price(line):
            known = sides[0] if sides[0].usd is not None else sides[1]
            return None if known.usd is None else _delta(line, known, known)
        return _delta(line, *sides)

    def quote(self, line: ResourceChange, side: Side) -> Quote:
        """Return what a line costs on one side."""
        if line.token == INSTANCE_STATE:
            return self._of_state(line, side)
        inputs = side(line)
        if inputs is None:
            return _ABSENT
        if line.token == INSTANCE:
            return self._of_instance(line, inputs, side)
        if line.token == GROUP:
            return self._of_group(line, inputs, side)
        if line.token == TEMPLATE:
            return self._of_template(line, side)
        if line.token == VOLUME:
            return volume_quote(inputs, self.prices)
        if line.token == SAVINGS_PLAN:
            return plan_quote(inputs)
        function = self.links.functions.get(change_of(line) or "")
        if line.token.startswith(PER_USE) and function is not None and function.name in self.given:
            return Quote(usd=0.0, basis=f"per use, counted with {function.name}")
        return _by_nature(line.token)

    def _as_given(self, line: ResourceChange) -> CostDelta:
        carrier = self.links.carrier_of(line)
        if carrier is not None:
            return _delta(line, *[Quote(usd=0.0, basis=f"counted at {carrier.name}")] * 2)
        if line.operation in ACTING:
            return _delta(line, self._given(line, before), self._given(line, after))
        # What stays is as the change leaves it; only an adoption comes before.
        kept = self.given[line.name][0 if self.phase is Phase.ADOPT else 1]
        return _delta(line, *[Quote(usd=_finite(kept), basis=GIVEN)] * 2)

    def _given(self, line: ResourceChange, side: Side) -> Quote:
        was, becomes = self.given[line.name]
        if self.phase is Phase.UNDO:
            was, becomes = becomes, was
        covered = ", the on-demand use that it covers included"
        basis = GIVEN + covered if line.token == SAVINGS_PLAN else GIVEN
        return Quote(usd=_finite(was if side is before else becomes), basis=basis)

    def _of_instance(self, line: ResourceChange, inputs: Inputs, side: Side) -> Quote:
        state = self.links.state_of.get(line.urn)
        if state is not None and state.operation in ACTING:
            machine = Quote(usd=0.0, basis=f"its hours are counted at {state.name}")
        else:
            product = self.prices.product_of(line.resource_id)
            running = _runs(state, side)
            machine = machine_quote(inputs, self.prices, product=product, running=running)
        return with_disks(machine, inputs, self.prices)

    def _of_state(self, line: ResourceChange, side: Side) -> Quote:
        machine = self.links.machine_of.get(line.urn)
        if machine is None:
            return Quote(usd=None, basis="its machine is not in the preview")
        if line.operation not in ACTING:
            return Quote(usd=0.0, basis=f"counted at {machine.name}")
        if machine.name in self.given:
            acts = machine.operation in ACTING
            known = Quote(usd=0.0, basis=f"counted at {machine.name}")
            return known if acts else self._given(machine, side)
        inputs = side(machine)
        if inputs is None:
            return _ABSENT
        product = self.prices.product_of(machine.resource_id)
        return machine_quote(inputs, self.prices, product=product, running=_runs(line, side))

    def _of_group(self, line: ResourceChange, inputs: Inputs, side: Side) -> Quote:
        if number(inputs.get("desiredCapacity")) is None:
            # Somebody else sets the size: it stays as it was.
            kept = (line.inputs_before or NOTHING).get("desiredCapacity")
            inputs = inputs if kept is None else {**inputs, "desiredCapacity": kept}
        template = self.links.templates.of_group(inputs)
        found = None if template is None else side(template)
        product = self.prices.product_of(line.resource_id)
        return group_quote(inputs, found or NOTHING, self.prices, product=product)

    def _of_template(self, line: ResourceChange, side: Side) -> Quote:
        """Return the cost of groups that stay as they are and follow their template."""
        total = None
        for group in self.links.followers.get(line.urn, ()) if line.operation in ACTING else ():
            inputs = side(group)
            if group.name in self.given:
                found = self._given(group, side)
            elif inputs is not None:
                found = self._of_group(group, inputs, side)
            else:
                continue
            total = found if total is None else total.plus(found)
        return total or Quote(usd=0.0, basis=FREE_OF_CHARGE)

    def _same_price(self, line: ResourceChange) -> bool:
        """Return whether nothing changes that a price could depend on."""
        if line.operation is not Operation.UPDATE or line.token in {INSTANCE_STATE, TEMPLATE}:
            return False
        inputs = line.inputs_after or NOTHING
        if line.token == GROUP:
            template = self.links.templates.of_group(inputs)
            if template is not None and template.operation in ACTING:
                return False
        return _priced(line.inputs_before or NOTHING) == _priced(inputs)


def _by_nature(token: str) -> Quote:
    if token.startswith(PER_USE):
        return Quote(usd=None, basis="per use, and how much it is used is not known")
    if token.startswith(FREE):
        return Quote(usd=0.0, basis=FREE_OF_CHARGE)
    return Quote(usd=None, basis=f"what a {token.rpartition(':')[2]} costs is not known")


def _runs(state: ResourceChange | None, side: Side) -> bool:
    """Return whether a machine runs; one whose state nobody sets does.

    Taking the state out of a program leaves the machine as it is.
    """
    if state is None or (state.operation is Operation.CREATE and side is before):
        return True
    inputs = side(state) or state.inputs_before or NOTHING
    return inputs.get("state") != "stopped"


def _priced(inputs: Inputs) -> Inputs:
    return {name: value for name, value in inputs.items() if name not in _TAGS}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _delta(line: ResourceChange, was: Quote, becomes: Quote) -> CostDelta:
    if was.usd is None or becomes is _ABSENT or was.basis == becomes.basis:
        basis = was.basis
    elif becomes.usd is None or was is _ABSENT:
        basis = becomes.basis
    else:
        basis = f"{was.basis} to {becomes.basis}"
    return CostDelta(name=line.name, before_usd=was.usd, after_usd=becomes.usd, basis=basis)
