from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.stacks.applied import is_adoption_only
from tasks.domain.stacks.changes import CHANGE_TAG, RESOURCE_TAG, Phase
from tasks.domain.stacks.preview import (
    UNKNOWN,
    Operation,
    Preview,
    PropertyDiff,
    ResourceChange,
    Source,
)
from tasks.domain.stacks.recovery import (
    Outcome,
    missing_outputs,
    pending_creates,
    pending_operations,
    perhaps_left_stopped,
    remaining,
    resolved,
    with_begun,
)

INSTANCE, VOLUME = "aws:ec2/instance:Instance", "aws:ebs/volume:Volume"
TAGS = {CHANGE_TAG: "hs-0123456789ab", RESOURCE_TAG: "batch"}


def urn(name: str, token: str = INSTANCE) -> str:
    return f"urn:pulumi:eu::homeostat::{token}::{name}"


def resource(name: str, *, token: str = INSTANCE, **more: Any) -> dict[str, Any]:
    return {"urn": urn(name, token), "type": token, "custom": True, "inputs": {}, **more}


def pending(kind: str, one: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "resource": one}


def line(name: str, operation: Operation, **more: Any) -> ResourceChange:
    given = {"inputs_after": {"instanceType": "m5.large"}, **more}
    return ResourceChange(name=name, token=INSTANCE, urn=urn(name), operation=operation, **given)


def preview(*lines: ResourceChange, **more: Any) -> Preview:
    given = {
        "stack": "eu",
        "region": "eu-west-1",
        "phase": Phase.CHANGE,
        "source": Source.ENGINE,
        "program_sha256": "p",
        "state_serial": "s",
        **more,
    }
    return Preview(changes=lines, **given)


RESIZE = PropertyDiff(path="instanceType", before="m5.xlarge", after="m5.large")
RETAG = PropertyDiff(path="tags.owner", before=None, after="shop")
APPROVED = preview(
    line("web", Operation.UPDATE, diffs=(RESIZE, RETAG)),
    line("batch", Operation.CREATE, inputs_after={"instanceType": "m5.large", "role": UNKNOWN}),
    line("old", Operation.REPLACE, diffs=(replace(RESIZE, replaces=True),)),
)


def test_a_create_that_the_account_has_comes_into_the_state_with_its_id() -> None:
    one = resource("batch", inputs={"tags": TAGS})
    state = {"resources": [], "pending_operations": [pending("creating", one)]}
    after, (resolution,) = resolved(state, {urn("batch"): ("i-1",)})
    assert after["pending_operations"] == []
    assert [each["id"] for each in after["resources"]] == ["i-1"]
    assert (resolution.outcome, resolution.resource_id) == (Outcome.ADOPTED, "i-1")


def test_a_create_that_the_account_does_not_have_is_cleared() -> None:
    state = {"resources": [], "pending_operations": [pending("creating", resource("batch"))]}
    after, (resolution,) = resolved(state, {urn("batch"): ()})
    assert after["resources"] == []
    assert resolution.outcome is Outcome.CLEARED


def test_a_resource_that_is_there_twice_is_named_and_never_guessed() -> None:
    state = {"resources": [], "pending_operations": [pending("creating", resource("batch"))]}
    with pytest.raises(PermanentError, match=r"batch: the account has it 2 times \(i-1, i-2\)"):
        resolved(state, {urn("batch"): ("i-2", "i-1")})


def test_the_replacement_is_told_from_what_it_replaces_though_both_carry_the_tags() -> None:
    state = {
        "resources": [resource("web", id="i-old")],
        "pending_operations": [pending("creating", resource("web"))],
    }
    after, (resolution,) = resolved(state, {urn("web"): ("i-old", "i-new")})
    assert resolution.resource_id == "i-new"
    assert [(one["id"], one.get("delete", False)) for one in after["resources"]] == [
        ("i-old", True),
        ("i-new", False),
    ]


def test_an_update_that_was_cut_off_is_left_to_the_refresh() -> None:
    state = {
        "resources": [resource("web", id="i-1")],
        "pending_operations": [pending("updating", resource("web", id="i-1"))],
    }
    after, (resolution,) = resolved(state, {})
    assert after["resources"] == state["resources"]
    assert resolution.outcome is Outcome.REFRESHED


def test_resolving_leaves_the_state_that_it_was_given_alone() -> None:
    state = {"resources": [], "pending_operations": [pending("creating", resource("batch"))]}
    resolved(state, {urn("batch"): ("i-1",)})
    assert state["resources"] == []


def test_what_was_begun_is_looked_for_by_the_tags_that_the_program_gave_it() -> None:
    one = resource("batch", inputs={"tags": TAGS})
    (wanted,) = pending_creates({"pending_operations": [pending("creating", one)]})
    assert (wanted.name, wanted.change_id) == ("batch", "hs-0123456789ab")


def test_the_tags_of_a_group_are_a_list() -> None:
    rows = [{"key": key, "value": value, "propagateAtLaunch": True} for key, value in TAGS.items()]
    one = resource("workers", inputs={"tags": rows})
    (wanted,) = pending_creates({"pending_operations": [pending("creating", one)]})
    assert wanted.change_id == "hs-0123456789ab"


def test_a_create_that_failed_counts_as_begun_until_the_account_was_asked() -> None:
    state = with_begun({"resources": []}, [pending("creating", resource("batch"))])
    assert pending_operations(state) == ("creating batch",)


def test_a_failed_create_whose_resource_the_state_has_is_not_begun() -> None:
    state = {"resources": [resource("batch", id="i-1")]}
    assert pending_operations(with_begun(state, [pending("creating", resource("batch"))])) == ()


def test_what_the_engine_tells_itself_is_not_told_twice() -> None:
    begun = [pending("creating", resource("batch"))]
    assert pending_operations(with_begun({"pending_operations": begun}, begun)) == (
        "creating batch",
    )


def test_an_instance_whose_resize_was_cut_off_may_be_stopped_and_ran_before() -> None:
    state = {
        "resources": [
            resource("web", id="i-1", outputs={"instanceState": "running"}),
            resource("idle", id="i-2", outputs={"instanceState": "stopped"}),
            resource("other", id="i-3", outputs={"instanceState": "running"}),
        ],
        "pending_operations": [
            pending("updating", resource("web")),
            pending("updating", resource("idle")),
        ],
    }
    assert perhaps_left_stopped(state) == ("i-1",)


def test_nothing_is_left_when_everything_was_done() -> None:
    assert remaining(APPROVED, preview(line("web", Operation.SAME))) == ()


def test_what_is_left_of_the_approved_is_covered() -> None:
    left = line("web", Operation.UPDATE, diffs=(RETAG,))
    assert remaining(APPROVED, preview(left)) == (left,)


def test_a_value_that_was_unknown_when_it_was_approved_may_be_any() -> None:
    known = line(
        "batch", Operation.CREATE, inputs_after={"instanceType": "m5.large", "role": "r-1"}
    )
    assert remaining(APPROVED, preview(known)) == (known,)


def test_the_rest_of_a_creation_is_covered_when_it_ends_as_approved() -> None:
    rest = line(
        "batch",
        Operation.UPDATE,
        diffs=(PropertyDiff(path="role", before=None, after="r-1"),),
        inputs_after={"instanceType": "m5.large", "role": "r-1"},
    )
    assert remaining(APPROVED, preview(rest)) == (rest,)


def test_the_second_half_of_a_replacement_is_covered() -> None:
    half = line("old", Operation.DELETE, inputs_after=None)
    assert remaining(APPROVED, preview(half)) == (half,)


@pytest.mark.parametrize(
    "now",
    [
        preview(line("new", Operation.CREATE)),
        preview(line("web", Operation.DELETE, inputs_after=None)),
        preview(line("web", Operation.REPLACE, diffs=(RESIZE,))),
        preview(line("web", Operation.UPDATE, diffs=(replace(RESIZE, before="m5.2xlarge"),))),
        preview(line("web", Operation.UPDATE, diffs=(replace(RESIZE, replaces=True),))),
        preview(
            line(
                "web",
                Operation.UPDATE,
                diffs=(RESIZE,),
                inputs_after={"instanceType": "m5.large", "ebsOptimized": True},
            )
        ),
        preview(
            line("batch", Operation.CREATE, inputs_after={"instanceType": "m5.metal", "role": "r"})
        ),
        preview(line("web", Operation.UPDATE, diffs=(RESIZE,)), program_sha256="other"),
        preview(line("web", Operation.UPDATE, diffs=(RESIZE,)), phase=Phase.UNDO),
        preview(line("web", Operation.UPDATE, diffs=(RESIZE,)), source=Source.ESTIMATE),
    ],
    ids=[
        "a resource that was not approved",
        "a deletion",
        "a replacement",
        "another value before",
        "a property that replaces now",
        "another end",
        "a creation with another value",
        "another program",
        "another phase",
        "an estimate",
    ],
)
def test_anything_that_was_not_approved_ends_the_approval(now: Preview) -> None:
    assert remaining(APPROVED, now) is None


def test_adoption_alone_imports_and_changes_nothing() -> None:
    assert is_adoption_only(preview(line("a", Operation.IMPORT), line("b", Operation.SAME)))
    assert not is_adoption_only(preview(line("a", Operation.IMPORT), line("b", Operation.UPDATE)))


def test_outputs_that_have_no_value_are_missing() -> None:
    stack = {"type": "pulumi:pulumi:Stack", "urn": "u", "outputs": {"url": "https://x", "id": None}}

    assert missing_outputs({"resources": [stack]}, ["url", "id", "other"]) == ("id", "other")
    assert missing_outputs({}, []) == ()
