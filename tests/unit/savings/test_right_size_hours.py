"""What a right-sized instance saves, by the hours that the bill has."""

from __future__ import annotations

import pytest

from tasks.domain.instances import Architecture, InstanceShape, TypeFacts
from tasks.domain.savings.sizing.running_hours import monthly_hours


@pytest.mark.parametrize(
    ("name", "generation"), [("m5.large", 5), ("a1.large", 1), ("c6gn.xlarge", 6), ("x.large", 0)]
)
def test_the_generation_is_the_number_in_the_family(name: str, generation: int) -> None:
    shape = InstanceShape(
        instance_type=name, vcpu=2, memory_gib=4, architecture=Architecture.X86_64
    )

    assert TypeFacts(shape=shape).generation == generation


def test_hours_are_the_bills_where_it_has_them() -> None:
    assert monthly_hours((160.0, 160.0), mean_week=168.0).expected == pytest.approx(730.0)
