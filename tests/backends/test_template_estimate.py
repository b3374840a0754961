"""What is estimated, asked and cleaned is read through the prompt over columns, as what is trained is."""

from __future__ import annotations

from pathlib import Path

import pytest

from app_pages.data_cleaned import cleaned_of
from app_pages.held_out import questions
from backends.estimates import token_counts
from core.base_models import locate
from core.jobspec import JobSpec
from dataset.prepare import adopt


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    path = tmp_path / "mail.csv"
    rows = [f"Lamp {n},{'It broke ' * 30},{'refund' if n % 2 else 'post'}" for n in range(20)]
    path.write_text("\n".join(["subject,body,team", *rows, ""]))
    return path


def test_tokens_are_counted_in_the_filled_in_prompt(mail: Path) -> None:
    long = JobSpec(dataset=str(mail), template="Sort: {subject} {body}", output="team")
    short = long.model_copy(update={"template": "Sort: {subject}"})
    many, few = (token_counts(spec, locate(spec.base_model)) for spec in (long, short))
    assert many is not None and few is not None and sum(many) > 2 * sum(few)


def test_held_out_questions_are_the_filled_in_prompts(mail: Path) -> None:
    found = questions(JobSpec(test=str(mail), template="Sort: {subject}", output="team"))
    assert found[0].prompt == "Sort: Lamp 0"


def test_a_set_is_cleaned_as_it_was_read(mail: Path) -> None:
    data = adopt(mail, "mail.csv", template="Sort: {subject}", output="team")
    assert cleaned_of(data, ("exact_duplicate",))[0].rows[0].user_text == "Sort: Lamp 0"
