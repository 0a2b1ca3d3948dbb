"""Selectors fit what they say, and refuse what they cannot read."""

from __future__ import annotations

import pytest

from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.kinds import Kinds
from deployments.embedded.kubernetes.quantities import amount
from deployments.embedded.kubernetes.selectors import (
    field_selector,
    label_selector,
    object_selector,
)

LABELS = {"app": "web", "tier": "front"}
PODS = Kinds().built_in("", "v1", "pods")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier!=back", True),
        ("app in (web, api)", True),
        ("app notin (web)", False),
        ("missing notin (web)", True),
        ("tier", True),
        ("!tier", False),
        ("!missing,app in (web),tier=front", True),
    ],
)
def test_labels(text: str, *, fits: bool) -> None:
    assert label_selector(text).fits(LABELS) is fits


@pytest.mark.parametrize("text", ["app=web=x y", "in (a)", "app in web"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="found '"):
        label_selector(text)


def test_objects_that_select_nothing_and_everything() -> None:
    assert not object_selector(None).fits(LABELS)
    assert object_selector({}).fits(LABELS)
    said = {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}
    assert object_selector(said).fits(LABELS)


def test_fields_are_those_of_the_kind() -> None:
    assert field_selector("spec.nodeName=n1", PODS).fits({"spec.nodeName": "n1"})
    assert not field_selector("status.phase!=Running", PODS).fits({"status.phase": "Running"})
    with pytest.raises(ApiError, match=r"field label not supported: spec\.replicas"):
        field_selector("spec.replicas=1", PODS)


@pytest.mark.parametrize(
    ("text", "expected"), [("250m", 0.25), ("2", 2.0), ("1Gi", 2.0**30), ("5e3", 5000.0), (3, 3.0)]
)
def test_quantities(text: object, expected: float) -> None:
    assert amount(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "2 cores", "1GiB"])
def test_what_is_no_quantity_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"quantity|suffix"):
        amount(text)
