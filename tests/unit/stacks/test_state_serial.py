from __future__ import annotations

from typing import Any

from tasks.domain.stacks.state_serial import EMPTY, state_serial

WEB = {"urn": "urn:web", "type": "aws:ec2/instance:Instance", "id": "i-1", "inputs": {"a": 1}}
DATA = {"urn": "urn:data", "type": "aws:ebs/volume:Volume", "id": "vol-1", "inputs": {}}


def serial(*resources: dict[str, Any], **more: Any) -> str:
    return state_serial({"resources": list(resources), **more})


def test_a_stack_that_is_not_there_and_one_without_anything_have_the_same_serial() -> None:
    assert state_serial(None) == state_serial({"manifest": {"time": "now"}}) == EMPTY


def test_when_and_where_a_state_was_written_is_no_part_of_it() -> None:
    later = {**WEB, "modified": "later", "created": "x", "sourcePosition": "y", "stackTrace": []}
    assert serial(WEB, manifest={"time": "1"}) == serial(later, manifest={"time": "2"})


def test_the_order_in_which_calls_ended_is_no_part_of_it() -> None:
    assert serial(WEB, DATA) == serial(DATA, WEB)


def test_any_change_of_a_resource_changes_the_serial() -> None:
    others: list[dict[str, Any]] = [{"id": "i-2"}, {"inputs": {"a": 2}}, {"protect": True}]
    assert len({serial(WEB), *(serial({**WEB, **one}) for one in others)}) == 4


def test_something_pending_changes_the_serial() -> None:
    begun = {"type": "creating", "resource": DATA}
    assert serial(WEB) != serial(WEB, pending_operations=[begun])
    later = {"type": "creating", "resource": {**DATA, "created": "later"}}
    assert serial(WEB, pending_operations=[begun]) == serial(WEB, pending_operations=[later])
