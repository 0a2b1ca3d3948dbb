"""Labels of series, as sorted pairs that can be keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping

Labels = tuple[tuple[str, str], ...]
"""Sorted by name, without empty values."""
NAME = "__name__"


def labels_of(pairs: Mapping[str, str]) -> Labels:
    """Return labels of a mapping; an empty value is as none."""
    return tuple(sorted((name, value) for name, value in pairs.items() if value))


def kept(labels: Labels, names: Collection[str]) -> Labels:
    """Return those of the labels that are named."""
    return tuple(pair for pair in labels if pair[0] in names)


def dropped(labels: Labels, names: Collection[str] = (NAME,)) -> Labels:
    """Return the labels but those that are named; without the metric's name by default."""
    return tuple(pair for pair in labels if pair[0] not in names)


def replaced(labels: Labels, **changes: str) -> Labels:
    """Return the labels with others set; an empty value takes one away."""
    return labels_of(dict(labels) | changes)
