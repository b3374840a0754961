"""The Chat page: no base, no worker, loading, failed, and an answer of both models side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.held_out import questions
from core.base_models import locate
from core.errors import EngineError
from core.home import cache_dir
from core.job import EngineRef, Outcome
from core.jobspec import DEFAULT_BASE_MODEL, JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from serving import client
from serving.endpoint import Endpoint

ROOT = Path(__file__).parents[2]


@pytest.fixture
def base() -> None:
    """A prepared copy of the default base, as far as its place is concerned."""
    folder = cache_dir() / "models" / DEFAULT_BASE_MODEL.replace("/", "--")
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "model.safetensors", "tuneworthy.json"):
        (folder / name).write_text("{}", encoding="utf-8")


@pytest.fixture
def adapter(tmp_path: Path) -> JobRecord:
    """A finished training with held-out rows."""
    rows = tmp_path / "test.jsonl"
    messages = [
        {"role": "system", "content": "You are the course office."},
        {"role": "user", "content": "Sign me up"},
        {"role": "assistant", "content": '{"queue": "enrolment"}'},
    ]
    rows.write_text(json.dumps({"messages": messages}) + "\n", encoding="utf-8")
    store = open_store()
    spec = JobSpec(name="Tickets", test=str(rows))
    record = store.add_job(spec, plan_id=None)
    folder = RunFolder.create(record.id, spec)
    folder.adapter.mkdir()
    (folder.adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    folder.finish(Outcome(state="succeeded", at=datetime.now(UTC)))
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    return record


def worker(monkeypatch: pytest.MonkeyPatch, record: JobRecord, state: str, note: str = "") -> None:
    """The state of a worker, as its client would tell it."""
    now = Endpoint.model_validate(
        {
            "id": "abc",
            "folder": Path("/nowhere"),
            "base_model": DEFAULT_BASE_MODEL,
            "base_path": str(locate(DEFAULT_BASE_MODEL, None).path),
            "adapters": {record.id: "/nowhere"},
            "written": {record.id: client.written(RunFolder.of(record.id).adapter)},
            "state": state,
            "note": note,
        }
    )
    monkeypatch.setattr(client, "endpoints", lambda: [now])
    monkeypatch.setattr(client, "status", lambda _: now)


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.run()
    app.switch_page("app_pages/chat.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def text(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.text, *app.info, *app.warning, *app.error]
    return "\n".join(str(part.value) for part in parts)


def test_without_adapter_and_base_the_page_says_what_to_get_and_from_where() -> None:
    app = opened()
    assert not app.exception
    assert "no adapter yet" in text(app)
    assert "huggingface.co" in app.warning[0].value
    assert app.chat_input[0].disabled


@pytest.mark.usefixtures("base")
def test_an_adapter_that_was_not_judged_is_labelled_so_and_the_model_can_be_loaded(adapter: JobRecord) -> None:
    app = opened(adapter=adapter.id)
    assert not app.exception
    assert "Not judged" in text(app)
    assert "chat.start" in [button.key for button in app.button]
    assert app.text_area(key=f"chat.system.{adapter.id}").value == "You are the course office."


@pytest.mark.usefixtures("base")
def test_a_worker_that_has_loaded_former_weights_is_not_asked(
    adapter: JobRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker(monkeypatch, adapter, "ready")
    assert "chat.unload" in [button.key for button in opened(adapter=adapter.id).button]
    os.utime(RunFolder.of(adapter.id).adapter / "adapter_config.json", ns=(1, 1))
    assert "chat.start" in [button.key for button in opened(adapter=adapter.id).button]


@pytest.mark.usefixtures("base")
def test_a_loading_worker_does_not_block_the_page(adapter: JobRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(monkeypatch, adapter, "starting", "loading the model")
    app = opened(adapter=adapter.id)
    assert not app.exception
    assert "Loading the model" in text(app)
    assert app.chat_input[0].disabled


@pytest.mark.usefixtures("base")
def test_a_worker_that_failed_says_why_and_can_be_tried_again(
    adapter: JobRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker(monkeypatch, adapter, "failed", "Out of memory.")
    app = opened(adapter=adapter.id)
    assert "Out of memory." in app.error[0].value
    assert app.button(key="chat.start").label == "Try again"


@pytest.mark.usefixtures("base")
def test_base_and_tuned_answer_the_same_held_out_row(adapter: JobRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(monkeypatch, adapter, "ready")
    seen: list[tuple[str, list[dict[str, str]]]] = []

    def stream(_: Endpoint, model: str, messages: list[dict[str, str]], __: int) -> Iterator[str]:
        seen.append((model, messages))
        yield from ("Sorry, ", "no.") if model == "base" else ('{"queue":', '"enrolment"}')

    monkeypatch.setattr(client, "stream", stream)
    app = opened(adapter=adapter.id)
    app.button(key="chat.ask").click().run()
    assert not app.exception
    assert {model for model, _ in seen} == {"base", adapter.id}
    assert all([turn["role"] for turn in messages] == ["system", "user"] for _, messages in seen)
    shown = text(app)
    assert "Sorry, no." in shown
    assert '{"queue":"enrolment"}' in shown
    assert shown.count("2 tokens in") == 2
    assert shown.count("not as expected") == 1, "the same JSON with other white space is as expected"


@pytest.mark.usefixtures("base")
def test_a_worker_that_ends_in_the_middle_leaves_a_message(adapter: JobRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(monkeypatch, adapter, "ready")

    def stream(*_: object) -> Iterator[str]:
        yield "Half an"
        raise EngineError("the chat worker ended in the middle of an answer.", "Start it again.")

    monkeypatch.setattr(client, "stream", stream)
    app = opened(adapter=adapter.id)
    app.chat_input[0].set_value("Hello").run()
    assert not app.exception
    assert "Half an" in text(app)
    assert "ended in the middle" in app.error[0].value


def test_questions_come_from_the_held_out_rows_with_their_right_answers(adapter: JobRecord) -> None:
    found = questions(adapter.spec)
    assert [(question.prompt, question.expected) for question in found] == [("Sign me up", '{"queue": "enrolment"}')]
    assert found[0].system == "You are the course office."


def test_rows_that_cannot_be_read_offer_no_questions(tmp_path: Path) -> None:
    broken = tmp_path / "rows.jsonl"
    broken.write_bytes(b"\x00\x01")
    assert questions(JobSpec(test=str(broken))) == ()
