"""Addresses of pods."""

from __future__ import annotations

from collections import defaultdict
from ipaddress import IPv4Address

_FIRST = int(IPv4Address("10.64.0.0"))
_OF_A_NODE = 4_096
"""Addresses; a thousand nodes fit into 10.64.0.0/10."""


class Addresses:
    """Gives each pod of a node an address that no other has."""

    def __init__(self) -> None:
        self._taken: dict[int, set[str]] = defaultdict(set)
        self._last: dict[int, int] = defaultdict(int)

    def take(self, node: int, known: str = "") -> str:
        """Return an address of a node's pods, the one that is known already where it is free.

        Args:
            node: Index of the node.
            known: What the pod has; empty for nothing.
        """
        taken = self._taken[node]
        if known and known not in taken:
            taken.add(known)
            return known
        while True:
            # The next one, not the lowest: a new pod must not get the address of one that just went.
            self._last[node] = self._last[node] % (_OF_A_NODE - 2) + 1
            found = str(IPv4Address(_FIRST + node % 1_024 * _OF_A_NODE + self._last[node]))
            if found not in taken:
                taken.add(found)
                return found

    def give_back(self, node: int, address: str) -> None:
        """Free an address."""
        self._taken[node].discard(address)
