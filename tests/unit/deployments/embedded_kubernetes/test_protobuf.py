"""Bodies in protobuf stand for the same objects as those in JSON."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.protobuf import MAGIC, parse


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def part(field: int, *inside: bytes | str) -> bytes:
    content = b"".join(one.encode() if isinstance(one, str) else one for one in inside)
    return varint(field << 3 | 2) + varint(len(content)) + content


def envelope(version: str, kind: str, *inside: bytes) -> bytes:
    return MAGIC + part(1, part(1, version), part(2, kind)) + part(2, *inside)


def test_maps_bytes_and_times_are_read() -> None:
    metadata = part(
        1, part(1, "x"), part(8, number(1, 1_772_366_400)), part(11, part(1, "a"), part(2, "b"))
    )
    raw = envelope("v1", "Secret", metadata, part(2, part(1, "key"), part(2, b"\x00\xff")))
    assert parse(raw) == {
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {
            "name": "x",
            "labels": {"a": "b"},
            "creationTimestamp": "2026-03-01T12:00:00Z",
        },
        "data": {"key": "AP8="},
    }


def test_lists_amounts_and_what_is_embedded_in_go_are_read() -> None:
    volume = part(1, part(1, "v"), part(2, part(2, part(1, "Memory"))))
    resources = part(8, part(2, part(1, "cpu"), part(2, part(1, "250m"))))
    container = part(2, part(1, "main"), part(4, "one"), part(4, "two"), resources)
    raw = envelope("v1", "Pod", part(2, volume, container, number(11, 1)))
    assert parse(raw)["spec"] == {
        "volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}],
        "containers": [
            {"name": "main", "args": ["one", "two"], "resources": {"requests": {"cpu": "250m"}}}
        ],
        "hostNetwork": True,
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (number(1, 0) + number(2, 3), 3),
        (number(1, 1) + part(3, "50%"), "50%"),
        (number(1, 0) + number(2, (1 << 64) - 1), -1),
    ],
)
def test_a_number_or_a_text_is_read(value: bytes, expected: Any) -> None:
    raw = envelope("policy/v1", "PodDisruptionBudget", part(2, part(1, value)))
    assert parse(raw)["spec"] == {"minAvailable": expected}


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", MAGIC + b"\x0a\x7f", envelope("v1", "Nothing")],
)
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        parse(raw)
    assert refused.value.code == 400
