"""By what the items of lists are told apart, in strategic merges and in server-side apply."""

from __future__ import annotations

KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
    "addresses": ("type",),
    "resourceClaims": ("name",),
    "secrets": ("name",),
}
"""By the name of the list; others are replaced as a whole."""

SETS = frozenset({"finalizers"})
"""Lists of texts in which order says nothing."""

NOT_IN_APPLY = frozenset({"secrets"})


def keys_of(path: tuple[str, ...], *, apply: bool) -> tuple[str, ...] | None:
    """Return the keys of a list by the names on the way to it; None where it is one value.

    Ports are told apart by port and protocol; strategic merges look at the port alone.
    """
    name, above = path[-1], path[-2] if len(path) > 1 else ""
    if name == "ports":
        number = "port" if above == "spec" else "containerPort"
        return (number, "protocol") if apply else (number,)
    if name == "taints":
        return None if apply else ("key",)
    if name == "conditions" and "status" not in path:
        return None
    return KEYS.get(name)
