"""Which models there are, and what each is trained on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pandas as pd

from tasks.domain.inventory import Inventory
from tasks.domain.load.family import LoadFamily
from tasks.domain.load.groups import Behaviour
from tasks.domain.load.kinds import archetypes_of
from tasks.domain.load.of_use import cut_at, panel_of_use
from tasks.domain.load.panel import HOUR, Load, LoadPanel
from tasks.domain.spot.family import MOVING, Prices, SpotFamily
from tasks.domain.usage.panel import UsagePanel
from tasks.models.training import Subject

LOADS = {"load-cpu": Load.CPU, "load-memory": Load.MEMORY, "load-requests": Load.REQUESTS}
SPOT = {"spot-24h": 24, "spot-168h": 168}
PRICES_WINDOW_HOURS = 30 * 24 + 1
CRITICAL_LOADS = (Behaviour.PERIODIC.value, Behaviour.BURSTY.value)
"""Where a worse forecast takes capacity away from somebody."""


def load_family(name: str) -> LoadFamily:
    """Return the family of a load's model."""
    return LoadFamily(LOADS[name])


def spot_family(name: str) -> SpotFamily:
    """Return the family of a horizon's model."""
    return SpotFamily(SPOT[name])


def load_data(
    name: str, use: UsagePanel, *, now: datetime, inventory: Inventory | None = None
) -> LoadPanel:
    """Return what was known of a load at an instant.

    Args:
        name: Of the model.
        use: What was observed.
        now: Aware UTC.
        inventory: Tells the archetypes of what is too young to be forecast by its own history; None
            where it is not known.
    """
    panel = panel_of_use(use, LOADS[name])
    if inventory is not None:
        panel = replace(panel, archetypes=archetypes_of(inventory, panel.series))
    return cut_at(panel, max((use.end - now) / HOUR, 0.0))


def load_subject(
    name: str, use: UsagePanel, *, now: datetime, inventory: Inventory | None = None
) -> Subject:
    """Return a load's model with what it is trained on, see `load_data`."""
    return Subject(
        name=name,
        family=load_family(name),
        data=load_data(name, use, now=now, inventory=inventory),
        critical_groups=CRITICAL_LOADS,
    )


def spot_subject(name: str, changes: pd.DataFrame, *, cutoff: datetime) -> Subject:
    """Return a horizon's model with the prices that were announced until an instant."""
    return Subject(
        name=name,
        family=spot_family(name),
        data=Prices(changes=changes, cutoff=cutoff, hours=PRICES_WINDOW_HOURS),
        critical_groups=(MOVING,),
    )
