"""What the stand-in keeps of pulumi_aws's classes is what it would find out anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deployments.embedded.pulumi_aws import kept_shapes
from deployments.embedded.pulumi_aws.catalogue import KINDS
from deployments.embedded.pulumi_aws.kept_shapes import kept
from deployments.embedded.pulumi_aws.shapes import Fields, Shape, fields_of, outputs_of

# pulumi_aws warns of classes of its own when some of its modules are imported.
pytestmark = pytest.mark.filterwarnings("ignore:aws[.].*deprecated:DeprecationWarning")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept_shapes, "_folder", lambda: tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    return tmp_path


def read_anew(token: str) -> tuple[Fields, frozenset[str]]:
    """Everything that is known of a type, not from this process's memory."""
    fields_of.cache_clear()
    outputs_of.cache_clear()
    return KINDS[token].inputs, KINDS[token].outputs


def nested(shape: Shape | None) -> bool:
    return shape is not None and (bool(shape.of) or nested(shape.item))


@pytest.mark.parametrize("token", KINDS)
def test_what_is_kept_of_a_type_is_what_is_found_out(
    token: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = read_anew(token)
    assert len(list(folder.iterdir())) == 2

    again = read_anew(token)
    monkeypatch.setattr(kept_shapes, "_folder", lambda: None)
    without = read_anew(token)

    assert found == again == without
    assert found[1] >= found[0].required


def test_objects_within_lists_are_kept_with_their_classes(folder: Path) -> None:
    read_anew("aws:ec2/launchTemplate:LaunchTemplate")
    fields, _ = read_anew("aws:ec2/launchTemplate:LaunchTemplate")

    mappings = fields.shapes["blockDeviceMappings"]
    assert nested(mappings)
    assert mappings.item is not None
    assert "ebs" in mappings.item.fields.shapes


def asked(answers: list[Any]) -> Any:
    return lambda: answers.pop(0)


def test_it_is_found_out_once_and_anew_by_another_source(folder: Path) -> None:
    source, other = Path(__file__), Path(kept_shapes.__file__)
    answers = [["a"], ["b"]]

    assert kept("some.Class", asked(answers), by=source) == ["a"]
    assert kept("some.Class", asked(answers), by=source) == ["a"]
    assert kept("some.Class", asked(answers), by=other) == ["b"]


def test_a_file_that_was_cut_off_is_written_anew(folder: Path) -> None:
    kept("some.Class", lambda: ["a"], by=Path(__file__))
    (file,) = folder.iterdir()
    file.write_text('["a')

    assert kept("some.Class", lambda: ["b"], by=Path(__file__)) == ["b"]
    assert json.loads(file.read_text()) == ["b"]


def test_where_nothing_may_be_written_it_is_found_out_each_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    answers = [["a"], ["b"]]

    assert [kept("some.Class", asked(answers), by=Path(__file__)) for _ in "12"] == [["a"], ["b"]]
    assert list(folder.iterdir()) == []
