"""Frozen values as JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tasks.adapters.documents import UnreadableDocumentError, from_json, to_json
from tasks.domain.inventory import Instance, Inventory, Lifecycle

LISTED = Inventory(
    observed_at=datetime(2026, 1, 5, tzinfo=UTC),
    regions=("us-east-1",),
    instances=(
        Instance(
            instance_id="i-1",
            region="us-east-1",
            availability_zone="us-east-1a",
            instance_type="m5.large",
            lifecycle=Lifecycle.SPOT,
            launched_at=datetime(2025, 12, 1, tzinfo=UTC),
            tags={"team": "search"},
        ),
    ),
)


def test_an_inventory_comes_back_equal_and_with_its_indexes() -> None:
    back = from_json(Inventory, to_json(Inventory, LISTED))

    assert back == LISTED
    assert back.instance["i-1"].tags == {"team": "search"}


def test_a_document_of_another_shape_is_refused_with_the_way_out() -> None:
    with pytest.raises(UnreadableDocumentError, match="run the flow that writes it again"):
        from_json(Inventory, b'{"regions": []}')
