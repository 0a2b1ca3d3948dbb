"""The table of single resources: what each is, how sure that is, and why."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tasks.domain.usage.clustering import UsageArchetypes
from tasks.domain.usage.features import Feature, UsageFeatures

MOST_ROWS = 500


def resource_rows(
    archetypes: UsageArchetypes,
    features: UsageFeatures,
    *,
    names: Mapping[str, str],
    types: Mapping[str, str],
) -> list[dict[str, object]]:
    """Return one row a resource, by archetype and name; unknown is None.

    Args:
        archetypes: What was found.
        features: Of the same resources.
        names: For people, by id.
        types: Instance types by id.
    """
    rows: list[dict[str, object]] = [
        {
            "resource": names.get(resource, resource),
            "archetype": _held(archetypes, row),
            "type": types.get(resource),
            "CPU mean %": _number(features, Feature.LEVEL, row),
            "CPU busy hours %": _number(features, Feature.P95, row),
            "memory %": _number(features, Feature.MEMORY, row),
            "sure": _share(float(archetypes.margins[row])),
            "this run says": archetypes.reasons.get(resource) or str(archetypes.found[row]),
            "id": resource,
        }
        for row, resource in enumerate(archetypes.resources)
    ]
    return sorted(rows, key=lambda row: (str(row["archetype"]), str(row["resource"])))[:MOST_ROWS]


def _held(archetypes: UsageArchetypes, row: int) -> str:
    membership = archetypes.memberships.get(archetypes.resources[row])
    return str(archetypes.found[row] if membership is None else membership.archetype)


def _number(features: UsageFeatures, feature: Feature, row: int) -> float | None:
    value = float(features.of(feature)[row])
    return None if np.isnan(value) else round(value, 1)


def _share(margin: float) -> str | None:
    return None if np.isnan(margin) else f"{margin:.0%}"
