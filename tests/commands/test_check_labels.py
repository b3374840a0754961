"""The search for wrong labels on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.test_data_suspects import rows

from .conftest import Tune


@pytest.fixture
def wishes(tmp_path: Path) -> Path:
    path = tmp_path / "wishes.csv"
    path.write_bytes(rows(180, {50: "food", 102: "cancel"}))
    return path


def test_doubtful_labels_are_a_note_and_a_list(tune: Tune, wishes: Path) -> None:
    said = tune("check", wishes, "--labels", "--json")
    (found,) = [each for each in said.json["findings"] if each["check"] == "label_error"]
    assert said.code == 0 and found["severity"] == "note" and found["count"] == len(said.json["suspects"])
    assert {each["line"]: each["given"] for each in said.json["suspects"]} == {50: "food", 102: "cancel"}
    assert all(each["likely"] != each["given"] and each["confidence"] > 0.5 for each in said.json["suspects"])
    shown = tune("check", wishes, "--labels").out
    assert "Doubtful labels: the first 2 of 2" in shown and "label_error" in shown
    assert "cancel the booking of room" in shown, "what was asked stands beside its label"


def test_without_being_asked_nothing_is_searched(tune: Tune, wishes: Path) -> None:
    said = tune("check", wishes, "--json").json
    assert "suspects" not in said and "label_error" not in {each["check"] for each in said["findings"]}


def test_what_cannot_be_searched_says_why(tune: Tune, rows_file: Path) -> None:
    assert "Labels were not searched. Too few rows" in tune("check", rows_file, "--labels").out
