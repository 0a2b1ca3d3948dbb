"""How far a change may go without a person, for each part of what there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class Mode(StrEnum):
    """From the most cautious to the least; they compare in that order."""

    OFF = "off"
    """Not even looked at."""
    OBSERVE = "observe"
    """Logged."""
    RECOMMEND = "recommend"
    """Shown, with its program and preview."""
    APPROVE = "approve"
    """Done when people have approved it."""
    AUTO = "auto"
    """Done, where it can be taken back; otherwise as `approve`."""

    @property
    def rank(self) -> int:
        """0 for the most cautious."""
        return tuple(Mode).index(self)

    # Texts compare by their letters, and "auto" would come before "off".
    def __lt__(self, other: str) -> bool:
        return self.rank < Mode(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Mode(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Mode(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Mode(other).rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A part of what there is, and its mode.

    Attributes:
        kinds: Of changes, for example "right-size", or "healing" or "chaos"; empty for all.
        regions: Empty for all, and for what has no region.
        pattern: Of a resource's id or name, or of a stack's name; * and ? stand for any
            characters, case matters.
    """

    mode: Mode
    kinds: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    pattern: str = "*"

    def covers(self, *, kind: str, region: str, names: Iterable[str]) -> bool:
        """Return whether something is in this part, by any of its names.

        What has no region, such as a commitment of the whole account, is in every region.
        """
        if self.kinds and kind not in self.kinds:
            return False
        if self.regions and region and region not in self.regions:
            return False
        return any(fnmatchcase(name, self.pattern) for name in names)


def most_cautious(modes: Iterable[Mode], *, default: Mode) -> Mode:
    """Return the most cautious of some modes; `default` where there are none."""
    return min(modes, key=lambda one: one.rank, default=default)
