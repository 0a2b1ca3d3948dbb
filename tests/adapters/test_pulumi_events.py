from __future__ import annotations

from typing import Any

from tasks.adapters.pulumi.events import (
    LONGEST_MESSAGE,
    Event,
    Known,
    drift,
    error_text,
    operations_done,
    operations_failed,
    resource_changes,
    warnings,
)
from tasks.adapters.pulumi.values import plain_value, secret_texts
from tasks.domain.stacks.preview import SECRET, UNKNOWN, Operation, PropertyDiff

INSTANCE = "aws:ec2/instance:Instance"
HIDDEN = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "ciphertext": "[secret]",
}
NOT_KNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def urn(name: str, token: str = INSTANCE) -> str:
    return f"urn:pulumi:eu::homeostat::{token}::{name}"


def side(identity: str = "", *, protect: bool = False, **inputs: Any) -> dict[str, Any]:
    return {"id": identity, "protect": protect, "inputs": inputs}


def step(op: str, name: str = "web", **more: Any) -> Event:
    """An event in the shape that the worker writes; what is in it was told by Pulumi 3.259."""
    token = more.pop("token", INSTANCE)
    given = {"kind": "pre", "replaces": [], "old": None, "new": None} | more
    old, new = ((given[key] or {}).get("inputs", {}) for key in ("old", "new"))
    given.setdefault("differs", [key for key in {**old, **new} if old.get(key) != new.get(key)])
    return {"op": op, "urn": urn(name, token), "type": token, **given}


def message(text: str, *, severity: str = "error", of: str | None = None) -> Event:
    return {"kind": "message", "severity": severity, "urn": of and urn(of), "message": text}


def test_an_update_shows_what_it_changes_of_the_inputs() -> None:
    (line,) = resource_changes(
        [step("update", old=side("i-1", type="a", n=1), new=side(type="b", n=1.0))], known={}
    )
    assert line.operation is Operation.UPDATE
    assert line.resource_id == "i-1"
    assert line.diffs == (PropertyDiff(path="type", before="a", after="b"),)


def test_the_steps_of_a_replacement_are_one_line() -> None:
    old, new = side("i-1", ami="a"), side(ami="b")
    (line,) = resource_changes(
        [
            step("create-replacement", old=old, new=new, replaces=["ami"]),
            step("replace", old=old, new=new, replaces=["ami"]),
            step("delete-replaced", old=old),
        ],
        known={},
    )
    assert line.operation is Operation.REPLACE
    assert line.diffs == (PropertyDiff(path="ami", before="a", after="b", replaces=True),)


def test_an_old_one_that_is_still_to_be_deleted_is_a_deletion() -> None:
    events = [
        step("delete-replaced", old=side("i-1")),
    ]
    (line,) = resource_changes(events, known={})
    assert line.operation is Operation.DELETE


def test_an_import_that_changes_something_is_an_update() -> None:
    """The engine of 2026 imports and updates in one run, rather than refuse."""
    (line,) = resource_changes(
        [
            step("import", new=side(type="b")),
            step("update", old=side("i-1", type="a"), new=side(type="b")),
        ],
        known={},
    )
    assert line.operation is Operation.UPDATE
    assert line.diffs == (PropertyDiff(path="type", before="a", after="b"),)


def test_a_deletion_of_what_is_retained_only_forgets_it() -> None:
    events = [step("delete", old=side("i-1"))]
    (kept,) = resource_changes(events, known={urn("web"): Known(retained=True)})
    (gone,) = resource_changes(events, known={})
    assert (kept.operation, gone.operation) == (Operation.FORGET, Operation.DELETE)
    assert kept.inputs_after is None


def test_providers_and_the_stack_itself_are_no_lines() -> None:
    events = [
        step("create", "eu", token="pulumi:pulumi:Stack", new=side()),
        step("create", "default", token="pulumi:providers:aws", new=side()),
    ]
    assert resource_changes(events, known={}) == ()
    assert operations_done([{**one, "kind": "outputs"} for one in events], known={}) == ()


def test_what_one_event_hides_no_line_shows() -> None:
    """A refresh reads tags from the account in the clear, also those that the program hides."""
    events = [
        step("refresh", old=side("i-1", word=HIDDEN), new=side("i-1", word="hush")),
        step("update", old=side("i-1", word="hush", n=1), new=side(word=HIDDEN, n=2)),
    ]
    (line,) = resource_changes(events, known={})
    assert "hush" not in repr(line)
    assert [one.path for one in line.diffs] == ["n"]


def test_a_refresh_tells_what_is_otherwise_and_what_is_gone() -> None:
    same = side("i-1", type="a")
    events = [
        step("refresh", "same", kind="outputs", old=same, new=same),
        step("refresh", "other", kind="outputs", old=same, new=side("i-1", type="b")),
        step("refresh", "gone", kind="outputs", old=same, new=None),
    ]
    found = {one.name: (one.operation, len(one.diffs)) for one in drift(events)}
    assert found == {"other": (Operation.UPDATE, 1), "gone": (Operation.DELETE, 0)}
    assert resource_changes(events, known={}) == ()


def test_what_was_done_is_told_in_the_order_in_which_it_ended() -> None:
    events = [
        step("create", "b", kind="pre", new=side()),
        step("update", "a", kind="outputs", old=side("i-1"), new=side("i-1")),
        step("create", "b", kind="outputs", new=side("i-2")),
        step("same", "c", kind="outputs", old=side("i-3"), new=side("i-3")),
        step("create", "d", kind="pre", new=side()),
    ]
    done = operations_done(events, known={})
    assert [(one.name, one.resource_id) for one in done] == [("a", "i-1"), ("b", "i-2")]


def test_a_failure_names_its_resource_and_what_the_provider_said() -> None:
    events = [
        message("<{%reset%}>no\n   quota<{%reset%}>", of="web"),
        step("create", kind="failed", new=side()),
        message("update failed"),
    ]
    (failed,) = operations_failed(events, known={})
    assert (failed.name, failed.operation, failed.message) == ("web", Operation.CREATE, "no quota")
    assert error_text(events) == "web: no quota"


def test_a_long_message_is_shortened_and_the_usual_warning_left_out() -> None:
    events = [
        message("x" * 5000, of="web"),
        message("using pulumi-resource-aws", severity="warning"),
    ]
    assert len(error_text(events)) == LONGEST_MESSAGE
    assert warnings(events) == ()
    assert warnings([message("old", severity="warning")] * 2) == ("old",)


def test_values_of_the_engine_become_plain() -> None:
    asset = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "hash": "ab"}
    raw = {"a": NOT_KNOWN, "b": [1.0, 1.5, True, None], "c": HIDDEN, "d": asset, "__defaults": []}
    assert plain_value(raw) == {
        "a": UNKNOWN,
        "b": (1, 1.5, True, None),
        "c": SECRET,
        "d": "<asset sha256:ab>",
    }


def test_secrets_are_found_in_a_state_that_was_exported_in_the_clear() -> None:
    clear = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    state = {"resources": [{"inputs": {"a": clear | {"plaintext": '"hunter2"'}}}, {"b": ["x"]}]}
    assert secret_texts(state) == {"hunter2"}


def test_a_name_that_the_provider_makes_up_is_not_known_before() -> None:
    """It has other digits in every preview: no approval would ever fit."""
    role = step("create", "role", new=side(name="role-0a1b2c3", path="/role-0a1b2c3/"))
    user = step("create", "user", new=side(role="role-0a1b2c3", name="user-of-somebody"))
    found = {one.name: one.inputs_after for one in resource_changes([role, user], known={})}
    assert found == {
        "role": {"name": UNKNOWN, "path": f"/{UNKNOWN}/"},
        "user": {"role": UNKNOWN, "name": "user-of-somebody"},
    }


def test_a_name_that_is_there_already_is_known() -> None:
    old = side("i-1", name="web-0a1b2c3", type="a")
    (line,) = resource_changes(
        [step("update", old=old, new=side(name="web-0a1b2c3", type="b"))], known={}
    )
    assert line.inputs_after == {"name": "web-0a1b2c3", "type": "b"}


def test_only_what_the_provider_sees_as_different_is_shown() -> None:
    """After an import the state has every input, and the program those that it says."""
    old = side("i-1", type="a", subnetId="s-1", tags={"n": "1", "o": "2"})
    new = side(type="b", tags={"n": "2"})
    events = [step("update", old=old, new=new, differs=["type", "tags.n"])]
    (line,) = resource_changes(events, known={})
    assert [one.path for one in line.diffs] == ["tags.n", "type"]


def test_a_path_that_is_written_otherwise_shows_the_whole_property() -> None:
    old, new = side("i-1", tags={"a/b": "1"}), side(tags={"a/b": "2"})
    (line,) = resource_changes([step("update", old=old, new=new, differs=["tags.a/b"])], known={})
    assert [one.path for one in line.diffs] == ['tags["a/b"]']
