from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from core.jobspec import JobSpec
from dataset.job_rows import read_for_job

Write = Callable[[str, str | bytes], Path]
MAIL = "subject,body,team\nLamp,It broke,refund\nParcel,Where is it?,delivery\n"


def test_a_job_reads_its_rows_through_the_prompt_of_its_spec(write: Write) -> None:
    path = write("mail.csv", MAIL)
    spec = JobSpec(template="Sort: {subject}. {body}", output="team", system_prompt="Be brief.")
    rows = read_for_job(spec, str(path)).rows
    assert [row.user_text for row in rows] == ["Sort: Lamp. It broke", "Sort: Parcel. Where is it?"]
    assert [row.answer for row in rows] == ["refund", "delivery"]
    assert {row.messages[0].content for row in rows} == {"Be brief."}


def test_a_job_reads_the_columns_of_its_spec(write: Write) -> None:
    path = write("mail.csv", MAIL)
    rows = read_for_job(JobSpec(inputs=["body"], output="subject"), str(path)).rows
    assert [(row.user_text, row.answer) for row in rows] == [("It broke", "Lamp"), ("Where is it?", "Parcel")]


def test_a_prompt_with_an_unknown_column_names_the_columns_that_there_are(write: Write) -> None:
    path = write("mail.csv", MAIL)
    with pytest.raises(BadInput, match="has no column `topic`") as told:
        read_for_job(JobSpec(template="Sort: {topic}", output="team"), str(path))
    assert told.value.hint == "It has: subject, body, team."


def test_a_prompt_beside_input_columns_is_refused(write: Write) -> None:
    path = write("mail.csv", MAIL)
    with pytest.raises(BadInput, match="names the input columns itself"):
        read_for_job(JobSpec(template="Sort: {subject}", inputs=["body"], output="team"), str(path))
