from __future__ import annotations

import pytest

from deployments.commands.runs import parameters_from


def test_values_are_read_as_yaml() -> None:
    given = parameters_from(("regions=[us-east-1, eu-west-1]", "window_days=14", "as_of=null"))

    assert given == {"regions": ["us-east-1", "eu-west-1"], "window_days": 14, "as_of": None}


def test_an_instant_is_passed_on_as_text() -> None:
    given = parameters_from(("as_of=2026-03-01T12:00:00Z", "days=[2026-03-01]"))

    assert given == {"as_of": "2026-03-01T12:00:00+00:00", "days": ["2026-03-01"]}


def test_a_dot_reaches_into_a_group() -> None:
    given = parameters_from(("need.vcpu=64", "need.memory_gib=128"))

    assert given == {"need": {"vcpu": 64, "memory_gib": 128}}


@pytest.mark.parametrize("word", ["vcpu", "=4", "need.=4", ".vcpu=4"])
def test_a_word_that_names_no_value_is_refused_with_an_example(word: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not of the form key=value, for example need\.vcpu=64"
    ):
        parameters_from((word,))


def test_a_value_that_is_not_yaml_is_refused_by_its_key() -> None:
    with pytest.raises(ValueError, match="value of 'regions' is not YAML"):
        parameters_from(("regions=[us-east-1",))


def test_a_name_cannot_be_both_a_value_and_a_group() -> None:
    with pytest.raises(ValueError, match="both as a value and as a group"):
        parameters_from(("need=1", "need.vcpu=2"))
