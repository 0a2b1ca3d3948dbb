from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.render import TABLES, MarkerError, changed_documents, main, rendered
from benchmarks.results import RESULTS, save_result
from benchmarks.run import AREAS
from tests.unit.benchmarks.builders import result

MARKED = "# Page\n\n<!-- results:spot-summary -->\nold\n<!-- /results -->\n\nThe end.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one page that was rendered from its result, and a README without tables."""
    save_result(result(), tmp_path / RESULTS)
    (tmp_path / "README.md").write_text("# Project\n")
    (tmp_path / "docs" / "page.md").write_text(MARKED)
    assert main([], root=tmp_path) == 0
    return tmp_path


def test_a_marked_table_is_replaced_and_the_rest_stays() -> None:
    text = rendered(MARKED, results={"spot": result()})
    assert text.startswith("# Page\n\n<!-- results:spot-summary -->\n\n| horizon |")
    assert text.endswith("|\n\n<!-- /results -->\n\nThe end.\n")
    assert "| 24 h | 0.250 |" in text
    assert "old" not in text


def test_rendering_again_changes_nothing() -> None:
    once = rendered(MARKED * 2, results={"spot": result()})
    assert once.count("\n| 24 h |") == 2
    assert rendered(once, results={"spot": result()}) == once


def test_without_results_every_table_says_so() -> None:
    for name in [*TABLES, "spot-provenance"]:
        text = rendered(f"<!-- results:{name} -->\n<!-- /results -->\n", results={})
        assert "ot measured yet" in text, name


def test_provenance_says_when_where_and_on_what() -> None:
    marked = "<!-- results:spot-provenance -->\n<!-- /results -->\n"
    text = rendered(marked, results={"spot": result()})
    for fact in ("2026-01-02", "2 cores of Some CPU", "spot_prices/one", "Seed: 20", "numpy 2.4.6"):
        assert fact in text
    assert "quick run" not in text
    assert "quick run" in rendered(marked, results={"spot": result(quick=True)})
    assert "Data: none." in rendered(marked, results={"spot": result(data=())})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<!-- results:spot-sumary -->\n<!-- /results -->\n", "spot-sumary; there are: spot-summ"),
        ("<!-- results:spot-summary -->\n", "1 lines .* and 0 lines"),
        ("<!-- /results -->\n", "0 lines .* and 1 lines"),
        (f"<!-- results:spot-scale -->\n{MARKED}", "2 lines .* of which 1 pair"),
    ],
    ids=["unknown", "unclosed", "unopened", "nested"],
)
def test_wrong_markers_are_refused(text: str, reason: str) -> None:
    with pytest.raises(MarkerError, match=reason):
        rendered(text, results={})


def test_a_marker_within_a_line_is_text() -> None:
    text = "Write `<!-- results:NAME -->` and `<!-- /results -->`.\n"
    assert rendered(text, results={}) == text


def test_a_check_passes_on_what_was_rendered(root: Path) -> None:
    assert main(["--check"], root=root) == 0


def test_a_check_names_the_file_that_differs_and_leaves_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = root / "docs" / "page.md"
    page.write_text(page.read_text().replace("0.250", "0.950"))
    improved = page.read_text()

    assert main(["--check"], root=root) == 1
    assert capsys.readouterr().out.startswith("docs/page.md differs from docs/results")
    assert page.read_text() == improved


def test_a_new_result_makes_documents_differ(root: Path) -> None:
    save_result(result(metrics={"mae_skill_24h": 0.3}), root / RESULTS)
    changed = changed_documents(root)
    assert list(changed) == [root / "docs" / "page.md"]
    assert "| 24 h | 0.300 |" in changed[root / "docs" / "page.md"]


def test_wrong_markers_end_with_the_name_of_the_document(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "README.md").write_text("<!-- /results -->\n")
    assert main([], root=root) == 1
    assert capsys.readouterr().err.startswith("README.md: 0 lines")


def test_every_table_belongs_to_an_area_that_is_measured() -> None:
    assert {name.partition("-")[0] for name in TABLES} <= set(AREAS)
