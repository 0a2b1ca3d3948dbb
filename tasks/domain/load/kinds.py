"""What is known of a workload before it has run: the archetypes that young series are forecast by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tasks.domain.inventory import Instance, Inventory
from tasks.domain.load.cold_start import ANY, FEWEST_SERIES

TAGS = ("service", "application", "app", "component", "role")
"""Keys of tags that people tell by what an instance is for, in whatever case; the first one counts."""
NUMBER = re.compile(r"[-_. ]?\d+$")
"""What tells apart instances of one name, as in "web-03"."""


def archetypes_of(inventory: Inventory, series: Sequence[str]) -> tuple[str, ...]:
    """Return (n,) the narrowest thing that each series shares with at least four others.

    For instances, narrowest first: the auto scaling group, the target group that it answers for, a tag
    of TAGS, the `Name` tag without the number at its end, the family of its type. ANY for an instance
    that shares none, and for what is no instance.

    Args:
        inventory: What runs.
        series: Names of a panel's series, unique.
    """
    known = [_kinds(inventory, inventory.instance.get(one)) for one in series]
    count = Counter(kind for kinds in known for kind in kinds)
    return tuple(
        next((kind for kind in kinds if count[kind] >= FEWEST_SERIES), ANY) for kinds in known
    )


def _kinds(inventory: Inventory, instance: Instance | None) -> list[str]:
    """Return what an instance may share with others, narrowest first; each says what it is."""
    if instance is None:
        return []
    found = []
    if instance.group is not None:
        found.append(f"group {instance.region}/{instance.group}")
    services = inventory.services_of.get(instance.instance_id, ())
    found += [f"service {one.service_id}" for one in services[:1]]
    tags = {key.lower(): value for key, value in instance.tags.items() if value}
    found += [f"{key} {tags[key]}" for key in TAGS if key in tags][:1]
    if name := NUMBER.sub("", tags.get("name", "")):
        found.append(f"name {name}")
    family, _, _ = instance.instance_type.partition(".")
    return [*found, f"family {family}"]
