"""What an undo takes for somebody else's change."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.foreign import foreign_changes
from tasks.domain.stacks.preview import (
    UNKNOWN,
    Operation,
    Preview,
    PropertyDiff,
    ResourceChange,
    Source,
)

BEFORE = {"instanceType": "m4.xlarge", "tags": {"Name": "web"}}
AFTER = {"instanceType": "m5a.large", "tags": {"Name": "web", "homeostat/change-id": "hs-1"}}


def line(before: dict[str, Any], after: dict[str, Any], *paths: str) -> ResourceChange:
    return ResourceChange(
        name="web",
        token="aws:ec2/instance:Instance",
        urn="urn:web",
        operation=Operation.UPDATE,
        diffs=tuple(PropertyDiff(path=path, before=None, after=None) for path in paths),
        inputs_before=before,
        inputs_after=after,
    )


def preview(
    *changes: ResourceChange, phase: Phase, drift: tuple[ResourceChange, ...] = ()
) -> Preview:
    return Preview(
        stack="s",
        region="r",
        phase=phase,
        source=Source.ENGINE,
        program_sha256="p",
        state_serial="1",
        changes=changes,
        drift=drift,
    )


APPROVED = preview(line(BEFORE, AFTER, "instanceType", "tags"), phase=Phase.CHANGE)


def undo(live: dict[str, Any], *, drift: tuple[ResourceChange, ...] = ()) -> Preview:
    return preview(line(live, BEFORE, "instanceType", "tags"), phase=Phase.UNDO, drift=drift)


@pytest.mark.parametrize(
    "live", [BEFORE, AFTER, {"instanceType": "m5a.large", "tags": BEFORE["tags"]}]
)
def test_what_the_change_did_in_part_or_not_at_all_is_our_own(live: dict[str, Any]) -> None:
    assert foreign_changes(undo(live), APPROVED) == ()


def test_a_value_that_is_neither_as_before_nor_as_after_is_somebody_elses() -> None:
    found = foreign_changes(undo(AFTER | {"instanceType": "m5.4xlarge"}), APPROVED)

    assert found == ("web: instanceType is 'm5.4xlarge'",)


def test_a_tag_that_somebody_added_would_be_lost_and_is_named() -> None:
    live = AFTER | {"tags": {**AFTER["tags"], "cost-centre": "7"}}  # type: ignore[dict-item]

    assert "cost-centre" in foreign_changes(undo(live), APPROVED)[0]


def test_drift_of_our_own_doing_is_none_and_other_drift_is() -> None:
    half = line(BEFORE, AFTER, "instanceType")
    other = line(AFTER, AFTER | {"instanceType": "m5.4xlarge"}, "instanceType")

    assert foreign_changes(undo(AFTER, drift=(half,)), APPROVED) == ()
    assert foreign_changes(undo(AFTER, drift=(other,)), APPROVED) == (
        "web: instanceType is 'm5.4xlarge'",
    )


def test_a_resource_that_is_gone_is_named() -> None:
    gone = ResourceChange(name="web", token="t", urn="urn:web", operation=Operation.DELETE)

    assert foreign_changes(undo(AFTER, drift=(gone,)), APPROVED) == ("web: it is no longer there",)


def test_what_the_account_adds_to_a_group_of_settings_is_no_news() -> None:
    ours = {"mixedInstancesPolicy": {"launchTemplate": {"id": "lt-1"}}}
    live = {"mixedInstancesPolicy": {"launchTemplate": {"id": "lt-1", "name": "web"}, "n": 1}}
    approved = preview(line({}, ours, "mixedInstancesPolicy"), phase=Phase.CHANGE)
    back = preview(line(live, {}, "mixedInstancesPolicy.launchTemplate"), phase=Phase.UNDO)

    assert foreign_changes(back, approved) == ()


def test_tags_in_another_order_and_versions_that_the_change_made_are_our_own() -> None:
    one, other = {"key": "team", "value": "web"}, {"key": "env", "value": "prod"}
    ours = {"launchTemplate": {"id": "lt-1", "version": UNKNOWN}, "tags": (one, other)}
    live = {"launchTemplate": {"id": "lt-1", "version": "2"}, "tags": (other, one)}
    approved = preview(line({}, ours, "launchTemplate", "tags"), phase=Phase.CHANGE)
    back = preview(line(live, {}, "launchTemplate.version", "tags[0]"), phase=Phase.UNDO)
    more = preview(line(live | {"tags": (other, one, one)}, {}, "tags[2]"), phase=Phase.UNDO)

    assert foreign_changes(back, approved) == ()
    assert foreign_changes(more, approved) != ()
