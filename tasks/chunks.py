"""Values on their way to a task, closed to Prefect's search for futures."""

from __future__ import annotations

from typing import Generic, TypeVar
from uuid import uuid4

T = TypeVar("T")


class Sealed(Generic[T]):
    """A task parameter that is passed on as it is.

    Prefect walks every list, tuple and dataclass it is given, and a panel has thousands of
    pools. Its own `quote` is a tuple, which Dask takes apart; a plain class is left alone by both.
    Dask also names a task by a hash of its arguments, for which it would pickle a panel, load it
    again and walk it: more work than the forecast. A name drawn at random serves as well, since
    no two tasks are the same.
    """

    __slots__ = ("_name", "value")

    def __init__(self, value: T) -> None:
        self.value = value
        self._name = uuid4().hex

    def __dask_tokenize__(self) -> str:
        return self._name
