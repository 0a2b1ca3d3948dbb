"""Samples of series in memory: appended a metric at a time, read as arrays, dropped when they are old.

Whoever reads in another thread takes a `snapshot` where samples are appended, which costs no copy of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from deployments.embedded.prometheus.labels import NAME, Labels
from deployments.embedded.workloads.physics.arrays import Bools, Floats, Ints

CHUNK = 240
"""Samples of a series in one chunk: an hour at 15 s."""
MOST_SAMPLES = 50_000_000
"""Of one question, as Prometheus' --query.max-samples has it."""
_ABSENT = np.array([0x7FF8_0000_0000_0BAD], dtype=np.uint64)
_ENDED = np.array([0x7FF0_0000_0000_0002], dtype=np.uint64)
"""Prometheus' own marker of staleness, a NaN like no other."""


class OutOfOrderError(ValueError):
    """Samples of a metric are not later than those before."""


class TooManySamplesError(Exception):
    """A question would read more than `MOST_SAMPLES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """Samples of the series of one metric.

    Attributes:
        labels: (S,) with the metric's name.
        times: (n,) milliseconds of Unix time, rising.
        values: (S, n) NaN where there is none.
        present: (S, n) there is a sample.
        ended: (S, n) the series has ended here.
    """

    labels: tuple[Labels, ...]
    times: Ints
    values: Floats
    present: Bools
    ended: Bools


@dataclass(slots=True)
class _Chunk:
    """Samples of one metric over some time, a row for each series."""

    times: list[int] = field(default_factory=list)
    rows: dict[Labels, int] = field(default_factory=dict)
    bits: np.ndarray[tuple[int, int], np.dtype[np.uint64]] = field(
        default_factory=lambda: np.zeros((0, CHUNK), dtype=np.uint64)
    )
    moving: Ints | None = None
    """Which rows `bits` has, after `close`; the others never changed."""
    steady: np.ndarray[tuple[int], np.dtype[np.uint64]] = field(default_factory=lambda: _ABSENT[:0])

    known: tuple[Sequence[Labels], Ints] = ((), np.zeros(0, dtype=np.int64))

    def rows_of(self, labels: Sequence[Labels]) -> Ints:
        """Return the row of each series, new ones made; fast for the same object as the last time."""
        if self.known[0] is not labels:
            self.known = (labels, self._rows(labels))
        return self.known[1]

    def _rows(self, labels: Sequence[Labels]) -> Ints:
        found = [self.rows.setdefault(one, len(self.rows)) for one in labels]
        if len(self.rows) > len(self.bits):
            room = np.full((max(len(self.rows), 2 * len(self.bits)), CHUNK), _ABSENT[0])
            room[: len(self.bits)] = self.bits
            self.bits = room
        return np.array(found, dtype=np.int64)

    def close(self) -> None:
        """Keep one number of each series that never changed: most of a cluster's state does not."""
        bits = self.bits[: len(self.rows), : len(self.times)]
        moves = (bits != bits[:, :1]).any(axis=1)
        self.moving = np.flatnonzero(moves)
        self.steady = bits[:, 0].copy()
        self.bits = bits[moves].copy()
        self.known = ((), self.moving[:0])

    def read(self, rows: Ints) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
        """Return (len(rows), times) of some rows."""
        if self.moving is None:
            return self.bits[rows, : len(self.times)]
        whole = np.repeat(self.steady[:, None], len(self.times), axis=1)
        whole[self.moving] = self.bits
        return whole[rows]

    def as_now(self) -> _Chunk:
        """Return a chunk that does not change: numbers are only ever written to columns after its last."""
        return _Chunk(
            times=list(self.times),
            rows=dict(self.rows),
            bits=self.bits,
            moving=self.moving,
            steady=self.steady,
        )

    @property
    def bytes(self) -> int:
        """Return what the numbers take."""
        return int(self.bits.nbytes + self.steady.nbytes)


@dataclass(slots=True)
class _Family:
    """All samples of one metric."""

    chunks: list[_Chunk] = field(default_factory=list)
    live: Sequence[Labels] = ()
    newest: Floats = field(default_factory=lambda: np.zeros(0))


class Samples:
    """Keeps samples for some time.

    Args:
        retention_seconds: How long samples are kept, to the chunk; above 0.
        most_bytes: Of all numbers; when there are more, the oldest chunks go first.
    """

    def __init__(
        self, *, retention_seconds: float = 26 * 3600.0, most_bytes: int = 512 * 2**20
    ) -> None:
        self._retention = round(retention_seconds * 1000)
        self._most_bytes = most_bytes
        self._families: dict[str, _Family] = {}

    def append(
        self,
        now_seconds: float,
        name: str,
        labels: Sequence[Labels],
        values: Floats,
        *,
        whole: bool = True,
    ) -> None:
        """Add a sample to each of some series of one metric.

        Args:
            now_seconds: Unix time; after that of the samples before.
            name: Of the metric.
            labels: (S,) of the series, without the metric's name; no two are alike. It must not change
                afterwards; the same object again says that nothing did.
            values: (S,)
            whole: These are all series there are: others that had a sample the last time end here.

        Raises:
            OutOfOrderError: There are samples as late as these.
        """
        now = round(now_seconds * 1000)
        family = self._families.setdefault(name, _Family())
        chunk = self._open_chunk(family, name, now)
        column = len(chunk.times)
        chunk.times.append(now)
        if whole and family.live is not labels:
            gone = set(family.live).difference(labels)
            ends = chunk.rows_of(sorted(gone))
            chunk.bits[ends, column] = _ENDED[0]
        rows = chunk.rows_of(labels)
        numbers = np.ascontiguousarray(values, dtype=np.float64)
        chunk.bits[rows, column] = numbers.view(np.uint64)
        family.live, family.newest = labels, numbers.copy()

    def _open_chunk(self, family: _Family, name: str, now: int) -> _Chunk:
        if family.chunks:
            newest = family.chunks[-1]
            if newest.times[-1] >= now:
                msg = f"{name} has samples of {newest.times[-1]} ms; {now} ms is not later"
                raise OutOfOrderError(msg)
            if len(newest.times) < CHUNK:
                return newest
            newest.close()
            self._drop(now)
        family.chunks.append(_Chunk())
        return family.chunks[-1]

    def _drop(self, now: int) -> None:
        for family in self._families.values():
            while len(family.chunks) > 1 and family.chunks[0].times[-1] < now - self._retention:
                family.chunks.pop(0)
        while self.bytes > self._most_bytes:
            full = [one for one in self._families.values() if len(one.chunks) > 1]
            if not full:
                return
            min(full, key=lambda one: one.chunks[0].times[0]).chunks.pop(0)

    @property
    def bytes(self) -> int:
        """Return what the numbers of all samples take."""
        return sum(chunk.bytes for one in self._families.values() for chunk in one.chunks)

    def snapshot(self) -> Samples:
        """Return the samples as they are now, to be read in any thread while others are appended here."""
        found = Samples(retention_seconds=self._retention / 1000.0, most_bytes=self._most_bytes)
        for name, one in self._families.items():
            # A full chunk has been closed, and changes no more.
            chunks = [chunk if chunk.moving is not None else chunk.as_now() for chunk in one.chunks]
            found._families[name] = _Family(chunks=chunks, live=one.live, newest=one.newest)
        return found

    def newest_time(self, name: str) -> int:
        """Return when a metric had its last samples, milliseconds of Unix time.

        Raises:
            KeyError: It never had any.
        """
        return self._families[name].chunks[-1].times[-1]

    def newest(self) -> dict[str, tuple[Sequence[Labels], Floats]]:
        """Return the series of each metric that have not ended, and their last values."""
        return {name: (one.live, one.newest) for name, one in self._families.items() if one.live}

    def series(
        self,
        wanted: Callable[[Labels], bool],
        *,
        start: int,
        end: int,
        name: str | None = None,
    ) -> list[Labels]:
        """Return the labels of wanted series that have a sample in a time.

        Args:
            wanted: Of labels with the metric's name.
            start: Milliseconds of Unix time, with it.
            end: The same, with it.
            name: Of the metric, where it is known.
        """
        found = self.select(wanted, start=start, end=end, name=name)
        return [
            labels
            for one in found
            for labels, present in zip(one.labels, one.present, strict=True)
            if present.any()
        ]

    def select(
        self,
        wanted: Callable[[Labels], bool],
        *,
        start: int,
        end: int,
        name: str | None = None,
    ) -> list[Selected]:
        """Return samples of wanted series, an entry for each metric; arguments as for `series`.

        Raises:
            TooManySamplesError: There are more than `MOST_SAMPLES`.
        """
        names = sorted(self._families) if name is None else [name]
        found, count = [], 0
        for metric in names:
            family = self._families.get(metric)
            one = None if family is None else _meant(metric, family, wanted, start, end)
            if one is not None:
                count += one.count
                found.append(one)
            if count > MOST_SAMPLES:
                raise TooManySamplesError
        return [_read(one) for one in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meant:
    """What is to be read of one metric: counted before any of it is.

    Attributes:
        labels: (S,) with the metric's name.
        place: Row of each series, by its labels without the name.
        chunks: That have any of it.
        times: (n,) of the chunks.
        inside: Which of those are asked for.
    """

    labels: tuple[Labels, ...]
    place: dict[Labels, int]
    chunks: list[_Chunk]
    times: Ints
    inside: slice

    @property
    def count(self) -> int:
        return len(self.labels) * int(self.inside.stop - self.inside.start)


def _meant(
    name: str, family: _Family, wanted: Callable[[Labels], bool], start: int, end: int
) -> _Meant | None:
    chunks = [one for one in family.chunks if one.times[0] <= end and one.times[-1] >= start]
    known: dict[Labels, Labels | None] = {}
    for chunk in chunks:
        for labels in chunk.rows:
            if labels not in known:
                named = tuple(sorted(((NAME, name), *labels)))
                known[labels] = named if wanted(named) else None
    place = {labels: at for at, labels in enumerate(one for one, named in known.items() if named)}
    if not place:
        return None
    times = np.array([when for chunk in chunks for when in chunk.times], dtype=np.int64)
    return _Meant(
        labels=tuple(named for named in known.values() if named is not None),
        place=place,
        chunks=chunks,
        times=times,
        inside=slice(*np.searchsorted(times, [start, end + 1])),
    )


def _read(meant: _Meant) -> Selected:
    place, parts = meant.place, []
    for chunk in meant.chunks:
        pairs = [(row, place[labels]) for labels, row in chunk.rows.items() if labels in place]
        part = np.full((len(place), len(chunk.times)), _ABSENT[0])
        rows, places = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        part[places] = chunk.read(rows)
        parts.append(part)
    bits = np.concatenate(parts, axis=1)[:, meant.inside]
    ended = bits == _ENDED[0]
    present = ~ended & (bits != _ABSENT[0])
    return Selected(
        labels=meant.labels,
        times=meant.times[meant.inside],
        # The marker is a NaN that arithmetic complains of.
        values=np.where(present, np.ascontiguousarray(bits).view(np.float64), np.nan),
        present=present,
        ended=ended,
    )
