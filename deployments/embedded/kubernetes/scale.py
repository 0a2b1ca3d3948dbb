"""The `scale` part of a Deployment or ReplicaSet: how many are wanted, and nothing else."""

from __future__ import annotations

from typing import Any

from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.store import Body, Entry

GROUP, VERSION, KIND = "autoscaling", "v1", "Scale"


def scale_of(entry: Entry) -> Body:
    """Return the scale of an object."""
    body = entry.body()
    metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": KIND,
        "apiVersion": f"{GROUP}/{VERSION}",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": spec.get("replicas", 0)} if spec.get("replicas") else {},
        "status": {
            "replicas": status.get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }


def scaled(body: Body, scale: Body) -> Body:
    """Return an object with as many replicas as a scale says.

    Raises:
        ApiError: 422 for less than none.
    """
    wanted: Any = (scale.get("spec") or {}).get("replicas", 0)
    name = body["metadata"]["name"]
    if not isinstance(wanted, int) or wanted < 0:
        message = f"Invalid value: {wanted}: must be greater than or equal to 0"
        causes = [{"reason": "FieldValueInvalid", "message": message, "field": "spec.replicas"}]
        details = {"name": name, "group": GROUP, "kind": KIND, "causes": causes}
        said = f'{KIND}.{GROUP} "{name}" is invalid: spec.replicas: {message}'
        raise ApiError(422, "Invalid", said, details=details)
    version = (scale.get("metadata") or {}).get("resourceVersion")
    metadata = body["metadata"] | ({"resourceVersion": version} if version else {})
    return body | {"metadata": metadata, "spec": body["spec"] | {"replicas": wanted}}
