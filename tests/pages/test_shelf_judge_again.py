"""Judge again on the Shelf: the same rows or new ones, a job with a link, and what cannot be started is said."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.judge_again import PATH, SAME, UPLOAD, rows_of
from core.errors import BadInput
from core.home import data_dir
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from shelf.weights import weights_sha256
from tests.pages.judgements import WORTH_IT, report_of
from tests.pages.test_shelf import adapter, opened, text
from tests.training.conftest import colour_rows, write_rows


@pytest.fixture
def judged(tmp_path: Path) -> JobRecord:
    """A training that was judged on the fake engine, so that judging again takes no model."""
    store = open_store()
    train, folder = adapter()
    rows = write_rows(tmp_path / "rows.jsonl", colour_rows()[:30])
    spec = JobSpec(
        kind="evaluate", name="Tickets: judge", engine="fake", job=train.id, test=rows, seed=11, fake={"seconds": 60.0}
    )
    record = store.add_job(spec, plan_id=None)
    found = report_of(WORTH_IT).model_copy(update={"adapter_sha256": weights_sha256(folder.adapter)})
    found.save(RunFolder.create(record.id, spec).evaluation_file)
    return train


def started(train: JobRecord) -> list[JobRecord]:
    return [job for job in open_store().jobs() if job.kind == "evaluate" and job.ref is not None]


def asked(train: JobRecord) -> AppTest:
    return opened().button(key=f"shelf.again.{train.id}").click().run()


def test_it_is_judged_again_on_the_same_rows_as_the_last_time(judged: JobRecord) -> None:
    app = asked(judged)
    assert not app.exception and started(judged) == []
    app.button(key=f"shelf.again.{judged.id}").click()
    app.button(key="shelf.again.start").click()
    app.run()
    assert not app.exception and not app.error
    (again,) = started(judged)
    assert (again.spec.job, again.spec.seed, Path(str(again.spec.test)).name) == (judged.id, 11, "rows.jsonl")
    page = opened()
    links = {str(link.proto.label): str(link.proto.query_string) for link in page.get("page_link")}
    assert "Being judged" in text(page) and again.id in links["See the job"]


def test_new_rows_that_are_not_there_start_nothing(judged: JobRecord, tmp_path: Path) -> None:
    app = asked(judged)
    app.button(key=f"shelf.again.{judged.id}").click()
    app.radio(key="shelf.again.rows").set_value(PATH).run()
    app.button(key=f"shelf.again.{judged.id}").click()
    app.text_input(key="shelf.again.path").set_value(str(tmp_path / "mistyped.jsonl"))
    app.button(key="shelf.again.start").click()
    app.run()
    assert not app.exception and "No file at" in app.error[0].value and started(judged) == []


def test_one_that_nobody_has_judged_is_offered_its_first_judgement(tmp_path: Path) -> None:
    train, _ = adapter()
    app = opened()
    assert f"shelf.again.{train.id}" not in [button.key for button in app.button]
    assert "Judge it" in [str(link.proto.label) for link in app.get("page_link")]


class Uploaded(io.BytesIO):
    """As the uploader gives a file, with a name that nobody should trust."""

    name = "../../december.jsonl"


def test_uploaded_rows_are_kept_inside_our_own_folder() -> None:
    kept = rows_of(UPLOAD, "", Uploaded(b'{"prompt": "a", "completion": "b"}\n'))
    assert kept is not None and kept.parent.parent == data_dir() and kept.name == "december.jsonl"
    assert kept.read_bytes().startswith(b'{"prompt"') and rows_of(SAME, "", None) is None


@pytest.mark.parametrize("which", [PATH, UPLOAD])
def test_a_file_that_was_not_given_is_asked_for(which: str) -> None:
    with pytest.raises(BadInput, match="no file was"):
        rows_of(which, " ", None)
