"""Quarantine on the pages: said, released with a reason, exported, and open to a trial chat."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.quarantine_view import file_name
from core.job import EngineRef, Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from evaluation.report import EvaluationReport, Verdict
from evaluation.stats import wilson
from shelf.adapters import adapter as find
from shelf.export import export_bytes
from shelf.weights import weights_sha256
from tests.shelf.conftest import write_adapter

ROOT = Path(__file__).parents[2]
REASON = "Five colleagues try it for a week, and read every answer."


def opened(page: str = "shelf", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.run()
    app.switch_page(f"app_pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def text(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in [*app.markdown, *app.caption]).replace("\\", "")


def job(spec: JobSpec, *, adapter: bool = False) -> tuple[JobRecord, RunFolder]:
    store = open_store()
    record = store.add_job(spec, plan_id=None)
    folder = RunFolder.create(record.id, spec)
    if adapter:
        write_adapter(folder.adapter)
    result = Result(adapter=str(folder.adapter)) if adapter else Result()
    folder.finish(Outcome(state="succeeded", result=result, at=datetime.now(UTC)))
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    return record, folder


@pytest.fixture
def train() -> tuple[JobRecord, RunFolder]:
    return job(JobSpec(name="Tickets, first"), adapter=True)


def judged(train: tuple[JobRecord, RunFolder], verdict: Verdict, *, right: int = 46, day: int = 1) -> None:
    record, trained = train
    _, folder = job(JobSpec(kind="evaluate", job=record.id))
    EvaluationReport(
        verdict=verdict,
        reasons=["A classifier does it."],
        metric="exact_match",
        metric_words="exact match",
        models={"base": {"task": wilson(1, 50)}, "tuned": {"task": wilson(right, 50)}},
        base_model="b",
        adapter_sha256=weights_sha256(trained.adapter),
        test_file="/home/ada/held.jsonl",
        test_sha256=f"{day:064d}",
        rows=50,
        rows_in_file=50,
        seed=7,
        created_at=datetime(2026, 11, day, tzinfo=UTC),
    ).save(folder.evaluation_file)


def downloads(app: AppTest) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]


def test_what_was_not_judged_is_in_quarantine_and_offers_a_release_in_place_of_the_export(
    train: tuple[JobRecord, RunFolder],
) -> None:
    app = opened()
    assert not app.exception
    assert "Quarantined" in text(app) and "In quarantine. Nobody has judged it." in text(app)
    assert "Export" not in downloads(app) and "once it is out of quarantine" in text(app)
    assert app.button(key=f"shelf.release.{train[0].id}").label == "Release"


def test_what_was_judged_fit_is_exported_at_once(train: tuple[JobRecord, RunFolder]) -> None:
    judged(train, "ship")
    app = opened()
    assert "uarantine" not in text(app) and "Export" in downloads(app)
    assert not [button for button in app.button if button.label == "Release"]
    name = file_name(find(open_store(), train[0].id))
    with zipfile.ZipFile(io.BytesIO(export_bytes(open_store(), train[0].id, name))) as archive:
        assert name == "tickets-first" and "tickets-first/README.md" in archive.namelist()


def test_a_release_asks_for_name_and_reason_and_opens_the_export(train: tuple[JobRecord, RunFolder]) -> None:
    judged(train, "do_not_ship")
    app = opened()
    key = f"shelf.release.{train[0].id}"
    app.button(key=key).click().run()
    assert "A classifier does it." in text(app), "what is known of it is said first"
    app.text_input(key="shelf.release.name").set_value("Ada")
    app.text_area(key="shelf.release.reason").set_value("just because")
    app.button(key=key).click()
    app.button(key="shelf.release.sure").click()
    app.run()
    assert "at least 15 characters" in app.error[0].value and open_store().releases() == []
    app.text_area(key="shelf.release.reason").set_value(REASON)
    app.button(key=key).click()
    app.button(key="shelf.release.sure").click()
    app.run()
    assert not app.exception
    (made,) = open_store().releases()
    assert (made.name, made.reason, made.verdict) == ("Ada", REASON, "do_not_ship")
    app = opened()
    assert f"Released by Ada on {made.created_at:%d %b %Y}: {REASON}" in text(app) and "Export" in downloads(app)


def test_the_chat_stays_open_to_a_trial_and_says_so(train: tuple[JobRecord, RunFolder]) -> None:
    judged(train, "not_enough_evidence")
    app = opened("chat", adapter=train[0].id)
    assert not app.exception
    assert "Quarantined" in text(app)
    assert "A trial on this machine. In quarantine. Its newest verdict is: not enough evidence." in text(app)


def test_judgements_over_time_stand_in_a_table_with_what_has_changed(train: tuple[JobRecord, RunFolder]) -> None:
    judged(train, "ship", right=46, day=3)
    assert "Since" not in text(opened())
    judged(train, "do_not_ship", right=20, day=20)
    app = opened()
    assert "Since 2026-11-03, on other rows: task 0.92 to 0.40, worse beyond luck" in text(app)
    cells = " ".join(str(value) for value in app.table[0].value.to_numpy().ravel()).replace("\\", "")
    assert "20 Nov 2026" in cells and "held.jsonl (50)" in cells and "/home/ada" not in cells


def test_a_report_that_is_gone_hides_no_history(train: tuple[JobRecord, RunFolder]) -> None:
    judged(train, "ship", day=3)
    judged(train, "ship", day=4)
    broken = next(run for run in train[1].path.parent.iterdir() if (run / "evaluation.json").exists())
    report = (broken / "evaluation.json").read_text()
    (broken / "evaluation.json").write_text(report.replace('"seed"', '"no_seed"'))
    app = opened()
    assert not app.exception and "cannot be compared" in text(app) and len(app.table) == 2
