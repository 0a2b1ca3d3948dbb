"""Names and tags from ids that may hold anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.stacks.kinds.names import logical_name, physical_name, slug
from tasks.domain.stacks.kinds.tags import clean, merged, own, owner_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("i-0abc", "i-0abc"), ("shop", "shop"), ("", "e3b0c442"), ("Shop", "shop-d00aae6b")],
)
def test_a_name_is_kept_where_it_can_be(text: str, wanted: str) -> None:
    assert slug(text, most=40) == wanted


@given(st.text(max_size=300))
def test_any_text_becomes_a_name(text: str) -> None:
    found = logical_name("group", text)

    assert len(found) <= 55
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not found.endswith("-")
    assert len(physical_name(text, "hs-0123456789ab")) <= 64


def test_names_that_differ_in_case_or_signs_stay_apart() -> None:
    names = ["shop", "Shop", "shop!", "shop?", "shop ", "a" * 300, "a" * 301]

    assert len({logical_name("group", one) for one in names}) == len(names)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", "plain"),
        ("a (b), c%\n\td", "a b c d"),
        ('"); import os #', "import os"),
        ("größe + 1/2 = x:y@z", "größe + 1/2 = x:y@z"),
        ("x" * 300, "x" * 256),
    ],
)
def test_a_tag_holds_what_aws_allows(text: str, wanted: str) -> None:
    assert clean(text) == wanted


def test_tags_of_aws_are_nobody_elses() -> None:
    assert own({"aws:autoscaling:groupName": "shop", "AWS:x": "y", "team": "a"}) == {"team": "a"}


def test_the_owner_comes_before_the_team() -> None:
    assert owner_of({"Team": "mobile", "OWNER": " ann "}) == "ann"
    assert owner_of({"team": "mobile", "owner": ""}) == "mobile"
    assert owner_of({"Name": "web"}) == ""


def test_where_there_is_no_room_the_tags_of_before_stay() -> None:
    before = {f"key-{number}": "x" for number in range(49)}

    assert merged(before, {"first": "1", "second": "2"}) == {**before, "first": "1"}
