from __future__ import annotations

import pickle

import dask.tokenize
import pytest
from prefect.utilities.collections import visit_collection

from tasks.chunks import Sealed


class Explosive:
    """Goes off when anything looks inside."""

    def __reduce__(self) -> tuple[object, ...]:
        pytest.fail("it was opened")


def test_prefect_does_not_look_inside() -> None:
    seen: list[object] = []

    visit_collection([Sealed([1, 2])], visit_fn=seen.append)

    assert 1 not in seen


def test_dask_names_it_without_opening_it() -> None:
    sealed = Sealed(Explosive())

    assert dask.tokenize.tokenize(sealed) == dask.tokenize.tokenize(sealed)
    assert dask.tokenize.tokenize(sealed) != dask.tokenize.tokenize(Sealed(Explosive()))


def test_it_arrives_with_its_value() -> None:
    assert pickle.loads(pickle.dumps(Sealed((1, "a")))).value == (1, "a")
