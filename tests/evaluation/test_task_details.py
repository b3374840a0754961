from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from core.errors import BadInput, NotFound
from core.jobspec import JobSpec
from evaluation.metrics import METRICS
from evaluation.task_details import PARSES, SCHEMA_VALID, TaskDetails, check_files, task_details

LABELS = ["fees", "rooms"] * 10
TICKETS = [json.dumps({"queue": label, "seats": at}) for at, label in enumerate(LABELS)]
LETTERS = [f"Dear reader number {at}, we have mended it. Write to us if it fails." for at in range(60)]


def test_label_tasks_get_a_confusion_matrix_of_every_model() -> None:
    said = {"base": ["Fees"] * 20, "tuned": LABELS, "classic": ["fees"] * 20}
    found = task_details(JobSpec(), "exact_match", LABELS, LABELS, said)
    assert set(found.confusion) == {"base", "tuned", "classic"}
    assert found.confusion["base"].nearly == 20
    assert found.beside[METRICS["normalised_match"]]["base"].score == 0.5
    assert not found.style and not found.length and found.json_schema is None
    assert TaskDetails.model_validate_json(found.model_dump_json()) == found


def test_names_that_do_not_repeat_and_too_many_labels_get_none() -> None:
    names = [f"name {at}" for at in range(20)]
    assert task_details(JobSpec(), "exact_match", names, names, {"tuned": names}).confusion == {}
    many = [f"label {at % 201}" for at in range(700)]
    found = task_details(JobSpec(), "exact_match", many, many, {"tuned": many})
    assert found.confusion == {} and "more than 200 labels" in found.notes[0]


def test_json_tasks_get_fields_and_the_schema_of_the_training_answers() -> None:
    odd = TICKETS[0].replace("fees", "parking")
    found = task_details(JobSpec(), "json_match", TICKETS, [*TICKETS, odd], {"tuned": [*TICKETS, "Sure! " + odd]})
    assert found.beside[METRICS["field_f1"]]["tuned"].score == 1
    assert found.beside[SCHEMA_VALID]["tuned"].score == pytest.approx(20 / 21)
    assert found.notes == ["1 of 21 expected answers do not follow the JSON schema themselves."]
    assert found.json_schema is not None and found.confusion == {}


def test_a_given_schema_stands_in_for_the_one_of_the_house(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text('{"properties": {"seats": {"maximum": 9}}}')
    found = task_details(JobSpec(json_schema=str(path)), "json_match", TICKETS, TICKETS, {"tuned": TICKETS})
    assert found.beside[SCHEMA_VALID]["tuned"].score == 0.5
    with pytest.raises(NotFound):
        task_details(JobSpec(json_schema=f"{path}.gone"), "json_match", [], TICKETS, {"tuned": TICKETS})


def test_free_text_gets_style_and_length() -> None:
    said = {"base": ["NO!!! " * 40] * 30, "tuned": LETTERS[30:], "classic": LETTERS[30:]}
    found = task_details(JobSpec(), "token_f1", LETTERS, LETTERS[:30], said)
    assert found.style["base"].found == "further" and found.style["tuned"].found != "further"
    assert found.length["base"].longer.score == 1 and found.length["tuned"].longer.score == 0
    assert set(found.length) == {"base", "tuned"}
    assert set(found.beside) == {METRICS["rouge_l"]}


def test_queries_that_fail_on_the_database_are_said(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    expected = ["SELECT a FROM t", "SELECT gone FROM t"]
    found = task_details(JobSpec(sqlite=str(path)), "sql_rows", [], expected, {"tuned": ["SELECT a FROM t", "hello?"]})
    assert found.notes == ["1 of 2 expected queries fail on the database: there all are wrong."]
    assert found.beside[PARSES]["tuned"].score == found.beside[METRICS["sql_match"]]["tuned"].score == 0.5


def test_files_that_cannot_be_used_are_found_before_anybody_is_asked(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("these are words and neither a schema nor a database. " * 30)
    for field in ("json_schema", "sqlite"):
        with pytest.raises(BadInput):
            check_files(JobSpec.model_validate({field: str(tmp_path / "words.txt")}))
        with pytest.raises(NotFound):
            check_files(JobSpec.model_validate({field: str(tmp_path / "none")}))
    check_files(JobSpec())


def test_no_rows_no_details() -> None:
    assert task_details(JobSpec(), "token_f1", LETTERS, [], {"tuned": []}) == TaskDetails()
