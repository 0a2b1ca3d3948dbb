"""A predictive policy's configuration, as Auto Scaling has it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.domain.errors import PermanentError

PREFIX = "homeostat-"
"""Of the policies that are looked at: what others made is left alone."""
FORECAST_ONLY, FORECAST_AND_SCALE = "ForecastOnly", "ForecastAndScale"
CPU_PAIR = "ASGCPUUtilization"
CPU_METRIC = "ASGAverageCPUUtilization"

Configuration = Mapping[str, Any]
"""As Auto Scaling has it."""


def policy_name(group: str) -> str:
    """Return the name of a policy that is begun for a group."""
    return f"{PREFIX}{hashlib.sha256(group.encode()).hexdigest()[:12]}-forecast"


def cpu_target(configuration: Configuration) -> float | None:
    """Return the use of the processor that a configuration plans for, above 0 and at most 1.

    None where it follows something else, or several things.
    """
    metrics: Sequence[Any] = configuration.get("MetricSpecifications") or ()
    if len(metrics) != 1:
        return None
    metric = metrics[0]
    pair = metric.get("PredefinedMetricPairSpecification") or {}
    scaling = metric.get("PredefinedScalingMetricSpecification") or {}
    follows = {pair.get("PredefinedMetricType"), scaling.get("PredefinedMetricType")}
    target = float(metric.get("TargetValue", 0.0)) / 100.0
    return target if follows & {CPU_PAIR, CPU_METRIC} and 0.0 < target <= 1.0 else None


def first_configuration(target: float) -> Configuration:
    """Return what a policy begins with: it forecasts the processor and scales nothing.

    Args:
        target: Use to plan for.

    Raises:
        PermanentError: It is not above 0 and at most 1.
    """
    if not 0.0 < target <= 1.0:
        message = f"a target of {target} is not above 0 and at most 1; 0.7 is usual"
        raise PermanentError(message)
    pair = {"PredefinedMetricType": CPU_PAIR}
    metric = {"TargetValue": 100.0 * target, "PredefinedMetricPairSpecification": pair}
    return {"MetricSpecifications": [metric], "Mode": FORECAST_ONLY}


def fulfils(found: Configuration | None, wanted: Configuration | None) -> bool:
    """Return whether a configuration is as wanted; AWS adds what was left to its defaults."""
    if found is None or wanted is None:
        return found is wanted
    return _covers(found, wanted)


def _covers(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and _covers(found[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        if not isinstance(found, list | tuple) or len(found) != len(wanted):
            return False
        return all(_covers(one, other) for one, other in zip(found, wanted, strict=True))
    return bool(found == wanted)
