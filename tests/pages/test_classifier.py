"""A small classifier on the pages: chosen for a launch, judged, kept and tried for what it is."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from advisor.advise import advise
from advisor.classifier_launch import ENCODERS, says_classifier, with_learner
from app_pages.judged_axes import lines
from core.answers import Answers
from core.job import EngineRef, Outcome, Result
from core.jobspec import JobSpec, Learner
from core.run_folder import RunFolder
from core.store import JobRecord, open_store
from dataset.prepare import adopt
from evaluation.judged_model import Opened
from evaluation.report import read_report
from evaluation.run import run_evaluation
from serving.classic_classifier import save_classic
from serving.classifier import load_classifier
from training.classic import fit_classic
from training.specs import check_train_spec

from ..evaluation.conftest import RuleModel, RuleRenderer
from .judgements import text

APP = str(Path(__file__).parents[2] / "app.py")
TODAY = date(2026, 11, 25)
SORTS = Answers(task="Sort tickets", task_kind="classify", labelled_examples=900, classes=3, volume_per_month=50_000)


def choice_script() -> None:
    from datetime import date

    from advisor.advise import advise
    from app_pages import classifier_choice, state
    from core.answers import Answers
    from core.jobspec import JobSpec

    answers = Answers(task_kind="classify", labelled_examples=900, classes=3)
    plan = state.current_plan()
    spec = plan.spec if plan is not None and plan.spec is not None else JobSpec()
    classifier_choice.show(spec, advise(answers, today=date(2026, 11, 25)), answers, plan)


def choice(rows: str) -> tuple[AppTest, str]:
    store = open_store()
    plan = store.new_plan("Tickets")
    store.update_plan(plan.id, data=adopt(rows.encode(), "rows.csv"))
    app = AppTest.from_function(choice_script, default_timeout=30)
    app.query_params["plan"] = plan.id
    return app.run(), plan.id


@pytest.fixture
def trained() -> JobRecord:
    """An ended training with its classifier, on the local engine."""
    store = open_store()
    spec = JobSpec(name="Tickets", learner="classic", device="cpu")
    record = store.add_job(spec, plan_id=None)
    folder = RunFolder.create(record.id, spec)
    rows = [
        (f"the {what} {n}", label) for n in range(9) for what, label in (("room is locked", "rooms"), ("bill", "fees"))
    ]
    fitted = fit_classic(*(list(part) for part in zip(*rows, strict=True)), seed=7)
    save_classic(folder.classifier, fitted.card, fitted.weights)
    folder.finish(Outcome(state="succeeded", result=Result(classifier=str(folder.classifier)), at=datetime.now(UTC)))
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    return record


@pytest.fixture
def judged(trained: JobRecord, tmp_path: Path) -> JobRecord:
    """Its judgement, on 40 rows of which the base gets none."""
    files = {}
    for part, numbers in (("dataset", range(9)), ("test", range(20, 40))):
        pairs = [
            (f"the {what} {n}", label)
            for n in numbers
            for what, label in (("room is locked", "rooms"), ("bill", "fees"))
        ]
        files[part] = str(tmp_path / f"{part}.jsonl")
        Path(files[part]).write_text("".join(json.dumps({"prompt": a, "completion": b}) + "\n" for a, b in pairs))
    spec = JobSpec(kind="evaluate", name="Tickets: judge", job=trained.id, device="cpu", look="quick", **files)
    store = open_store()
    record = store.add_job(spec, plan_id=None)
    folder = RunFolder.create(record.id, spec)
    base = tmp_path / "base"
    base.mkdir()
    opened = Opened(RuleModel(lambda prompt, tuned: "Sure."), RuleRenderer(), base)
    result = run_evaluation(spec, folder, lambda: False, lambda *_: opened)
    folder.finish(Outcome(state="succeeded", result=result, at=datetime.now(UTC)))
    store.set_ref(record.id, EngineRef(engine="local", ref=record.id))
    return record


def page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    app.run()
    app.switch_page(f"app_pages/{name}.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def test_where_the_advice_speaks_of_a_classifier_it_can_be_chosen_and_is_kept() -> None:
    app, plan_id = choice("text,label\n" + "\n".join(f"ticket {n} of {n * n},{'abc'[n % 3]}" for n in range(60)))
    assert not app.exception and "small encoder beats a prompted large model" in app.info[0].value
    app.radio(key="launch.learner").set_value("encoder").run()
    spec = open_store().plan(plan_id).spec
    assert spec is not None and (spec.learner, spec.encoder, spec.learning_rate) == ("encoder", ENCODERS[0], 1e-4)
    app.selectbox(key="launch.encoder").set_value(ENCODERS[1]).run()
    kept = open_store().plan(plan_id).spec
    assert kept is not None and kept.encoder == ENCODERS[1]
    app.radio(key="launch.learner").set_value("classic").run()
    classic = open_store().plan(plan_id).spec
    assert classic is not None and (classic.learner, classic.encoder, classic.early_stopping) == ("classic", None, None)
    assert not app.exception and "holds the classifier against it" in text(app)


def test_rows_with_free_answers_get_no_such_choice() -> None:
    app, _ = choice("text,answer\n" + "\n".join(f"ticket {n},answer {n}" for n in range(60)))
    assert not app.exception and not app.radio


@pytest.mark.parametrize("learner", ["llm", "classic", "encoder"])
def test_every_choice_is_a_job_that_can_start(learner: Learner) -> None:
    spec = with_learner(JobSpec(dataset="rows.csv", validation="v.csv", early_stopping=3), learner)
    assert spec.learner == learner and check_train_spec(spec) == []
    assert with_learner(with_learner(spec, "encoder"), learner) == spec


def test_the_advice_says_why() -> None:
    assert "900 labels" in says_classifier(advise(SORTS, today=TODAY))
    assert says_classifier(advise(Answers(task_kind="chat"), today=TODAY)) == ""


def test_the_verdict_of_a_classifier_says_what_it_is_and_what_does_not_apply(judged: JobRecord) -> None:
    app = page("judge", job=judged.id)
    assert not app.exception
    said = text(app)
    assert "small classifier: TF-IDF + logistic regression" in said and "A thousand texts are sorted in" in said
    assert "Which label is taken for which" in said and "a month" in said
    report = read_report(RunFolder.of(judged.id).evaluation_file)
    states = {line.axis: line.state for line in lines(report)}
    assert states["task"] == "better" and states["new_inputs"] in ("kept", "cannot_tell")
    assert {states[axis] for axis in ("knowledge", "safety", "over_refusal", "bias")} == {"not_applicable"}


def test_the_shelf_and_the_chat_say_that_it_is_a_classifier(
    trained: JobRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In this process: tests/shelf asks it in one of its own.
    monkeypatch.setattr("app_pages.classifier_chat.sort_texts", lambda at, texts: load_classifier(at).sort(texts))
    shelf = page("shelf")
    assert not shelf.exception and "Classifier (TF-IDF" in text(shelf).replace("\\", "")
    assert "Licence of the base" not in str([table.value for table in shelf.table])
    chat = page("chat", adapter=trained.id)
    assert not chat.exception and "writes nothing" in chat.info[0].value and not chat.chat_input
    chat.text_area(key="chat.classifier.text").set_value("my room is locked").run()
    chat.button(key="chat.classifier.go").click().run()
    assert not chat.exception and "**rooms**" in text(chat)
