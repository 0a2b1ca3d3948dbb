"""Families of series: numbers of things that are there, under labels that are made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from deployments.embedded.prometheus.labels import Labels
from deployments.embedded.workloads.physics.arrays import Bools, Floats

_Thing = TypeVar("_Thing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The series of one metric at an instant.

    Attributes:
        name: Of the metric.
        labels: (S,) the same object as before where nothing changed.
        values: (S,)
    """

    name: str
    labels: Sequence[Labels]
    values: Floats


class Things(Generic[_Thing]):
    """Things that have series, such as pods, for as long as the same ones are there.

    Args:
        things: They, in the order of the rows of numbers.
    """

    def __init__(self, things: Sequence[_Thing]) -> None:
        self.things = things
        self._all: dict[str, list[Labels]] = {}
        self._chosen: dict[str, tuple[bytes, list[Labels]]] = {}

    def family(
        self,
        name: str,
        labels: Callable[[_Thing], Sequence[Labels]],
        values: ArrayLike,
        there: Bools | None = None,
    ) -> Family:
        """Return the series of a metric.

        Args:
            name: Of the metric; its labels are made the first time only.
            labels: (V,) of a thing, as many for each.
            values: (R,) of each thing, or (R, V).
            there: (R,) or (R, V) which of them have a series; all without.
        """
        numbers = np.asarray(values, dtype=float)
        if numbers.ndim == 1:
            numbers = numbers[:, None]
        if name not in self._all:
            self._all[name] = [one for thing in self.things for one in labels(thing)]
        if there is None:
            return Family(name=name, labels=self._all[name], values=numbers.reshape(-1))
        shape = there[:, None] if there.ndim == 1 else there
        mask: Bools = np.broadcast_to(shape, numbers.shape).reshape(-1)
        before = self._chosen.get(name)
        if before is None or before[0] != mask.tobytes():
            some = [self._all[name][at] for at in np.flatnonzero(mask).tolist()]
            before = (mask.tobytes(), some)
            self._chosen[name] = before
        return Family(name=name, labels=before[1], values=numbers.reshape(-1)[mask])
