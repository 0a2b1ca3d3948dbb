"""The whole page of a preview; REGENERATE_GOLDEN=1 writes it anew, to be reviewed as a diff."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.domain.stacks.report import preview_markdown
from tests.support.previews import a_change, a_preview

GOLDEN = Path(__file__).parent / "stack_preview.md"


def test_the_page_of_a_preview_is_as_it_was_reviewed() -> None:
    text = preview_markdown(a_preview(), changes=[a_change()])

    if os.environ.get("REGENERATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
