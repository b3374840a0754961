"""The Shelf page: empty, judged and not judged, rename, archive, delete."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.job import EngineRef, Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from evaluation.report import EvaluationReport
from evaluation.stats import wilson

ROOT = Path(__file__).parents[2]


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.run()
    app.switch_page("app_pages/shelf.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def text(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in [*app.markdown, *app.caption, *app.code])


def job(spec: JobSpec) -> tuple[JobRecord, RunFolder]:
    store = open_store()
    record = store.add_job(spec, plan_id=None)
    folder = RunFolder.create(record.id, spec)
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    return record, folder


def adapter(name: str = "Tickets") -> tuple[JobRecord, RunFolder]:
    record, folder = job(JobSpec(name=name, dataset_sha256="ab" * 32, base_revision="12ab"))
    folder.adapter.mkdir()
    (folder.adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    (folder.adapter / "adapter_model.safetensors").write_bytes(b"0" * 2**20)
    result = Result(adapter=str(folder.adapter))
    folder.finish(Outcome(state="succeeded", result=result, at=datetime.now(UTC)))
    return record, folder


def judged(train_id: str) -> None:
    _, folder = job(JobSpec(kind="evaluate", job=train_id))
    folder.finish(Outcome(state="succeeded", at=datetime.now(UTC)))
    EvaluationReport(
        verdict="do_not_ship",
        reasons=["A classifier does it."],
        metric="exact_match",
        metric_words="exact match",
        models={"base": {"task": wilson(1, 50)}, "tuned": {"task": wilson(46, 50)}},
        base_model="b",
        test_file="t",
        test_sha256="00",
        rows=50,
        rows_in_file=50,
        seed=7,
        created_at=datetime.now(UTC),
    ).save(folder.evaluation_file)


def test_an_empty_shelf_says_how_to_fill_it() -> None:
    app = opened()
    assert not app.exception
    assert "No adapter yet" in app.info[0].value


def test_an_adapter_that_was_not_judged_is_labelled_so() -> None:
    _, folder = adapter()
    app = opened()
    assert not app.exception
    assert "Not judged" in text(app)
    assert str(folder.adapter) in text(app)


def test_lineage_and_scores_stand_with_the_adapter() -> None:
    record, _ = adapter()
    judged(record.id)
    app = opened()
    assert "Not worth it" in text(app)
    assert "Tuned 0.92" in text(app)
    shown = " ".join(str(value) for value in app.table[0].value.to_numpy().ravel())
    for part in ("SmolLM2", "12ab", "abababababababab", "LoRA rank 16", record.id):
        assert part in shown


def test_a_new_name_and_the_archive_are_kept() -> None:
    record, _ = adapter()
    app = opened()
    app.text_input(key=f"shelf.name.{record.id}").set_value("Tickets, first").run()
    assert "Tickets, first" in text(app)
    app.button(key=f"shelf.archive.{record.id}").click().run()
    assert open_store().adapter_names()[record.id] == ("Tickets, first", True)
    assert "Tickets, first" not in text(app)
    app.toggle(key="shelf.archived").set_value(True).run()
    assert "Tickets, first" in text(app)


def test_deleting_says_first_what_goes() -> None:
    record, folder = adapter()
    app = opened()
    app.button(key=f"shelf.delete.{record.id}").click().run()
    assert "its adapter (1.0 MiB)" in text(app).replace("\\", "")
    assert folder.adapter.exists(), "deleted before the question was answered"
    app.button(key=f"shelf.delete.{record.id}").click()
    app.button(key="shelf.delete.sure").click()
    app.run()
    assert not folder.path.exists()
    assert not app.exception


def test_a_run_that_left_no_adapter_is_not_on_the_shelf() -> None:
    _, folder = job(JobSpec(name="Stopped"))
    folder.finish(Outcome(state="cancelled", at=datetime.now(UTC)))
    app = opened()
    assert "Stopped" not in text(app)
