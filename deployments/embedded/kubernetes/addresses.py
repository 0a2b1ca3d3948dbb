"""Addresses of services, out of the range of the cluster."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice
from typing import Any

from deployments.embedded.kubernetes import errors
from deployments.embedded.kubernetes.causes import wrong
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.store import Store

Body = dict[str, Any]
RANGE = IPv4Network("10.0.0.0/16")
FIRST_PORT, LAST_PORT = 30_000, 32_767
"""Ports of nodes."""
NONE = "None"


def give_address(store: Store, kind: Kind, body: Body, before: Body | None) -> None:
    """Give a service what it asks for: an address of its own, the one it had, or none; in place.

    Raises:
        ApiError: 422 where the address is taken, 500 where none is left.
    """
    spec = body["spec"]
    if spec.get("type") == "ExternalName":
        return
    if before is not None:
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if name in before["spec"]:
                spec.setdefault(name, before["spec"][name])
    if not spec.get("clusterIP"):
        spec["clusterIP"] = (spec.get("clusterIPs") or [None])[0] or _free(store, kind)
    elif before is None and spec["clusterIP"] in _taken(store, kind) - {NONE}:
        address = spec["clusterIP"]
        message = f"failed to allocate IP {address}: provided IP is already allocated"
        cause = wrong("spec.clusterIPs", [address], message)
        raise errors.invalid(kind.name, kind.group, body["metadata"]["name"], [cause])
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _give_ports(store, kind, spec)


def _taken(store: Store, kind: Kind) -> set[str]:
    return {entry.fields["spec.clusterIP"] for entry in store.list(kind)}


def _free(store: Store, kind: Kind) -> str:
    taken = _taken(store, kind)
    # The first address is that of the API server.
    for one in islice(RANGE.hosts(), 1, len(taken) + 3):
        if str(one) not in taken:
            return str(one)
    message = "Internal error occurred: failed to allocate a serviceIP: range is full"
    raise errors.ApiError(500, "InternalError", message)


def _give_ports(store: Store, kind: Kind, spec: Body) -> None:
    ports = [one for one in spec.get("ports") or () if not one.get("nodePort")]
    if not ports:
        return
    taken = {
        port.get("nodePort")
        for entry in store.list(kind)
        for port in entry.body()["spec"].get("ports") or ()
    }
    free = (one for one in range(FIRST_PORT, LAST_PORT + 1) if one not in taken)
    for one, number in zip(ports, free, strict=False):
        one["nodePort"] = number
