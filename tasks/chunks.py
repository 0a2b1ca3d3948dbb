"""Values on their way to a task, closed to Prefect's search for futures."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Sealed(Generic[T]):
    """A task parameter that is passed on as it is.

    Prefect walks every list, tuple and dataclass it is given, and a panel has thousands of
    pools. Its own `quote` is a tuple, which Dask takes apart; a plain class is left alone by both.
    """

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __getstate__(self) -> T:
        return self.value

    def __setstate__(self, value: T) -> None:
        self.value = value
