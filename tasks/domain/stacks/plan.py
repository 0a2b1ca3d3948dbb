"""From chosen opportunities and what exists to stacks: one for each region, one for purchases."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.selection.selection import Chosen
from tasks.domain.stacks.changes import Change, Phase, Refused, change_id
from tasks.domain.stacks.kinds.carried import not_carried, readable
from tasks.domain.stacks.kinds.commitment import commitment
from tasks.domain.stacks.kinds.draft import Draft
from tasks.domain.stacks.kinds.graph import checked, in_order
from tasks.domain.stacks.kinds.made import Made, Work
from tasks.domain.stacks.kinds.names import slug
from tasks.domain.stacks.kinds.predictive import predictive_scaling
from tasks.domain.stacks.kinds.reservation import Reservation, asked_for
from tasks.domain.stacks.kinds.right_size import right_size
from tasks.domain.stacks.kinds.schedule import schedule
from tasks.domain.stacks.kinds.serverless import own_saving, serverless
from tasks.domain.stacks.kinds.spot import spot
from tasks.domain.stacks.kinds.stop import stop
from tasks.domain.stacks.kinds.tags import owner_of
from tasks.domain.stacks.kinds.volume import volume_type
from tasks.domain.stacks.kinds.waves import bundles, chained
from tasks.domain.stacks.live import PURCHASE_REGION, LiveAccount, LiveRegion
from tasks.domain.stacks.program import Attribute, Program, Resource, StackPlan

PURCHASE_LEAD = timedelta(hours=24)
WHOLE_ACCOUNT = "account"
_MOST_PLACE = 40
_Place = tuple[str, bool]
"""A region, or none for the whole account, and whether something is bought there."""
Planner = Callable[[Work], Made | Refused]
# In this order: what a change is later merged with comes first.
_KINDS: Mapping[Kind, Planner] = {
    Kind.RIGHT_SIZE: right_size,
    Kind.PREDICTIVE_SCALING: predictive_scaling,
    Kind.VOLUME_TYPE: volume_type,
    Kind.STOP: stop,
    Kind.SCHEDULE: schedule,
    Kind.SPOT: spot,
    Kind.SERVERLESS: serverless,
    Kind.COMMITMENT: commitment,
}
_RANK = {kind: position for position, kind in enumerate(_KINDS)}


def stack_plans(
    chosen: Iterable[Chosen],
    account: LiveAccount,
    *,
    now: datetime,
    purchase_lead: timedelta = PURCHASE_LEAD,
    managed_by: Mapping[tuple[str, str], str] | None = None,
    reservations: Sequence[Reservation] = (),
) -> tuple[StackPlan, ...]:
    """Return a stack for each region with something chosen, and one for purchases, by name of region.

    A stack may hold no change, only what was refused and why. What is bought in a region, and not
    for the whole account, is a stack of its own behind that region's.

    Args:
        chosen: From a selection, in any order.
        account: What exists of it, read just before.
        now: Aware UTC.
        purchase_lead: How long a purchase is queued at least, an hour or more.
        managed_by: Names of active stacks by the region and id of what they manage.
        reservations: Of databases and caches, to be bought besides: no finder proposes any yet.
    """
    by_place: dict[_Place, list[Chosen]] = defaultdict(list)
    for one in (*chosen, *(asked_for(wish, now=now) for wish in reservations)):
        found = one.opportunity
        by_place[found.region, found.kind is Kind.COMMITMENT].append(one)
    managed = {} if managed_by is None else managed_by
    return tuple(
        _plan(
            _draft(by_place[place], place, account, managed, now=now, purchase_lead=purchase_lead),
            place,
        )
        for place in sorted(by_place)
    )


def _draft(
    chosen: Sequence[Chosen],
    at: _Place,
    account: LiveAccount,
    managed: Mapping[tuple[str, str], str],
    *,
    now: datetime,
    purchase_lead: timedelta,
) -> Draft:
    draft = Draft()
    place = at[0] or PURCHASE_REGION
    region = account.regions.get(place)
    if region is None and at[1]:
        # A purchase takes nothing from there.
        region = LiveRegion(region=place)
    for one in sorted(chosen, key=_working_order):
        if region is None:
            draft.refused.append(_refused(one, f"{place} was not read: add it to the regions"))
            continue
        work = Work(
            chosen=one,
            change=_change(one, region),
            account=account,
            region=region,
            so_far=draft.so_far,
            now=now,
            purchase_lead=purchase_lead,
        )
        _add(draft, work, managed)
    return draft


def _working_order(one: Chosen) -> tuple[int, str, float, str]:
    found = one.opportunity
    # The last only tells apart what is the same in everything else that matters.
    return _RANK[found.kind], found.resource, found.disruption, repr(one)


def _add(draft: Draft, work: Work, managed: Mapping[tuple[str, str], str]) -> None:
    clash = draft.other_kind(work.change)
    made = work.refused(clash) if clash else _KINDS[work.opportunity.kind](work)
    if isinstance(made, Refused):
        draft.refused.append(made)
        return
    change = replace(work.change, notes=(*work.opportunity.notes, *made.notes))
    why = (
        _managed_elsewhere(work, made, managed)
        or draft.conflict(change, made)
        or not_carried(change, made, known=draft.adopted)
    )
    if why:
        draft.refused.append(work.refused(why))
        return
    draft.add(change, made)


def _managed_elsewhere(work: Work, made: Made, managed: Mapping[tuple[str, str], str]) -> str:
    ids = [work.resource, *(edit.live.import_id for edit in made.edits)]
    for identifier in ids:
        stack = managed.get((work.opportunity.region, identifier))
        if stack is not None:
            return (
                f"{identifier} is managed by the stack {stack}: finish, undo or forget that first"
            )
    return ""


def _change(one: Chosen, region: LiveRegion) -> Change:
    found = one.opportunity
    identity = change_id(
        kind=found.kind, region=found.region, resource=found.resource, target=found.target
    )
    days = (found.evidence_to - found.evidence_from) / timedelta(days=1)
    basis = f"seen over {days:.0f} days to" if days >= 1.0 else "from prices of"
    by_hand = found.kind is Kind.SERVERLESS
    word = "will save" if by_hand else "saves"
    return Change(
        change_id=identity,
        kind=found.kind,
        resource=found.resource,
        region=found.region or PURCHASE_REGION,
        summary=found.change,
        owner=owner_of(_tags(found.resource, region)),
        reason=f"{found.kind} {word} {one.net.expected:.2f} USD a month, {basis} "
        f"{found.evidence_to:%Y-%m-%d}",
        saving=own_saving(found) if by_hand else one.net,
        restart=found.restart,
        reversible=found.reversible,
        disruption=found.disruption,
        later=one.net if by_hand else None,
    )


def _tags(resource: str, region: LiveRegion) -> Mapping[str, str]:
    found = (
        region.instances.get(resource)
        or region.groups.get(resource)
        or region.volumes.get(resource)
    )
    return {} if found is None else found.resource.tags


def _refused(one: Chosen, why: str) -> Refused:
    found = one.opportunity
    return Refused(kind=found.kind, resource=found.resource, region=found.region, why=why)


def _plan(draft: Draft, at: _Place) -> StackPlan:
    place, buys = at
    changes = sorted((one for one, _ in draft.made), key=lambda c: (c.disruption, c.change_id))
    text = " ".join(sorted(one.change_id for one in changes))
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    name = "-".join([WHOLE_ACCOUNT] * buys + [place] * bool(place))
    stack = f"savings-{slug(name, most=_MOST_PLACE)}-{mark}"
    region = place or PURCHASE_REGION
    resources = chained(bundles(draft))
    exports = {key: value for _, made in draft.made for key, value in made.exports.items()}

    def program(
        phase: Phase, of: Sequence[Resource], outputs: Mapping[str, Attribute] | None = None
    ) -> Program:
        return checked(
            Program(
                stack=stack, region=region, phase=phase, resources=tuple(of), exports=outputs or {}
            )
        )

    kept = [draft.adopted[one.name] for one in resources if one.name in draft.adopted]
    return StackPlan(
        stack=stack,
        region=region,
        changes=tuple(changes),
        refused=tuple(
            sorted(
                (readable(one) for one in draft.refused),
                key=lambda one: (one.resource, one.kind, one.why),
            )
        ),
        adopt=program(Phase.ADOPT, [one.as_it_was for one in kept]),
        change=program(Phase.CHANGE, resources, exports),
        undo=program(Phase.UNDO, _undo(draft, [one.undone for one in kept])),
        prices=dict(sorted(draft.prices.items())),
    )


def _undo(draft: Draft, adopted: Sequence[Resource]) -> tuple[Resource, ...]:
    everything = [*adopted, *(one for _, made in draft.made for one in made.undone)]
    names = {one.name for one in everything}
    return in_order(
        [
            replace(one, depends_on=tuple(name for name in one.depends_on if name in names))
            for one in everything
        ]
    )
