from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.aws import cbor

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.binary(max_size=40)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=values)
def test_what_was_encoded_is_decoded(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(value=values)
def test_cut_off_data_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - at whatever place it was cut
        cbor.decode(cbor.encode(value)[:-1])


@pytest.mark.parametrize(
    ("data", "value"),  # RFC 8949, appendix A
    [
        ("1903e8", 1000),
        ("3863", -100),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("c11a514b67b0", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
        ("6449455446", "IETF"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
        ("7f657374726561646d696e67ff", "streaming"),
    ],
)
def test_the_standards_examples_are_understood(data: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(data)) == value


def test_data_after_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="ends at byte 1 of 2"):
        cbor.decode(b"\x01\x01")
