"""The Shelf page: empty, judged and not judged, rename, archive, delete."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from core.job import EngineRef, Outcome, Result
from core.jobspec import JobSpec
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from evaluation.report import EvaluationReport
from evaluation.stats import wilson
from tests.shelf.conftest import write_adapter

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


def adapter(name: str = "Tickets", lineage: dict[str, Any] | None = None) -> tuple[JobRecord, RunFolder]:
    record, folder = job(JobSpec(name=name, base_revision="12ab"))
    write_adapter(folder.adapter, numbers=2**18)
    if lineage is not None:
        (folder.adapter / "lineage.json").write_text(json.dumps(lineage), encoding="utf-8")
    result = Result(adapter=str(folder.adapter))
    folder.finish(Outcome(state="succeeded", result=result, at=datetime.now(UTC)))
    return record, folder


def judged(train_id: str, **fields: Any) -> None:
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
        **fields,
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


def cells(app: AppTest) -> str:
    return " ".join(str(value) for value in app.table[0].value.to_numpy().ravel())


def test_lineage_as_the_training_wrote_it_and_scores_stand_with_the_adapter() -> None:
    told = {
        "base_model": "house/base",
        "base_revision": "90ffee12",
        "base_licence": "apache-2.0",
        "base_sha256": {"model.safetensors": "cd" * 32},
        "dataset_sha256": "ab" * 32,
        "dataset_rows": 1300,
        "validation_sha256": "ef" * 32,
        "versions": {"torch": "2.11", "peft": "0.19"},
        "created_at": "2026-11-01T10:00:00Z",
    }
    record, _ = adapter(lineage=told)
    judged(record.id)
    app = opened()
    assert "Not worth it" in text(app)
    assert "Base 0.02 (0.00 to 0.10), Tuned 0.92 (0.81 to 0.97)" in text(app).replace("\\", "")
    for part in ("house/base", "90ffee12", "apache-2.0", "cdcdcdcd", "abababababababab", "1,300 rows", "efefefef",
                 "torch 2.11", "01 Nov 2026", "LoRA rank 16", record.id):  # fmt: skip
        assert part in cells(app), part


def test_what_no_training_told_is_said_to_be_unknown() -> None:
    adapter()
    shown = cells(opened())
    assert "hash not kept" in shown and "not known" in shown and "12ab" in shown


def test_a_broken_adapter_says_so_and_is_not_offered_for_chat() -> None:
    _, folder = adapter()
    (folder.adapter / "adapter_model.safetensors").write_bytes(b"")
    app = opened()
    assert not app.exception
    assert "cut off" in app.error[0].value and "Train it again" in app.error[0].value
    labels = [str(link.proto.label) for link in app.get("page_link")]
    assert "Chat" not in labels and "Training" in labels


def test_an_adapter_that_was_trained_on_since_its_verdict_counts_as_not_judged() -> None:
    record, folder = adapter()
    weights = (folder.adapter / "adapter_model.safetensors").read_bytes()
    judged(record.id, adapter_sha256=hashlib.sha256(weights).hexdigest())
    assert "Not worth it" in text(opened())
    write_adapter(folder.adapter, fill=2.0)
    app = opened()
    assert "Not judged" in text(app) and "after it was judged" in app.warning[0].value


def test_a_name_that_says_nothing_is_refused_in_words() -> None:
    record, _ = adapter()
    app = opened()
    app.text_input(key=f"shelf.name.{record.id}").set_value("  ").run()
    assert "1 to 120 characters" in app.error[0].value
    assert open_store().adapter_names()[record.id][0] == "Tickets"


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
