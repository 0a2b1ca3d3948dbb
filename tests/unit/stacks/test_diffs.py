from __future__ import annotations

from tasks.domain.stacks.diffs import fits, masked, property_diffs, same
from tasks.domain.stacks.preview import SECRET, UNKNOWN, PropertyDiff, Value


def test_each_leaf_that_differs_is_named_as_pulumi_names_it() -> None:
    found = property_diffs(
        {"type": "a", "tags": {"homeostat/owner": "x", "n": "1"}, "disks": ({"size": 1},)},
        {"type": "b", "tags": {"homeostat/owner": "y", "n": "1"}, "disks": ({"size": 2}, {})},
    )
    assert [one.path for one in found] == [
        "disks[0].size",
        "disks[1]",
        'tags["homeostat/owner"]',
        "type",
    ]


def test_what_is_new_has_nothing_before_and_what_is_gone_nothing_after() -> None:
    assert property_diffs({"a": 1}, {"b": UNKNOWN}) == (
        PropertyDiff(path="a", before=1, after=None),
        PropertyDiff(path="b", before=None, after=UNKNOWN),
    )


def test_a_path_that_replaces_does_so_for_what_is_in_it_and_what_it_is_in() -> None:
    before: dict[str, Value] = {"a": {"b": 1}, "ab": 1}
    after: dict[str, Value] = {"a": {"b": 2}, "ab": 2}
    for path in ("a", "a.b", "a.b.c"):
        found = {one.path: one.replaces for one in property_diffs(before, after, replaces=[path])}
        assert found == {"a.b": True, "ab": False}


def test_true_is_not_one() -> None:
    assert not same(True, 1)
    assert property_diffs({"a": True}, {"a": 1}) != ()


def test_a_secret_on_one_side_is_shown_on_none() -> None:
    shown = masked({"tags": {"key": "word", "n": "x"}, "l": ("a", "b")}, {"tags": {"key": SECRET}})
    assert shown == {"tags": {"key": SECRET, "n": "x"}, "l": ("a", "b")}
    assert masked(("a", "b"), (SECRET,)) == (SECRET, "b")


def test_only_what_was_shown_as_unknown_may_be_anything() -> None:
    assert fits({"a": UNKNOWN, "b": (1,)}, {"a": {"x": 1}, "b": (1,)})
    assert not fits({"a": "x"}, {"a": UNKNOWN})
    assert not fits({"a": "x"}, {"a": "x", "b": 1})
    assert not fits((1,), (1, 2))


def test_a_text_with_something_unknown_in_it_has_to_fit_around_it() -> None:
    assert fits(f"/logs/{UNKNOWN}.txt", "/logs/role-1.txt")
    assert not fits(f"/logs/{UNKNOWN}.txt", "/logs/role-1.txt.bak")
