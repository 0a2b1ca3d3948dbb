"""Pages are of one state, for as long as it is kept."""

from __future__ import annotations

import pytest

from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.paging import KEPT, KEPT_ENTRIES, Pages
from deployments.embedded.kubernetes.store import NOBODY, Entry


def entries(number: int) -> list[Entry]:
    return [
        Entry("", f"{at:05}", str(at), at, {}, {}, NOBODY, b"{}") for at in range(1, number + 1)
    ]


def test_pages_follow_each_other_until_nothing_remains() -> None:
    pages, there = Pages(), entries(5)
    first = pages.first(there, version=9, limit=2)
    second = pages.next(first.token, limit=2)
    last = pages.next(second.token, limit=2)
    assert [*first.entries, *second.entries, *last.entries] == there
    assert (first.remaining, second.remaining, last.remaining) == (3, 1, None)
    assert (last.token, last.version) == ("", 9)


def test_a_list_that_fits_on_a_page_has_no_next_one() -> None:
    pages = Pages()
    assert pages.first(entries(2), version=1, limit=2).token == ""
    assert pages.first(entries(2), version=1, limit=0).token == ""


def test_old_lists_are_forgotten_when_there_are_too_many() -> None:
    pages = Pages()
    tokens = [pages.first(entries(2), version=1, limit=1).token for _ in range(KEPT + 1)]
    assert len(pages.next(tokens[1], limit=1).entries) == 1
    with pytest.raises(ApiError) as gone:
        pages.next(tokens[0], limit=1)
    assert (gone.value.code, gone.value.reason) == (410, "Expired")


def test_large_lists_are_forgotten_sooner_but_never_the_newest() -> None:
    pages = Pages()
    old = pages.first(entries(2), version=1, limit=1).token
    new = pages.first(entries(KEPT_ENTRIES), version=1, limit=1).token
    assert len(pages.next(new, limit=3).entries) == 3
    with pytest.raises(ApiError, match="too old to display a consistent list"):
        pages.next(old, limit=1)


def test_what_is_no_token_is_refused() -> None:
    for token in ("nonsense", "e30", ""):
        with pytest.raises(ApiError, match="continue key is not valid"):
            Pages().next(token, limit=1)
