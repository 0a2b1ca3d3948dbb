"""Fields belong to whoever set them last, and server-side apply respects it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.kubernetes.api_types import type_named
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.fields import from_wire, shown, to_wire, values_of
from deployments.embedded.kubernetes.ownership import (
    APPLY,
    UPDATE,
    Manager,
    apply,
    note_update,
    owned_fields,
)

TYPE = type_named("apps", "v1", "Deployment")
NOW = "2026-03-01T12:00:00Z"
LATER = "2026-03-01T12:05:00Z"


def manager(name: str, operation: str = APPLY) -> Manager:
    return Manager(name=name, operation=operation, api_version="apps/v1")


def config(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"metadata": {"name": "web"}, "spec": dict(spec)}
    if containers:
        found["spec"]["template"] = {"spec": {"containers": list(containers)}}
    return found


def applied(
    wanted: dict[str, Any],
    live: dict[str, Any] | None,
    name: str,
    *,
    force: bool = False,
    now: str = NOW,
) -> dict[str, Any]:
    return apply(deepcopy(wanted), live, manager(name), force=force, now=now, of=TYPE)


def containers(body: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["spec"]["template"]["spec"]["containers"]
    return found


APP = {"name": "app", "image": "app:1"}


def test_another_value_is_a_conflict_that_names_the_field_and_its_owner() -> None:
    live = applied(config(APP, replicas=3), None, "kubectl")
    with pytest.raises(ApiError) as refused:
        applied(config({"name": "app", "image": "app:2"}), live, "healer")
    assert refused.value.code == 409
    assert refused.value.message == (
        'Apply failed with 1 conflict: conflict with "kubectl": '
        '.spec.template.spec.containers[name="app"].image'
    )
    assert refused.value.details["causes"][0]["reason"] == "FieldManagerConflict"


def test_the_same_value_is_shared() -> None:
    live = applied(config(APP), None, "kubectl")
    both = applied(config(APP), live, "healer")
    assert {one.name for one in owned_fields(both)} == {"kubectl", "healer"}


def test_force_takes_the_field_and_leaves_the_others() -> None:
    live = applied(config(APP, replicas=3), None, "kubectl")
    taken = applied(config(replicas=5), live, "healer", force=True)
    owned = {one.name: fields for one, (fields, _) in owned_fields(taken).items()}
    assert taken["spec"]["replicas"] == 5
    assert ("f:spec", "f:replicas") in owned["healer"]
    assert ("f:spec", "f:replicas") not in owned["kubectl"]
    assert containers(taken) == [APP]


def test_what_is_no_longer_applied_goes_unless_somebody_else_wants_it() -> None:
    proxy = {"name": "proxy", "image": "proxy:1"}
    live = applied(config(APP, proxy), None, "kubectl")
    assert containers(applied(config(APP), live, "kubectl", now=LATER)) == [APP]
    shared = applied(config(proxy), live, "healer")
    assert containers(applied(config(APP), shared, "kubectl")) == [APP, proxy]


def test_an_update_takes_what_it_changes() -> None:
    live = applied(config(APP, replicas=3), None, "kubectl")
    changed = deepcopy(live)
    changed["spec"]["replicas"] = 7
    note_update(changed, live, manager("scaler", UPDATE), now=LATER, of=TYPE)
    owned = {one.name: fields for one, (fields, _) in owned_fields(changed).items()}
    assert owned["scaler"] == {("f:spec", "f:replicas")}
    assert ("f:spec", "f:replicas") not in owned["kubectl"]
    with pytest.raises(ApiError, match=r'conflict with "scaler" using apps/v1: \.spec\.replicas'):
        applied(config(APP, replicas=3), changed, "kubectl")


def test_nothing_new_leaves_the_time_of_the_last_change() -> None:
    live = applied(config(APP), None, "kubectl")
    again = applied(config(APP), live, "kubectl", now=LATER)
    assert again == live


VALUES = st.recursive(
    st.integers(0, 3),
    lambda inner: (
        st.dictionaries(st.sampled_from(["a", "b", "selector"]), inner, max_size=3)
        | st.lists(inner, max_size=2)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["spec", "data"]), VALUES, max_size=2))
def test_a_set_of_fields_survives_the_wire(body: dict[str, Any]) -> None:
    fields = frozenset(values_of(body))
    assert from_wire(to_wire(fields)) == fields
    assert all(shown(field).startswith(".") for field in fields)


@given(first=VALUES, second=VALUES)
def test_applying_what_one_wants_gives_it_and_twice_is_once(first: Any, second: Any) -> None:
    live = applied({"spec": {"x": first}, "metadata": {}}, None, "one")
    wanted = {"spec": {"x": second}, "metadata": {}}
    forced = applied(wanted, deepcopy(live), "two", force=True)
    found = values_of(forced)
    # An empty map that is applied leaves what others have in it.
    assert all(found[field] == value for field, value in values_of(wanted).items() if value != {})
    assert applied(wanted, deepcopy(forced), "two", now=LATER) == forced
