"""What the cluster's own parts say of objects; the same thing said again is counted."""

from __future__ import annotations

import hashlib
from typing import Any

from deployments.embedded.kubernetes.objects import Objects, timestamp
from deployments.embedded.kubernetes.store import Body

NORMAL, WARNING = "Normal", "Warning"


def record(
    objects: Objects, about: Body, reason: str, message: str, *, component: str, kind: str = NORMAL
) -> None:
    """Say something of an object, in its namespace or in `default`."""
    events = objects.kinds.built_in("", "v1", "events")
    metadata = about["metadata"]
    namespace = metadata.get("namespace", "default")
    said = f"{metadata['uid']}/{reason}/{message}/{component}"
    digest = hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
    name, now = f"{metadata['name']}.{digest}", timestamp()
    known = objects.store.get(events, namespace, name)
    if known is not None:
        body: Body = known.body()
        body |= {"count": body.get("count", 1) + 1, "lastTimestamp": now}
        objects.store.put(events, body)
        return
    objects.store.put(
        events,
        {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": _metadata(name, namespace, now, digest),
            "involvedObject": {
                "kind": about["kind"],
                "namespace": namespace,
                "name": metadata["name"],
                "uid": metadata["uid"],
                "apiVersion": about["apiVersion"],
                "resourceVersion": metadata.get("resourceVersion", ""),
            },
            "reason": reason,
            "message": message,
            "source": {"component": component},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": kind,
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": "",
        },
    )


def _metadata(name: str, namespace: str, now: str, digest: str) -> dict[str, Any]:
    uid = f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-8000-{digest[:12]}"
    return {"name": name, "namespace": namespace, "uid": uid, "creationTimestamp": now}
