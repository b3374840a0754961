"""`tuneworthy clean`: a new file and its manifest, and the original as it was."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Tune


def test_a_cleaned_copy_passes_the_check_that_it_was_cleaned_for(tune: Tune, rows_file: Path, tmp_path: Path) -> None:
    rows_file.write_text(rows_file.read_text() + "WHERE is my parcel number 3,late\n")
    before, out = rows_file.read_bytes(), tmp_path / "clean.jsonl"
    said = tune("clean", rows_file, "--fix", "exact_duplicate", "--fix", "empty_text", "--out", out, "--json")
    assert said.code == 0 and rows_file.read_bytes() == before
    assert said.json["dropped"] == [
        {"line": 62, "fix": "exact_duplicate", "reason": "repeats the input of line 5, with another answer"}
    ]
    assert said.json["fixes"][1] == {"fix": "exact_duplicate", "dropped": 1, "changed": 0}
    assert json.loads(Path(said.json["manifest"]).read_text())["sha256"] == said.json["sha256"]
    checks = {found["check"] for found in tune("check", out, "--json").json["findings"]}
    assert "exact_duplicate" not in checks and len(out.read_text().splitlines()) == 60


def test_people_read_what_went_and_why(tune: Tune, rows_file: Path, tmp_path: Path) -> None:
    rows_file.write_text(rows_file.read_text() + "Where is my parcel number 3?,lost\n")
    said = tune("clean", rows_file, "--fix", "exact_duplicate", "--out", tmp_path / "clean.jsonl")
    assert "60 of 61 rows; 1 row dropped, 0 changed" in said.out
    assert "dropped: line 62: repeats the input of line 5" in said.out


def test_held_out_rows_are_cleaned_against_training(tune: Tune, rows_file: Path, tmp_path: Path) -> None:
    held_out = tmp_path / "validation.csv"
    held_out.write_text("text,label\nWhere is my parcel number 7?,lost\nIt is broken,damaged\n")
    out = tmp_path / "clean.jsonl"
    said = tune("clean", held_out, "--training", rows_file, "--fix", "split_overlap", "--out", out, "--json")
    assert [one["line"] for one in said.json["dropped"]] == [2] and said.json["rows_kept"] == 1


def test_a_column_can_be_kept_to_group_by(tune: Tune, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "clean.jsonl"
    rows.write_text("text,label,customer\nIt broke,damaged,Ann\nToo late,late,Bo\n")
    assert tune("clean", rows, "--fix", "exact_duplicate", "--keep", "customer", "--out", out).code == 0
    assert [json.loads(line)["customer"] for line in out.read_text().splitlines()] == ["Ann", "Bo"]


def test_nothing_is_written_over_and_wrong_fixes_are_named(tune: Tune, rows_file: Path, tmp_path: Path) -> None:
    before = rows_file.read_bytes()
    said = tune("clean", rows_file, "--fix", "exact_duplicate", "--out", rows_file)
    assert said.code == 2 and "exists already" in said.err and rows_file.read_bytes() == before
    said = tune("clean", rows_file, "--fix", "nonsense", "--out", tmp_path / "x.jsonl")
    assert said.code == 2 and "exact_duplicate" in said.err and not (tmp_path / "x.jsonl").exists()
    assert tune("clean", rows_file, "--out", tmp_path / "x.jsonl").code == 2
