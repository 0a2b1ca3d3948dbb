"""Bodies are read as a Go program reads them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.kubernetes.decoding import IGNORE, STRICT, decode
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.kinds import Kinds
from deployments.embedded.kubernetes.quantities import amount, canonical

KINDS = Kinds()
POD = KINDS.built_in("", "v1", "pods")
DEPLOYMENT = KINDS.built_in("apps", "v1", "deployments")
LEASE = KINDS.built_in("coordination.k8s.io", "v1", "leases")


def pod(**container: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "main", **container}]}}


def test_what_no_field_takes_is_told_and_left_out() -> None:
    body = pod(colour="red") | {"extra": 1}
    told = decode(POD, body)
    assert told == ['unknown field "spec.containers[0].colour"', 'unknown field "extra"']
    assert body == pod()


def test_what_no_field_takes_is_refused_or_passed_over_where_that_is_asked_for() -> None:
    with pytest.raises(ApiError, match='strict decoding error: unknown field "extra"'):
        decode(POD, pod() | {"extra": 1}, validation=STRICT)
    assert decode(POD, pod() | {"extra": 1}, validation=IGNORE) == []


def test_nulls_and_empty_things_are_left_out_but_not_empty_objects() -> None:
    body = {
        "metadata": {"name": "x", "labels": {}, "annotations": None},
        "spec": {
            "containers": [{"name": "", "args": [], "resources": {}, "tty": False}],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "hostNetwork": False,
        },
    }
    decode(POD, body)
    assert body == {
        "metadata": {"name": "x"},
        "spec": {
            "containers": [{"name": "", "resources": {}}],
            "volumes": [{"name": "v", "emptyDir": {}}],
        },
    }


def test_zero_is_kept_where_it_is_not_the_same_as_nothing() -> None:
    body: dict[str, Any] = {"spec": {"replicas": 0, "minReadySeconds": 0, "paused": False}}
    decode(DEPLOYMENT, body)
    assert body == {"spec": {"replicas": 0}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"spec": {"containers": "none"}},
            "cannot unmarshal string into Go struct field PodSpec.spec.containers of type "
            "[]v1.Container",
        ),
        (pod(args=[1]), "cannot unmarshal number into Go struct field Container.spec.containers"),
        (pod(resources={"requests": {"cpu": "a lot"}}), "quantities must match the regular expr"),
        ({"metadata": {"labels": {"a": 1}}}, "number into Go struct field ObjectMeta.metadata"),
        ({"metadata": {"creationTimestamp": "now"}}, 'parsing time "now" as'),
    ],
)
def test_a_value_of_another_type_is_refused(body: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError) as refused:
        decode(POD, body)
    assert refused.value.code == 400
    assert words in refused.value.message


def test_instants_are_written_in_utc() -> None:
    body = {
        "metadata": {"creationTimestamp": "2026-03-01T14:00:00.5+02:00"},
        "spec": {"renewTime": "2026-03-01T12:00:00Z"},
    }
    decode(LEASE, body)
    assert body["metadata"]["creationTimestamp"] == "2026-03-01T12:00:00Z"
    assert body["spec"]["renewTime"] == "2026-03-01T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("-1", "-1"),
        ("0Mi", "0"),
        ("0.0000000001", "1n"),
    ],
)
def test_quantities_have_a_short_form(text: str, expected: str) -> None:
    assert canonical(text) == expected


@given(
    number=st.integers(0, 10**6),
    suffix=st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "Gi"]),
)
def test_the_short_form_is_the_same_amount_and_its_own_short_form(number: int, suffix: str) -> None:
    found = canonical(f"{number}{suffix}")
    assert canonical(found) == found
    assert amount(found) == pytest.approx(amount(f"{number}{suffix}"))


@pytest.mark.parametrize("text", ["", "a", "1x", "1.2.3", "--1"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        canonical(text)
