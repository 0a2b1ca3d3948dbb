"""What the owners of a demonstration put into the cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from deployments.embedded.workloads.kubelet.client import APPLY, Client, RefusedError

Manifest = dict[str, Any]
OWNER = "shop-release"
"""Under whose name the fields are."""
_GONE, _CONFLICT = 404, 409
_PLACES = {
    "Namespace": "/api/v1/namespaces",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Service": "/api/v1/namespaces/{}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
}

_log = logging.getLogger(__name__)


async def apply_missing(client: Client, manifests: Iterable[Manifest]) -> None:
    """Apply those of the manifests, in order, whose object is not there.

    What is there is left alone, whoever changed it: to apply it again would bring back every field
    that somebody took away, and would say of every other that it conflicts. What somebody deleted
    comes back with the next start, so that a start always ends with a whole shop.

    Raises:
        RefusedError: The API server does not take one, for another reason than a conflict.
    """
    for manifest in manifests:
        if manifest["kind"] == "PersistentVolumeClaim":
            await _apply(client, volume_for(manifest))
        await _apply(client, manifest)


async def _apply(client: Client, manifest: Manifest) -> None:
    metadata = manifest["metadata"]
    place = _PLACES[manifest["kind"]].format(metadata.get("namespace", ""))
    path = f"{place}/{metadata['name']}"
    if await _is_there(client, path):
        return
    try:
        await client.write("PATCH", path, manifest, content=APPLY, manager=OWNER)
    except RefusedError as error:
        # A server that has no volumes binds no claims either: nobody waits for them.
        if error.code == _GONE and manifest["kind"] == "PersistentVolume":
            return
        if error.code != _CONFLICT:
            raise
        _log.warning("kubelet.apply.conflict path=%s reason=%s", path, error)


async def _is_there(client: Client, path: str) -> bool:
    try:
        await client.get(path, {})
    except RefusedError as error:
        if error.code != _GONE:
            raise
        return False
    return True


def volume_for(claim: Manifest) -> Manifest:
    """Return a volume for a claim, as whoever runs the machines provides it."""
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"{metadata['namespace']}-{metadata['name']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
            },
            "hostPath": {"path": f"/var/lib/volumes/{name}"},
        },
    }
