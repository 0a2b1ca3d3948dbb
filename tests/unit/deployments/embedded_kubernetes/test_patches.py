"""Parts of objects are changed as the three kinds of patches say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.kubernetes.api_types import type_named
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.patches import json_patch, merge_patch, strategic_patch

POD: dict[str, Any] = {
    "spec": {
        "containers": [
            {"name": "app", "image": "app:1", "env": [{"name": "A", "value": "1"}]},
            {"name": "proxy", "image": "proxy:1", "ports": [{"containerPort": 80}]},
        ],
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "x"}],
    },
    "metadata": {"finalizers": ["one"]},
}
TYPE = type_named("", "v1", "Pod")
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def spec(patch: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = strategic_patch(POD, {"spec": patch}, TYPE)["spec"]
    return found


def test_items_of_a_list_with_keys_are_merged_and_others_stay() -> None:
    found = spec({"containers": [{"name": "app", "env": [{"name": "B", "value": "2"}]}]})
    app, proxy = found["containers"]
    assert app == {
        "name": "app",
        "image": "app:1",
        "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
    }
    assert proxy == POD["spec"]["containers"][1]


def test_an_item_is_deleted_by_its_key_and_a_list_without_keys_is_replaced() -> None:
    found = spec({"containers": [{"name": "app", "$patch": "delete"}], "tolerations": []})
    assert [one["name"] for one in found["containers"]] == ["proxy"]
    assert found["tolerations"] == []


def test_a_list_is_replaced_where_the_patch_says_so() -> None:
    only = {"name": "only", "image": "only:1"}
    assert spec({"containers": [{"$patch": "replace"}, only]})["containers"] == [only]


def test_the_order_of_items_is_what_the_patch_asks_for() -> None:
    found = spec(
        {"$setElementOrder/containers": [{"name": "proxy"}, {"name": "app"}], "containers": []}
    )
    assert [one["name"] for one in found["containers"]] == ["proxy", "app"]


def test_items_of_a_patch_come_before_others_unless_those_were_between_them() -> None:
    found = spec({"containers": [{"name": "new"}, {"name": "proxy"}]})
    assert [one["name"] for one in found["containers"]] == ["new", "app", "proxy"]


def test_null_removes_and_retained_keys_remove_the_rest() -> None:
    assert "nodeSelector" not in spec({"nodeSelector": None})
    found = strategic_patch({"a": {"x": 1, "y": 2}}, {"a": {"$retainKeys": ["x"], "x": 3}})
    assert found == {"a": {"x": 3}}


def test_a_set_grows_and_an_item_of_it_can_be_taken_out() -> None:
    grown = strategic_patch(POD, {"metadata": {"finalizers": ["two", "one"]}}, TYPE)
    assert grown["metadata"]["finalizers"] == ["two", "one"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["one"]}}
    left = strategic_patch(grown, patch, TYPE)
    assert left["metadata"]["finalizers"] == ["two"]


def test_an_item_without_its_key_is_refused() -> None:
    with pytest.raises(ApiError, match="does not contain declared merge key: name"):
        spec({"containers": [{"image": "app:2"}]})


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/a/1", "value": 9}, {"a": [1, 9, 2], "b": {}}),
        ({"op": "add", "path": "/a/-", "value": 9}, {"a": [1, 2, 9], "b": {}}),
        ({"op": "add", "path": "/b/x~1y", "value": 9}, {"a": [1, 2], "b": {"x/y": 9}}),
        ({"op": "remove", "path": "/a/0"}, {"a": [2], "b": {}}),
        ({"op": "replace", "path": "/a", "value": 0}, {"a": 0, "b": {}}),
        ({"op": "move", "from": "/a/0", "path": "/b/c"}, {"a": [2], "b": {"c": 1}}),
        ({"op": "copy", "from": "/a/0", "path": "/b/c"}, {"a": [1, 2], "b": {"c": 1}}),
        ({"op": "test", "path": "/a/1", "value": 2}, {"a": [1, 2], "b": {}}),
    ],
)
def test_each_operation_of_a_json_patch(operation: Any, expected: Any) -> None:
    assert json_patch({"a": [1, 2], "b": {}}, [operation]) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a/1", "value": 3},
        {"op": "remove", "path": "/c"},
        {"op": "replace", "path": "/a/7", "value": 1},
        {"op": "increment", "path": "/a/0"},
        {"op": "add", "path": "/c/d", "value": 1},
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(operation: Any) -> None:
    target = {"a": [1, 2]}
    with pytest.raises(ApiError) as refused:
        json_patch(target, [{"op": "add", "path": "/a/-", "value": 3}, operation])
    assert refused.value.code == 422
    assert target == {"a": [1, 2]}


@given(target=TREES, patch=TREES)
def test_a_merge_patch_applied_twice_changes_nothing_more(target: Any, patch: Any) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once
