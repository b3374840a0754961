"""The experiment with doubtful labels on the command line: the whole way on a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.store import open_store
from tests.backends.test_quality import WRONG, shuffled, wishes
from tests.training.conftest import write_rows

from .conftest import Tune
from .test_learning import local  # noqa: F401  the fixture that trains in this process


@pytest.fixture
def spec_file(tmp_path: Path) -> Path:
    """120 rows of which six have a wrong label, and 12 others to judge on."""
    write_rows(tmp_path / "train.jsonl", shuffled(wishes(120, WRONG)))
    write_rows(tmp_path / "test.jsonl", wishes(132, 0)[120:])
    path = tmp_path / "train.yaml"
    spec = {"name": "Wishes", "dataset": "train.jsonl", "test": "test.jsonl", "engine": "fake"}
    path.write_text(yaml.safe_dump(spec | {"fake": {"seconds": 0.05}}))
    return path


def test_the_whole_way_from_a_spec_to_what_dropping_brings(tune: Tune, local: Path) -> None:  # noqa: F811
    said = tune("quality-experiment", local, "--epochs", "0.3", "--wait", "--json")
    found = said.json
    assert [(job["arm"], job["rows"]) for job in found["jobs"]] == [
        ("all", 120), ("without_suspects", 114), ("control", 114),
    ]  # fmt: skip
    assert found["dropped"] == WRONG == len(found["dropped_lines"]) and found["judged_rows"] == 12
    assert all(0 <= each["low"] <= each["score"] <= each["high"] <= 1 for each in found["scores"].values())
    difference = found["scores"]["without_suspects"]["score"] - found["scores"]["all"]["score"]
    assert found["suspects"]["difference"] == pytest.approx(difference)
    assert said.code == (0 if found["verdict"] == "helped" else 1)
    again = tune("quality-experiment", found["group"])
    assert again.code == said.code and found["words"] in again.out.replace("\n", " ")
    assert "without as many others" in again.out and "The held-out labels are taken as they stand" in again.out


def test_a_launch_that_is_not_waited_for_says_where_its_result_will_be(tune: Tune, spec_file: Path) -> None:
    said = tune("quality-experiment", spec_file, "--drop", "3", "--json")
    assert said.code == 0 and len(said.json["states"]) == 6 and len(said.json["dropped_lines"]) == 3
    later = tune("quality-experiment", said.json["group"])
    assert later.code == 0 and f"quality-experiment {said.json['group']}" in later.out


def test_what_cannot_be_is_said_in_a_line(tune: Tune, spec_file: Path) -> None:
    assert "no experiment" in tune("quality-experiment", "group-20261125-00000000").err
    assert "--epochs" in tune("quality-experiment", spec_file, "--epochs", "0").err
    said = tune("quality-experiment", spec_file, "--drop", "100")
    assert said.code == 2 and "only 6 labels are doubtful" in said.err and open_store().jobs() == []
