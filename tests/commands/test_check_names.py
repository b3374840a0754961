"""The search for people's names on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset.person_names import Finder

from .conftest import Tune


def test_names_are_looked_for_by_the_model_that_is_named(
    tune: Tune, rows_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def finder(model: str) -> Finder:
        asked.append(model)
        return lambda text: ["Wanda Okafor"] if "number 7?" in text else []

    monkeypatch.setattr("dataset.person_names.person_finder", finder)
    (found,) = [each for each in tune("check", rows_file, "--names", "some_model", "--json").json["findings"]
                if each["check"] == "pii_name"]  # fmt: skip
    assert asked == ["some_model"] and found["rows"] == [9] and "Wa******" in found["message"]


def test_what_is_missing_for_it_is_said_in_a_line(tune: Tune, rows_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataset.person_names.find_spec", lambda name: None)
    said = tune("check", rows_file, "--names", "en_core_web_sm")
    assert said.code == 2 and "presidio-analyzer" in said.err and "[pii]" in said.err
