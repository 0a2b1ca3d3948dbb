"""What the API has of nodes and owners, as a reader tells of it: kube-state-metrics knows nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Body = dict[str, Any]
CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure")
_State = TypeVar("_State")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """A Node's conditions and specification.

    Attributes:
        name: Of the node.
        conditions: By type, of `CONDITIONS`: True, False or Unknown. One that is missing has no series.
        unschedulable: It is cordoned.
    """

    name: str
    conditions: Mapping[str, str]
    unschedulable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSetState:
    """Whose a ReplicaSet is.

    Attributes:
        namespace: Of it.
        name: Of it.
        owner_kind: Of its controller; empty without one.
        owner_name: The same.
    """

    namespace: str
    name: str
    owner_kind: str = ""
    owner_name: str = ""


def node_state(node: Body) -> NodeState:
    """Return the state of a Node as the API has it."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    return NodeState(
        name=node["metadata"]["name"],
        conditions={one["type"]: one["status"] for one in conditions if one["type"] in CONDITIONS},
        unschedulable=bool((node.get("spec") or {}).get("unschedulable")),
    )


def replica_set_state(replica_set: Body) -> ReplicaSetState:
    """Return the owner of a ReplicaSet as the API has it."""
    metadata = replica_set["metadata"]
    owners = [one for one in metadata.get("ownerReferences") or () if one.get("controller")]
    owner = owners[0] if owners else {"kind": "", "name": ""}
    return ReplicaSetState(
        namespace=metadata["namespace"],
        name=metadata["name"],
        owner_kind=owner["kind"],
        owner_name=owner["name"],
    )


class States(Generic[_State]):
    """States of all objects at a path.

    Args:
        state: Of an object as the API has it.
    """

    def __init__(self, state: Callable[[Body], _State]) -> None:
        self._state = state
        self._states: dict[tuple[str, str], _State] = {}

    def tell(self, before: Body | None, now: Body | None) -> None:
        """Take note of a change; either is None where there is nothing."""
        metadata = (now or before or {})["metadata"]
        key = metadata.get("namespace", ""), metadata["name"]
        if now is None:
            self._states.pop(key, None)
        else:
            self._states[key] = self._state(now)

    def all(self) -> list[_State]:
        """Return them by namespace and name."""
        return [self._states[key] for key in sorted(self._states)]
