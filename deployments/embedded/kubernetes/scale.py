"""The `scale` part of an object: how many are wanted, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from deployments.embedded.kubernetes.api_types import type_named
from deployments.embedded.kubernetes.causes import wrong
from deployments.embedded.kubernetes.decoding import decode_part
from deployments.embedded.kubernetes.errors import invalid
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.store import Body, Entry

GROUP, VERSION, KIND = "autoscaling", "v1", "Scale"
SPEC, STATUS, SELECTOR = "specReplicasPath", "statusReplicasPath", "labelSelectorPath"
PATHS = {SPEC: ".spec.replicas", STATUS: ".status.replicas"}
"""Where built-in kinds have their parts; their selectors are objects."""


def scale_of(entry: Entry, kind: Kind) -> Body:
    """Return the scale of an object."""
    body = entry.body()
    metadata, paths = body["metadata"], kind.scale_paths or PATHS
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    wanted, there = (_at(body, paths.get(name, "")) for name in (SPEC, STATUS))
    if SELECTOR in paths:
        selector = _at(body, paths[SELECTOR]) or ""
    else:
        labels = (body.get("spec") or {}).get("selector") if kind.scale_paths is None else None
        selector = selector_text(labels or {})
    return {
        "kind": KIND,
        "apiVersion": f"{GROUP}/{VERSION}",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": wanted} if wanted else {},
        "status": {"replicas": there or 0} | ({"selector": selector} if selector else {}),
    }


def scaled(body: Body, scale: Body, kind: Kind) -> Body:
    """Return an object with as many replicas as a scale says.

    Raises:
        ApiError: 400 for what is no scale, 422 for less than none.
    """
    decode_part(KIND, type_named(GROUP, VERSION, KIND), scale)
    wanted = (scale.get("spec") or {}).get("replicas", 0)
    name = body["metadata"]["name"]
    if wanted < 0:
        cause = wrong("spec.replicas", wanted, "must be greater than or equal to 0")
        raise invalid(KIND, GROUP, name, [cause])
    version = (scale.get("metadata") or {}).get("resourceVersion")
    metadata = body["metadata"] | ({"resourceVersion": version} if version else {})
    found = deepcopy(body) | {"metadata": metadata}
    names = (kind.scale_paths or PATHS)[SPEC].strip(".").split(".")
    place = found
    for one in names[:-1]:
        place = place.setdefault(one, {})
    place[names[-1]] = wanted
    return found


def _at(body: Body, path: str) -> Any:
    found: Any = body
    for one in filter(None, path.split(".")):
        found = found.get(one) if isinstance(found, dict) else None
    return found


def selector_text(selector: Mapping[str, Any]) -> str:
    """Return a selector as it is written in a query."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        key, among = one["key"], ",".join(sorted(one.get("values") or ()))
        match one["operator"]:
            case "In":
                parts.append(f"{key} in ({among})")
            case "NotIn":
                parts.append(f"{key} notin ({among})")
            case "Exists":
                parts.append(key)
            case _:
                parts.append(f"!{key}")
    return ",".join(sorted(parts, key=lambda part: part.lstrip("!")))
