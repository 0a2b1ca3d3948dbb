from __future__ import annotations

from benchmarks.render import changed_documents
from benchmarks.results import ROOT


def test_tables_in_readme_and_docs_are_those_of_the_results() -> None:
    changed = [str(path.relative_to(ROOT)) for path in changed_documents(ROOT)]
    assert changed == [], f"{', '.join(changed)} differ from docs/results; run `make docs`"
